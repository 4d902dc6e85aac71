"""The paragraph of methods describes the code with the run's own numbers and settings."""

import itertools
import re

import pytest

from blinkpair.epochs import EPOCHS
from blinkpair.inputs.settings import load_settings
from blinkpair.photometry import counts, ring
from blinkpair.populations.table import (
    BY_ASSUMPTION,
    BY_FIELDS,
    BY_OTHER_FIELDS,
    BY_OTHER_SAMPLES,
    BY_SAMPLES,
)
from blinkpair.report import methods_short, methods_text
from tests.helpers.report_run import NAN, a_run

SETTINGS = load_settings({})
PROVENANCE = {"versions": {"blinkpair": "0.1.0"}, "commit": "0123456789abcdef+changes"}
SHOWN = [{"exposure_s": 0.02, "frames": {"pre": 20_000, "post": 19_500}, "pixel_size_um": 0.16}]


def methods(settings=None, provenance=PROVENANCE, shown=tuple(SHOWN) * 2, **run):
    return methods_text.methods(load_settings(settings or {}), provenance, *a_run(**run), shown)


def test_the_methods_hold_the_runs_own_numbers():
    text = methods()
    for part in (
        "blinkpair 0.1.0 (commit 0123456789, with local changes)",
        "2 fields were recorded (1 at 70 °C and 1 re-mounted without annealing as a control)",
        "The movies had 19 500 to 20 000 frames of 20 ms.",
        "26 microspheres were matched",
        "turned by −97.0°",
        "registration was 0.031 px (5.0 nm)",
        "but never more than 4 px apart (64 pairs)",
        "At most 3 of them are accidental: catalogues of this density that have nothing in common",
        "Of 80 nanocrystals, 77 were analysed; excluded were 1 whose aperture leaves the sensor "
        "and 2 closer to another one than 4 px.",
        "at least 50 complete events",
        "95 % intervals: Wilson’s of shares, Student’s of means and Woodruff’s",
    ):
        assert part in text.replace("\N{NARROW NO-BREAK SPACE}", " "), part
    assert "simulated" not in text


def test_every_setting_that_has_a_choice_is_worded():
    choices = {
        "registration": {"model": ["rigid", "similarity"]},
        "photometry": {"background": ["annulus_median", "none"]},
        "threshold": {"method": ["fixed", "hmm"]},
        "dwell_times": {"method": ["maximum_likelihood", "least_squares"]},
    }
    said = {
        "rigid": "a rigid transform (rotation and shift)",
        "similarity": "(rotation, shift and scale)",
        "annulus_median": "less the median of a ring of 4.5 to 7.3 px radius",
        "none": "without subtraction of a background",
        "fixed": "more than 100 counts",
        "hmm": "assigned to on and off by a hidden Markov model",
        "maximum_likelihood": "by maximum likelihood",
        "least_squares": "as least-squares lines",
    }
    keys = [(section, key) for section, own in choices.items() for key in own]
    for values in itertools.product(*(choices[s][k] for s, k in keys)):
        settings = {s: {k: v} for (s, k), v in zip(keys, values, strict=True)}
        text = methods(settings)
        assert {name for name, words_ in said.items() if words_ in text} == set(values)
        assert not re.search(r"\bnan\b|None|\{|\}|  |\.\.|,\.| ,", text), text


def test_frames_that_are_left_out_are_in_the_methods():
    sheet = [
        {"pre_pl": "a.tif", "post_pl": "b.tif"},
        {"pre_pl": "c.tif::skip=40", "post_pl": "d.tif::skip=40::frames=900"},
    ]
    text = "The first 40 frames of the movies of 1 field were left out."
    assert text in methods(provenance=PROVENANCE | {"sheet": sheet})
    assert "left out." not in methods()


def test_numbers_of_the_settings_are_in_the_methods():
    text = methods(
        {
            "microspheres": {"diameter_um": 2.5},
            "threshold": {"counts": 1234.5},
            "registration": {"min_microspheres": 5, "max_chance_alignments": 0.01},
            "nanocrystals": {"psf_sigma_px": 0.7, "min_separation_px": 3.5},
            "pairing": {"tolerance_px": 2.25},
            "photometry": {"aperture_px": 5},
            "dark_cutoff": 0.125,
            "dwell_times": {"min_events": 77, "significance": 0.01},
            "photostability": {"reference_s": 12, "significance": 0.01, "min_change": 0.125},
            "statistics": {"confidence": 0.99},
        }
    )
    for part in (
        "2.5 µm diameter",
        "at least 5 of them",
        "at most 0.01 alignments",
        "standard deviation 0.7 px",
        "within 2.25 px plus three times the error",
        "never more than 3.5 px apart",
        "aperture 5 px wide",
        "more than 1234.5 counts",
        "below 12.5 % a nanocrystal was called dark",
        "at least 77 complete events",
        "test at a significance of 0.01",
        "each at a significance of 0.005",
        "below 12.5 % of its start, and of the off-fraction below 12.5 points",
        "the last 12 s",
        "99 % intervals",
    ):
        assert part in text


def test_refused_fields_are_named_and_stopping_is_stated():
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
    text = methods_text.methods(settings, PROVENANCE, fields, populations, nanocrystals, SHOWN)
    assert (
        "23 microspheres (median; range 20 to 26) were matched, the sample was turned by −97.0 to "
        "171.0°, the scale was 0.9000 to 1.0000 and the expected error of the registration was "
        "0.030 px in the median and 0.040 px at most (4.8 nm in the median and 6.4 nm at most)."
    ) in text


def test_stopping_at_a_refused_field_is_stated():
    assert "set to stop" in methods({"on_failed_field": "stop"})
    assert "set to stop" not in methods()


def test_intervals_are_worded_by_what_they_rest_on():
    several = methods(fields_each=3)
    said = {
        "a treatment with one field took that of the others": {BY_OTHER_FIELDS},
        "no treatment had two fields, so that it is the prior": {BY_ASSUMPTION},
        "fields of one sample counted as one field": {BY_SAMPLES, BY_OTHER_SAMPLES},
        "a treatment with one sample took the design effect of": {BY_OTHER_SAMPLES},
    }
    assert "fields do not differ with a probability of 30 %" in several
    assert "is Beta(1, 4)" in several
    fields, populations, nanocrystals = a_run()
    for used in (
        {BY_FIELDS},
        {BY_FIELDS, BY_OTHER_FIELDS},
        {BY_ASSUMPTION},
        {"", BY_FIELDS},
        {BY_SAMPLES},
        {BY_SAMPLES, BY_OTHER_SAMPLES},
    ):
        populations["interval_method"] = (sorted(used) * 2)[:2]
        text = methods_text.methods(SETTINGS, PROVENANCE, fields, populations, nanocrystals, SHOWN)
        assert {part for part in said if part in text} == {p for p in said if said[p] & used}
    assert "Newcombe" in several
    assert "Newcombe" not in methods(labels=(70,))


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
    text = methods_text.methods(SETTINGS, PROVENANCE, fields, populations, nanocrystals, SHOWN)
    assert "accidental" not in text
    assert "1 of them is simulated." in text


def test_the_methods_of_a_run_without_any_field_left_are_no_error():
    fields, populations, nanocrystals = a_run()
    tables = fields.assign(status="failed", evidence="none"), populations.head(0)
    text = methods_text.methods(SETTINGS, PROVENANCE, *tables, nanocrystals.head(0), [])
    assert "2 fields could not be registered or read and were excluded (70_0 and control" in text


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        ("microspheres and nanocrystals", "in brightfield and refined on the nanocrystals"),
        ("microspheres", "in brightfield and not refined on nanocrystals"),
        ("nanocrystals", "by the pattern of the nanocrystals alone"),
        ("brightfield images", "as wholes, with silica microspheres of 1 µm"),
        ("brightfield images and nanocrystals", "and refined on the nanocrystals"),
        ("microspheres together with nanocrystals", "as neither decided alone"),
        ("brightfield images together with nanocrystals", "as neither decided alone"),
        ("microspheres together with brightfield images", "as neither decided alone, and not"),
        ("microspheres together with brightfield images and nanocrystals", "as none decided alone"),
        ("landmarks and nanocrystals", "from landmarks named by hand and refined on"),
        ("landmarks", "from landmarks named by hand and not refined on"),
    ],
)
def test_every_kind_of_evidence_is_worded(evidence, said):
    fields, populations, nanocrystals = a_run()
    fields["evidence"] = evidence
    one = methods_text.methods(SETTINGS, PROVENANCE, fields, populations, nanocrystals, SHOWN)
    start = re.search(r"a rigid transform \(rotation and shift\), (.*?)\. A transform", one)
    assert start
    assert said in start.group(1)
    assert ("silica microspheres of 1 µm" in one) is evidence.startswith(
        ("microspheres", "brightfield")
    )
    assert ("the parts of both images that agreed" in one) is evidence.startswith("brightfield")
    assert ("were not tested against chance" in one) is evidence.startswith("landmarks")
    assert ("the product of their levels" in one) is ("together" in evidence)
    # Landmarks and a pattern of nanocrystals are no microspheres that matched.
    assert ("26 microspheres were matched" in one) is evidence.startswith("microspheres")
    fields["evidence"] = ["microspheres", "nanocrystals"]
    fields["n_microspheres_matched"] = [26, 0]
    two = methods_text.methods(SETTINGS, PROVENANCE, fields, populations, nanocrystals, SHOWN)
    assert "(rotation and shift): 1 field by silica microspheres of" in two
    assert "; 1 field by the pattern of the nanocrystals alone." in two
    assert "26 microspheres were matched" in two


@pytest.mark.parametrize(
    ("frames", "all_shown", "said"),
    [
        ([1500, 1500], True, "the last 10 s of a movie with the first 10 s, in counts"),
        ([1499, 300], True, "the last tenth of a movie with the first tenth, as the movies are"),
        ([1500, 1499], True, "or tenths of movies shorter than three times that, in counts"),
        ([1500, 1500], False, "or tenths of movies shorter than three times that, in counts"),
    ],
)
def test_the_reference_of_the_pl_kept_is_the_one_that_was_used(frames, all_shown, said):
    """As in `photostability.kept_fraction`, at 20 ms a frame."""
    shown = [{"exposure_s": 0.02, "frames": dict(zip(EPOCHS, frames, strict=True))}]
    text = methods(shown=shown * (2 if all_shown else 1))
    assert said in text
    assert "of the analysed nanocrystals above their local background" in text
    plain_sum = methods({"photometry": {"background": "none"}}, shown=shown)
    assert "above their local background" not in plain_sum


def test_what_the_code_does_is_stated():
    text = methods()
    radii = f"{ring.RING_INNER_PX:g} to {ring.RING_OUTER_PX:g} px radius"
    for part in (
        radii,
        f"within {counts.NEIGHBOUR_RADIUS_PX:g} px of other nanocrystals",
        f"at least {counts.MIN_RING_PIXELS} remained",
        "mean difference of the ring’s mean and median",
        "no different alignment was about as good",
        "analysed nanocrystals that were emissive in the epoch",
        "The first event of a trace, whose age is unknown, was left out",
        "those of one or two frames were set aside, durations shifted",
        "those of which noise makes more than 30 % of the events",
        "α and τ are those of events of two frames and more",
        "The p values of changes belong to the same distributions",
    ):
        assert part in text, part
    lines = methods({"dwell_times": {"method": "least_squares"}})
    assert "Events cut by either end of the movie were left out." in lines
    assert "set aside" not in lines


def test_the_text_names_where_the_model_has_its_off_level_from():
    text = methods({"threshold": {"method": "hmm"}})
    assert "those of a place without a nanocrystal beside it" in text
    assert "a standard error above 0.05 were excluded as undetermined" in text
    assert "skewness" not in methods()


@pytest.mark.parametrize("method", ["fixed", "hmm"])
@pytest.mark.parametrize("refused", [(), ("70_0",)])
@pytest.mark.parametrize("by_hand", [0, 2])
@pytest.mark.parametrize("sample", ["chip 3", "simulated"])
def test_the_short_paragraph_has_at_most_120_words_and_the_runs_own_numbers(
    method, refused, by_hand, sample
):
    fields, _, nanocrystals = a_run(fields_each=2, refused=refused)
    fields["sample"] = sample
    fields.loc[1, "evidence"] = "landmarks"
    nanocrystals.loc[10 : 9 + by_hand, ["analysed", "excluded_because"]] = [False, "by_hand"]
    settings = load_settings({"threshold": {"method": method}})
    text = methods_short.methods_short(settings, PROVENANCE, fields, nanocrystals)
    assert 80 <= len(text.split()) <= methods_short.MOST_WORDS, text
    n = len(nanocrystals)
    parts = ["blinkpair 0.1.0 (commit 0123456789", f"{4 - len(refused)} fields were registered"]
    parts += [f"Of {n} nanocrystals, {n - 3 - by_hand} were analysed", "0.031 px"]
    parts += ["1 of them with landmarks by hand"]
    parts += ["100 counts" if method == "fixed" else "hidden Markov model"]
    parts += ["simulated"] if sample == "simulated" else []
    parts += ["1 was refused"] if refused else []
    parts += ["2 of the others were left out by eye"] if by_hand else []
    for part in parts:
        assert part in text, part
    assert ("simulated" in text) == (sample == "simulated")
