"""How right is the blinking analysis? Simulated events and traces; the tables of docs/blinking.md.

Run as `PYTHONPATH=scripts python -m benchmarks.blinking [--share 0.1] [--parts fits states]
[--write docs/blinking.md]`. Every row has its own seed, so the tables do not depend on the number
of processes.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor

from benchmarks.blinking import (
    dead_time,
    doubles,
    fits,
    goodness,
    light,
    other_light,
    others,
    photostability,
    states,
    type_experiments,
    type_shares,
)
from benchmarks.page import Part, run, text_of

HEAD = """# How right the blinking analysis is

Every number on this page is of simulated data with known truth (`make accuracy`): frames of 20 ms,
a window of 20,000 of them where nothing else is stated. In short:

- **Verdicts.** Of pure power laws in whole frames at most 6 % are called truncated. Cut-offs are
  recognised nearly as often as any test could: in more than 95 % of cases from 200 events on
  where alpha is 1.5 or less, in 58 to 81 % where it is 1.8.
- **Test of fit.** It rejects a law that is right in 4 to 6 % of cases, and two exponentials a
  decade apart, of 500 events, in more than 90 %.
- **Errors of alpha.** The 95 % intervals that a run states allow for the cut to frames. They hold
  in 89 to 100 % of pure power laws, at 1.3 to 2.8 times the width; without that they hold in 25
  to 98 %.
- **Single types.** Events that noise makes or that frames cut change alpha and types by more than
  chance does. Read *Continuous time cut to frames* and *What the states do* before a conclusion
  rests on them.
- **On-fractions.** In any camera and light their RMS error is 0.004 to 0.019 by `hmm`, and 0.11
  to 0.48 by the fixed threshold of 100 counts. In fields like the paper's it is 0.007 and 0.05.
  The 95 % intervals of `hmm` hold in 97 to 99 %, in a second forward model in 92 to 97 % where
  there are two levels, and in 91 to 95 % with grey ones among them.
"""


def pure_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Pure power laws"
    yield (
        "Durations in whole frames, drawn from Eq. 1 within the window. Bounds: at most 6 % "
        "called truncated at the 5 % level, a bias of alpha below 0.02 at 500 events, and 95 % "
        "intervals that hold in 93 to 97 %. Draws of fewer than three different durations are "
        "not fitted."
    )
    yield text_of(fits.pure_table(pool, round(10_000 * share)), 2)


def truncated_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Truncated power laws"
    yield (
        "Durations in whole frames, drawn from Eq. 2. Bound: 90 % recognised from 200 events "
        "on, where that is possible. *Best possible* is what the likelihood ratio of the true "
        "law against the nearest pure one recognises, both being known: no test that holds its "
        "5 % for every pure law recognises more."
    )
    yield text_of(fits.truncated_table(pool, round(2000 * share)), 3)


def quantised_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Continuous time cut to frames"
    yield (
        "Durations in continuous time, cut to whole frames in several ways. The cut shifts "
        "them by up to half a frame and bends the law of the shortest. `auto` allows for it "
        "where the data show it, and trusts them elsewhere. `camera`, which a run uses, also "
        "allows for it in the errors where the data do not show it. The intervals are of those "
        "called power laws."
    )
    yield text_of(fits.quantised_table(pool, round(1000 * share)), 2)


def window_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Events cut by the window"
    yield (
        "Traces of on and off events of unbounded laws, in whole frames, seen through the "
        "window, which cuts the last event. *Flagged*, it enters by its survival function. "
        "*Dropped*, the longest events are missing."
    )
    yield text_of(fits.window_table(pool, round(600 * share)), 2)


def goodness_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Test of fit"
    yield (
        "How often the test of fit rejects a law that is right, in percent, at the 5 % level: "
        "4 to 6 is meant, with a standard error of 0.4 here. Durations in whole frames. In "
        "2,500 other draws of each all lay between 4.2 and 5.8; the correction was set on "
        "those of 50 to 500 events."
    )
    yield text_of(goodness.size_table(pool, round(3000 * share)), 2)
    yield (
        "How often it rejects both laws where neither is right. Bound: 80 % for 500 events of "
        "two exponentials a decade apart."
    )
    yield text_of(goodness.power_table(pool, round(400 * share)), 3)
    yield (
        "What leads to `neither` in practice, in traces of power laws of 1.5, on and off: "
        "false frames as of noise, events that merge because the one between them is shorter "
        "than a frame, or a third level. Single false frames cut long events, and make events "
        "of one frame, which the fit sets aside."
    )
    yield text_of(goodness.cause_table(pool, round(400 * share)), 3)


def states_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## What the states do to on-fraction, alpha and type"
    yield (
        "Traces with gamma-skewed background noise and the shot noise of an "
        "electron-multiplying camera. Each fit is compared with that of the true states of the "
        "same trace (on for more than half of the frame), under the law that those have. "
        "`fixed` is the paper's 100 counts, `hmm` the hidden Markov model. *Expected false* is "
        "`expected_false_on_events`: events of one frame that the noise of the off level makes "
        "alone."
    )
    yield (
        "Bound: RMS errors of alpha below 0.1 with `hmm`. It is missed where nanocrystals of a "
        "truncated law switch at any time. A few half-lit frames decide there how the fit "
        "treats the shortest events; where it differs from that of the true states (2 to 5 of "
        "53 traces), alpha differs by 0.2 to 0.4."
    )
    yield text_of(states.states_table(pool, round(60 * share)), 3)


def weak_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Weak emitters"
    yield (
        "Fields of nanocrystals with pure power laws of 1.5, on and off, and true on-fractions "
        "of 0.2 to 0.9: none is dark. The on levels scatter by 30 % about a multiple of the "
        "off level's noise, 40 counts."
    )
    yield text_of(states.weak_table(pool, max(round(60 * share), 10)))


def other_light_part(pool: Executor, share: float) -> Iterable[str]:
    fields = max(round(24 * share), 4)
    yield "## On-fractions against another forward model"
    yield (
        f"{fields} fields of {other_light.NANOCRYSTALS} nanocrystals in two epochs of "
        f"{other_light.FRAMES} frames, pixel by pixel (`benchmarks/blinking/other_light.py`):\n\n"
        "- Airy disks whose rings reach the neighbours; an sCMOS with an offset, gain and read "
        "noise of each pixel;\n"
        "- power laws down to a tenth of a frame and less; on levels that fluctuate by 5 %; in "
        "some fields on events of 0.35 to 0.7 of the level, of any length."
    )
    yield (
        "None of the method's numbers was fitted to them; it was tried on other fields of this "
        "model. Columns as in *On-fractions in any light*, by the model. *Two levels*: of "
        "nanocrystals without dimmer events. The wrong populations from three noises up are "
        "on-fractions within 0.02 of the cut-off of 0.1 in truth, and all but one within 1.6 "
        "of their standard errors."
    )
    yield text_of(other_light.other_light_table(pool, fields), 3)


def type_shares_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Shares of types A and B"
    yield (
        "Emissive nanocrystals in continuous time (`benchmarks/blinking/type_shares.py`): on "
        "levels of 500 counts, noise of 40, the settings as they are by default. *Estimated*: "
        "`share_type_a` of `types.csv`, from all nanocrystals, with its interval as of four "
        "fields. *Counted*: verdicts over all nanocrystals, and those of type A over those of "
        "either type."
    )
    yield text_of(type_shares.shares_table(pool, max(round(240 * share), 40)), 3)


def type_experiments_part(pool: Executor, share: float) -> Iterable[str]:
    n = max(round(300 * share), type_experiments.NANOCRYSTALS)
    shares, transitions = type_experiments.experiment_tables(pool, n)
    yield "## Shares of types over many experiments"
    yield (
        f"The error of the estimated share of A, in points: the mean of "
        f"{type_experiments.EXPERIMENTS} experiments of {type_experiments.NANOCRYSTALS} "
        "nanocrystals, +- the standard deviation of one; and how often its 95 % interval holds. "
        f"Each experiment draws from {n} simulated nanocrystals of either type, with states by "
        "`hmm` (`benchmarks/blinking/type_experiments.py`). The head of a column has the true "
        "share."
    )
    yield text_of(shares, 3)
    yield "The same for the shares of transitions (`share_of_both` of `type_transitions.csv`):"
    yield text_of(transitions, 3)


def doubles_part(pool: Executor, share: float) -> Iterable[str]:
    fields = max(round(40 * share), 8)
    yield "## Two nanocrystals in one spot"
    yield (
        "Nanocrystals closer than the PSF are one spot. Its on-fraction is the share of the "
        "time in which at least one of them is on, which is a property of neither.\n\n"
        "- `two_emitters_pre` and `two_emitters_post` in `nanocrystals.csv` are True where the "
        "counts show the levels of two emitters, which add up. Such a nanocrystal can be left "
        "out (`verdicts.csv`).\n"
        "- A second emitter with less than 0.37 of the light of the first may also be dirt or "
        "a neighbour; below 0.30 this is as likely. The standard error holds both cases, so "
        "many of these spots are undetermined.\n"
        "- What switches within frames has no levels that persist. Where two emitters are "
        "likelier all the same, neither result is trusted: the standard error is that of a "
        "time on anywhere between the two."
    )
    yield (
        f"{fields} fields of {doubles.SINGLES} single nanocrystals and "
        f"{doubles.DOUBLES + doubles.RARE} doubles (`benchmarks/blinking/doubles.py`): "
        "exponentials and power laws with and without a cut-off, EMCCD and sCMOS, the brighter "
        "one of 4 to 20 noises. The first column has the ratio of the levels. *Shown*: "
        "`two_emitters` is True. Other columns as in *On-fractions in any light*, by the "
        "model. The method was made on other fields of a similar model."
    )
    yield text_of(doubles.doubles_table(pool, fields), 3)


def light_part(pool: Executor, share: float) -> Iterable[str]:
    fields = max(round(60 * share), 6)
    rows = light.light_rows(pool, fields)
    yield "## On-fractions in any light"
    yield (
        f"{fields} fields of {light.NANOCRYSTALS} nanocrystals in two epochs, from a forward "
        "model of their own (`benchmarks/blinking/light.py`): EMCCD and sCMOS, power laws and "
        "exponentials, 600 to 5,000 frames, backgrounds of 5 to 100 counts a pixel, "
        "on-fractions from 0 to 1 with both ends, up to 2 % emission when off; in some fields "
        "grey levels of 0.55, or light that fades by 30 %. The method was tried on other "
        "fields of this model while it was made."
    )
    yield (
        "The truth is the time on in the movie. Each on-fraction stands in the row of its own "
        "on level. *Without verdict*: excluded as `undetermined` (`hmm`) or `noisy` (`fixed`), "
        "in one epoch at least; the other columns are of the rest. *Intervals*: the "
        "on-fraction and 1.96 of its standard error to each side."
    )
    yield text_of(light.light_table(rows), 3)
    yield (
        "Bounds for `hmm`, in the order of the rows: RMS 0.010, 0.015 and 0.04; off by more "
        "than 0.1 none, 0.1 % and 1 %; wrong population 0.3, 0.5 and 2 %, the last also below "
        "3; without verdict 1, 3 and 20 %. Bias below 0.003 from three noises up; intervals "
        "that hold in 93 to 97 %. 100 counts mean something else in most of these fields: the "
        "first rows of the next table are those like the paper's."
    )
    yield "### By the kind of field, on levels of five noises and more"
    yield text_of(light.condition_table(rows), 3)
    yield "### Dark in one epoch"
    yield (
        "Of on-fractions that are truly below 0.1, *without verdict* are lost, not at random, "
        "and *called emissive* are wrong. *Emissive called dark* is of all that are truly "
        "emissive."
    )
    yield text_of(light.dark_table(rows), 3)
    yield (
        "**Which method should be the default?** By these tables `hmm`: it needs no number "
        "that belongs to one microscope, its errors are a fraction of those of the threshold "
        "everywhere, and nanocrystals that it cannot decide are excluded. The default is "
        "`fixed`, because it is the paper's recipe, and numbers are compared with the paper's. "
        "Both are in `nanocrystals.csv` whatever the setting."
    )


def dead_time_part(pool: Executor, share: float) -> Iterable[str]:
    n = round(40 * share)
    yield "## Dead time between frames"
    yield (
        f"A camera that collects light for a part of the time per frame only; {n} nanocrystals a "
        "row, 6,000 frames, on and off by t^-1.6 in continuous time, on levels of 300 to 700 "
        "counts. The truth is the share of the whole time, which a camera with dead time sees a "
        "part of; times are in frames. Dead time changes neither on-fractions nor alpha and tau "
        "by more than their errors. The threshold of 100 counts is nearer to the truth with it, "
        "as fewer frames are lit in part. The intervals of the on-fraction hold the less the "
        "longer it is: they are of the time that was seen."
    )
    yield text_of(dead_time.table(pool, n), 3)


def photostability_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Photostability"
    yield (
        "Trajectories of 400 s, classified with the default settings. Bound: at most 5 % of "
        "nanocrystals whose blinking does not change are called anything but stable. The usual "
        "tests (a line through the on-fraction, a t test of its halves, Mann-Kendall's) take "
        "bins of time as independent, which they are not under power-law dwell times. Power is "
        "small where single events last minutes: *stable* means that no trend was shown."
    )
    for title, table in photostability.photostability_tables(pool, max(round(400 * share), 20)):
        yield f"### {title}"
        yield text_of(table)


def others_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Beside the powerlaw package"
    yield "The same pure power laws in whole frames, called truncated at the 5 % level."
    yield text_of(others.comparison_table(pool, round(100 * share)), 3)


def time_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Time a fit"
    yield "One nanocrystal's on events, both laws and the verdict, on one core; at most 10 ms."
    yield text_of(fits.time_table(), 2)


PARTS: dict[str, Part] = {
    "pure": pure_part,
    "truncated": truncated_part,
    "quantised": quantised_part,
    "window": window_part,
    "goodness": goodness_part,
    "states": states_part,
    "weak": weak_part,
    "type_shares": type_shares_part,
    "type_experiments": type_experiments_part,
    "doubles": doubles_part,
    "light": light_part,
    "other_light": other_light_part,
    "dead_time": dead_time_part,
    "photostability": photostability_part,
    "others": others_part,
    "time": time_part,
}


if __name__ == "__main__":
    run(__doc__.splitlines()[0], HEAD, PARTS)
