"""The sentences of the page state what the tables hold, and no more."""

import math

import numpy as np
import pandas as pd
import pytest

from blinkpair.populations.table import (
    BY_ASSUMPTION,
    BY_FIELDS,
    BY_OTHER_FIELDS,
    BY_OTHER_SAMPLES,
    BY_SAMPLES,
    summarise_populations,
)
from blinkpair.report import result_sentences
from blinkpair.report.cells import intervals_note
from blinkpair.statistics import intervals
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
        "expected_other_population": 2.6,
        "p_mean_delta": 0.72,
        "n_nanocrystals": 393,
        "n_also_in_rows_above": 0,
        "n_more_fields_to_halve": 2.0,
        "shortest_movie_s": 400.0,
        "longest_movie_s": 400.0,
        "compared_s": NAN,
        "interval_method": BY_FIELDS,
    }
    estimates = {
        "fraction_became_emissive": (0.1756, 0.141, 0.216),
        "fraction_became_dark": (0.1959, 0.16, 0.238),
        "mean_delta": (0.00724, -0.0337, 0.0482),
        "mean_delta_independent": (0.00724, -0.02, 0.0345),
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
        "+0.7 points (−3.4 to +4.8), which chance could explain (p = 0.72). The "
        "control changed by +0.7 points; the difference is −0.2 (−5.6 to +5.1), an interval that "
        "includes 0; the differences of both shares exclude 0."
    )


def test_coverage_and_cutoff_are_the_settings():
    text = answer(a_row(), confidence=0.999, dark_cutoff=0.125)
    assert "(18 %, 99.9 % interval 14 to 22 %)" in text
    assert "dark (on in less than 12.5 % of the frames)" in text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            CLEAR | {"p_mean_delta": 1e-30},
            "(−41.8 to −32.0), more than chance explains (p < 0.0001).",
        ),
        ({"p_mean_delta": NAN}, "+0.7 points (−3.4 to +4.8), which chance could explain."),
        ({"mean_delta_low": NAN, "mean_delta_high": NAN}, "+0.7 points (too few for an interval)."),
        ({"mean_delta": -0.0001}, "changed by 0.0 points"),
        ({"mean_delta": 0.01}, "changed by +1.0 point ("),
    ],
)
def test_a_change_is_called_what_interval_and_test_allow(changed, said):
    assert said in answer(a_row(**changed))


def test_no_test_contradicts_its_interval():
    """p is below one minus the coverage exactly where the interval excludes no change."""
    rng = np.random.default_rng(8)
    for shift in np.linspace(-0.3, 0.3, 13):
        values, fields = rng.normal(shift, 0.5, 60), np.repeat([0, 1, 2], 20)
        (found,) = intervals.pooled_means([values], [fields])
        assert (found.p_value < 0.05) == (found.low > 0 or found.high < 0)


def test_the_median_is_stated_where_its_verdict_is_another():
    assert "median" not in answer(a_row())
    assert "median" not in answer(a_row(**CLEAR))
    other = CLEAR | estimate("median_delta", -0.02, -0.048, 0.011)
    assert "; the median, −2.0 (−4.8 to +1.1), includes no change" in answer(a_row(**other))
    other = estimate("median_delta", 0.03, 0.01, 0.05)
    assert "; the median, +3.0 (+1.0 to +5.0), excludes no change" in answer(a_row(**other))
    opposite = CLEAR | estimate("median_delta", 0.03, 0.01, 0.05)
    assert "; the median, +3.0 (+1.0 to +5.0), excludes no change" in answer(a_row(**opposite))


def test_undefined_shares_have_no_interval():
    shares = ("fraction_became_emissive", "fraction_became_dark")
    ends = {f"{share}_{end}": NAN for share in shares for end in ("low", "high")}
    assert "69 (18 %) had been dark" in answer(a_row(**ends))


def test_the_control_is_compared_with_and_not_compared_itself():
    off = estimate("mean_delta_minus_control", -0.378, -0.438, -0.318)
    said = answer(a_row(**off), CONTROL)
    assert "The control changed by +0.7 points; the difference is −37.8 (−43.8 to −31.8)" in said
    assert "−31.8), an interval that excludes 0" in said
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
        ((0.01, 0.2), (-0.2, -0.01), "the differences of both shares exclude 0."),
        ((-0.01, 0.2), (-0.2, 0.01), "the differences of both shares include 0."),
        ((0.01, 0.2), (-0.2, 0.01), "only that of ‘became emissive’ excludes 0."),
        ((-0.01, 0.2), (0.01, 0.2), "only that of ‘became dark’ excludes 0."),
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
    worst = CLEAR | estimate("median_delta", 0.02, -0.048, 0.011)
    for method in (BY_FIELDS, BY_ASSUMPTION):
        row = a_row(**worst, interval_method=method, n_fields_failed=1)
        for text in (answer(row, CONTROL), answer(row | {"temperature_c": "control"})):
            assert text.count(". ") == 3
            assert text.endswith("1 field was refused and is in no number.")


@pytest.mark.parametrize(
    ("method", "said"),
    [
        (BY_FIELDS, "by as much as fields of one treatment are seen to differ, 2 fields here"),
        (BY_OTHER_FIELDS, "as they do at the other treatments: there is one field here"),
    ],
)
def test_what_the_intervals_rest_on_is_one_sentence(method, said):
    text = result_sentences.caveats(a_row(interval_method=method))
    assert text.startswith("The intervals allow for fields that differ")
    assert said in text
    assert (
        "; if nanocrystals were independent, that of the mean would be −2.0 to +3.5 points. 2"
        in text
    )


@pytest.mark.parametrize(
    ("method", "said"),
    [
        (BY_SAMPLES, "by as much as samples of one treatment are seen to differ"),
        (BY_OTHER_SAMPLES, "as they do at the other treatments: there is one sample here"),
    ],
)
def test_where_samples_vary_the_sentences_are_of_samples(method, said):
    text = result_sentences.caveats(a_row(interval_method=method))
    assert text.startswith("The intervals allow for samples that differ")
    assert said in text
    assert "2 more samples here would about halve them." in text
    assert "which allow for samples that differ" in intervals_note([method], 0.95)


def test_without_two_fields_at_any_treatment_the_sentence_names_the_assumption_and_its_price():
    """8.19 points wide, over 5.45 for independent nanocrystals."""
    text = result_sentences.caveats(a_row(interval_method=BY_ASSUMPTION))
    assert text.startswith(
        "No treatment has two fields, which would show how much fields differ: the intervals rest "
        "on an assumption about it (a weak prior), by which that of the mean is 1.5 times as wide "
        "as if nanocrystals were independent (−2.0 to +3.5 points)."
    )


def test_what_would_help_is_one_sentence():
    text = result_sentences.caveats(a_row())
    assert "2 more fields here would about halve them." in text
    one, many = (a_row(n_more_fields_to_halve=n) for n in (1.0, math.inf))
    assert "1 more field here would about halve them." in result_sentences.caveats(one)
    assert "More than 20 more fields would be needed" in result_sentences.caveats(many)
    assert result_sentences.caveats(a_row(n=0)) == ""


def test_movies_of_unequal_length_are_never_compared_in_silence():
    short = a_row(shortest_movie_s=6.0, longest_movie_s=6.0)
    assert "the difference, of movies of unequal length (6 to 400 s), is −0.2" in answer(
        short, CONTROL
    )
    cut = answer(short | {"compared_s": 6.0}, CONTROL)
    assert "the difference over the first 6 s of every movie is −0.2" in cut
    assert "length" not in answer(a_row(), CONTROL)
    mixed = result_sentences.caveats(a_row(shortest_movie_s=6.0))
    assert "The movies here are 6 to 400 s long, and the short ones scatter more." in mixed


def test_rows_of_fields_that_share_a_movie_are_not_called_nanocrystals():
    row = a_row(n=86, n_nanocrystals=44)
    assert "of 86 rows of 44 nanocrystals, whose fields share movies, that were" in answer(row)
    assert " rows " not in answer(a_row())


def test_the_other_recipe_stands_beside_the_answer_with_the_difference():
    best = a_row(n=401, n_nanocrystals=401) | estimate("mean_delta_minus_fixed", 0.012, 0.004, 0.02)
    rows = [a_row(), best]
    assert result_sentences.other_recipe(rows, "fixed", 100) == (
        "By the hidden Markov model instead, of 401 nanocrystals 18 % became emissive and 20 % "
        "dark, and the mean change was +0.7 points (−3.4 to +4.8); the difference (model minus "
        "threshold) is +1.2 points (+0.4 to +2.0)."
    )
    assert result_sentences.other_recipe(rows, "hmm", 100).startswith(
        "By the fixed threshold of 100 counts instead, of 393 nanocrystals"
    )
    assert result_sentences.other_recipe([a_row(mean_delta=NAN), best], "fixed", 100) == ""


@pytest.mark.parametrize(
    ("expected", "said"), [(10.3, "at most 11"), (0.4, "less than one"), (0, "none")]
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
    assert "of 1 nanocrystal that was emissive" in answer(
        a_row(n=1, n_nanocrystals=1, n_became_emissive=1)
    )
    blank = dict.fromkeys(["fraction_became_dark", "mean_delta", "p_mean_delta"], NAN)
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


def test_the_sentences_take_the_workflows_own_table():
    """Every column they read is one that `summarise_populations` makes."""
    fields, populations, nanocrystals = a_run(labels=(70, "control"), fields_each=2)
    assert populations.equals(summarise_populations(nanocrystals, fields))
    annealed, control = populations.to_dict("records")
    assert "The control changed by" in answer(annealed, control)
    assert "allow for fields that differ" in result_sentences.caveats(annealed)


@pytest.mark.parametrize(("expected", "some"), [(2.6, "3"), (0.4, "fewer than one")])
def test_nanocrystals_near_the_limit_may_be_in_a_wrong_population(expected, some):
    text = result_sentences.caveats(a_row(expected_other_population=expected))
    assert f"in a wrong population is expected to be {some}." in text
    assert "wrong population" not in result_sentences.caveats(a_row(expected_other_population=NAN))
