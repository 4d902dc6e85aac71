"""The paragraph for the experimental section of a paper, with the run's own numbers.

Every sentence follows from a setting or a number of this run; what is not known is left out. From
the counts on the sentences are those of `methods_measured`.

Input: settings, provenance and result tables of a run. Output: plain text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from blinkpair.labels import (
    CONTROL,
    after_treatment,
    by_temperature,
    temperature_label,
    treatment_word,
)
from blinkpair.movie.formats.selection import MoviePath
from blinkpair.report.cells import two_digits, upper_limit
from blinkpair.report.language import (
    as_set,
    counted,
    fixed,
    grouped,
    known,
    listed,
    plain,
    some_of,
    spread,
    verb,
)
from blinkpair.report.methods_measured import measured
from blinkpair.report.tables import is_simulated

Settings = Mapping[str, Any]

HEX_OF_A_COMMIT = 10
SILICA = "silica microspheres of {diameter} µm diameter"
BY_MICROSPHERES = f"by {SILICA} found in brightfield"
REFINED = "refined on the nanocrystals seen in both epochs"
NOT_REFINED = "not refined on nanocrystals, too few of which matched"
TOGETHER = "microspheres together with nanocrystals"
IMAGES_TOGETHER = "brightfield images together with nanocrystals"
WITH_IMAGES = "microspheres together with brightfield images"
ALL_TOGETHER = f"{WITH_IMAGES} and nanocrystals"
IMAGES = f"by the brightfield images as wholes, with {SILICA}"
# How a field was registered, by its `evidence`.
WAYS = {
    "microspheres and nanocrystals": f"{BY_MICROSPHERES} and {REFINED}",
    "microspheres": f"{BY_MICROSPHERES} and {NOT_REFINED}",
    "brightfield images and nanocrystals": f"{IMAGES}, and {REFINED}",
    "brightfield images": f"{IMAGES}, and {NOT_REFINED}",
    "nanocrystals": "by the pattern of the nanocrystals alone",
    TOGETHER: f"by the patterns of {SILICA} and of nanocrystals together, as neither decided alone",
    IMAGES_TOGETHER: (
        f"{IMAGES}, and the pattern of nanocrystals together, as neither decided alone"
    ),
    WITH_IMAGES: (
        f"by the pattern of {SILICA} and the rest of the brightfield images together, as neither "
        f"decided alone, and {NOT_REFINED}"
    ),
    ALL_TOGETHER: (
        f"by the patterns of {SILICA} and of nanocrystals and the rest of the brightfield images "
        "together, as none decided alone"
    ),
    "landmarks and nanocrystals": f"from landmarks named by hand and {REFINED}",
    "landmarks": f"from landmarks named by hand and {NOT_REFINED}",
}
MODELS = {
    "rigid": "a rigid transform (rotation and shift)",
    "similarity": "a similarity transform (rotation, shift and scale)",
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
    word = treatment_word(fields["temperature_c"])
    sentences = [
        software(provenance, word),
        *_recordings(fields, shown, word),
        *_skipped(provenance),
        *_registration(settings, fields, _pixel_um(settings, shown)),
        *_refused(settings, fields),
        *_detection(settings, fields),
        *measured(settings, populations, nanocrystals, shown, all_shown=len(shown) == len(fields)),
    ]
    return " ".join(sentences)


def software(provenance: Mapping[str, Any], word: str) -> str:
    """Return the sentence that names blinkpair, its version and its commit."""
    commit, _, changes = str(provenance.get("commit") or "").partition("+")
    version = f"blinkpair {provenance['versions']['blinkpair']}"
    if commit:
        version += (
            f" (commit {commit[:HEX_OF_A_COMMIT]}{', with local changes' if changes else ''})"
        )
    return f"Movies of the same nanocrystals before and after {word} were analysed with {version}."


def _recordings(
    fields: pd.DataFrame, shown: Sequence[Mapping[str, Any]], word: str
) -> Iterator[str]:
    if fields.empty:
        yield "There were no fields."
        return
    groups = [
        f"{grouped(len(part))} {_condition(label, word)}"
        for label, part in by_temperature(fields).items()
    ]
    n = len(fields)
    text = f"{counted(n, 'field')} {verb(n, 'was', 'were')} recorded ({listed(groups)})"
    yield f"{text}, each with a brightfield image and a movie per epoch."
    simulated = int(is_simulated(fields).sum())
    if simulated == n:
        yield "All of them are simulated."
    elif simulated:
        yield f"{grouped(simulated)} of them {verb(simulated, 'is', 'are')} simulated."
    frames = [n for field in shown for n in field["frames"].values() if n]
    exposures_ms = [1000 * field["exposure_s"] for field in shown]
    if not frames:
        return
    which = "The movies" if len(shown) == len(fields) else "The movies of the fields shown singly"
    yield f"{which} had {spread(frames, grouped)} frames of {spread(exposures_ms)} ms."


def _skipped(provenance: Mapping[str, Any]) -> Iterator[str]:
    """Return that first frames were left out, where the sheet has '::skip='."""
    skips = [
        [MoviePath.parse(str(row[column])).selection.skip for column in ("pre_pl", "post_pl")]
        for row in provenance.get("sheet", ())
    ]
    left_out = [n for both in skips for n in both if n]
    if left_out:
        n = sum(any(both) for both in skips)
        yield (
            f"The first {spread(left_out, grouped)} frames of the movies of {counted(n, 'field')} "
            "were left out."
        )


def _condition(value: object, word: str) -> str:
    """Return what was done to a field, after a number."""
    if temperature_label(value) == CONTROL:
        return f"re-mounted without {word} as a control"
    return after_treatment(value)


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
    ok = fields[fields["status"] == "ok"]
    start = f"The epochs of a field were registered by {MODELS[own['model']]}"
    counts = {kind: int((ok["evidence"] == kind).sum()) for kind in WAYS}
    diameter = as_set(settings["microspheres"]["diameter_um"])
    ways = [(WAYS[kind].format(diameter=diameter), n) for kind, n in counts.items() if n]
    if len(ways) == 1:
        yield f"{start}, {ways[0][0]}."
    elif ways:
        parts = [f"{counted(n, 'field')} {way}" for way, n in ways]
        yield f"{start}: {'; '.join(parts)}."
    else:
        yield f"{start}, {BY_MICROSPHERES.format(diameter=diameter)}."
    yield (
        f"A transform found by search was accepted where at most "
        f"{as_set(own['max_chance_alignments'])} alignments as good were expected by chance in "
        "unrelated patterns of the same density, no different alignment was about as good, and it "
        "did not leave everything in place, as dust on the camera does, unless blinking "
        "nanocrystals stayed in place as well; where microspheres "
        f"decided alone, at least {own['min_microspheres']} of them had to agree."
    )
    if any(n for kind, n in counts.items() if kind.startswith("brightfield images")):
        yield (
            "Where single microspheres did not decide, all rotations and shifts of the local "
            "contrast were compared, and the parts of both images that agreed and looked alike "
            "were counted against those at other rotations and shifts."
        )
    if any(n for kind, n in counts.items() if " together with " in kind):
        yield (
            "Where several patterns decided together, the product of their levels was compared "
            "with the number of such products expected by chance."
        )
    if counts["landmarks"] or counts["landmarks and nanocrystals"]:
        yield (
            "Landmarks had to agree with each other and were not tested against chance; what was "
            "refined from there, on microspheres or on nanocrystals, was."
        )
    if len(ok):
        yield _outcome(ok, own["model"], pixel_um)


def _outcome(ok: pd.DataFrame, model: str, pixel_um: float | None) -> str:
    """Return the outcome of the registered fields."""
    # Elsewhere the column holds landmarks, or 0 where microspheres were not used.
    by_microspheres = ok["evidence"].astype(str).str.startswith("microspheres")
    matched = ok.loc[by_microspheres, "n_microspheres_matched"].dropna()
    parts = []
    if len(matched):
        several = f" (median; range {spread(matched)})" if matched.nunique() > 1 else ""
        middle = matched.median()
        parts.append(
            f"{plain(middle)} microsphere{'' if middle == 1 else 's'}{several} "
            f"{verb(middle, 'was', 'were')} matched"
        )
    rotations = ok["rotation_deg"].dropna()
    if len(rotations):
        parts.append(f"the sample was turned by {spread(rotations, partial(fixed, places=1))}°")
    if model == "similarity" and len(ok["scale"].dropna()):
        parts.append(f"the scale was {spread(ok['scale'].dropna(), partial(fixed, places=4))}")
    errors = ok["tre_px"].dropna()
    if len(errors):
        text = f"the expected error of the registration was {_worst(errors, 'px')}"
        if pixel_um is not None:
            text += f" ({_worst(1000 * pixel_um * errors, 'nm')})"
        parts.append(text)
    where = f"In the {len(ok)} registered fields" if len(ok) > 1 else "In the one registered field"
    return f"{where}, {listed(parts)}."


def _worst(values: pd.Series[Any], unit: str) -> str:
    middle, most = (f"{two_digits(value)} {unit}" for value in (values.median(), values.max()))
    return f"{middle} in the median and {most} at most" if values.nunique() > 1 else middle


def _refused(settings: Settings, fields: pd.DataFrame) -> Iterator[str]:
    failed = fields[fields["status"] != "ok"]
    n = len(failed)
    if n:
        names = listed(some_of(failed["field"]))
        text = f"{counted(n, 'field')} could not be registered or read"
        yield f"{text} and {verb(n, 'was', 'were')} excluded ({names})."
    elif settings["on_failed_field"] == "stop":
        yield "The analysis was set to stop at a field that could not be registered or read."


def _detection(settings: Settings, fields: pd.DataFrame) -> Iterator[str]:
    yield (
        "Nanocrystals were detected in both movies, with a PSF whose width was measured on them "
        f"(standard deviation {as_set(settings['nanocrystals']['psf_sigma_px'])} px to begin "
        "with); each one detected in either movie was measured at its place in both."
    )
    tolerance = settings["pairing"]["tolerance_px"]
    most = max(tolerance, settings["nanocrystals"]["min_separation_px"])
    text = (
        f"Detections were taken as one nanocrystal, one to one, where after registration they "
        f"lay within {as_set(tolerance)} px plus three times the error of the registration and of "
        f"the position before, but never more than {as_set(most)} px apart"
    )
    ok = fields[fields["status"] == "ok"]
    expected = ok["expected_chance_pairs"].sum(skipna=False) if len(ok) else float("nan")
    yield f"{text} ({counted(ok['n_pairs'].sum(), 'pair')})." if len(ok) else f"{text}."
    if known(expected):
        yield (
            f"At most {upper_limit(expected)} of them are accidental: catalogues of this density "
            "that have nothing in common, made by displacing the one after, would show as many, "
            "and true partners are paired first."
        )
