"""Runs of a frame and of a few show whether events go on below a frame, in the noise, too."""

import numpy as np
import pytest

from blinkpair.blinking.states.emissions import OFF, ON, NoiseCourse
from blinkpair.blinking.states.event_laws import LAWS
from blinkpair.blinking.states.event_runs import Runs, find_runs
from blinkpair.blinking.states.learning import learn_two
from blinkpair.blinking.states.levels import OffPrior, Trace, first_levels
from tests.helpers.states import NOISE, empty_counts, states_by

FRAMES = 2000
BELOW_A_FRAME = np.array([shortest < 1 for _, shortest in LAWS])


def lit_by(rng, draw, frames=FRAMES):
    """Share of each frame on; on and off times are drawn alike, in frames."""
    ends = np.cumsum(draw(4 * frames))
    edges = ends[20] + np.arange(frames + 1.0)
    time_on = np.concatenate(
        [[0.0], np.cumsum(np.diff(ends, prepend=0.0) * (np.arange(len(ends)) % 2))]
    )
    return np.diff(np.interp(edges, np.concatenate([[0.0], ends]), time_on))


def power_law(rng, shortest):
    return lambda n: np.minimum(shortest * rng.random(n) ** -2.0, 30.0)  # t^-1.5


def runs_of(rng, lit, noises):
    x = NOISE * (noises * lit + rng.normal(size=lit.shape))
    prior = OffPrior(0.0, 2.0, NOISE, 0.05, -6.0, 20.0, 0.0)
    trace = Trace(x, prior, first_levels(x, prior), NoiseCourse.constant(len(x)))
    result = learn_two(trace)
    on = result.over_half > 0.5
    return [find_runs(result, (0.0, 0.0), c, s) for c, s in ((OFF, ~on), (ON, on))]


def weight_below(runs: list[Runs]) -> float:
    """How much likelier events go on below a frame than not, logarithm."""
    fit = np.sum([one.log_laws() for one in runs], axis=0)
    return float(fit[BELOW_A_FRAME].max() - fit[~BELOW_A_FRAME].max())


@pytest.mark.parametrize("noises", [4.0, 12.0])
def test_runs_show_whether_events_go_on_below_a_frame(noises):
    rng = np.random.default_rng(1)
    draws = {
        "exponential": lambda n: rng.exponential(8.0, n),
        "from a frame": power_law(rng, 1.0),
        "from an eighth": power_law(rng, 0.125),
    }
    found = {
        name: [runs_of(rng, lit_by(rng, draw), noises) for _ in range(8)]
        for name, draw in draws.items()
    }
    for k in range(2):  # of on and of off frames
        below = {name: weight_below([runs[k] for runs in eight]) for name, eight in found.items()}
        assert below["exponential"] < -2.0
        # At 4 noises it is open, as some of the events of one frame are not seen.
        assert below["from a frame"] < (2.0 if noises < 5 else -2.0)
        assert below["from an eighth"] > 2.0


def test_expected_runs_are_those_of_the_law():
    """Without noise: integrals of t^-1.5 over the share of beginnings that give so many frames."""
    rng = np.random.default_rng(2)
    runs = runs_of(rng, lit_by(rng, lambda n: rng.exponential(8.0, n)), 40.0)[0]
    one, two = runs.expected[LAWS.index((1.5, 1.0)), :2]
    # (2 - t) from 1 to 2; (t - 1) from 1 to 2 and (3 - t) from 2 to 3.
    assert one == pytest.approx(0.343, rel=0.05)
    assert two == pytest.approx(0.385, rel=0.05)
    # Those below a frame, of which half a frame must be lit: integrated over their beginnings.
    below = runs.expected[LAWS.index((1.5, 0.12)), 0] - one
    assert below == pytest.approx(0.586, rel=0.05)


def test_errors_are_not_those_of_events_that_the_field_does_not_have():
    rng = np.random.default_rng(3)
    lit = np.array([lit_by(rng, lambda n: rng.exponential(8.0, n)) for _ in range(24)])
    on = 4.0 * NOISE * np.exp(0.1 * rng.normal(size=(len(lit), 1)))
    traces = (on * lit + NOISE * rng.normal(size=lit.shape)).astype(np.float32)
    found = states_by("hmm", traces, empty_counts(len(lit)))
    # 0.0099 with all laws alike; the error itself is 0.0035.
    assert np.median(found.on_fractions_se) < 0.0075
    error = np.abs(found.on_fractions - lit.mean(axis=1))
    assert (error <= 1.96 * found.on_fractions_se).sum() >= len(lit) - 2
