"""The page's sentences say what the tables say, and no more."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest

from blinkpair.populations import (
    BY_FIELDS,
    BY_NANOCRYSTALS,
    BY_OTHER_FIELDS,
    classify,
    summarise_populations,
)
from blinkpair.report import words
from blinkpair.report.language import counted, fixed, grouped, known, listed, plain, spread
from blinkpair.settings import load_settings

NAN = float("nan")
SETTINGS = load_settings({})


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
        "mean_delta_minus_control": (-0.0022, -0.0556, 0.0511),
    }
    for name, values in estimates.items():
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))
    return row | changed


def test_the_answer_holds_the_numbers_of_its_row():
    assert words.answer(a_row(), a_row(temperature_c="control"), 0.95) == (
        "At 100 °C, of 393 nanocrystals that were emissive before or after, 69 (18 %, 95 % "
        "interval 14 to 22 %) had been dark and became emissive, and 77 (20 %, 16 to 24 %) became "
        "dark. On average the on-fraction changed by +0.7 points (−3.4 to +4.8), which chance "
        "alone could explain (Wilcoxon p = 0.32). That is 0.2 points less than in the control, "
        "which was re-mounted without annealing: no clear difference (−5.6 to +5.1)."
    )
    assert words.caveats(a_row()) == (
        "The intervals resample 2 fields. About 10 of the pairs of before and after may be chance."
    )


def test_the_coverage_is_the_settings():
    assert "(18 %, 99.9 % interval 14 to 22 %)" in words.answer(a_row(), None, 0.999)


CLEAR = {"mean_delta": -0.369, "mean_delta_low": -0.418, "mean_delta_high": -0.32}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (CLEAR | {"p_wilcoxon": 1e-30}, "more than chance alone explains (Wilcoxon p < 0.0001)"),
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
    assert said in words.answer(a_row(**changed), None, 0.95)


def test_the_level_of_the_test_follows_the_coverage():
    changed = CLEAR | {"p_wilcoxon": 0.03}
    assert "more than chance" in words.answer(a_row(**changed), None, 0.95)
    assert "the ranks do not" in words.answer(a_row(**changed), None, 0.99)


def test_undefined_shares_have_no_interval():
    shares = ("fraction_became_emissive", "fraction_became_dark")
    ends = {f"{share}_{end}": NAN for share in shares for end in ("low", "high")}
    assert "69 (18 %) had been dark" in words.answer(a_row(**ends), None, 0.95)


def test_the_control_is_compared_with_and_not_compared_itself():
    control = a_row(temperature_c="control")
    ends = ("", -0.378), ("_low", -0.438), ("_high", -0.318)
    against = {f"mean_delta_minus_control{end}": value for end, value in ends}
    said = words.answer(a_row(**against), control, 0.95)
    assert "37.8 points less than in the control" in said
    assert "a clear difference (−43.8 to −31.8)" in said
    more = against | {"mean_delta_minus_control": 0.01}
    assert "1.0 point more than" in words.answer(a_row(**more), control, 0.95)
    same = {"mean_delta_minus_control": 0.0002}
    assert "the same as in the control" in words.answer(a_row(**same), control, 0.95)
    gone = {f"mean_delta_minus_control{end}": NAN for end in ("", "_low", "_high")}
    empty = control | {"n": 0}
    assert "no nanocrystal to compare with" in words.answer(a_row(**gone), empty, 0.95)
    own = words.answer(control | gone, None, 0.95)
    assert own.startswith("In the control, which was re-mounted without annealing, of 393")
    assert own.count("control") == 1


@pytest.mark.parametrize(
    ("method", "said"),
    [
        (BY_FIELDS, "resample 2 fields"),
        (BY_OTHER_FIELDS, "widened by how much fields differ at the other temperatures"),
        (BY_NANOCRYSTALS, "too narrow if fields differ"),
    ],
)
def test_what_the_intervals_rest_on_is_said(method, said):
    others = {"resample 2", "widened by", "too narrow"} - {
        part for part in ("resample 2", "widened by", "too narrow") if part in said
    }
    text = words.caveats(a_row(interval_method=method))
    assert said in text
    assert not any(other in text for other in others)


def test_refused_fields_and_chance_pairs_are_said_where_there_are_any():
    row = a_row(n_fields_failed=1, expected_chance_pairs=0.4)
    assert "1 field was refused and is in no number." in words.answer(row, None, 0.95)
    assert "Fewer than one pair" in words.caveats(row)
    assert "2 fields were refused and are" in words.answer(a_row(n_fields_failed=2), None, 0.95)
    row = a_row(n_fields_failed=pd.NA, expected_chance_pairs=NAN)
    assert "refused" not in words.answer(row, None, 0.95)
    assert "pair" not in words.caveats(row)


def test_one_is_singular_and_none_is_an_answer():
    one = words.answer(a_row(n=1, n_became_emissive=1), None, 0.95)
    assert "of 1 nanocrystal that was emissive" in one
    blank = dict.fromkeys(["fraction_became_dark", "mean_delta", "p_wilcoxon"], NAN)
    nothing = a_row(n=0, n_dark=5, interval_method="", **blank)
    assert words.answer(nothing, None, 0.95) == (
        "At 100 °C, no nanocrystal was emissive before or after (5 were dark in both): nothing "
        "can be said."
    )
    refused = nothing | {"n_fields": 0, "n_fields_failed": 3}
    assert words.answer(refused, a_row(), 0.95) == (
        "At 100 °C, no field could be used: nothing can be said. 3 fields were refused and are in "
        "no number."
    )


def a_run(labels=(70, "control"), n=40, fields_each=1, refused=()):
    rng = np.random.default_rng(1)
    parts, fields = [], []
    for label, k in itertools.product(labels, range(fields_each)):
        name = f"{label}_{k}"
        row = {"field": name, "temperature_c": label, "sample": "chip 3", "status": "ok"}
        row |= {"reason": "", "evidence": "microspheres and nanocrystals", "rotation_deg": -97.04}
        row |= {"scale": 1.0, "n_microspheres_matched": 26, "tre_px": 0.031, "n_pairs": 32}
        row |= {"expected_chance_pairs": 1.5}
        if name in refused:
            row |= dict.fromkeys(["rotation_deg", "scale", "tre_px"], NAN)
            row |= {"status": "failed", "reason": "too few", "evidence": "none"}
            fields.append(row | {"n_microspheres_matched": 0, "n_pairs": 0})
            continue
        fields.append(row)
        before, after = rng.uniform(0, 1, (2, n))
        part = {"field": name, "temperature_c": label, "analysed": True, "excluded_because": ""}
        part |= {"on_fraction_pre": before, "on_fraction_post": after}
        parts.append(pd.DataFrame(part | {"population": classify(before, after)}))
    nanocrystals = pd.concat(parts, ignore_index=True)
    nanocrystals.loc[:2, ["analysed", "population"]] = [False, ""]
    nanocrystals.loc[:2, "excluded_because"] = ["edge", "crowded", "crowded"]
    table = pd.DataFrame(fields)
    return table, summarise_populations(nanocrystals, table), nanocrystals


PROVENANCE = {"versions": {"blinkpair": "0.1.0"}, "commit": "0123456789abcdef+changes"}
SHOWN = [{"exposure_s": 0.02, "frames": {"pre": 20_000, "post": 19_500}, "pixel_size_um": 0.16}]


def methods(settings=None, provenance=PROVENANCE, shown=tuple(SHOWN) * 2, **run):
    return words.methods(load_settings(settings or {}), provenance, *a_run(**run), shown)


def test_the_methods_hold_the_runs_own_numbers():
    text = methods()
    for part in (
        "blinkpair 0.1.0 (commit 0123456789, with local changes)",
        "2 fields were recorded (1 at 70 °C and 1 re-mounted without annealing as a control)",
        "The movies had 19 500 to 20 000 frames of 20 ms.",
        "26 microspheres were matched",
        "turned by −97.0°",
        "registration was 0.031 px (5 nm)",
        "(64 pairs; 3 were expected from chance alone)",
        "Of 80 nanocrystals, 77 were analysed; left out were 1 whose aperture leaves the sensor "
        "and 2 closer to another one than 4 px.",
        "at least 50 complete events",
        "95 % confidence intervals; they take nanocrystals as independent",
    ):
        assert part in text.replace("\N{NARROW NO-BREAK SPACE}", " "), part
    assert "simulated" not in text


def test_every_setting_that_has_a_choice_is_worded():
    choices = {
        "registration": {"model": ["rigid", "similarity"]},
        "photometry": {"background": ["annulus_median", "none"]},
        "threshold": {"method": ["fixed", "noise", "hmm"]},
        "dwell_times": {"method": ["maximum_likelihood", "least_squares"]},
    }
    said = {
        "rigid": "a rigid transform (rotation and shift)",
        "similarity": "(rotation, shift and scale)",
        "annulus_median": "less the median of a ring",
        "none": "without subtraction of a background",
        "fixed": "more than 100 counts",
        "noise": "more than 4 standard deviations of its off level’s noise",
        "hmm": "hidden Markov model",
        "maximum_likelihood": "by maximum likelihood",
        "least_squares": "as least-squares lines",
    }
    keys = [(section, key) for section, own in choices.items() for key in own]
    for values in itertools.product(*(choices[s][k] for s, k in keys)):
        settings = {s: {k: v} for (s, k), v in zip(keys, values, strict=True)}
        text = methods(settings)
        assert {name for name, words_ in said.items() if words_ in text} == set(values)
        assert not re.search(r"\bnan\b|None|\{|\}|  |\.\.|,\.| ,", text), text


def test_numbers_of_the_settings_are_in_the_methods():
    text = methods(
        {
            "microspheres": {"diameter_um": 2.5},
            "registration": {"min_microspheres": 5, "max_chance_alignments": 0.01},
            "nanocrystals": {"psf_sigma_px": 0.7},
            "pairing": {"tolerance_px": 2.25},
            "photometry": {"aperture_px": 5},
            "threshold": {"counts": 1234.5},
            "dark_cutoff": 0.125,
            "dwell_times": {"min_events": 77, "significance": 0.01},
            "photostability": {"reference_s": 12},
            "statistics": {"confidence": 0.99},
        }
    )
    for part in (
        "2.5 µm diameter",
        "at least 5 of them",
        "fewer than 0.01 alignments",
        "deviation of 0.7 px",
        "within 2.25 px plus three standard errors",
        "aperture 5 px wide",
        "more than 1234.5 counts",
        "below 12.5 % a nanocrystal was called dark",
        "at least 77 complete events",
        "at a significance of 0.01",
        "the last 12 s",
        "99 % confidence intervals",
    ):
        assert part in text


def test_refused_fields_are_named_and_stopping_is_said():
    text = methods(fields_each=2, refused=("70_1",))
    assert "1 field could not be registered or read and was excluded (70_1)." in text
    assert "In the 3 registered fields" in text
    alone = methods(labels=(70,), fields_each=2, refused=("70_0",))
    assert "In the one registered field, 26 microspheres were matched" in alone


def test_the_outcome_of_the_registration_is_median_and_range():
    fields, populations, nanocrystals = a_run()
    fields["n_microspheres_matched"], fields["tre_px"] = [20, 26], [0.02, 0.04]
    fields["rotation_deg"], fields["scale"] = [-97.04, 171.0], [0.9, 1.0]
    settings = load_settings({"registration": {"model": "similarity"}})
    text = words.methods(settings, PROVENANCE, fields, populations, nanocrystals, SHOWN)
    assert (
        "23 microspheres (median; range 20 to 26) were matched, the sample was turned by −97.0 to "
        "171.0°, the scale was 0.9000 to 1.0000 and the expected error of the registration was "
        "0.03 px in the median and 0.04 px at most (4.8 nm in the median and 6.4 nm at most)."
    ) in text


def test_stopping_at_a_refused_field_is_said():
    assert "set to stop" in methods({"on_failed_field": "stop"})
    assert "set to stop" not in methods()


def test_intervals_are_worded_by_what_they_rest_on():
    several = methods({"statistics": {"resamples": 12_000, "seed": 9}}, fields_each=3)
    several = several.replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "intervals; they come from 12 000 resamples of whole fields (seed 9)." in several
    fields, populations, nanocrystals = a_run()
    populations["interval_method"] = [BY_FIELDS, BY_OTHER_FIELDS]
    mixed = words.methods(SETTINGS, PROVENANCE, fields, populations, nanocrystals, SHOWN)
    assert (
        "at temperatures with several fields they come from 5000 resamples of whole fields (seed "
        "1) and at temperatures with one field they are widened" in mixed
    )


def test_what_is_not_known_is_left_out():
    unknown = [{"exposure_s": 0.02, "frames": {"pre": 0, "post": 0}, "pixel_size_um": None}]
    text = methods(provenance=PROVENANCE | {"commit": None}, shown=unknown)
    assert "analysed with blinkpair 0.1.0." in text
    assert "frames of 20 ms" not in text
    assert " nm" not in text
    one = methods(shown=SHOWN)
    assert "The movies of the fields shown singly had" in one
    fields, populations, nanocrystals = a_run()
    fields["expected_chance_pairs"] = NAN
    fields["sample"] = ["simulated", "chip 3"]
    fields["evidence"] = ["landmarks and nanocrystals", "nanocrystals"]
    text = words.methods(SETTINGS, PROVENANCE, fields, populations, nanocrystals, SHOWN)
    assert "chance alone" not in text
    assert "1 of them is simulated." in text
    assert "1 field was registered by landmarks named by hand and refined on nanocrystals." in text
    assert "1 field was registered by the pattern of the nanocrystals alone." in text


def test_the_methods_of_a_run_without_any_field_left_are_no_error():
    fields, populations, nanocrystals = a_run()
    tables = fields.assign(status="failed", evidence="none"), populations.head(0)
    text = words.methods(SETTINGS, PROVENANCE, *tables, nanocrystals.head(0), [])
    assert "2 fields could not be registered or read and were excluded (70_0 and control" in text


def test_the_headline_counts_fields_and_names_changes():
    fields, populations, _ = a_run(labels=(70, 120, "control"), fields_each=2, refused=("70_1",))
    text = words.headline(populations, fields)
    n = populations["n"].sum()
    assert text.startswith(
        f"{n} nanocrystals in 5 fields were emissive before or after; 1 field was refused."
    )
    assert "points at 70 °C and" in text
    assert "Re-mounting without annealing, the control, changed it by" in text
    fields, populations, _ = a_run(labels=(70,))
    assert words.headline(populations, fields).endswith(
        "There is no control that was re-mounted without annealing."
    )


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
    assert words.citation(content, "1.2.0") == [
        "The developers. blinkpair: a workflow. Version 1.2.0 (2026). https://doi.org/10.1/x",
        "D. Wang and J.-P. M. van den Broek. Why do they blink? J. Blink. 12, 3–9 (2024).",
    ]


def test_numbers_are_written_as_prose_writes_them():
    thin = "\N{NARROW NO-BREAK SPACE}"
    assert [grouped(n) for n in (0, 9999, 20_000)] == ["0", "9999", f"20{thin}000"]
    written = [plain(v) for v in (0.0003, 1234, -0.5, 20.0, 0, 1e-5)]
    assert written == ["0.0003", "1230", "−0.5", "20", "0", "0.00001"]
    assert [fixed(v, 1) for v in (-0.04, -0.06, 12)] == ["0.0", "−0.1", "12.0"]
    assert [counted(n, "field") for n in (0, 1, 2)] == ["0 fields", "1 field", "2 fields"]
    assert listed([]) == ""
    assert listed(["a", "", "b", "c"]) == "a, b and c"
    assert (spread([20.0, 20.0]), spread([20, 40])) == ("20", "20 to 40")
    assert [known(v) for v in (1, "2", NAN, None, pd.NA, "")] == [True, True, *[False] * 4]
