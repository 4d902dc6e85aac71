"""Movies and images of any supported format, read in blocks of frames.

Opening reads headers only.

A path is a file (ND2; TIFF in its kinds; Andor SIF; PNG and JPEG for brightfield), an Andor
spool folder or its .sifx, or a pattern (``run_*.tif``) for a movie that was split over files;
`file_set` has the rules which files make a movie. Choices may be appended to it:

``movie.nd2::channel=GFP``
    one of several channels, by name or by number counted from 0
``movie.nd2::z=3``, ``movie.nd2::position=0``
    one plane of a z-stack, one position of the stage; ``::z=time`` where a program wrote the
    frames of a movie as z planes
``movie.nd2::frames=1500``
    the first 1500 frames only; the way to use a movie whose end is missing
``movie.nd2::skip=250``
    without the first 250 frames, as where the shutter opened late; ``::frames=`` then counts from
    the first one that is left

They can be combined: ``movie.nd2::channel=GFP::frames=1500``.

Input: a path as a user writes it into the sample sheet. Output: a `Movie`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.errors import ChoiceError, InputError
from blinkpair.movie.file_set import check_parts, find_files, uneven_parts
from blinkpair.movie.formats.pixel_size import pixel_size_of_parts
from blinkpair.movie.formats.registry import open_source
from blinkpair.movie.formats.selection import Selection
from blinkpair.movie.formats.source import Source
from blinkpair.movie.formats.timing import FrameTime, frame_time_of_parts
from blinkpair.movie.movie import Movie
from blinkpair.movie.paths import PathLike, resolve


def open_movie(
    path: PathLike | Sequence[PathLike],
    *,
    channel: str | int | None = None,
    z: str | int | None = None,
) -> Movie:
    """Open a movie by reading its headers.

    Parameters
    ----------
    path : path, or sequence of paths
        See the module's text. A sequence is put in order like the files of a pattern.
    channel, z : str or int, optional
        As behind a path, and stronger than there.

    Returns
    -------
    Movie

    Raises
    ------
    InputError
        The file is missing, empty, not a movie, cut off, in colour, has several channels or
        planes and no choice was made, or the parts do not fit together.

    Examples
    --------
    >>> import tempfile
    >>> import tifffile
    >>> path = tempfile.mkdtemp() + "/movie.tif"
    >>> tifffile.imwrite(path, np.zeros((5, 32, 32), np.uint16), photometric="minisblack")
    >>> open_movie(path + "::frames=3").shape
    (3, 32, 32)
    """
    files, selection, called = resolve(path)
    if channel is not None:
        selection = replace(selection, channel=str(channel))
    if z is not None:
        selection = replace(selection, z=str(z))
    found = find_files(files, called, selection.position)
    parts: list[Source] = []
    left, held = selection.frames and selection.skip + selection.frames, 0
    for some in found.parts:
        if left == 0:
            break
        wanted = replace(selection, frames=left, before=held)
        parts.append(open_source(some, wanted))
        held += parts[-1].shape[0]
        left = None if left is None else left - parts[-1].shape[0]
    _check_length(selection, held, called)
    check_parts(parts, called)
    return _join(called, parts, found.notes, selection.skip)


def read_image(
    path: PathLike | Sequence[PathLike],
    *,
    channel: str | int | None = None,
    z: str | int | None = None,
) -> tuple[FloatArray, Movie]:
    """Read a brightfield image.

    Parameters
    ----------
    path, channel, z
        As for `open_movie`.

    Returns
    -------
    image : (y, x) float64 array
        The mean over the frames, where there are several.
    movie : Movie
        Its metadata.

    Raises
    ------
    InputError
        As `open_movie`; or a pixel is not finite.

    Examples
    --------
    >>> import tempfile
    >>> import tifffile
    >>> path = tempfile.mkdtemp() + "/image.tif"
    >>> tifffile.imwrite(path, np.full((32, 32), 7, np.uint16))
    >>> image, movie = read_image(path)
    >>> image.mean(), movie.format
    (np.float64(7.0), 'TIFF')
    """
    movie = open_movie(path, channel=channel, z=z)
    total = np.zeros(movie.shape[1:], np.float64)
    for block in movie.blocks():
        total += block.sum(axis=0, dtype=np.float64)
    image = total / movie.shape[0]
    if not np.isfinite(image).all():
        raise InputError(
            f"{int((~np.isfinite(image)).sum())} pixels are not finite (NaN or infinite)",
            "use the image as the camera recorded it",
            place=movie.paths[0],
        )
    return image, movie


def _check_length(selection: Selection, held: int, called: str) -> None:
    """Raise a ChoiceError if a movie of `held` frames has none left, or fewer than are chosen."""
    if held <= selection.skip:
        what, hint = f"none of the {held} frames it holds", "skip fewer frames"
        if held == 1:
            what, hint = "nothing of its one frame", "write it behind the movies, not an image"
        raise ChoiceError(f"'::skip={selection.skip}' leaves {what}", hint, place=called)
    left = held - selection.skip
    if selection.frames and selection.frames > left:
        there = f"{left} after those that are skipped" if selection.skip else f"{held} it holds"
        raise ChoiceError(
            f"'::frames={selection.frames}' is more frames than the {there}",
            "leave it out to read all",
            place=called,
        )


def _join(called: str, parts: Sequence[Source], found: Sequence[str], skip: int) -> Movie:
    """Join the parts of a movie without its first frames; ChoiceError if they do not fit."""
    first = parts[0]
    notes = list(first.notes)
    for part in parts[1:]:
        for what, ours, theirs in (
            ("frames of", first.shape[1:], part.shape[1:]),
            ("pixels of type", first.dtype, part.dtype),
        ):
            if ours != theirs:
                raise ChoiceError(
                    f"its parts do not fit together: {first.paths[0].name} has {what} "
                    f"{_spoken(ours)}, {part.paths[0].name} of {_spoken(theirs)}",
                    "does the pattern match files that do not belong to the movie?",
                    place=called,
                )
        notes += [f"{part.paths[0].name}: {note}" for note in part.notes if note not in notes]
    paths = tuple(path for part in parts for path in part.paths)
    names = [part.paths[0].name if part.paths else "" for part in parts]
    if len(parts) > 1:
        shown = names if len(names) < 6 else [*names[:2], "...", names[-1]]
        notes.insert(0, f"{len(parts)} files were joined in this order: {', '.join(shown)}")
    if skip:
        notes.insert(0, f"its first {skip} frames are left out, as chosen; frame 0 is the next one")
    lengths = [part.shape[0] for part in parts]
    notes += [*found, *uneven_parts(names, lengths)]
    size = pixel_size_of_parts([part.pixels for part in parts], names)
    time = _frame_time(parts, names, skip)
    return Movie(
        shape=(sum(lengths) - skip, *first.shape[1:]),
        dtype=first.dtype,
        exposure_s=time.seconds,
        pixel_size_um=size.um,
        acquired_s=first.acquired_s,
        channel=first.channel,
        format=first.format,
        paths=paths,
        notes=(*notes, *size.notes, *time.notes),
        exposure_from=time.source,
        pixel_size_from=size.source,
        camera_exposure_s=time.camera_exposure_s,
        _parts=tuple(parts),
        _skipped=skip,
    )


def _frame_time(parts: Sequence[Source], names: Sequence[str], skip: int) -> FrameTime:
    """Return the time per frame by what the parts hold on the frames that are not skipped."""
    ends = np.cumsum([part.shape[0] for part in parts])
    left = np.minimum(ends - skip, [part.shape[0] for part in parts])
    used = [
        (part.times, int(n), name)
        for part, n, name in zip(parts, left, names, strict=True)
        if n > 0
    ]
    times = [replace(one, stamps_s=one.stamps_s[-n:]) for one, n, _ in used]
    return frame_time_of_parts(times, [n for _, n, _ in used], [name for _, _, name in used])


def _spoken(value: Any) -> str:
    return " x ".join(map(str, value)) if isinstance(value, tuple) else str(value)
