"""The movies and images a sample sheet names, looked at before anything is started.

Comes in: the table of fields and the settings. Goes out: exposure and pixel size
of every field, notes on what a user should know, and one error that lists
everything that cannot work. Only headers are read, so that a slip in the last
row of a sheet is told within seconds and not after a night.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from blinkpair.file_headers import Fault, Header, look_at_all, what_keeps_from
from blinkpair.problems import Problem, UnsoundInputError
from blinkpair.settings import examine_settings
from blinkpair.sheet import (
    BRIGHTFIELD_COLUMNS,
    MOVIE_COLUMNS,
    PATH_COLUMNS,
    examine_sheet,
    find_shared_files,
)

# Two epochs whose length, frame time or pixel size differ by less are alike.
TOLERANCE = 0.01
FEW_FRAMES = 50
# A brightfield image may be a short series; what is longer is a movie.
MOST_BRIGHTFIELD_FRAMES = 100
# What `brightfield.find_microspheres` needs: pixels across a sphere, spheres across an image. A
# test keeps them equal; importing that module here would take seconds.
MIN_DIAMETER_PX = 3.0
MIN_DIAMETERS = 3


@dataclass(frozen=True)
class Quantity:
    """Something that the sheet, a movie or the configuration says of a field."""

    column: str
    name: str
    unit: str
    example: float


EXPOSURE = Quantity("exposure_s", "the time per frame", "s", 0.02)
PIXEL_SIZE = Quantity("pixel_size_um", "the pixel size", "um", 0.16)


@dataclass
class Findings:
    """What was found out, in the order of the sheet's lines."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refusals: list[Problem] = field(default_factory=list)  # files that lose their own field only
    shapes: dict[str, tuple[int, int, int]] = field(default_factory=dict)


class Checked(NamedTuple):
    """What a run starts with.

    Attributes
    ----------
    settings : dict
        As from `settings.load_settings`.
    fields : DataFrame
        As from `sheet.read_fields`, with `exposure_s` and `pixel_size_um` known for all.
    shapes : DataFrame
        Indexed by `field`: `frames`, `height`, `width` of its movies, the longer one's frames.
    notes : list of str
        What the user should read; nothing in it keeps the run from starting.
    """

    settings: dict[str, Any]
    fields: pd.DataFrame
    shapes: pd.DataFrame
    notes: list[str]


@dataclass(frozen=True)
class _Field:
    """One row with the headers of the files that could be opened."""

    sheet: str
    line: int
    name: str
    headers: Mapping[str, Header]
    findings: Findings

    def place(self, column: str) -> str:
        return f"{self.sheet}, line {self.line}, column {column} (field {self.name})"

    def problem(self, column: str, what: str, hint: str) -> None:
        self.findings.problems.append(Problem(self.place(column), what, hint, column, self.line))

    def fault(self, column: str, fault: Fault) -> None:
        problem = Problem(self.place(column), fault.what, fault.hint, column, self.line)
        found = self.findings
        (found.refusals if fault.in_file else found.problems).append(problem)

    def note(self, column: str, text: str) -> None:
        self.findings.notes.append(f"{self.place(column)}: {text}")


def check_everything(
    config: Mapping[str, Any] | None,
    base_dir: str | Path | None = None,
    config_files: Iterable[str | Path] = (),
) -> Checked:
    """Check configuration, sample sheet and movies, and tell all errors together.

    Parameters
    ----------
    config : mapping or None
        As Snakemake read it.
    base_dir : path, optional
        Where relative paths start; default: the working directory.
    config_files : iterable of paths, optional
        Where `config` came from, to name the lines of its errors.

    Returns
    -------
    Checked

    Raises
    ------
    UnsoundInputError
    """
    settings, problems = examine_settings(config, config_files)
    unsound = {problem.about for problem in problems}
    if "fields" in unsound:  # which sheet is meant is not known
        raise UnsoundInputError(problems)
    sheet = examine_sheet(settings["fields"], base_dir)
    fields, findings = examine_inputs(
        sheet.fields, settings, base_dir, sheet.bad_cells, frozenset(unsound)
    )
    of_the_sheet = [*sheet.problems, *findings.problems]
    if problems or of_the_sheet:
        raise UnsoundInputError([*problems, *sorted(of_the_sheet, key=lambda p: p.line)])
    shapes = pd.DataFrame.from_dict(
        findings.shapes, orient="index", columns=["frames", "height", "width"]
    ).rename_axis("field")
    return Checked(settings, fields, shapes, findings.notes)


def check_inputs(
    fields: pd.DataFrame, settings: Mapping[str, Any], base_dir: str | Path | None = None
) -> list[str]:
    """Check the movies and images of all fields.

    Parameters
    ----------
    fields : DataFrame
        As from `sheet.read_fields`. Its columns `exposure_s` and `pixel_size_um`
        are filled in, so that nobody has to open the movies again for them.
    settings : mapping
        As from `settings.load_settings`.
    base_dir : path, optional
        Where relative paths start; default: the working directory.

    Returns
    -------
    list of str
        Notes for the user.

    Raises
    ------
    UnsoundInputError
        Naming every file that is missing, unreadable or does not fit.
    """
    resolved, findings = examine_inputs(fields, settings, base_dir)
    if findings.problems:
        raise UnsoundInputError(findings.problems)
    for quantity in (EXPOSURE, PIXEL_SIZE):
        fields[quantity.column] = resolved[quantity.column]
    return findings.notes


def examine_inputs(
    fields: pd.DataFrame,
    settings: Mapping[str, Any],
    base_dir: str | Path | None = None,
    bad_cells: frozenset[tuple[int, str]] = frozenset(),
    bad_settings: frozenset[str] = frozenset(),
) -> tuple[pd.DataFrame, Findings]:
    """Check the movies and images of all fields without raising.

    Parameters
    ----------
    fields, settings, base_dir
        As for `check_inputs`; empty paths are passed over.
    bad_cells : frozenset of (int, str), optional
        Cells of the sheet that were told already: what follows from them is not.
    bad_settings : frozenset of str, optional
        Settings that were told already.

    Returns
    -------
    fields : DataFrame
        A copy with exposure and pixel size filled in, NaN where unknown.
    findings : Findings
    """
    base = "" if base_dir is None else str(base_dir)
    sheet = str(settings["fields"])
    findings = Findings()
    opened = look_at_all((path for c in PATH_COLUMNS for path in fields[c] if path), base)
    resolved: dict[str, list[float]] = {EXPOSURE.column: [], PIXEL_SIZE.column: []}
    for line, row in zip(fields.index, fields.to_dict("records"), strict=True):
        found = {c: opened[row[c]] for c in PATH_COLUMNS if row[c]}
        headers = {c: h for c, h in found.items() if isinstance(h, Header)}
        one = _Field(sheet, int(line), str(row["field"]), headers, findings)
        before = len(findings.refusals)
        for column, seen in found.items():
            if not isinstance(seen, Header):
                one.fault(column, seen)
        if row["landmarks"] and (fault := what_keeps_from(str(row["landmarks"]), base)):
            one.fault("landmarks", fault)
        damaged = len(findings.refusals) > before
        movies = [headers[c] for c in MOVIE_COLUMNS if c in headers]
        if movies or damaged:  # of a field that is refused hardly anything is read
            frames = max((movie.frames for movie in movies), default=1)
            size = next((h.size for h in (*movies, *headers.values())), (1, 1))
            findings.shapes[one.name] = (frames, *size)
        _check_lengths(one)
        _check_sizes(one)
        _check_order(one)
        if settings["threshold"]["method"] == "fixed":
            _check_depth(one)
        for column in MOVIE_COLUMNS:
            for text in headers[column].notes if column in headers else ():
                one.note(column, f"{text.rstrip('.')}.")
        # An image in the place of a movie is told; that it has no time per frame follows from it.
        no_movie = any(headers[c].frames == 1 for c in MOVIE_COLUMNS if c in headers)
        for quantity in (EXPOSURE, PIXEL_SIZE):
            told = (
                no_movie
                or damaged
                or (line, quantity.column) in bad_cells
                or quantity.column in bad_settings
            )
            may_differ = quantity is PIXEL_SIZE and settings["registration"]["model"] != "rigid"
            value = _resolve(one, quantity, row[quantity.column], settings, told, may_differ)
            resolved[quantity.column].append(value)
        if "microspheres.diameter_um" not in bad_settings:
            _check_microspheres(one, settings["microspheres"]["diameter_um"], value)

    def identity(file: str) -> str:  # a Path would take a second more for 10,000 fields
        return os.path.realpath(os.path.join(base, file))  # noqa: PTH118

    shared, shared_notes = find_shared_files(fields, sheet, identity)
    findings.problems += shared
    lost = {problem.line for problem in findings.refusals}
    if settings["on_failed_field"] == "exclude" and len(lost) < len(fields):
        findings.notes += [f"{p} The field will be refused." for p in findings.refusals]
    else:
        findings.problems += findings.refusals
    findings.problems.sort(key=lambda problem: problem.line)
    findings.notes += shared_notes
    return fields.assign(**resolved), findings


def _check_lengths(one: _Field) -> None:
    """Compare the numbers of frames: movies are long, images short, both epochs alike."""
    for epoch in ("pre", "post"):
        movie, image = one.headers.get(f"{epoch}_pl"), one.headers.get(f"{epoch}_brightfield")
        image_is_long = image is not None and image.frames > MOST_BRIGHTFIELD_FRAMES
        if movie is not None and movie.frames == 1:
            what = "this file has one frame: an image stands where the movie belongs."
            hint = "name the photoluminescence movie here."
            if image_is_long:
                hint = f"{epoch}_pl and {epoch}_brightfield are probably swapped."
            one.problem(f"{epoch}_pl", what, hint)
        elif movie is not None and movie.frames < FEW_FRAMES:
            text = f"the movie has {movie.frames} frames only; on-fractions will be coarse."
            one.note(f"{epoch}_pl", text)
        if image is not None and image_is_long:
            what = f"this file has {image.frames} frames: is this the movie?"
            one.problem(f"{epoch}_brightfield", what, "name the brightfield image here.")
    pre, post = one.headers.get("pre_pl"), one.headers.get("post_pl")
    if pre and post and min(pre.frames, post.frames) > 1 and _differ(pre.frames, post.frames):
        longer = "pre_pl" if pre.frames > post.frames else "post_pl"
        what = f"the movie has {post.frames} frames, the one before annealing {pre.frames}."
        hint = (
            "on-fractions of different spans cannot be compared; to use the beginning of the "
            f"longer one, write ::frames={min(pre.frames, post.frames)} behind its path ({longer})."
        )
        one.problem("post_pl", what, hint)


def _check_sizes(one: _Field) -> None:
    """Compare the frame sizes: all files of a field come from one camera and one crop."""
    pairs = [
        ("post_pl", "pre_pl"),
        ("pre_brightfield", "pre_pl"),
        ("post_brightfield", "post_pl"),
    ]
    for column, reference in pairs:
        header, other = one.headers.get(column), one.headers.get(reference)
        if header and other and header.size != other.size:
            what = (
                f"its frames have {header.width} x {header.height} pixels, those of {reference} "
                f"{other.width} x {other.height}."
            )
            hint = "check that it is the right file, taken with the same binning and crop."
            one.problem(column, what, hint)


def _check_order(one: _Field) -> None:
    """Tell epochs that were exchanged, where the files say when they were taken."""
    for kind in ("pl", "brightfield"):
        pre, post = one.headers.get(f"pre_{kind}"), one.headers.get(f"post_{kind}")
        # Clocks of two programs need not agree, nor their time zones.
        if not pre or not post or pre.format != post.format:
            continue
        if pre.acquired_s and post.acquired_s and post.acquired_s < pre.acquired_s:
            earlier, later = (
                f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
                for seconds in (post.acquired_s, pre.acquired_s)
            )
            what = (
                f"it says that it was taken on {earlier}, before the one of before annealing "
                f"(pre_{kind}, {later})."
            )
            hint = (
                "exchange the files of the two epochs; where the microscope's clock was wrong, "
                "export both as TIFF, which says no date."
            )
            one.problem(f"post_{kind}", what, hint)


def _check_depth(one: _Field) -> None:
    """Tell movies of 8 bits under a threshold in counts: these are no longer the camera's."""
    for column in MOVIE_COLUMNS:
        if column in one.headers and one.headers[column].dtype in ("uint8", "int8"):
            what = (
                "its pixels have 8 bits, as exports for the eye have: a threshold in counts means "
                "nothing there."
            )
            hint = (
                "export the movie with 16 bits; for a camera that has 8, set threshold: method: "
                "noise."
            )
            one.problem(column, what, hint)


def _check_microspheres(one: _Field, diameter_um: float, pixel_size_um: float) -> None:
    """Tell microspheres that are too small or too large to be found, by a wrong unit mostly."""
    images = [c for c in BRIGHTFIELD_COLUMNS if c in one.headers]
    if not images or not math.isfinite(pixel_size_um):
        return
    diameter_px = diameter_um / pixel_size_um
    hint = "check microspheres.diameter_um in the configuration, and the pixel size."
    what = f"microspheres of {diameter_um:g} um are {diameter_px:.3g} pixels across at "
    what += f"{pixel_size_um:g} um a pixel"
    if diameter_px < MIN_DIAMETER_PX:
        one.problem(images[0], f"{what}; at least {MIN_DIAMETER_PX:g} are needed.", hint)
    elif (smallest := min(one.headers[images[0]].size)) < MIN_DIAMETERS * diameter_px:
        one.problem(images[0], f"{what}; the image has only {smallest}.", hint)


def _resolve(
    one: _Field,
    quantity: Quantity,
    in_sheet: float,
    settings: Mapping[str, Any],
    told: bool,
    may_differ: bool,
) -> float:
    """Decide a quantity: the sheet goes before the movies, they before the configuration.

    `told` keeps quiet about a value that is missing because of a slip told
    already; `may_differ` allows the two epochs to differ.
    """
    name, unit, column = quantity.name, quantity.unit, quantity.column
    movies = {c: one.headers[c] for c in ("pre_pl", "post_pl") if c in one.headers}
    in_files: dict[str, float] = {
        c: v for c, h in movies.items() if (v := getattr(h, column)) is not None
    }
    if math.isfinite(in_sheet):
        for movie, value in in_files.items():
            if _differ(in_sheet, value):
                text = f"{name} is {in_sheet:g} {unit} in the sheet and {value:g} {unit} in the "
                one.note(movie, f"{text}file; the sheet's is used.")
        return in_sheet
    in_config = settings[column]
    if in_files:
        first, used = next(iter(in_files.items()))
        last = in_files.get("post_pl", used)
        if _differ(used, last):
            text = f"{name} is {last:g} {unit} here and {used:g} {unit} in pre_pl"
            if may_differ:
                one.note("post_pl", f"{text}; that of pre_pl is used.")
            elif not told:
                hint = (
                    "name two movies taken alike; if a file is mistaken, put the true value into "
                    f"a column {column} of the sheet."
                )
                one.problem("post_pl", f"{text}.", hint)
        for silent in movies.keys() - in_files.keys():
            text = f"the file does not say {name}; that of {first}, {used:g} {unit}, is used."
            one.note(silent, text)
        if in_config is not None and _differ(in_config, used):
            text = f"{name} is {used:g} {unit} in the file and {in_config:g} {unit} in the "
            one.note(first, f"{text}configuration; the file's is used.")
        return used
    if in_config is not None:
        return float(in_config)
    if movies and not told:
        what = f"{name} is known neither from the movies nor from the sheet or configuration."
        hint = (
            f"add '{column}: {quantity.example}' (in {unit}; your value) to the configuration, "
            f"or a column {column} to the sheet if it differs between fields."
        )
        one.problem(next(iter(movies)), what, hint)
    return math.nan


def _differ(a: float, b: float) -> bool:
    return abs(a - b) > TOLERANCE * max(abs(a), abs(b))
