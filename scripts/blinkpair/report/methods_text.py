"""The paragraph for the experimental section of a paper, with the run's own numbers.

In: settings, provenance and result tables of a run. Out: plain text. Every sentence follows from a
setting or a number of this run; what is not known is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from blinkpair.populations import BY_FIELDS, BY_NANOCRYSTALS, BY_OTHER_FIELDS
from blinkpair.report.language import (
    counted,
    fixed,
    grouped,
    known,
    listed,
    per_cent,
    plain,
    spread,
    verb,
)
from blinkpair.report.tables import by_temperature, temperature
from blinkpair.table_labels import CONTROL, as_bool, temperature_label

Settings = Mapping[str, Any]
Write = Callable[[float], str]

HEX_OF_A_COMMIT = 10
SIMULATED = "simulated"  # in the column `sample` of the sheet
# How a field was registered, where that is not by its microspheres.
EVIDENCE = {
    "landmarks": "by landmarks named by hand",
    "landmarks and nanocrystals": "by landmarks named by hand",
    "nanocrystals": "by the pattern of the nanocrystals alone",
    "microspheres together with nanocrystals": "by the patterns of microspheres and nanocrystals "
    "together",
}
EXCLUDED = {
    "outside": "whose place the sensor does not see in both epochs",
    "edge": "whose aperture leaves the sensor",
    "crowded": "closer to another one than {separation} px",
    "registration_uncertain": "where the registration is uncertain",
}


def methods(
    settings: Settings,
    provenance: Mapping[str, Any],
    fields: pd.DataFrame,
    populations: pd.DataFrame,
    nanocrystals: pd.DataFrame,
    shown: Sequence[Mapping[str, Any]],
) -> str:
    """Write the paragraph.

    Parameters
    ----------
    settings : mapping
        Every setting.
    provenance : mapping
        Content of `provenance.json`.
    fields, populations, nanocrystals : DataFrame
        The tables of all fields.
    shown : sequence of mappings
        From `fields.read_field`, of all fields or some of them: their exposure, frames and, if
        known, size of a pixel.
    """
    sentences = [
        _software(provenance),
        *_recordings(fields, shown),
        *_registration(settings, fields, _pixel_um(settings, shown)),
        *_refused(settings, fields),
        *_detection(settings, fields),
        _counts(settings["photometry"]),
        *_states(settings),
        *_numbers(settings, nanocrystals),
        *_dwell_times(settings["dwell_times"]),
        *_photostability(settings["photostability"]),
        *_statistics(settings["statistics"], populations),
    ]
    return " ".join(sentences)


def _software(provenance: Mapping[str, Any]) -> str:
    commit, _, changes = str(provenance.get("commit") or "").partition("+")
    version = f"blinkpair {provenance['versions']['blinkpair']}"
    if commit:
        version += (
            f" (commit {commit[:HEX_OF_A_COMMIT]}{', with local changes' if changes else ''})"
        )
    return (
        f"Movies of the same nanocrystals before and after annealing were analysed with {version}."
    )


def _recordings(fields: pd.DataFrame, shown: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if fields.empty:
        yield "There were no fields."
        return
    groups = [
        f"{grouped(len(part))} {_condition(part['temperature_c'].iloc[0])}"
        for part in by_temperature(fields)
    ]
    n = len(fields)
    text = f"{counted(n, 'field')} {verb(n, 'was', 'were')} recorded ({listed(groups)})"
    yield f"{text}, each with a brightfield image and a movie per epoch."
    if "sample" in fields:
        simulated = int((fields["sample"].astype(str).str.strip().str.lower() == SIMULATED).sum())
        if simulated == n:
            yield "All of them are simulated."
        elif simulated:
            yield f"{grouped(simulated)} of them {verb(simulated, 'is', 'are')} simulated."
    frames = [n for field in shown for n in field["frames"].values() if n]
    exposures_ms = [1000 * field["exposure_s"] for field in shown]
    if not frames:
        return
    which = "The movies" if len(shown) == len(fields) else "The movies of the fields shown singly"
    ends = [grouped(min(frames)), grouped(max(frames))]
    length = ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
    yield f"{which} had {length} frames of {spread(exposures_ms)} ms."


def _condition(value: object) -> str:
    """Say what was done to a field, after a number."""
    if temperature_label(value) == CONTROL:
        return "re-mounted without annealing as a control"
    return f"at {temperature(value)}"


def _pixel_um(settings: Settings, shown: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the size of a pixel where it is known and the same everywhere."""
    own = [field.get("pixel_size_um") for field in shown]
    sizes = {float(size) for size in own if size is not None and known(size)}
    if not sizes and known(settings.get("pixel_size_um")):
        sizes = {float(settings["pixel_size_um"])}
    return sizes.pop() if len(sizes) == 1 else None


def _registration(
    settings: Settings, fields: pd.DataFrame, pixel_um: float | None
) -> Iterator[str]:
    own = settings["registration"]
    kind = {
        "rigid": "a rigid transform (rotation and shift)",
        "similarity": "a similarity transform (rotation, shift and scale)",
    }[own["model"]]
    yield (
        f"The epochs of a field were registered by {kind} on silica microspheres of "
        f"{plain(settings['microspheres']['diameter_um'])} µm diameter found in brightfield, and "
        "refined on the nanocrystals seen in both epochs where there were enough of them."
    )
    yield (
        f"A transform was accepted where fewer than {plain(own['max_chance_alignments'])} "
        "alignments as good were expected by chance, and, where microspheres decided, at least "
        f"{own['min_microspheres']} of them agreed."
    )
    ok = fields[fields["status"] == "ok"]
    if len(ok):
        yield _outcome(ok, own["model"], pixel_um)
    for evidence, by in EVIDENCE.items():
        n = int((ok["evidence"] == evidence).sum())
        if n:
            refined = " and refined on nanocrystals" if evidence.startswith("landmarks and") else ""
            yield f"{counted(n, 'field')} {verb(n, 'was', 'were')} registered {by}{refined}."


def _outcome(ok: pd.DataFrame, model: str, pixel_um: float | None) -> str:
    """Say how the registered fields came out."""
    degrees: Write = lambda value: fixed(value, 1)  # noqa: E731
    scales: Write = lambda value: fixed(value, 4)  # noqa: E731
    matched = ok["n_microspheres_matched"].dropna()
    parts = []
    if len(matched):
        several = f" (median; range {_range(matched, plain)})" if matched.nunique() > 1 else ""
        middle = matched.median()
        parts.append(
            f"{plain(middle)} microsphere{'' if middle == 1 else 's'}{several} "
            f"{verb(middle, 'was', 'were')} matched"
        )
    rotations = ok["rotation_deg"].dropna()
    if len(rotations):
        parts.append(f"the sample was turned by {_range(rotations, degrees)}°")
    if model == "similarity" and len(ok["scale"].dropna()):
        parts.append(f"the scale was {_range(ok['scale'].dropna(), scales)}")
    errors = ok["tre_px"].dropna()
    if len(errors):
        text = f"the expected error of the registration was {_worst(errors, 'px')}"
        if pixel_um is not None:
            text += f" ({_worst(1000 * pixel_um * errors, 'nm')})"
        parts.append(text)
    where = f"In the {len(ok)} registered fields" if len(ok) > 1 else "In the one registered field"
    return f"{where}, {listed(parts)}."


def _range(values: pd.Series[Any], write: Write) -> str:
    ends = [write(values.min()), write(values.max())]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _worst(values: pd.Series[Any], unit: str) -> str:
    middle, most = (f"{plain(value, 2)} {unit}" for value in (values.median(), values.max()))
    return f"{middle} in the median and {most} at most" if values.nunique() > 1 else middle


def _refused(settings: Settings, fields: pd.DataFrame) -> Iterator[str]:
    failed = fields[fields["status"] != "ok"]
    n = len(failed)
    if n:
        names = listed(str(name) for name in failed["field"])
        text = f"{counted(n, 'field')} could not be registered or read"
        yield f"{text} and {verb(n, 'was', 'were')} excluded ({names})."
    elif settings["on_failed_field"] == "stop":
        yield "The analysis was set to stop at a field that could not be registered or read."


def _detection(settings: Settings, fields: pd.DataFrame) -> Iterator[str]:
    yield (
        "Nanocrystals were detected in both movies, as spots with a standard deviation of "
        f"{plain(settings['nanocrystals']['psf_sigma_px'])} px; each one detected in either movie "
        "was measured at its place in both."
    )
    text = (
        f"Detections within {plain(settings['pairing']['tolerance_px'])} px plus three standard "
        "errors of each other after registration were taken as one nanocrystal"
    )
    ok = fields[fields["status"] == "ok"]
    expected = ok["expected_chance_pairs"].sum(skipna=False) if len(ok) else float("nan")
    if known(expected):
        text += (
            f" ({counted(ok['n_pairs'].sum(), 'pair')}; {plain(expected, 2)} "
            f"{verb(expected, 'was', 'were')} expected from chance alone)"
        )
    yield f"{text}."


def _counts(photometry: Settings) -> str:
    background = {
        "annulus_median": "less the median of a ring around the nanocrystal in each frame",
        "none": "without subtraction of a background",
    }[photometry["background"]]
    width = plain(photometry["aperture_px"])
    return (
        f"Counts were summed in each frame over a square aperture {width} px wide that followed "
        f"the drift of the sample, {background}."
    )


def _states(settings: Settings) -> Iterator[str]:
    own = settings["threshold"]
    sigmas = f"{plain(own['noise_sigmas'])} standard deviations"
    yield {
        "fixed": "A nanocrystal was taken as on in frames with more than "
        f"{plain(own['counts'], 6)} counts.",
        "noise": "A nanocrystal was taken as on in frames with counts more than "
        f"{sigmas} of its off level’s noise above its own off level.",
        "hmm": "Frames were assigned to on and off by a hidden Markov model with two states for "
        f"each nanocrystal, and by a threshold {sigmas} of its noise above the off level where "
        "a trace showed no two states.",
    }[own["method"]]
    yield (
        "The on-fraction is the share of the frames in which it was on; below "
        f"{per_cent(settings['dark_cutoff'])} a nanocrystal was called dark."
    )


def _numbers(settings: Settings, nanocrystals: pd.DataFrame) -> Iterator[str]:
    found = len(nanocrystals)
    if not found:
        return
    analysed = int(as_bool(nanocrystals["analysed"]).sum())
    text = f"Of {counted(found, 'nanocrystal')}, {grouped(analysed)} "
    text += f"{verb(analysed, 'was', 'were')} analysed"
    separation = plain(settings["nanocrystals"]["min_separation_px"])
    reasons = nanocrystals["excluded_because"].value_counts()
    left_out = [
        f"{grouped(reasons[reason])} {words.format(separation=separation)}"
        for reason, words in EXCLUDED.items()
        if reason in reasons
    ]
    yield f"{text}; left out were {listed(left_out)}." if left_out else f"{text}."


def _dwell_times(dwell_times: Settings) -> Iterator[str]:
    least = f"at least {dwell_times['min_events']} complete events"
    significance = plain(dwell_times["significance"])
    if dwell_times["method"] == "least_squares":
        yield (
            f"On- and off-times of nanocrystals with {least} were fitted by a power law and by one "
            "with an exponential cut-off, as least-squares lines through their log-log "
            f"histograms; an F-test at a significance of {significance} decided between the two."
        )
        return
    yield (
        f"On- and off-times of nanocrystals with {least} were fitted by a power law and by one "
        "with an exponential cut-off, by maximum likelihood of their distributions over whole "
        "frames, events cut by the end of the movie included."
    )
    yield (
        "The cut-off was accepted (type A) where a likelihood-ratio test at a significance of "
        f"{significance} rejected all cut-offs longer than a tenth of the movie, the pure law "
        "(type B) where it did not and all cut-offs within 1 s were rejected; the others are "
        "undecided."
    )


def _photostability(photostability: Settings) -> Iterator[str]:
    yield (
        "Trends of the on level and of the off-fraction within a movie were tested at a "
        f"significance of {plain(photostability['significance'])}; changes below "
        f"{per_cent(photostability['min_change'])} were taken as stable."
    )
    reference = plain(photostability["reference_s"])
    yield f"The PL kept compares the last {reference} s of a movie with the first {reference} s."


def _statistics(statistics: Settings, populations: pd.DataFrame) -> Iterator[str]:
    used = [str(method) for method in populations["interval_method"]]
    resampled = (
        f"from {grouped(statistics['resamples'])} resamples of whole fields "
        f"(seed {statistics['seed']})"
    )
    basis = {
        BY_FIELDS: f"they come {resampled}",
        BY_OTHER_FIELDS: "they are widened by how much fields differ at the other temperatures",
        BY_NANOCRYSTALS: "they take nanocrystals as independent",
    }
    of = {BY_FIELDS: "several fields", BY_OTHER_FIELDS: "one field", BY_NANOCRYSTALS: "one field"}
    said = [method for method in basis if method in used]
    clauses = [
        f"at temperatures with {of[method]} {basis[method]}" if len(said) > 1 else basis[method]
        for method in said
    ]
    text = f"Intervals are {per_cent(statistics['confidence'])} confidence intervals"
    yield f"{text}; {listed(clauses)}." if clauses else f"{text}."
    yield (
        "Gained and lost emitters were compared by McNemar’s exact test, and changes of the "
        "on-fraction tested by Wilcoxon’s signed-rank test."
    )
