"""Films in the report: one sentence a technique, and one on what may not be concluded."""

from __future__ import annotations

import pandas as pd

from blinkpair.ensemble.beside import LONG_SHARE
from blinkpair.report import ensemble_section


def rows(direction, low, high):
    common = {"source": "ensemble", "technique": "tcspc", "quantity": LONG_SHARE}
    common["measurement"] = "PL_100"
    before = {"temperature_c": "unannealed", "value": 0.10, "low": 0.09, "high": 0.11}
    after = {"temperature_c": "100", "value": 0.07, "low": 0.06, "high": 0.08}
    change = {"change": -0.03, "change_low": low, "change_high": high, "direction": direction}
    change |= {"change_free": -0.02, "change_free_low": -0.05, "change_free_high": 0.01}
    return pd.DataFrame([common | before, common | after | change])


def decay(**other):
    row = {
        "measurement": "PL_100", "technique": "tcspc", "temperature_c": "100", "component": 1,
        "tau_ns": 30.0, "tau_low_ns": 29.0, "tau_high_ns": 31.0, "resolved": "resolved",
        "amplitude_fraction": 0.07, "intensity_fraction": 0.5, "p_fit": 0.4, "p_common": 0.3,
        "method": "Poisson likelihood", "notes": "", "group": "tcspc",
    }  # fmt: skip
    for name in ("amplitude_fraction", "intensity_fraction"):
        row |= {f"{name}_low": row[name] - 0.01, f"{name}_high": row[name] + 0.01}
    return pd.DataFrame([row | other])


def test_a_sentence_states_shares_and_the_direction():
    made = ensemble_section.section(decay(), rows("down", -0.04, -0.02), [], 0.95)
    sentence, limits = made["sentences"]
    assert "10.0 % (9.0 % to 11.0 %) unannealed and 7.0 % (6.0 % to 8.0 %) at 100 °C" in sentence
    assert "against the unannealed film it fell at 100 °C" in sentence
    assert "No difference of the time constants is shown (p = 0.30)" in sentence
    assert limits == ensemble_section.NO_CONCLUSION


def test_a_change_that_is_not_shown_is_no_change_of_direction():
    made = ensemble_section.section(decay(), rows("not shown", -0.04, 0.02), [], 0.95)
    assert "showed no change at 100 °C" in made["sentences"][0]
    beside, _ = made["tables"]
    assert beside.rows[1][4:] == [
        "\u22123.0 (\u22124.0 to +2.0)",
        "\u22122.0 (\u22125.0 to +1.0)",
        "not shown",
    ]


def test_a_change_that_depends_on_the_time_constants_has_both_numbers():
    made = ensemble_section.section(decay(), rows("depends", -0.04, -0.02), [], 0.95)
    sentence, cells = made["sentences"][0], made["tables"][0].rows[1]
    assert "against the unannealed film it" not in sentence
    assert (
        "Whether it changed depends on whether the time constants did: at 100 °C by "
        "\u22123.0 (\u22124.0 to \u22122.0) points with time constants in common, "
        "\u22122.0 (\u22125.0 to +1.0) with its own" in sentence
    )
    assert cells[4:] == [
        "\u22123.0 (\u22124.0 to \u22122.0)",
        "\u22122.0 (\u22125.0 to +1.0)",
        "depends",
    ]


def test_what_is_not_resolved_has_no_time_constant():
    for resolved, text in (("not resolved", "not resolved"), ("fixed", "30 (held)")):
        made = ensemble_section.section(decay(resolved=resolved), rows("", 0, 0), [], 0.95)
        assert made["tables"][1].rows[0][2] == text


def test_an_interval_without_ends_is_written_as_such():
    open_ended = rows("not shown", float("-inf"), float("inf"))
    open_ended.loc[1, ["low", "high"]] = [float("-inf"), float("inf")]
    sentence = ensemble_section.section(decay(), open_ended, [], 0.95)["sentences"][0]
    assert "7.0 % (\u2212∞ to ∞) at 100 °C" in sentence


def test_equal_directions_share_a_verb():
    both = rows("down", -0.04, -0.02)
    both = pd.concat([both, both.iloc[1:].assign(temperature_c="120")], ignore_index=True)
    sentence = ensemble_section.section(decay(), both, [], 0.95)["sentences"][0]
    assert "unannealed film it fell at 100 °C and at 120 °C." in sentence


def test_each_group_has_a_sentence_and_a_test_of_its_own():
    films = pd.concat([decay(), decay(measurement="PL_b", group="batch b", p_common=0.001)])
    other = rows("up", 0.01, 0.05).assign(measurement="PL_b")
    both = pd.concat([rows("down", -0.04, -0.02), other], ignore_index=True)
    first, second, _ = ensemble_section.section(films, both, [], 0.95)["sentences"]
    assert first.startswith("PL decays, tcspc: ")
    assert "it fell at 100 °C" in first
    assert "No difference of the time constants" in first
    assert second.startswith("PL decays, batch b: ")
    assert "it rose at 100 °C" in second
    assert "The time constants differ (p = 0.0010)" in second
