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

EXPOSURE_S = 0.02
WINDOW = 20_000


def drawn_events(rng, n, alpha, tau_frames=np.inf):
    """Durations of Eq. 1 or 2 in whole frames, 1 to the window."""
    t = np.arange(1, WINDOW + 1, dtype=float)
    law = t**-alpha * np.exp(-t / tau_frames)
    return rng.choice(np.arange(1, WINDOW + 1), size=n, p=law / law.sum())


def table_of(durations, *, cut=(), field="f1", temperature_c=100, **columns):
    """Counts of each duration, as the workflow writes them for one field, epoch and state."""
    frames = np.union1d(durations, cut).astype(int)
    return pd.DataFrame(
        {
            "field": field,
            "temperature_c": temperature_c,
            "epoch": "pre",
            "state": "on",
            "subset": 0,
            "duration_frames": frames,
            "n_events": [int(np.sum(np.asarray(durations) == f)) for f in frames],
            "n_cut_by_end": [int(np.sum(np.asarray(cut) == f)) for f in frames],
            "exposure_s": EXPOSURE_S,
            "window_frames": WINDOW,
        }
        | columns
    )


def test_pooled_is_the_sum_of_the_fields():
    rng = np.random.default_rng(1)
    first, second = drawn_events(rng, 400, 1.6), drawn_events(rng, 300, 1.9)
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
    row = pool_fits(pool_durations([table_of(drawn_events(rng, 3000, 1.5, 25))])).iloc[0]
    assert row["model"] == "truncated_power_law"
    assert abs(row["alpha"] - 1.5) < 4 * row["alpha_se"]
    assert row["tau_low_s"] < 25 * EXPOSURE_S < row["tau_high_s"]


@pytest.mark.parametrize("tau_frames", [np.inf, 25])
def test_a_row_draws_the_law_it_was_fitted_to(tau_frames, tmp_path):
    """Over whole frames the density adds up to the share of events it was fitted to, here 1."""
    events = drawn_events(np.random.default_rng(3), 3000, 1.5, tau_frames)
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
        events = drawn_events(rng, 3000, 0.9, tau_frames)
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
            np.concatenate([drawn_events(rng, n // 2, alpha) for alpha in (1.6, 1.9)])
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
        table_of(drawn_events(rng, 5000, 1.6, tau), epoch=epoch)
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
    parts = [drawn_events(rng, 20_000, alpha) for alpha in (1.3, 2.5)]
    density = pool_densities(pool_durations([table_of(np.concatenate(parts))]))
    late = density[(density["first_frame"] > 100) & (density["n_events"] > 20)]
    slope = np.polyfit(np.log(late["duration_s"]), np.log(late["density_per_s"]), 1)[0]
    # 2,900 events over a factor of 200 in t: alpha to about 0.03.
    assert -slope == pytest.approx(1.3, abs=0.12)


def test_fields_of_different_exposure_are_pooled_apart():
    rng = np.random.default_rng(5)
    events = np.minimum(drawn_events(rng, 200, 1.6), 8000)
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
            table_of(drawn_events(rng, 150, 1.7), field=f"{label}", temperature_c=label, **more)
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


@pytest.mark.parametrize("by", ["nanocrystals", "fields"])
def test_the_error_of_alpha_holds_where_nanocrystals_or_fields_differ(by):
    """Simulated: exponents scatter by 0.3 between nanocrystals, or by 0.1 between twelve fields.

    Two errors are to hold in 95 %: in 24 experiments fewer than 18 have a chance of 1e-4. Of the
    errors of independent events two hold in about half of the experiments.
    """
    alphas, errors = [], []
    for experiment in range(24):
        rng = np.random.default_rng([31, experiment])
        if by == "nanocrystals":
            own = [drawn_events(rng, rng.poisson(150), rng.normal(1.7, 0.3)) for _ in range(60)]
            parts = [table_of(np.concatenate(own[k::10]), subset=k) for k in range(10)]
        else:
            parts = [
                table_of(drawn_events(rng, 800, rng.normal(1.7, 0.1)), field=f"f{k}")
                for k in range(12)
            ]
        row = pool_fits(pool_durations(parts)).iloc[0]
        alphas.append(row["alpha"])
        errors.append(row["alpha_se"])
    held = np.abs(np.array(alphas) - np.mean(alphas)) < 2 * np.array(errors)
    assert held.sum() >= 18
    assert np.median(errors) < 2 * np.std(alphas)


def test_the_error_of_alpha_holds_where_few_samples_differ():
    """Simulated: exponents scatter by 0.1 between the samples of two fields, three a treatment.

    Of 40 treatments 1.96 errors hold in 95 %: fewer than 34 have a chance of 3e-3. The errors of
    three samples alone, whose scatter is itself uncertain, hold in 31.
    """
    rng = np.random.default_rng(34)
    parts, units = [], {}
    for treatment in range(40):
        for sample in range(3):
            alpha = rng.normal(1.7, 0.1)
            for name in (f"{treatment}-{sample}{which}" for which in "ab"):
                units[name] = f"{treatment}-{sample}"
                durations = drawn_events(rng, 1_000, alpha).reshape(4, 250)
                parts += [
                    table_of(own, field=name, temperature_c=treatment, subset=k)
                    for k, own in enumerate(durations)
                ]
    fits = pool_fits(pool_durations([pd.concat(parts, ignore_index=True)], units))
    held = np.abs(fits["alpha"] - 1.7) < 1.96 * fits["alpha_se"]
    assert held.sum() >= 34
    assert np.median(fits["alpha_se"]) < 1.5 * fits["alpha"].std()


def test_all_treatments_are_fitted_from_one_duration_on():
    """One power law before and after, of which events of one and two frames are lost after."""
    rng = np.random.default_rng(35)
    before, after = (drawn_events(rng, 8000, 1.6) for _ in range(2))
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


def test_a_subset_without_events_and_a_single_nanocrystal_are_fitted():
    rng = np.random.default_rng(32)
    events = drawn_events(rng, 900, 1.6)
    together = pool_fits(pool_durations([table_of(events)])).iloc[0]
    apart = [table_of(events[:600], subset=2), table_of(events[600:], subset=7)]
    row = pool_fits(pool_durations(apart)).iloc[0]
    assert row["alpha"] == together["alpha"]
    assert row["alpha_se"] >= together["alpha_se"] > 0


def test_the_interval_of_tau_is_wider_where_nanocrystals_differ_in_it():
    """The same events, dealt out to subsets at random, are those of equal nanocrystals."""
    rng = np.random.default_rng(33)
    own = [drawn_events(rng, 400, 1.2, tau) for tau in np.geomspace(5, 80, 10)]
    dealt = np.array_split(rng.permutation(np.concatenate(own)), 10)
    differ, equal = (
        pool_fits(pool_durations([table_of(part, subset=k) for k, part in enumerate(parts)])).iloc[
            0
        ]
        for parts in (own, dealt)
    )
    assert differ["tau_s"] == equal["tau_s"]
    assert np.log(differ["tau_high_s"] / differ["tau_low_s"]) > 1.3 * np.log(
        equal["tau_high_s"] / equal["tau_low_s"]
    )
