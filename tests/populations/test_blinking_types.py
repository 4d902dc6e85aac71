"""Types of blinking before and after: the paper's counts, tables small enough for a pencil."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from blinkpair.blinking.on_fractions import classify
from blinkpair.epochs import EPOCHS
from blinkpair.errors import InputError
from blinkpair.figures.dwell_examples import choose_dwell_examples
from blinkpair.populations.blinking_types import (
    alpha_by_change,
    change_by_type,
    summarise_types,
    type_transitions,
)
from blinkpair.populations.table import BY_ASSUMPTION, BY_FIELDS, summarise_populations
from blinkpair.populations.type_states import STATES, TYPES, blinking_states, type_groups
from blinkpair.statistics.intervals import StatisticsSettings

A, B = "truncated_power_law", "power_law"

# Wang et al. 2024, 100 C: of 389, 70 dark before and 75 after; 33 type A of 319 before, 20 of
# them type B after; 25 type A of 314 after. The paper does not give the rest; any that closes will
# do: how many (type before, type after).
PAPER = {
    (A, B): 20,
    (A, A): 9,
    (A, "dark"): 4,
    (B, A): 10,
    (B, B): 205,
    (B, "dark"): 71,
    ("dark", A): 6,
    ("dark", B): 64,
}


def table_of(counts, temperature_c=100, fields=1, delta=0.1):
    """Nanocrystals with given types before and after; emissive ones gain `delta`."""
    rows = []
    for (before, after), n in counts.items():
        pre = 0.02 if before == "dark" else 0.5
        post = 0.02 if after == "dark" else 0.5 + delta
        rows += [(pre, post, before, after)] * n
    pre, post, before, after = (np.array(column) for column in zip(*rows, strict=True))
    return pd.DataFrame(
        {
            "field": [f"f{temperature_c}_{i % fields}" for i in range(len(rows))],
            "temperature_c": temperature_c,
            "nc_id": np.arange(len(rows)),
            "analysed": True,
            "on_fraction_pre": pre,
            "on_fraction_post": post,
            "population": classify(pre, post),
            # As the workflow writes them: the dark ones were not fitted.
            "blinking_pre": np.where(before == "dark", "not_fitted", before),
            "blinking_post": np.where(after == "dark", "not_fitted", after),
            "alpha_on_pre": np.where(before == "dark", np.nan, 1.5),
            "alpha_on_post": np.where(after == "dark", np.nan, 1.6),
            "tau_on_pre_s": np.where(before == A, 0.22, np.nan),
            "tau_on_post_s": np.where(after == A, 0.3, np.nan),
            "log_ratio_cut_off_pre": np.where(before == A, 30.0, -30.0),
            "log_ratio_cut_off_post": np.where(after == A, 30.0, -30.0),
        }
    )


def drawn(rng, *, labels=(70, 100, "control"), n=80, fields=3, spread=0.0):
    """Nanocrystals of random types whose share of type A differs between fields by `spread`."""
    parts = []
    for label in labels:
        field = np.arange(n) % fields
        odds = rng.normal(-1.5, spread, fields)[field]
        before = np.where(rng.random(n) < 1 / (1 + np.exp(-odds)), A, B).astype(object)
        before[rng.random(n) < 0.1] = "undecided"
        after = rng.choice(TYPES, n)
        pre, post = rng.uniform(0, 1, (2, n))
        part = pd.DataFrame(
            {
                "field": [f"{label}_{k}" for k in field],
                "temperature_c": label,
                "nc_id": np.arange(n),
                "analysed": rng.random(n) < 0.9,
                "on_fraction_pre": pre,
                "on_fraction_post": post,
                "blinking_pre": np.where(pre < 0.1, "not_fitted", before),
                "blinking_post": np.where(post < 0.1, "not_fitted", after),
            }
        )
        part["population"] = classify(pre, post, analysed=part["analysed"])
        for epoch in EPOCHS:
            part[f"alpha_on_{epoch}"] = rng.normal(1.5, 0.2, n)
            part[f"tau_on_{epoch}_s"] = rng.lognormal(-1, 1, n)
            part[f"n_on_events_{epoch}"] = rng.integers(0, 500, n)
            part[f"expected_false_on_events_{epoch}"] = rng.uniform(0, 50, n)
            part[f"p_truncated_{epoch}"] = rng.random(n)
            kinds = part[f"blinking_{epoch}"]
            part[f"log_ratio_cut_off_{epoch}"] = np.select([kinds == A, kinds == B], [5.0, -5.0])
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


TABLES = (summarise_types, type_transitions, change_by_type, alpha_by_change)


def test_the_papers_types():
    before, after = (row for _, row in summarise_types(type_groups(table_of(PAPER))).iterrows())
    assert (before["epoch"], before["n"], before[f"n_{A}"], before[f"n_{B}"]) == (
        "pre",
        319,
        33,
        286,
    )
    # Without doubt on any type, what is estimated of all is what is counted.
    assert before["share_type_a"] == pytest.approx(33 / 319, rel=1e-6)
    assert after["share_type_b"] == pytest.approx(289 / 314, rel=1e-6)
    assert (after["epoch"], after["n"], after[f"n_{A}"]) == ("post", 314, 25)
    assert round(100 * before[f"fraction_{B}"]) == 90
    assert 100 * after[f"fraction_{A}"] < 8
    assert before["median_tau_on_s"] == 0.22
    assert after[f"median_alpha_on_{B}"] == 1.6


def test_twenty_of_the_papers_33_turned_from_a_to_b():
    table = type_transitions(type_groups(table_of(PAPER)))
    row = table[(table["type_pre"] == A) & (table["type_post"] == B)].iloc[0]
    assert (row["n"], row["n_pre"]) == (20, 33)
    assert row["interval_method"] == BY_ASSUMPTION
    # One field does not show how fields differ: wider than for independent nanocrystals.
    alone = stats.binomtest(20, 33).proportion_ci(method="wilson")
    assert row["fraction_of_pre_low"] < alone.low < 20 / 33 < alone.high
    assert row["fraction_of_pre_high"] > alone.high
    # Without doubt on any type, of those that are emissive after, too.
    emissive = {pair: n for pair, n in PAPER.items() if "dark" not in pair}
    of_a = sum(n for (before, _), n in emissive.items() if before == A)
    assert row["share_of_pre"] == pytest.approx(20 / of_a, rel=1e-3)
    assert row["share_of_both"] == pytest.approx(20 / sum(emissive.values()), rel=1e-3)
    assert table.loc[table["type_post"] == "undecided", "share_of_both"].isna().all()


def test_transitions_close_with_the_populations_and_the_types():
    table = drawn(np.random.default_rng(1))
    transitions, types = (
        type_transitions(type_groups(table)),
        summarise_types(type_groups(table)).set_index("epoch"),
    )
    populations = summarise_populations(table)
    assert transitions.groupby("temperature_c", sort=False)["n"].sum().tolist() == (
        populations["n"].tolist()
    )
    for label, own in transitions.groupby("temperature_c"):
        assert len(own) == len(STATES) ** 2 - 1
        for epoch, column in (("pre", "type_pre"), ("post", "type_post")):
            sums = own.groupby(column)["n"].sum()
            row = types[types["temperature_c"] == label].loc[epoch]
            assert [sums[name] for name in TYPES] == [row[f"n_{name}"] for name in TYPES]
            assert sum(row[f"fraction_{name}"] for name in TYPES) == pytest.approx(1)
        dark = own.groupby("type_pre")["n"].sum()["dark"]
        assert dark == populations.set_index("temperature_c")["n_became_emissive"][label]
        shares = own.groupby("type_pre")["fraction_of_pre"].sum()
        assert shares[shares > 0].tolist() == pytest.approx([1] * int((shares > 0).sum()))


def test_change_by_type_by_hand():
    counts = {(A, B): 3, (B, B): 2, (B, "dark"): 2, ("dark", B): 1, ("undecided", A): 1}
    table = table_of(counts)
    table.loc[table["blinking_pre"] == A, "on_fraction_post"] = [0.7, 0.8, 0.3]
    rows = change_by_type(type_groups(table)).set_index("type_pre")
    assert rows["n"].to_dict() == {
        "all": 9,
        A: 3,
        B: 4,
        "undecided": 1,
        "neither": 0,
        "not_fitted": 0,
        "dark": 1,
    }
    assert rows.loc[A, ["mean_delta", "median_delta"]].tolist() == pytest.approx([0.1, 0.2])
    assert rows.loc[A, ["n_gained", "n_lost"]].tolist() == [2, 1]
    assert rows.loc[B, "mean_delta"] == pytest.approx((2 * 0.1 - 2 * 0.48) / 4)
    # Of the 12 pairs of A (0.2, 0.3, -0.2) and B (0.1, 0.1, -0.48, -0.48) A has more in
    # 4 + 4 + 2.
    assert rows.loc[A, "probability_above_power_law"] == pytest.approx(10 / 12)
    assert rows["p_against_power_law"].notna().tolist() == [name == A for name in rows.index]
    assert np.isnan(rows.loc["not_fitted", ["mean_delta", "p_wilcoxon"]].astype(float)).all()


def test_all_of_the_changes_are_the_populations_own():
    table = drawn(np.random.default_rng(2), spread=0.5)
    every = change_by_type(type_groups(table)).query("type_pre == 'all'").reset_index(drop=True)
    populations = summarise_populations(table)
    same = ["temperature_c", "n", "p_wilcoxon", "interval_method"]
    same += [f"{name}{end}" for name in ("mean_delta", "median_delta") for end in ("", "_low")]
    pd.testing.assert_frame_equal(every[same], populations[same])


def test_alpha_of_gained_and_lost_has_the_exact_rank_test():
    """Gained 1.8, 1.9, 2.0, lost 1.2, 1.3, 1.4, 1.85: U = 2 x 4 + 3 = 11 of 12.

    Of the 35 ways to place 3 among 7, two have U >= 11 and two U <= 1: p = 4 / 35.
    """
    table = table_of({(B, B): 9, (A, B): 1})
    # The last three: 20 points are not more than 20, and type A does not count.
    table["on_fraction_post"] = 0.5 + np.array([0.3] * 3 + [-0.3] * 4 + [0.2, -0.2, 0.3])
    table["alpha_on_pre"] = [1.8, 1.9, 2.0, 1.2, 1.3, 1.4, 1.85, 9, 9, 9]
    table["population"] = "emissive"
    row = alpha_by_change(type_groups(table)).iloc[0]
    assert (row["n_gained"], row["n_lost"]) == (3, 4)
    assert row["probability_gained_larger"] == pytest.approx(11 / 12)
    assert row["p_rank"] == pytest.approx(4 / 35)
    assert row["median_alpha_gained"] == pytest.approx(1.9)
    assert row["mean_alpha_lost"] == pytest.approx((1.2 + 1.3 + 1.4 + 1.85) / 4)
    none = alpha_by_change(type_groups(table), large_change=0.5).iloc[0]
    names = ["p_rank", "probability_gained_larger", "median_alpha_gained", "mean_alpha_lost_low"]
    assert np.isnan(none[names].astype(float)).all()
    equal = alpha_by_change(type_groups(table.assign(alpha_on_pre=1.5))).iloc[0]
    assert (equal["p_rank"], equal["probability_gained_larger"]) == (1.0, 0.5)


def test_rank_test_is_level_where_alpha_is_the_same():
    """100 tables, 5 % level: 5 expected, binomial SD 2.2; four of them above is 14."""
    rng = np.random.default_rng(3)
    table = table_of({(B, B): 40})
    table["on_fraction_post"] = np.where(np.arange(40) % 2, 0.9, 0.15)
    table["population"] = "emissive"
    p = []
    for _ in range(100):
        table["alpha_on_pre"] = rng.normal(1.5, 0.2, 40)
        p.append(alpha_by_change(type_groups(table), StatisticsSettings())["p_rank"][0])
    assert 1 <= np.sum(np.array(p) < 0.05) <= 14


@pytest.mark.parametrize("summarise", TABLES)
def test_order_of_rows_and_a_trip_through_csv_change_nothing(summarise, tmp_path):
    table = drawn(np.random.default_rng(4), spread=0.5)
    first = summarise(type_groups(table), StatisticsSettings())
    shuffled = table.sample(frac=1, random_state=1)
    again = summarise(type_groups(shuffled), StatisticsSettings())
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    table.to_csv(tmp_path / "nanocrystals.csv", index=False)
    back = pd.read_csv(tmp_path / "nanocrystals.csv")
    pd.testing.assert_frame_equal(first, summarise(type_groups(back), StatisticsSettings()))
    assert first["temperature_c"].unique().tolist() == [70, 100, "control"]
    assert set(first["interval_method"]) <= {BY_FIELDS, ""}


@pytest.mark.parametrize("summarise", TABLES)
def test_estimates_lie_within_their_intervals(summarise):
    table = summarise(
        type_groups(drawn(np.random.default_rng(6), spread=1.0)), StatisticsSettings()
    )
    names = [name.removesuffix("_low") for name in table if name.endswith("_low")]
    assert names
    for name in names:
        ends = table[[f"{name}_low", name, f"{name}_high"]].to_numpy(float)
        ends = ends[np.isfinite(ends).all(axis=1)]
        assert len(ends)
        assert np.all(np.diff(ends, axis=1) >= -1e-12), name


def test_share_of_false_events_is_the_median_of_those_with_events():
    table = table_of({(B, B): 4, ("dark", B): 1})
    table["n_on_events_pre"] = [100, 100, 100, 0, 100]
    table["expected_false_on_events_pre"] = [1.0, 2.0, 9.0, 5.0, 100.0]
    before, after = summarise_types(type_groups(table))["median_false_event_share"]
    assert before == pytest.approx(0.02)
    assert np.isnan(after)  # unknown there


def test_those_without_a_verdict_for_noise_are_counted():
    table = table_of({("undecided", B): 3, (A, B): 1})
    table["n_on_events_pre"] = 100
    table["expected_false_on_events_pre"] = [31.0, 90.0, 29.0, 5.0]
    before, after = summarise_types(type_groups(table))["n_undecided_for_noise"]
    assert (before, after) == (2, 0)


@pytest.mark.parametrize("summarise", TABLES)
def test_missing_columns_and_unknown_types_are_named(summarise):
    table = table_of(PAPER)
    with pytest.raises(InputError, match="blinking_post"):
        summarise(type_groups(table.drop(columns="blinking_post")))
    if summarise in (summarise_types, alpha_by_change):
        with pytest.raises(InputError, match="alpha_on_pre"):
            summarise(type_groups(table.drop(columns="alpha_on_pre")))
    with pytest.raises(InputError, match="type-C"):
        summarise(type_groups(table.assign(blinking_pre="type-C")))


@pytest.mark.parametrize("summarise", TABLES)
def test_none_or_one_nanocrystal_is_no_error(summarise):
    assert summarise(type_groups(table_of({(B, B): 1}).iloc[:0])).empty
    one = summarise(type_groups(table_of({(B, A): 1})))
    assert one["temperature_c"].unique().tolist() == [100]
    none = summarise(type_groups(table_of({(B, A): 1}).assign(analysed=False)))
    assert len(none) == len(one)
    counts = none[[name for name in none if name == "n" or name.startswith("n_")]]
    assert (counts.to_numpy() == 0).all()


def test_only_the_n_have_a_type():
    table = drawn(np.random.default_rng(9))
    states = blinking_states(table)
    assert len(states) == summarise_populations(table)["n"].sum()
    dark = states["population"] == "became_dark"
    assert (states.loc[dark, "type_post"] == "dark").all()
    assert (states.loc[dark, "type_pre"] != "dark").all()


def test_examples_are_the_clear_ones_with_the_most_true_events():
    table = table_of({(A, B): 4, (B, B): 1})
    table["p_truncated_pre"] = [0.001, 0.001, 0.001, 0.04, 0.5]
    table["p_truncated_post"] = [0.5, 0.5, 0.5, 0.5, 0.9]
    table["n_on_events_pre"] = [300, 900, 500, 999, 100]
    table["n_on_events_post"] = [300, 200, 500, 999, 100]
    chosen = choose_dwell_examples(table)
    # The fourth has more events but no clear p; the second few of them after.
    assert chosen["nc_id"].tolist() == [4, 2]
    assert chosen["transition"].tolist() == ["B to B", "A to B"]
    assert chosen["label"].iloc[1] == "type A to B: f100_0, 2 (100 °C)"
    noisy = table.assign(expected_false_on_events_pre=[0, 0, 400, 0, 0])
    assert choose_dwell_examples(noisy)["nc_id"].tolist() == [4, 0]
    shuffled = table.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(choose_dwell_examples(shuffled), chosen)
    assert choose_dwell_examples(table, each=9)["nc_id"].tolist() == [4, 2, 0, 1, 3]
    assert choose_dwell_examples(table.iloc[:0]).empty


def test_fields_that_differ_widen_the_interval_of_a_median_that_all_exceed_zero():
    """The same gains, 0 to 0.4, dealt to eight fields at random or sorted into them."""
    table = table_of({(B, B): 200}, fields=8)
    gain = np.random.default_rng(10).permutation(np.linspace(0.001, 0.4, 200))
    table["on_fraction_post"] = table["on_fraction_pre"] + gain
    ordered = table.assign(field=(np.argsort(np.argsort(gain)) // 25).astype(str))
    narrow, wide = (change_by_type(type_groups(t)).iloc[0] for t in (table, ordered))
    width = [row["median_delta_high"] - row["median_delta_low"] for row in (narrow, wide)]
    assert width[1] > 2 * width[0]
