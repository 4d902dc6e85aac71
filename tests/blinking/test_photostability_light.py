"""The light of a field: integrated, what is kept of it, and the table of the temperatures."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy import stats

from blinkpair.blinking.photostability import integrated_pl, kept_fraction
from blinkpair.epochs import EPOCHS
from blinkpair.errors import InputError
from blinkpair.populations.photostability_summary import summarise_photostability
from blinkpair.statistics.intervals import StatisticsSettings

# ---- the light of a field --------------------------------------------------------------


def test_the_integrated_light_is_the_sum_a_frame():
    counts = np.vstack([np.arange(10.0), np.full(10, 100.0)]).astype(np.float32)
    table = integrated_pl(counts, exposure_s=0.1, bin_s=0.4)
    np.testing.assert_allclose(table["time_s"], [0.2, 0.6])  # the rest of two frames is dropped
    np.testing.assert_allclose(table["integrated_pl"], [101.5, 105.5])
    only = integrated_pl(counts, exposure_s=0.1, bin_s=5.0)
    np.testing.assert_allclose(only.to_numpy(), [[0.5, 104.5]])


def test_a_bin_is_a_second_or_a_hundredth_of_a_short_movie():
    counts = np.ones((1, 20_000), np.float32)
    assert len(integrated_pl(counts, exposure_s=0.02)) == 400
    assert len(integrated_pl(counts[:, :1000], exposure_s=0.02)) == 100
    assert len(integrated_pl(counts[:, :30], exposure_s=0.02)) == 30


def test_a_gap_is_no_loss_of_light():
    counts = np.full((3, 100), 50.0, np.float32)
    counts[0, 20:45] = np.nan
    counts[2] = np.nan  # never measured: no part of the sum
    table = integrated_pl(counts, exposure_s=0.1, bin_s=1.0)
    np.testing.assert_allclose(table["integrated_pl"], 100.0)
    counts[:2, 30:40] = np.nan
    assert integrated_pl(counts, exposure_s=0.1, bin_s=1.0)["integrated_pl"].isna().tolist() == (
        [False] * 3 + [True] + [False] * 6
    )


def test_the_ends_of_the_movie():
    counts = np.tile(np.arange(100.0), (2, 1)).astype(np.float32)
    counts[1, :10] = np.nan
    long = kept_fraction(counts, exposure_s=1.0)
    assert long["start_counts"].tolist() == [4.5, pytest.approx(np.nan, nan_ok=True)]
    assert long["end_counts"].tolist() == [94.5, 94.5]
    # 29 s is less than three times ten: a tenth of the movie, two frames
    short = kept_fraction(counts[:, :29], exposure_s=1.0)
    assert short["start_counts"][0] == 0.5
    assert short["end_counts"][0] == 27.5
    assert kept_fraction(counts[:, :1], exposure_s=1.0)["end_counts"][0] == 0.0


# ---- the temperatures ------------------------------------------------------------------


def light(rng, temperature, fields, per_field, kept, spread=0.0, brightness=500.0):
    """Nanocrystals whose light at the ends is a matter of chance, and the ratio of the means."""
    parts = []
    for k in range(fields):
        n = per_field
        ratio = kept * (1 + spread * rng.normal())
        start = brightness * (k + 1) * rng.random(n)
        parts.append(
            pd.DataFrame(
                {
                    "field": f"{temperature}-{k}",
                    "temperature_c": temperature,
                    "analysed": True,
                    "start_counts_pre": start,
                    "end_counts_pre": ratio * brightness * (k + 1) * rng.random(n),
                    "photostability_pre": rng.choice(["stable", "going_dark", "not_tested"], n),
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    for name in ("start_counts", "end_counts", "photostability"):
        table[f"{name}_post"] = table[f"{name}_pre"]
    return table


def test_the_rows_of_the_summary_add_up():
    rng = np.random.default_rng(16)
    tables = [light(rng, t, 2, 30, 0.9) for t in ("control", 120, 70)]
    table = pd.concat(tables, ignore_index=True)
    table.loc[table.index[:7], "analysed"] = False
    summary = summarise_photostability(table, StatisticsSettings())
    assert summary["temperature_c"].tolist() == [70, 70, 120, 120, "control", "control"]
    assert summary["epoch"].tolist() == ["pre", "post"] * 3
    names = ["stable", "brightening", "dimming", "going_dark"]
    assert (summary[[f"n_{name}" for name in names]].sum(axis=1) == summary["n"]).all()
    np.testing.assert_allclose(summary[[f"fraction_{name}" for name in names]].sum(axis=1), 1)
    total = summary["n"] + summary["n_not_tested"]
    assert total.tolist() == [60, 60, 60, 60, 53, 53]
    for name in (*(f"fraction_{name}" for name in names), "kept"):
        assert (summary[f"{name}_low"] <= summary[name]).all()
        assert (summary[f"{name}_high"] >= summary[name]).all()
    again = summarise_photostability(table.sample(frac=1, random_state=1), StatisticsSettings())
    assert_frame_equal(summary, again, rtol=1e-9)


def test_a_bright_field_does_not_outweigh_the_others():
    rows = [("a", 10.0, 10.0)] * 10 + [("b", 1000.0, 500.0)] * 10
    table = pd.DataFrame(rows, columns=["field", "start_counts_pre", "end_counts_pre"])
    table[["start_counts_post", "end_counts_post"]] = table.iloc[:, 1:]
    table = table.assign(temperature_c=70, analysed=True)
    table = table.assign(photostability_pre="stable", photostability_post="stable")
    # In counts it would be (100 + 5000) / (100 + 10000) = 0.50.
    assert summarise_photostability(table)["kept"].tolist() == [0.75, 0.75]


def test_one_fields_interval_is_that_of_a_ratio():
    rng = np.random.default_rng(21)
    table = light(rng, 70, 1, 400, 0.7, brightness=80.0)
    start, end = table["start_counts_pre"].to_numpy(), table["end_counts_pre"].to_numpy()
    ratio = end.sum() / start.sum()
    without = (end.sum() - end) / (start.sum() - start)
    jackknife = np.sqrt(399 / 400 * ((without - without.mean()) ** 2).sum())
    row = summarise_photostability(table).iloc[0]
    assert row["kept"] == pytest.approx(ratio)
    half = (row["kept_independent_high"] - row["kept_independent_low"]) / 2
    assert half == pytest.approx(1.96 * jackknife, rel=0.02)
    assert row["kept_high"] - row["kept_low"] > 2 * half


def test_fields_that_differ_widen_the_interval():
    parts = [("a", 1.0), ("b", 0.8), ("c", 0.6)]
    table = pd.concat([light(np.random.default_rng(22), 70, 1, 30, 1.0)] * 3, ignore_index=True)
    table["field"] = np.repeat([name for name, _ in parts], 30)
    for epoch in EPOCHS:
        kept = np.repeat([ratio for _, ratio in parts], 30)
        table[f"end_counts_{epoch}"] = kept * table[f"start_counts_{epoch}"]
    row = summarise_photostability(table).iloc[0]
    # Three fields, nothing else that varies. The prior of the spread, flat in one over the design
    # effect, adds two degrees of freedom to Student's two of 0.6, 0.8 and 1.0.
    half = stats.t.ppf(0.975, 4) * 0.2 / np.sqrt(2 * 3)
    assert row["kept"] == pytest.approx(0.8)
    assert (row["kept_high"] - row["kept_low"]) / 2 == pytest.approx(half, rel=0.1)


def test_what_is_kept_lies_within_its_interval():
    rng = np.random.default_rng(17)
    hits = 0
    for _ in range(40):
        table = pd.concat([light(rng, t, 4, 40, 0.8, spread=0.15) for t in (70, 100, 120)])
        row = summarise_photostability(table, StatisticsSettings()).iloc[0]
        hits += row["kept_low"] <= 0.8 <= row["kept_high"]
    assert hits >= stats.binom.ppf(0.001, 40, 0.95)


def test_without_light_at_the_start_nothing_can_be_kept():
    rng = np.random.default_rng(18)
    table = light(rng, 70, 2, 40, 1.0)
    for name in ("start_counts_pre", "end_counts_pre"):
        table[name] = rng.normal(size=80)
    summary = summarise_photostability(table, StatisticsSettings())
    assert np.isnan(summary["kept"][0])
    assert summary["n_kept"].tolist() == [0, 80]
    assert summary["kept"][1] == pytest.approx(1.0, abs=0.3)


def test_what_is_kept_stands_beside_the_lengths_of_the_movies():
    table = light(np.random.default_rng(26), 70, 2, 40, 0.8)
    fields = pd.DataFrame(
        {
            "temperature_c": "70",  # as in a file
            "status": ["ok", "ok", "failed"],
            "exposure_s": 0.02,
            "n_frames_pre": [5_000, 20_000, 100],
            "n_frames_post": [5_000, 20_000, 100],
        }
    )
    summary = summarise_photostability(table, StatisticsSettings(), fields)
    assert summary["shortest_movie_s"].tolist() == [100.0, 100.0]
    assert summary["longest_movie_s"].tolist() == [400.0, 400.0]
    assert summarise_photostability(table)["longest_movie_s"].isna().all()


def test_a_table_without_its_columns_is_refused():
    with pytest.raises(InputError, match="photostability_pre"):
        summarise_photostability(pd.DataFrame({"field": [], "temperature_c": [], "analysed": []}))


def test_no_less_than_nothing_can_be_kept():
    rng = np.random.default_rng(25)
    table = light(rng, 70, 1, 8, 0.3)
    table.loc[table.index[1:], "end_counts_pre"] = 0.0  # one nanocrystal is all that is left
    row = summarise_photostability(table, StatisticsSettings()).iloc[0]
    assert row["kept_low"] == 0.0
    assert row["kept_low"] < row["kept"] < row["kept_high"]
