"""Verdicts by eye find their nanocrystals by place, whatever the numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from blinkpair.pairing.verdicts import MAX_DISTANCE_PX, leave_out, verdict_outcomes


@pytest.fixture
def table():
    """Forty nanocrystals on a lattice of 8 px, every tenth at the edge."""
    y, x = np.divmod(np.arange(40), 8)
    because = np.where(np.arange(40) % 10 == 9, "edge", "")
    return pd.DataFrame(
        {
            "nc_id": np.arange(1, 41),
            "x_pre": 8.0 * x,
            "y_pre": 8.0 * y,
            "excluded_because": because,
            "analysed": because == "",
            "population_left_out": "",
        }
    )


def verdict(table, row, number=None, kind="cluster", shift=(0.0, 0.0)):
    place = table.iloc[row]
    return {
        "field": "f", "nc_id": number or int(place["nc_id"]), "x_pre": place["x_pre"] + shift[0],
        "y_pre": place["y_pre"] + shift[1], "verdict": kind, "why": "", "by": "", "date": "",
    }  # fmt: skip


def test_those_judged_are_excluded_and_no_others(table):
    out = leave_out(table, [verdict(table, 3), verdict(table, 20, kind="artefact")])
    assert out.index[out["excluded_because"] == "by_hand"].tolist() == [3, 20]
    assert out.loc[[3, 20], "verdict"].tolist() == ["cluster", "artefact"]
    assert (out["analysed"] == (out["excluded_because"] == "")).all()
    assert (out["verdict"] != "").sum() == 2


def test_numbers_may_change_and_places_by_less_than_the_limit(table):
    rng = np.random.default_rng(2)
    shuffled = table.sample(frac=1, random_state=1).reset_index(drop=True)
    angle = rng.uniform(0, 2 * np.pi, 40)
    for row in range(40):
        near = 0.99 * MAX_DISTANCE_PX * np.array([np.cos(angle[row]), np.sin(angle[row])])
        own = [verdict(table, row, shift=near)]
        out = leave_out(shuffled.assign(nc_id=np.arange(101, 141)), own)
        found = out[out["verdict"] != ""]
        assert found[["x_pre", "y_pre"]].to_numpy().tolist() == [
            [table.at[row, "x_pre"], table.at[row, "y_pre"]]
        ]


def test_the_same_number_elsewhere_is_another_nanocrystal(table):
    own = [verdict(table, 5, shift=(0.0, MAX_DISTANCE_PX + 0.01))]
    out = leave_out(table, own)
    assert (out["verdict"] == "").all()
    outcome = verdict_outcomes({"f": out}, {"f": own}).iloc[0]
    assert outcome["outcome"] == "refused"
    assert "the nearest, 6, is 1.5 px away" in outcome["reason"]
    assert pd.isna(outcome["nc_id_found"])


def test_what_is_excluded_already_keeps_its_reason(table):
    own = [verdict(table, 9)]
    out = leave_out(table, own)
    assert out.at[9, "excluded_because"] == "edge"
    assert out.at[9, "verdict"] == "cluster"
    outcome = verdict_outcomes({"f": out}, {"f": own}).iloc[0]
    assert (outcome["outcome"], outcome["reason"]) == ("already_excluded", "edge")


def test_a_nanocrystal_has_one_verdict_the_nearer(table):
    own = [verdict(table, 7, shift=(0.5, 0.0)), verdict(table, 7, number=99, shift=(0.1, 0.0))]
    out = leave_out(table, own)
    outcomes = verdict_outcomes({"f": out}, {"f": own})
    assert outcomes["outcome"].tolist() == ["refused", "left_out"]
    assert "has another verdict" in outcomes["reason"][0]
    assert outcomes["reason"][1] == "its number was 99"
    assert outcomes["nc_id_found"].tolist() == [pd.NA, 8]


def test_a_refused_field_refuses_its_verdicts(table):
    own = [verdict(table, 0)]
    outcome = verdict_outcomes({"f": table.iloc[:0]}, {"f": own}).iloc[0]
    assert (outcome["outcome"], outcome["reason"]) == ("refused", "the field has no nanocrystals")


def test_without_verdicts_there_are_no_rows_and_nothing_changes(table):
    assert len(verdict_outcomes({}, {})) == 0
    out = leave_out(table, [])
    pd.testing.assert_frame_equal(out.drop(columns="verdict"), table)
