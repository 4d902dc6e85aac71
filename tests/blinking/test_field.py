"""From counts to the rows of the table, on simulated traces whose states are known."""

import numpy as np
import pytest

from blinkpair.epochs import EPOCHS
from blinkpair.simulate.blinking import DwellLaw, on_time_per_frame
from tests.helpers.blinking_field import EXPOSURE_S, FRAMES, analyse
from tests.helpers.states import NOISE


def test_rows_state_what_happened(found):
    table = found.table
    assert table["nc_id"].tolist() == [10, 11, 12, 13, 14]
    assert table["population"].tolist() == ["emissive", "", "became_dark", "dark", "emissive"]
    assert table["blinking_pre"].tolist()[1:] == [
        "not_fitted",  # not analysed
        table["blinking_pre"][2],
        "not_fitted",  # dark
        "not_fitted",  # never off: no events
    ]
    assert {table["blinking_pre"][0], table["blinking_pre"][2]} <= {
        "power_law",
        "truncated_power_law",
    }
    assert table["blinking_post"][2] == "not_fitted"
    assert table["photostability_pre"][1] == "not_tested"
    assert table["photostability_post"][2] == "not_tested"
    assert table["photostability_pre"][4] == "stable"


def test_what_is_left_out_by_hand_is_in_no_number_and_has_the_population_it_would_be_in(field):
    intensity, _ = field
    judged = np.array([False, False, True, True, False])
    by_hand = np.where(judged, "by_hand", "")
    out = analyse(intensity, ~judged, because=by_hand)
    whole = analyse(intensity, np.full(5, True), because="")
    for name in ("population", "population_fixed", "population_best"):
        assert (out.table[name] == whole.table[name].where(~judged, "")).all()
    would_be = whole.table["population"].where(judged, "")
    assert out.table["population_left_out"].tolist() == would_be.tolist()
    assert would_be[judged].tolist() == ["became_dark", "dark"]
    assert (whole.table["population_left_out"] == "").all()
    assert out.table["excluded_because"].tolist() == by_hand.tolist()
    assert out.table["blinking_pre"][2] == "not_fitted"
    assert out.durations["n_events"].sum() < whole.durations["n_events"].sum()


def test_what_cannot_be_determined_is_not_counted_as_left_out_by_hand(field):
    intensity, _ = field
    unsure = {epoch: counts.copy() for epoch, counts in intensity.items()}
    rng = np.random.default_rng(3)
    unsure["pre"][0] = 60 * (rng.random(FRAMES) < 0.5) + NOISE * rng.normal(size=FRAMES)
    out = analyse(
        unsure,
        np.array([False, True, True, True, True]),
        because=["by_hand", "", "", "", ""],
        threshold={"method": "hmm"},
    ).table
    assert out["excluded_because"].tolist() == ["undetermined", "", "", "", ""]
    assert (out["population_left_out"] == "").all()


def test_counts_when_on_are_the_mean_of_the_on_frames(field, found):
    counts = field[0]["pre"]
    for row in (0, 4):
        expected = counts[row][counts[row] > 100].astype(float).mean()
        assert found.table["counts_when_on_pre"][row] == pytest.approx(expected, rel=1e-6)
    # Always on: 500, known to the noise of 51 over the root of 20,000.
    assert found.table["counts_when_on_pre"][4] == pytest.approx(500, abs=1.5)


def test_on_levels_do_not_depend_on_frames_that_are_lit_in_part():
    # The same brightness, 500 counts; events of 3 frames after, of 30 before, that begin and end
    # anywhere in a frame: a third of the frames on is lit in part, and their mean is 80 lower.
    rng = np.random.default_rng(5)
    intensity = {}
    for epoch, frames in (("pre", 30.0), ("post", 3.0)):
        ends = np.cumsum(rng.exponential(frames, (4, 3 * FRAMES // int(frames))), axis=1)
        lit_until = np.cumsum(
            np.diff(ends, axis=1, prepend=0.0) * (np.arange(ends.shape[1]) % 2), 1
        )
        at = np.arange(2001)
        lit = np.array([np.diff(np.interp(at, e, t)) for e, t in zip(ends, lit_until, strict=True)])
        counts = 500 * lit + np.sqrt(NOISE**2 + 1000 * lit) * rng.normal(size=lit.shape)
        intensity[epoch] = counts.astype(np.float32)
    table = analyse(intensity, np.full(4, True)).table
    ratio = table["on_level_counts_post"] / table["on_level_counts_pre"]
    np.testing.assert_allclose(ratio, 1.0, atol=0.03)
    assert (table["counts_when_on_post"] / table["counts_when_on_pre"] < 0.9).all()


def test_the_integrated_light_is_that_of_the_analysed(field, found):
    intensity, analysed = field
    curve = found.integrated_pl[found.integrated_pl["epoch"] == "post"]
    assert len(curve) == 400
    total = intensity["post"][analysed].astype(float).sum(axis=0).mean()
    assert curve["integrated_pl"].mean() == pytest.approx(total, rel=1e-5)


def test_what_was_not_measured_is_in_no_population(field):
    intensity, analysed = field
    lost = {epoch: counts.copy() for epoch, counts in intensity.items()}
    lost["post"][0] = np.nan
    lost["post"][4, ::2] = np.nan
    table = analyse(lost, analysed).table
    assert np.isnan(table["on_fraction_post"][0])
    assert table["population"][0] == ""
    assert table["on_fraction_post"][4] == pytest.approx(1.0, abs=1e-3)


def test_a_row_that_is_not_analysed_has_measurements_and_no_verdicts(found):
    row = found.table.loc[1]
    assert np.isfinite(row["on_fraction_pre"])
    assert row["threshold_from_pre"] == "fixed"
    assert row["n_on_events_pre"] > 50
    for name in ("alpha_on_pre", "p_off_fraction_post", "tau_off_pre_s"):
        assert np.isnan(row[name])
    assert row["reason_on_pre"] == "not analysed"


def test_no_nanocrystals_make_no_rows():
    nothing = {epoch: np.empty((0, 0), np.float32) for epoch in EPOCHS}
    result = analyse(nothing, np.zeros(0, bool))
    assert result.table.empty
    assert "photostability_post" in result.table
    assert result.durations.empty


@pytest.mark.parametrize(
    ("gain", "method", "counted"), [(1, "fixed", 4), (3, "fixed", 0), (3, "hmm", 4)]
)
def test_a_threshold_within_the_noise_counts_nothing(field, gain, method, counted):
    # Noise of 40 counts, 120 with three times the gain: 1.5 times that is above the threshold.
    intensity, analysed = field
    few = {epoch: gain * counts[:, :2000] for epoch, counts in intensity.items()}
    table = analyse(few, analysed, noise=gain * NOISE, threshold={"method": method}).table
    assert table["analysed"].sum() == counted
    if not counted:
        assert table["excluded_because"].tolist() == ["noisy", np.nan, "noisy", "noisy", "noisy"]
        assert (table["population"] == "").all()


def test_a_creeping_focus_changes_the_papers_recipe_only_where_it_is_to_be_followed():
    """Two whose on level falls from 300 to 60 counts, of which every frame on is known."""
    rng = np.random.default_rng(8)
    law, off = DwellLaw(1.7, 0.02, 4.0), DwellLaw(1.7, 0.04, 4.0)
    lit = np.stack(
        [on_time_per_frame(rng, law, off, frames=4000, exposure_s=EXPOSURE_S) for _ in range(2)]
    ).round()
    light = np.geomspace(5, 1, 4000)
    light /= light.mean()
    counts = (150 * lit * light + 10 * rng.normal(size=lit.shape)).astype("f4")
    intensity, analysed = dict.fromkeys(EPOCHS, counts), np.array([True, True])
    true = lit.mean(axis=1)
    unknown = analyse(intensity, analysed).table
    by_epoch = dict.fromkeys(EPOCHS, light)
    followed = analyse(intensity, analysed, by_epoch).table
    with_fixed = analyse(
        intensity, analysed, by_epoch, threshold={"fixed_follows_focus": True}
    ).table
    fixed = "on_fraction_pre_fixed"
    assert followed[fixed].tolist() == unknown[fixed].tolist()
    # On is below 100 counts in the last third of the movie.
    assert (followed[fixed] < 0.8 * true).all()
    for table, column in ((followed, "on_fraction_pre_best"), (with_fixed, fixed)):
        # An off frame of 10 counts reaches 100 where it counts nine times at the end of the movie:
        # never; the rest is counted exactly.
        assert table[column].to_numpy() == pytest.approx(true, abs=0.01)
