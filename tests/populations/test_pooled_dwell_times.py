"""Pooled dwell times: counts that close, laws that are found again, exposures kept apart."""

import numpy as np
import pandas as pd
import pytest

from blinkpair.dwell_fits.events import Events, count_events
from blinkpair.dwell_fits.fits import fit_counted_events
from blinkpair.dwell_fits.histograms import log_binned_density
from blinkpair.dwell_fits.result import DwellTimeSettings
from blinkpair.errors import InputError
from blinkpair.figures.dwell_examples import measure_dwell_example
from blinkpair.populations.pooled_dwell_times import coincide, law_of, pool_densities, pool_fits
from blinkpair.populations.pools import pool_durations
from tests.helpers.dwell_times import WINDOW, draw
from tests.helpers.pooled_events import EXPOSURE_S, table_of


def test_pooled_is_the_sum_of_the_fields():
    rng = np.random.default_rng(1)
    first, second = draw(rng, 1.6, 400), draw(rng, 1.9, 300)
    table = pd.concat([table_of(first, cut=[7, 900]), table_of(second, cut=[7], field="f2")])
    row = pool_fits(pool_durations([table])).iloc[0]
    both = np.concatenate([first, second, [7, 7, 900]])
    own = fit_counted_events(
        count_events(both, np.arange(len(both)) >= 700, WINDOW),
        exposure_s=EXPOSURE_S,
        window_frames=WINDOW,
        settings=DwellTimeSettings(),
        pooled=True,
    )
    assert (row["n_events"], row["n_cut_by_end"], row["n_fields"]) == (700, 3, 2)
    assert row["model"] == own.model
    assert row["alpha"] == pytest.approx(own.alpha, rel=1e-9)
    assert row["p_value"] == pytest.approx(own.p_value, rel=1e-6)
    density = pool_densities(pool_durations([table]))
    assert density["n_events"].sum() == 700  # the cut ones are in the fit alone
    expected = log_binned_density(both[:700], exposure_s=EXPOSURE_S)
    pd.testing.assert_frame_equal(density[expected.columns], expected)


def test_the_law_of_alike_nanocrystals_is_found_again():
    """40 traces of zeta-distributed events, alpha 1.5, each seen until the window ends."""
    rng = np.random.default_rng(2)
    complete, cut = [], []
    for _ in range(40):
        events = np.minimum(rng.zipf(1.5, 2000), WINDOW)
        ends = np.cumsum(events)
        last = int(np.searchsorted(ends, WINDOW))
        complete.append(events[:last])
        cut.append(WINDOW - (ends[last - 1] if last else 0))
    row = pool_fits(pool_durations([table_of(np.concatenate(complete), cut=cut)])).iloc[0]
    assert row["model"] == "power_law"
    assert abs(row["alpha"] - 1.5) < 4 * row["alpha_se"]
    # An exponential cut at 25 frames, 0.5 s, is seen as such.
    row = pool_fits(pool_durations([table_of(draw(rng, 1.5, 3000, 25))])).iloc[0]
    assert row["model"] == "truncated_power_law"
    assert abs(row["alpha"] - 1.5) < 4 * row["alpha_se"]
    assert row["tau_low_s"] < 25 * EXPOSURE_S < row["tau_high_s"]


@pytest.mark.parametrize("tau_frames", [np.inf, 25])
def test_a_row_draws_the_law_it_was_fitted_to(tau_frames, tmp_path):
    """Over whole frames the density adds up to the share of events it was fitted to, here 1."""
    events = draw(np.random.default_rng(3), 1.5, 3000, tau_frames)
    fits = pool_fits(pool_durations([table_of(events)]))
    fits.to_csv(tmp_path / "fits.csv", index=False)
    law = law_of(pd.read_csv(tmp_path / "fits.csv").iloc[0])
    own = fit_counted_events(
        count_events(events, None, WINDOW),
        exposure_s=EXPOSURE_S,
        window_frames=WINDOW,
        settings=DwellTimeSettings(),
        pooled=True,
    )
    t = EXPOSURE_S * np.geomspace(1, 5000, 50)
    np.testing.assert_allclose(law.density(t), own.density(t), rtol=1e-6)
    if np.isfinite(tau_frames):
        every = EXPOSURE_S * np.arange(law.fitted_from_frames, WINDOW + 1)
        total = law.density(every).sum() * EXPOSURE_S
        assert total == pytest.approx(np.mean(events >= law.fitted_from_frames), abs=1e-4)


def test_a_cut_off_near_a_tenth_of_the_movie_is_found_on_either_side_of_it():
    """Movies of 300 frames, where a tenth is 30: tau of 24 to 36 frames is far from no cut-off."""
    rng = np.random.default_rng(5)
    for tau_frames in (24, 28, 30, 32, 36):
        events = draw(rng, 0.9, 3000, tau_frames)
        table = table_of(np.minimum(events, 300), window_frames=300)
        row = pool_fits(pool_durations([table])).iloc[0]
        assert row["model"] in ("truncated_power_law", "neither")  # 5 % by chance
        assert 0.7 < row["tau_s"] / (tau_frames * EXPOSURE_S) < 1.4


@pytest.mark.parametrize(("n_before", "n_after"), [(5000, 5000), (5000, 20_000)])
def test_curves_that_lie_on_each_other_have_one_verdict(n_before, n_after):
    """Two power laws mixed, for which chance decides whether the test of fit rejects one law.

    Fitted alone, the two verdicts differ in a fifth of the draws or more.
    """
    rng = np.random.default_rng([7, n_after])
    alone = 0
    for _ in range(20):
        drawn = [
            np.concatenate([draw(rng, alpha, n // 2) for alpha in (1.6, 1.9)])
            for n in (n_before, n_after)
        ]
        tables = [
            table_of(own, epoch=epoch) for own, epoch in zip(drawn, ("pre", "post"), strict=True)
        ]
        own = [pool_fits(pool_durations([table])).iloc[0] for table in tables]
        assert not any(row["epochs_together"] for row in own)
        alone += own[0]["model"] != own[1]["model"]
        before, after = pool_fits(pool_durations([pd.concat(tables)])).to_dict("records")
        assert before["epochs_together"]
        assert after["epochs_together"]
        for name in ("model", "alpha", "tau_s", "p_value_fit"):
            np.testing.assert_equal(before[name], after[name])
        assert (before["n_events"], after["n_events"]) == (n_before, n_after)
    assert alone >= 4


def test_curves_that_differ_visibly_are_fitted_alone():
    """A cut-off at 50 frames leaves none of the 15 in 1,000 events beyond 500 frames."""
    rng = np.random.default_rng(8)
    tables = [
        table_of(draw(rng, 1.6, 5000, tau), epoch=epoch)
        for epoch, tau in (("pre", np.inf), ("post", 50))
    ]
    before, after = pool_fits(pool_durations([pd.concat(tables)])).to_dict("records")
    assert not before["epochs_together"]
    assert not after["epochs_together"]
    assert before["alpha"] == pytest.approx(1.6, abs=0.05)
    assert after["tau_s"] == pytest.approx(50 * EXPOSURE_S, rel=0.3)


def test_a_difference_counts_from_a_factor_of_1_25_on():
    """Events of one frame before and after, 1.2 and 1.3 times as large a share, of a million."""
    for factor, same in ((1.2, True), (1.3, False)):
        first, second = (
            Events(np.array([1, 2]), np.array([ones, 1_000_000 - ones]), np.zeros(2, int))
            for ones in (round(300_000 * factor), 300_000)
        )
        assert coincide(first, second) == same
        assert coincide(second, first) == same


def test_a_mixture_of_power_laws_is_shallower_than_its_parts_on_average_at_long_times():
    """Half alpha 1.3 and half 2.5: beyond 100 frames the shallow ones are nearly alone."""
    rng = np.random.default_rng(4)
    parts = [draw(rng, alpha, 20_000) for alpha in (1.3, 2.5)]
    density = pool_densities(pool_durations([table_of(np.concatenate(parts))]))
    late = density[(density["first_frame"] > 100) & (density["n_events"] > 20)]
    slope = np.polyfit(np.log(late["duration_s"]), np.log(late["density_per_s"]), 1)[0]
    # 2,900 events over a factor of 200 in t: alpha to about 0.03.
    assert -slope == pytest.approx(1.3, abs=0.12)


def test_fields_of_different_exposure_are_pooled_apart():
    rng = np.random.default_rng(5)
    events = np.minimum(draw(rng, 1.6, 200), 8000)
    table = pd.concat(
        [
            table_of(events, field="a"),
            table_of(events, field="b", exposure_s=0.020004),  # a clock's last digit
            table_of(events, field="c", exposure_s=0.05, window_frames=8000),
        ]
    )
    fits = pool_fits(pool_durations([table]))
    assert fits["exposure_s"].tolist() == pytest.approx([0.020002, 0.05])
    assert fits["n_fields"].tolist() == [2, 1]
    assert fits["n_events"].iloc[0] == 400
    # Whole frames are the same, so the law is, in frames.
    assert fits["alpha"].iloc[1] == pytest.approx(
        pool_fits(pool_durations([table_of(events)]))["alpha"].iloc[0]
    )


def test_order_of_rows_changes_nothing_and_the_control_comes_last():
    rng = np.random.default_rng(6)
    table = pd.concat(
        [
            table_of(draw(rng, 1.7, 150), field=f"{label}", temperature_c=label, **more)
            for label in ("control", 120, "70")
            for more in ({}, {"epoch": "post"}, {"state": "off"})
        ]
    )
    shuffled = table.sample(frac=1, random_state=1)
    for pool in (pool_fits, pool_densities):
        first = pool(pool_durations([table]))
        other = pool(pool_durations([shuffled]))
        pd.testing.assert_frame_equal(first, other, check_exact=True)
        assert first["temperature_c"].unique().tolist() == [70, 120, "control"]
    keys = pool_fits(pool_durations([table]))[["epoch", "state"]].to_numpy().tolist()
    assert keys[:3] == [["pre", "on"], ["pre", "off"], ["post", "on"]]


def test_few_events_and_none_are_not_fitted():
    few = pool_fits(pool_durations([table_of([1, 2, 3, 4])])).iloc[0]
    assert (few["model"], few["n_events"]) == ("not_fitted", 4)
    assert "fewer than" in few["reason"]
    assert law_of(few).model == "not_fitted"
    cut_only = table_of([], cut=[5, 9])
    assert pool_fits(pool_durations([cut_only]))["n_events"].tolist() == [0]
    assert pool_densities(pool_durations([cut_only])).empty
    none = table_of([1]).iloc[:0]
    assert pool_fits(pool_durations([none])).empty
    assert pool_densities(pool_durations([none])).empty


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("epoch", "before", "epoch 'before'"),
        ("state", "True", "state 'True'"),
        ("duration_frames", 0, "duration_frames 0"),
        ("subset", 10, "subset 10"),
        ("n_events", -1, "n_events -1"),
        ("n_cut_by_end", 0.5, "n_cut_by_end 0.5"),
        ("exposure_s", 0.0, "exposure_s"),
    ],
)
def test_what_cannot_be_is_named(column, value, says):
    table = table_of([1, 2, 3]).assign(**{column: value})
    with pytest.raises(InputError, match=f"{says}(?s:.*)Hint"):
        pool_durations([table])
    with pytest.raises(InputError, match=column):
        pool_durations([table.drop(columns=column)])


def test_example_measures_the_events_of_both_states():
    """On 1 to 3 frames in turn, off 2: 60 on events, the first of them cut by the start."""
    trace = np.concatenate([[True] * (1 + k % 3) + [False] * 2 for k in range(60)])
    example = measure_dwell_example(
        "f1, 7", {"pre": trace}, exposure_s=0.02, settings=DwellTimeSettings(20)
    )
    on, off = (example.dwell_times["pre", state] for state in ("on", "off"))
    assert on.density["n_events"].tolist() == [19, 20, 20]
    assert on.fit.model != "not_fitted"
    assert off.density["n_events"].sum() == 59  # the last is cut by the end
    assert off.fit.n_censored == 1
    assert off.fit.model == "not_fitted"  # one duration is no distribution


def test_all_treatments_are_fitted_from_one_duration_on():
    """One power law before and after, of which events of one and two frames are lost after."""
    rng = np.random.default_rng(35)
    before, after = (draw(rng, 1.6, 8000) for _ in range(2))
    after = after[(after > 2) | (rng.random(8000) < 0.3)]
    parts = [
        table_of(own[k::10], subset=k, epoch=epoch)
        for epoch, own in (("pre", before), ("post", after))
        for k in range(10)
    ]
    fits = pool_fits(pool_durations(parts))
    assert fits["fitted_from_frames"].nunique() == 1
    difference = fits["alpha"].iloc[1] - fits["alpha"].iloc[0]
    assert abs(difference) < 1.96 * np.hypot(*fits["alpha_se"])
    assert (fits["alpha_se"] < 0.1).all()


def test_the_reason_states_that_the_law_of_a_rejected_curve_is_the_curves():
    rng = np.random.default_rng(36)
    table = table_of(np.ceil(rng.exponential(np.where(rng.random(5000) < 0.5, 2, 40))))
    row = pool_fits(pool_durations([table])).iloc[0]
    assert row["model"] == "neither"
    assert row["reason"].endswith(": alpha and tau describe the curve alone")
