"""Check that the files of one row of the sample sheet fit together.

`checking` calls it for each row.

Input: the headers of a field's files. Output: problems and notes, each with its place in the sheet.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from blinkpair.brightfield.limits import MIN_DIAMETER_PX, MIN_DIAMETERS
from blinkpair.epochs import EPOCHS
from blinkpair.errors import ChoiceError, InputError
from blinkpair.inputs.columns import BRIGHTFIELD_COLUMNS, MOVIE_COLUMNS
from blinkpair.inputs.contents import FileState
from blinkpair.inputs.headers import Header
from blinkpair.inputs.problems import Problem

# Two epochs whose length, frame time or pixel size differ by less are alike.
TOLERANCE = 0.01
FEW_FRAMES = 50
# Where on and off events last five frames each, one of both takes ten.
FRAMES_AN_EVENT = 10
MIN_FRAMES = 20  # two bursts of a detection's ten frames
# A brightfield image may be a short series; what is longer is a movie.
MOST_BRIGHTFIELD_FRAMES = 100
MOST_ALIKE = 3


@dataclass
class Findings:
    """What was found out, in the order of the sheet's lines."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refusals: list[Problem] = field(default_factory=list)  # files that lose their own field only
    shapes: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    inputs: dict[str, Sequence[FileState]] = field(default_factory=dict)  # by path of the sheet


@dataclass(frozen=True)
class Row:
    """One row with the headers of the files that could be opened."""

    sheet: str
    line: int
    name: str
    headers: Mapping[str, Header]
    findings: Findings
    skipped: Mapping[str, int]  # frames that '::skip=' leaves out, by column

    def place(self, column: str) -> str:
        """Return where a cell is, as a message names it."""
        return f"{self.sheet}, line {self.line}, column {column} (field {self.name})"

    def problem(self, column: str, what: str, hint: str) -> None:
        """Add something that keeps a run from starting."""
        self.findings.problems.append(Problem(self.place(column), what, hint, column, self.line))

    def unreadable(self, column: str, error: InputError) -> None:
        """Add why a file has no header: a slip in the sheet, or a file that refuses its field."""
        what = f"{error.place}: {error.what}" if error.place else error.what
        problem = Problem(self.place(column), what, error.hint, column, self.line)
        in_sheet = isinstance(error, ChoiceError)
        (self.findings.problems if in_sheet else self.findings.refusals).append(problem)

    def note(self, column: str, text: str) -> None:
        """Add something to be read that keeps nothing from starting."""
        self.findings.notes.append(f"{self.place(column)}: {text}")


def check_row(one: Row, settings: Mapping[str, Any]) -> None:
    """Check the headers and the settings against each other, but for the pixel size."""
    check_lengths(one, settings["dwell_times"]["min_events"])
    check_sizes(one)
    check_order(one)
    if settings["threshold"]["method"] == "fixed":
        check_depth(one)


def check_lengths(one: Row, min_events: int) -> None:
    """Compare the numbers of frames: movies are long, images short, both epochs alike."""
    for epoch in EPOCHS:
        movie, image = one.headers.get(f"{epoch}_pl"), one.headers.get(f"{epoch}_brightfield")
        image_is_long = image is not None and image.frames > MOST_BRIGHTFIELD_FRAMES
        skipped = one.skipped.get(f"{epoch}_pl", 0)
        if movie is not None and movie.frames < MIN_FRAMES and skipped:
            what = (
                f"'::skip={skipped}' leaves {movie.frames} of its {movie.frames + skipped} frames"
            )
            one.problem(f"{epoch}_pl", what, f"at least {MIN_FRAMES} are needed: skip fewer")
        elif movie is not None and movie.frames == 1:
            what = "this file has one frame: an image stands where the movie belongs"
            hint = "name the photoluminescence movie here"
            if image_is_long:
                hint = f"{epoch}_pl and {epoch}_brightfield are probably swapped"
            one.problem(f"{epoch}_pl", what, hint)
        elif movie is not None and movie.frames < MIN_FRAMES:
            what = f"the movie has {movie.frames} frames: too few to find a nanocrystal that blinks"
            one.problem(f"{epoch}_pl", what, f"at least {MIN_FRAMES} are needed")
        elif movie is not None and movie.frames < FEW_FRAMES:
            text = f"the movie has {movie.frames} frames only; on-fractions will be coarse."
            one.note(f"{epoch}_pl", text)
        elif movie is not None and movie.frames < FRAMES_AN_EVENT * min_events:
            text = (
                f"the movie has {movie.frames} frames: too few for most nanocrystals to have the "
                f"{min_events} events that a type needs (dwell_times.min_events), or a test of "
                "their photostability."
            )
            one.note(f"{epoch}_pl", text)
        if image is not None and image_is_long:
            what = f"this file has {image.frames} frames: is this the movie?"
            one.problem(f"{epoch}_brightfield", what, "name the brightfield image here")
    _check_spans(one)


def _check_spans(one: Row) -> None:
    """Compare the movies of both epochs: as many frames, and as many left out before them."""
    pre, post = one.headers.get("pre_pl"), one.headers.get("post_pl")
    left_out = [one.skipped.get(column, 0) for column in MOVIE_COLUMNS]
    unequal = ""
    if left_out[0] != left_out[1]:
        unequal = (
            f"'::skip=' leaves out {left_out[0]} frames of pre_pl and {left_out[1]} of post_pl"
        )
    if pre and post and min(pre.frames, post.frames) > 1 and differ(pre.frames, post.frames):
        longer = "pre_pl" if pre.frames > post.frames else "post_pl"
        what = f"the movie has {post.frames} frames, pre_pl {pre.frames}"
        hint = (
            "on-fractions of different spans cannot be compared; to use the beginning of the "
            f"longer one, write ::frames={min(pre.frames, post.frames)} behind its path ({longer})"
        )
        if unequal:
            what = f"{what}; {unequal}"
            hint = "write the same '::skip=' behind both, so that the same span of time is compared"
        one.problem("post_pl", what, hint)
    elif unequal:
        one.note("post_pl", f"{unequal}: the two movies do not begin at the same time.")


def check_sizes(one: Row) -> None:
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
                f"{other.width} x {other.height}"
            )
            hint = "check that it is the right file, taken with the same binning and crop"
            one.problem(column, what, hint)


def check_order(one: Row) -> None:
    """Report epochs that were exchanged, where the files hold the time of recording."""
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
            what = f"its date is {earlier}, before that of pre_pl (pre_{kind}, {later})"
            hint = (
                "exchange the files of the two epochs; where the microscope's clock was wrong, "
                "export both as TIFF, which holds no date"
            )
            one.problem(f"post_{kind}", what, hint)


def check_depth(one: Row) -> None:
    """Report movies of 8 bits under a threshold in counts: these are no longer the camera's."""
    for column in MOVIE_COLUMNS:
        if column in one.headers and one.headers[column].dtype in ("uint8", "int8"):
            what = (
                "its pixels have 8 bits, as exports for the eye have: a threshold in counts means "
                "nothing there"
            )
            hint = (
                "export the movie with 16 bits; for a camera that has 8, set threshold: method: hmm"
            )
            one.problem(column, what, hint)


def check_microspheres(one: Row, diameter_um: float, pixel_size_um: float, source: str) -> None:
    """Report microspheres too small or too large to be found, mostly because of a wrong unit.

    `source` is where the pixel size is from.
    """
    images = [c for c in BRIGHTFIELD_COLUMNS if c in one.headers]
    if not images or not math.isfinite(pixel_size_um):
        return
    diameter_px = diameter_um / pixel_size_um
    hint = "check microspheres.diameter_um in the configuration, and the pixel size"
    if source.startswith("file"):
        hint += f" (from the {source}; a column pixel_size_um of the sheet overrules it)"
    what = f"microspheres of {diameter_um:g} um are {diameter_px:.3g} pixels across at "
    what += f"{pixel_size_um:g} um a pixel"
    if diameter_px < MIN_DIAMETER_PX:
        one.problem(images[0], f"{what}; at least {MIN_DIAMETER_PX:g} are needed", hint)
    elif (smallest := min(one.headers[images[0]].size)) < MIN_DIAMETERS * diameter_px:
        one.problem(images[0], f"{what}; the image has only {smallest}", hint)


def grouped(notes: Sequence[str]) -> list[str]:
    """Return the notes with those of more than `MOST_ALIKE` cells with one text as one."""
    cells: dict[str, list[str]] = {}
    for note in notes:
        place, _, text = note.partition("): ")
        cells.setdefault(text, []).append(place)
    lines = []
    for text, places in cells.items():
        if len(places) > MOST_ALIKE:
            first, last = places[0], places[-1].replace(" (field", ", field")
            places = [f"{first}) and {len(places) - 1} other cells (the last: {last}"]
        lines += [f"{place}): {text}" for place in places]
    return lines


def differ(a: float, b: float) -> bool:
    """Whether two quantities differ by more than the tolerance."""
    return abs(a - b) > TOLERANCE * max(abs(a), abs(b))
