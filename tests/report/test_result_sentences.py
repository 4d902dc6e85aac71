"""The sentences of the page state what the tables hold, and no more."""

import pandas as pd
import pytest

from blinkpair.populations.table import (
    BY_FIELDS,
    BY_NANOCRYSTALS,
    BY_OTHER_FIELDS,
    summarise_populations,
)
from blinkpair.report import result_sentences
from blinkpair.report.citations import citation
from blinkpair.report.language import (
    as_set,
    counted,
    fixed,
    grouped,
    known,
    listed,
    per_cent,
    plain,
    spread,
)
from tests.helpers.report_run import a_run

NAN = float("nan")


def a_row(**changed):
    row = {
        "temperature_c": "100",
        "n_fields": 2,
        "n_fields_failed": 0,
        "n": 393,
        "n_became_emissive": 69,
        "n_became_dark": 77,
        "n_emissive": 247,
        "n_dark": 79,
        "expected_chance_pairs": 10.3,
        "p_wilcoxon": 0.32,
        "interval_method": BY_FIELDS,
    }
    estimates = {
        "fraction_became_emissive": (0.1756, 0.141, 0.216),
        "fraction_became_dark": (0.1959, 0.16, 0.238),
        "mean_delta": (0.00724, -0.0337, 0.0482),
        "median_delta": (0.023, -0.003, 0.05),
        "mean_delta_minus_control": (-0.0022, -0.0556, 0.0511),
        "fraction_became_emissive_minus_control": (0.147, 0.068, 0.192),
        "fraction_became_dark_minus_control": (0.181, 0.109, 0.225),
    }
    for name, values in estimates.items():
        row |= estimate(name, *values)
    return row | changed


def estimate(name, *values):
    return dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))


def answer(row, control=None, confidence=0.95, dark_cutoff=0.1):
    return result_sentences.answer(row, control, confidence, dark_cutoff)


CONTROL = a_row(temperature_c="control")
CLEAR = estimate("mean_delta", -0.369, -0.418, -0.32) | estimate("median_delta", -0.4, -0.5, -0.3)


def test_the_answer_holds_the_numbers_of_its_row():
    assert answer(a_row(), a_row(temperature_c="control")) == (
        "At 100 °C, of 393 nanocrystals that were emissive before or after, 69 (18 %, 95 % "
        "interval 14 to 22 %) had been dark (on in less than 10 % of the frames) and became "
        "emissive, and 77 (20 %, 16 to 24 %) became dark. On average the on-fraction changed by "
        "+0.7 points (−3.4 to +4.8), which chance alone could explain (Wilcoxon p = 0.32). The "
        "control changed by +0.7 points; the difference is −0.2 (−5.6 to +5.1), no clear one; the "
        "intervals of both shares’ differences exclude 0."
    )


def test_coverage_and_cutoff_are_the_settings():
    text = answer(a_row(), confidence=0.999, dark_cutoff=0.125)
    assert "(18 %, 99.9 % interval 14 to 22 %)" in text
    assert "dark (on in less than 12.5 % of the frames)" in text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (CLEAR | {"p_wilcoxon": 1e-30}, "more than chance alone explains (Wilcoxon p < 0.0001)."),
        ({"p_wilcoxon": 0.01}, "the interval includes no change, although the ranks"),
        (CLEAR | {"p_wilcoxon": 0.2}, "the interval excludes no change, but the ranks do not"),
        ({"p_wilcoxon": NAN}, "+0.7 points (−3.4 to +4.8), which chance alone could explain."),
        (
            {"mean_delta_low": NAN, "mean_delta_high": NAN},
            "(too few for an interval, Wilcoxon p = 0.32)",
        ),
        ({"mean_delta": -0.0001, "p_wilcoxon": 1.0}, "changed by 0.0 points"),
        ({"mean_delta": 0.01}, "changed by +1.0 point ("),
    ],
)
def test_a_change_is_called_what_interval_and_test_allow(changed, said):
    assert said in answer(a_row(**changed))


def test_the_level_of_the_test_follows_the_coverage():
    changed = CLEAR | {"p_wilcoxon": 0.03}
    assert "more than chance" in answer(a_row(**changed))
    assert "the ranks do not" in answer(a_row(**changed), confidence=0.99)


@pytest.mark.parametrize("method", [BY_FIELDS, BY_OTHER_FIELDS, BY_NANOCRYSTALS])
def test_chance_is_named_only_where_fields_show_how_they_differ(method):
    off = CLEAR | estimate("mean_delta_minus_control", -0.378, -0.438, -0.318)
    row = a_row(**off, p_wilcoxon=1e-30, interval_method=method)
    text = answer(row, CONTROL)
    by_nanocrystals = method == BY_NANOCRYSTALS
    assert ("chance" in text) is ("a clear one" in text) is not by_nanocrystals
    assert ("more than the scatter of single nanocrystals explains" in text) is by_nanocrystals
    assert ("one field does not show whether fields differ by as much" in text) is by_nanocrystals
    assert ("−31.8), more than the scatter of single nanocrystals" in text) is by_nanocrystals
    unclear = answer(a_row(interval_method=method), CONTROL)
    assert ("chance" in unclear) is not by_nanocrystals
    assert "one field cannot" not in unclear


def test_the_median_is_stated_where_its_verdict_is_another():
    assert "median" not in answer(a_row())
    assert "median" not in answer(a_row(**CLEAR, p_wilcoxon=0.01))
    other = CLEAR | estimate("median_delta", -0.02, -0.048, 0.011) | {"p_wilcoxon": 0.01}
    assert "; the median, −2.0 (−4.8 to +1.1), includes no change" in answer(a_row(**other))
    other = estimate("median_delta", 0.03, 0.01, 0.05)
    assert "; the median, +3.0 (+1.0 to +5.0), excludes no change" in answer(a_row(**other))
    opposite = CLEAR | estimate("median_delta", 0.03, 0.01, 0.05) | {"p_wilcoxon": 0.01}
    assert "; the median, +3.0 (+1.0 to +5.0), excludes no change" in answer(a_row(**opposite))


def test_undefined_shares_have_no_interval():
    shares = ("fraction_became_emissive", "fraction_became_dark")
    ends = {f"{share}_{end}": NAN for share in shares for end in ("low", "high")}
    assert "69 (18 %) had been dark" in answer(a_row(**ends))


def test_the_control_is_compared_with_and_not_compared_itself():
    off = estimate("mean_delta_minus_control", -0.378, -0.438, -0.318)
    said = answer(a_row(**off), CONTROL)
    assert "The control changed by +0.7 points; the difference is −37.8 (−43.8 to −31.8)" in said
    assert "−31.8), a clear one" in said
    few = estimate("mean_delta_minus_control", -0.378, NAN, NAN)
    assert "the difference is −37.8 (too few for an interval);" in answer(a_row(**few), CONTROL)
    gone = estimate("mean_delta_minus_control", NAN, NAN, NAN)
    empty, refused = CONTROL | {"n": 0}, CONTROL | {"n": 0, "n_fields": 0}
    assert "The control has no emissive nanocrystal: there" in answer(a_row(**gone), empty)
    assert "The control was refused: there is nothing" in answer(a_row(**gone), refused)
    own = answer(CONTROL | gone)
    assert own.startswith("In the control, which was re-mounted without annealing, of 393")
    assert own.count("control") == 1


@pytest.mark.parametrize(
    ("emissive", "dark", "said"),
    [
        ((0.01, 0.2), (-0.2, -0.01), "the intervals of both shares’ differences exclude 0."),
        ((-0.01, 0.2), (-0.2, 0.01), "the intervals of both shares’ differences include 0."),
        ((0.01, 0.2), (-0.2, 0.01), "only that of what became emissive excludes 0."),
        ((-0.01, 0.2), (0.01, 0.2), "only that of what became dark excludes 0."),
    ],
)
def test_shares_are_held_against_the_controls(emissive, dark, said):
    names = ("fraction_became_emissive_minus_control", "fraction_became_dark_minus_control")
    changed = estimate(names[0], 0.1, *emissive) | estimate(names[1], 0.0, *dark)
    assert answer(a_row(**changed), CONTROL).endswith(said)
    unknown = changed | {f"{names[0]}_low": NAN}
    assert "shares" not in answer(a_row(**unknown), CONTROL)


def test_a_control_that_changed_warns_of_the_others():
    warning = "Re-mounting alone changed it: read the other results against this."
    assert warning in answer(CONTROL | CLEAR)
    assert warning not in answer(CONTROL)
    assert warning not in answer(a_row(**CLEAR))


def test_an_answer_has_four_sentences_at_most():
    worst = CLEAR | estimate("median_delta", 0.02, -0.048, 0.011) | {"p_wilcoxon": 0.2}
    for method in (BY_FIELDS, BY_NANOCRYSTALS):
        row = a_row(**worst, interval_method=method, n_fields_failed=1)
        for text in (answer(row, CONTROL), answer(row | {"temperature_c": "control"})):
            assert text.count(". ") == 3
            assert text.endswith("1 field was refused and is in no number.")


@pytest.mark.parametrize(
    ("method", "said"),
    [
        (BY_FIELDS, "pooled over the treatments"),
        (BY_OTHER_FIELDS, "It comes from the other treatments"),
        (BY_NANOCRYSTALS, "too narrow if fields differ"),
    ],
)
def test_what_the_intervals_rest_on_is_stated(method, said):
    all_of_them = {"pooled over", "other treatments", "too narrow"}
    text = result_sentences.caveats(a_row(interval_method=method))
    assert said in text
    assert sum(other in text for other in all_of_them) == 1
    assert "Wilson’s (shares), Student’s (mean) and of order statistics (median)" in text
    assert ("divided by a design effect" in text) is (method != BY_NANOCRYSTALS)
    assert result_sentences.caveats(a_row(n=0)) == ""


@pytest.mark.parametrize(
    ("expected", "said"), [(10.3, "at most about 10"), (0.4, "less than one"), (0, "none")]
)
def test_accidental_pairs_are_an_upper_limit(expected, said):
    text = result_sentences.caveats(a_row(expected_chance_pairs=expected))
    assert text.endswith(
        f"Accidental pairs: {said}; unrelated catalogues of this density would show as many, and "
        "true partners are paired first."
    )


def test_refused_fields_are_stated_where_there_are_any():
    assert "1 field was refused and is in no number." in answer(a_row(n_fields_failed=1))
    assert "2 fields were refused and are" in answer(a_row(n_fields_failed=2))
    row = a_row(n_fields_failed=pd.NA, expected_chance_pairs=NAN)
    assert "refused" not in answer(row)
    assert "pair" not in result_sentences.caveats(row)


def test_one_is_singular_and_none_is_an_answer():
    assert "of 1 nanocrystal that was emissive" in answer(a_row(n=1, n_became_emissive=1))
    blank = dict.fromkeys(["fraction_became_dark", "mean_delta", "p_wilcoxon"], NAN)
    nothing = a_row(n=0, n_dark=5, interval_method="", **blank)
    assert answer(nothing) == (
        "At 100 °C, no nanocrystal was emissive (on in at least 10 % of the frames) before or "
        "after (5 were dark in both): there is no result."
    )
    refused = nothing | {"n_fields": 0, "n_fields_failed": 3}
    assert answer(refused, a_row()) == (
        "At 100 °C, no field could be used: there is no result. 3 fields were refused and are in "
        "no number."
    )


def headline(dark_cutoff=0.1, **run):
    fields, populations, _ = a_run(**run)
    return result_sentences.headline(populations, fields, dark_cutoff), populations.set_index(
        "temperature_c"
    )


def test_the_headline_counts_the_annealed_and_the_control_apart():
    text, rows = headline(labels=(70, 120, "control"), fields_each=2, refused=("70_1",))
    assert text.startswith(
        f"{rows.loc[[70, 120], 'n'].sum()} annealed nanocrystals in 3 fields and "
        f"{rows.at['control', 'n']} in 2 control fields were emissive (on in at least 10 % of the "
        "frames) before or after; 1 field was refused."
    )
    assert "take nanocrystals as independent" not in text
    assert "at least 12.5 %" in headline(dark_cutoff=0.125)[0]


def test_the_headline_has_an_interval_for_every_change():
    text, rows = headline(labels=(70, 120, "control"))
    points = {
        label: [f"{100 * row[f'mean_delta{end}']:+.1f}" for end in ("", "_low", "_high")]
        for label, row in rows.iterrows()
    }
    for label, said in ((70, " points ({} to {}) at 70 °C"), (120, " ({} to {}) at 120 °C")):
        mean, low, high = points[label]
        assert f"{mean}{said.format(low, high)}".replace("-", "−") in text
    mean, low, high = points["control"]
    assert f"the control, changed it by {mean} points ({low} to {high}).".replace("-", "−") in text
    assert text.endswith("no treatment has two fields to compare.")
    single, _ = headline(labels=(70,), n=4)  # one of which is analysed
    assert "points (too few for an interval) at 70 °C" in single


def test_the_headline_states_why_there_is_no_control():
    text, _ = headline(labels=(70,), fields_each=2)
    assert text.endswith("There is no control that was re-mounted without annealing.")
    text, _ = headline(labels=(70, "control"), refused=("control_0",))
    assert "annealed nanocrystals in 1 field were emissive" in text
    assert "The control was refused." in text
    assert "There is no control" not in text
    text, rows = headline(labels=("control",))
    assert text.startswith(f"{rows.at['control', 'n']} nanocrystals in 1 control field were")


def test_the_sentences_take_the_workflows_own_table():
    """Every column they read is one that `summarise_populations` makes."""
    fields, populations, nanocrystals = a_run(labels=(70, "control"), fields_each=2)
    assert populations.equals(summarise_populations(nanocrystals, fields))
    annealed, control = populations.to_dict("records")
    assert "The control changed by" in answer(annealed, control)
    assert "design effect" in result_sentences.caveats(annealed)


def test_citations_follow_the_file():
    content = {
        "title": "blinkpair: a workflow",
        "type": "software",
        "authors": [{"name": "The developers"}],
        "version": "0.0.1",
        "doi": "10.1/x",
        "date-released": "2026-02-03",
        "references": [
            {
                "type": "article",
                "title": "Why do they\n  blink?",
                "authors": [
                    {"family-names": "Wang", "given-names": "Dong"},
                    {
                        "family-names": "Broek",
                        "name-particle": "van den",
                        "given-names": "J.-P. M.",
                    },
                ],
                "journal": "J. Blink.",
                "volume": 12,
                "start": 3,
                "end": 9,
                "year": 2024,
            }
        ],
    }
    assert citation(content, "1.2.0") == [
        "The developers. blinkpair: a workflow. Version 1.2.0 (2026). https://doi.org/10.1/x",
        "D. Wang and J.-P. M. van den Broek. Why do they blink? J. Blink. 12, 3–9 (2024).",
    ]


def test_numbers_are_written_as_prose_writes_them():
    thin = "\N{NARROW NO-BREAK SPACE}"
    assert [grouped(n) for n in (0, 9999, 20_000)] == ["0", "9999", f"20{thin}000"]
    written = [plain(v) for v in (0.0003, 1234, -0.5, 20.0, 0, 1e-5, 1.2345, 99_999.6)]
    assert written == ["0.0003", "1234", "−0.5", "20", "0", "0.00001", "1.23", "100000"]
    assert [as_set(v) for v in (1250, 1023.0, 123.4, 0.0003)] == ["1250", "1023", "123.4", "0.0003"]
    assert [per_cent(v) for v in (0.95, 0.125, 0.999)] == ["95 %", "12.5 %", "99.9 %"]
    assert [fixed(v, 1) for v in (-0.04, -0.06, 12)] == ["0.0", "−0.1", "12.0"]
    assert [counted(n, "field") for n in (0, 1, 2)] == ["0 fields", "1 field", "2 fields"]
    assert listed([]) == ""
    assert listed(["a", "", "b", "c"]) == "a, b and c"
    assert (spread([20.0, 20.0]), spread([20, 40])) == ("20", "20 to 40")
    assert [known(v) for v in (1, "2", NAN, None, pd.NA, "")] == [True, True, *[False] * 4]
