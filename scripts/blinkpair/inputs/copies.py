"""Files that hold the same recording: copies, and exports to another format.

Input: the headers of all files of a sample sheet. Output: which are the same as an earlier one.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from blinkpair.errors import InputError
from blinkpair.inputs.contents import fast_checksum
from blinkpair.inputs.headers import Header
from blinkpair.movie.formats.selection import MoviePath, Selection

_Opened = tuple[str, Header]  # path as in the sheet
Identity = tuple[Hashable, Selection]


class Copies(NamedTuple):
    """Which movies are another one that was named before, by (identity of the file, choices).

    Attributes
    ----------
    by_bytes : dict
        Of the same bytes.
    by_frames : dict
        Of those that are left, of the same frames in another format, type or length.
    """

    by_bytes: dict[Hashable, Hashable]
    by_frames: dict[Hashable, Hashable]


def find_copies(
    opened: Mapping[str, Header | InputError], identity: Callable[[str], Hashable], base: str
) -> Copies:
    """Return which movies are another one that was named before.

    Parameters
    ----------
    opened : mapping
        Path as in the sheet -> its header or error.
    identity : callable
        Path without its '::' choices -> what is equal for equal files.
    base : str
        Folder where relative paths start.
    """
    movies: dict[Identity, _Opened] = {}
    for path, header in opened.items():
        if isinstance(header, Header):
            parsed = MoviePath.parse(path)
            own = (identity(parsed.file), parsed.selection.of_recording())
            movies.setdefault(own, (path, header))
    by_bytes = _alike(movies, [_sample], _same_bytes)
    left = {own: movie for own, movie in movies.items() if own not in by_bytes}
    first = partial(_first_frame, base)
    return Copies(by_bytes, _alike(left, [_pixels, first], partial(_same_frames, base)))


def _alike(
    movies: Mapping[Identity, _Opened],
    digests: Sequence[Callable[[_Opened], str]],
    equal: Callable[[_Opened, _Opened], bool],
) -> dict[Hashable, Hashable]:
    """Compare those with all digests in common, and return each with the first that it equals.

    A digest is taken of those only that have the one before in common; an empty one is like none.
    """
    groups = [list(movies)]
    for digest in digests:
        split: list[dict[str, list[Identity]]] = []
        for some in groups:
            split.append(defaultdict(list))
            for own in some:
                split[-1][digest(movies[own])].append(own)
        groups = [some for one in split for found, some in one.items() if found and len(some) > 1]
    copies: dict[Hashable, Hashable] = {}
    for some in groups:
        firsts: list[Identity] = []
        for own in some:
            same = (first for first in firsts if equal(movies[first], movies[own]))
            if (first := next(same, None)) is None:
                firsts.append(own)
            else:
                copies[own] = first
    return copies


def _sample(movie: _Opened) -> str:
    return movie[1].sample


def _pixels(movie: _Opened) -> str:
    return movie[1].pixels


def _first_frame(base: str, movie: _Opened) -> str:
    from blinkpair.movie.equal_frames import first_frame
    from blinkpair.movie.reader import open_movie

    try:
        return first_frame(open_movie(os.path.join(base, movie[0])))  # noqa: PTH118
    except (InputError, OSError):  # reported by the step that reads all
        return ""


def _same_bytes(one: _Opened, other: _Opened) -> bool:
    choices = [MoviePath.parse(path).selection.of_recording() for path, _ in (one, other)]
    if choices[0] != choices[1]:
        return False
    first, second = (
        [fast_checksum(file.path) for file in header.files] for _, header in (one, other)
    )
    return first == second


def _same_frames(base: str, one: _Opened, other: _Opened) -> bool:
    from blinkpair.movie.equal_frames import same_frames
    from blinkpair.movie.reader import open_movie

    try:
        first, second = (open_movie(os.path.join(base, path)) for path, _ in (one, other))  # noqa: PTH118
        return same_frames(first, second)
    except (InputError, OSError):  # reported by the step that reads all
        return False
