"""Tables of types and photostability in the report: shares, changes, and their notes."""

import numpy as np
import pandas as pd
import pytest

from blinkpair.labels import CLASS_NAMES, TYPE_NAMES
from blinkpair.populations import blinking_types
from blinkpair.populations.table import BY_ASSUMPTION, BY_FIELDS
from blinkpair.report import blinking_tables
from blinkpair.report.terminal import estimated_type_a


def a_type(kind, n, **changed):
    row = {"temperature_c": "100", "type_pre": kind, "n": n, "n_gained": n, "n_lost": 0}
    row |= {"mean_delta": 0.1, "mean_delta_low": 0.05, "mean_delta_high": 0.15}
    row |= {"p_mean_delta": 0.012, "p_against_power_law": np.nan, "interval_method": BY_FIELDS}
    return row | changed


def change_by_type(n_a, n_b):
    rows = [
        a_type("all", 100),
        a_type("truncated_power_law", n_a, p_against_power_law=0.034),
        a_type("power_law", n_b),
        a_type("undecided", 0),
        a_type("dark", 30),
    ]
    table = blinking_tables.change_by_type(pd.DataFrame(rows), 0.9)
    return {row[0].split(", ")[1].split(" (")[0]: row for row in table.rows}, table


def test_alpha_of_those_that_gained_is_to_be_compared_with_the_control():
    """Without a change of anything it is larger: p was below 0.05 in 18 of 40 drawn controls."""
    row = {"temperature_c": "100", "large_change": 0.2, "p_rank": 0.01}
    row |= {"n_gained": 20, "n_lost": 30, "interval_method": BY_FIELDS}
    for name in ("gained", "lost"):
        ends = (("", 1.7), ("_low", 1.6), ("_high", 1.8))
        row |= {f"median_alpha_{name}{end}": value for end, value in ends}
    note = blinking_tables.alpha_by_change(pd.DataFrame([row]), 0.95).note
    assert "without any treatment" in note
    assert "compare with the control" in note


def test_those_dark_before_have_no_interval_and_no_test():
    cells, table = change_by_type(20, 30)
    assert cells["dark"][1:] == ["30", "+10.0", "30 / 0", "–", "–"]
    assert cells["all"][1:] == ["100", "+10.0 (+5.0 to +15.0)", "100 / 0", "0.012", "–"]
    assert "undecided" not in cells
    assert "90 % intervals, which allow for fields" in table.note
    assert "tend back to the mean" in table.note
    assert "dark before are in n only if they gained: compare with the control" in table.note


@pytest.mark.parametrize(
    ("n_a", "n_b", "own", "against"),
    [(6, 6, "0.012", "0.034"), (5, 6, "–", "–"), (6, 5, "0.012", "–")],
)
def test_few_nanocrystals_have_no_p(n_a, n_b, own, against):
    cells, table = change_by_type(n_a, n_b)
    assert cells["type A"][-2:] == [own, against]
    assert table.header[-2:] == ["no change, p", "against type B, p"]
    assert cells["type B"][-1] == "–"


def test_types_and_photostability_state_what_their_numbers_are():
    row = {"temperature_c": "70", "epoch": "pre", "n": 10, "n_not_tested": 2}
    for name in (*TYPE_NAMES, *CLASS_NAMES):
        row |= {f"n_{name}": 2, f"fraction_{name}": 0.2}
    medians = ["alpha_on_power_law", "alpha_on_truncated_power_law", "tau_on_s"]
    row |= {f"median_{name}": 0.02 for name in [*medians, "false_event_share"]}
    row |= {"n_undecided_for_noise": 1}
    row |= {"share_type_a": 0.2, "share_type_a_low": 0.08, "share_type_a_high": 0.4}
    row |= {"share_type_b": 0.8, "share_type_b_low": 0.6, "share_type_b_high": 0.92}
    row |= {"kept": 0.998, "kept_low": 0.95, "kept_high": 1.046}
    row |= {"shortest_movie_s": 100.0, "longest_movie_s": 400.0}
    gentle, steep = row | {"alpha_type_b": 1.7}, row | {"alpha_type_b": 2.1}
    used = pd.DataFrame([gentle | {"interval_method": BY_FIELDS}, steep | {"interval_method": ""}])
    types, light = blinking_tables.types(used, 0.9), blinking_tables.photostability(used, 0.9)
    for table in (types, light):
        assert "In brackets 90 % intervals, which allow for" in table.note
    assert "Types A and B are of on events" in types.note
    assert "α near 0 and a cut-off τ is an exponential" in types.note
    assert "no verdict where noise makes more than 30 % of the on events" in types.note
    assert ["undecided for noise", "1", "1"] in types.rows
    # Where laws are steep, the estimate of type A is too high in all simulated cases.
    assert ["type A, estimated", "20 % (8 to 40)", "at most 40 %"] in types.rows
    assert ["type B, estimated", "80 % (60 to 92)", "at least 60 %"] in types.rows
    assert ["mean α of type B, estimated", "1.70", "2.10"] in types.rows
    assert "above 2, short events look like a cut-off" in types.note
    assert "above 2" not in blinking_tables.types(used.iloc[:1], 0.9).note
    assert "Stable means that no trend was shown" in light.note
    assert light.rows[0][1] == "100 % (95 to 105)"
    assert light.rows[1][:2] == ["movies last (s)", "100 to 400"]


def test_the_last_lines_give_an_upper_limit_where_laws_are_steep():
    row = {"share_type_a": 0.2, "share_type_a_low": 0.08, "share_type_a_high": 0.4}
    rows = [pd.Series(row | {"alpha_type_b": alpha}) for alpha in (1.7, 2.1, np.nan)]
    texts = [estimated_type_a(row) for row in rows]
    assert texts == ["20 % [8, 40]", "at most 40 %", "20 % [8, 40]"]


def test_estimated_transitions_stand_beside_the_counted_ones():
    a, b = "truncated_power_law", "power_law"
    rows = [
        {"temperature_c": "100", "type_pre": before, "type_post": after, "n": 1}
        | {f"share_of_{of}{end}": value for of in ("both", "pre") for end, value in ends.items()}
        for before in (a, b)
        for after, ends in {
            a: {"": 0.06, "_low": 0.02, "_high": 0.15},
            b: {"": 0.04, "_low": 0.0, "_high": 0.1},
            "dark": dict.fromkeys(("", "_low", "_high"), np.nan),
        }.items()
    ]
    used = pd.DataFrame(rows).assign(interval_method="")
    shown = {row[0]: row[1] for row in blinking_tables.estimated_transitions(used, 0.95).rows}
    assert shown["A → A, of all"] == "6 % (2 to 15)"
    assert shown["A → B, of type A before"] == "4 % (0 to 10)"
    assert len(shown) == 6
    # The counted ones of few nanocrystals may rest on an assumption, these do not.
    few = used["type_post"] == "dark"
    mixed = used.assign(interval_method=np.where(few, BY_ASSUMPTION, BY_FIELDS))
    assert "assumption" not in blinking_tables.estimated_transitions(mixed, 0.95).note
    nothing = used.assign(share_of_both=np.nan)
    assert blinking_tables.estimated_transitions(nothing, 0.95).rows[0] == ["A → A, of all"]


def test_a_run_without_a_usable_field_has_empty_tables():
    """All fields may be refused: the report still has to be made, with their reasons."""
    used = blinking_types.summarise_types([])
    pairs = blinking_types.type_transitions([])
    changes, gained = blinking_types.change_by_type([]), blinking_types.alpha_by_change([])
    shown = [
        blinking_tables.types(used, 0.95),
        blinking_tables.transitions(pairs),
        blinking_tables.estimated_transitions(pairs, 0.95),
        blinking_tables.change_by_type(changes, 0.95),
        blinking_tables.alpha_by_change(gained, 0.95),
    ]
    assert not any(cell for table in shown for line in table.rows for cell in line[1:])
