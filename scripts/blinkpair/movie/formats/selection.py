"""Which part of a file is the movie: the choices behind a path, and the planes they select.

A file that leaves a choice open is refused with the list of what it holds: a wrong channel, read
without a warning, would look like a dark sample. Input: a path of the sample sheet such as
``movie.nd2::channel=GFP::z=3``; the axes that a file declares. Output: file and choices; the planes
to read, in the order of time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from blinkpair.arrays import IntArray
from blinkpair.errors import ChoiceError, InputError
from blinkpair.movie.formats.source import plausible

_KEYS = ("channel", "z", "position", "frames", "skip")
# Only a known-looking key behind '::' starts a choice, so that a file name may hold '::' itself.
_CHOICES = re.compile(r"::(?=\s*[A-Za-z_]+\s*=)")
# Axis letters of the ND2 and TIFF libraries, the word a user writes, and what a message calls it.
_AXIS_KEY = {"C": "channel", "Z": "z", "P": "position", "R": "position"}
_AXIS_WORD = {"channel": "channels", "z": "z planes", "position": "positions"}
# A sequence nobody gave a meaning to: a multi-page TIFF, which is how most movies arrive.
_TIME_LIKE = "TIQ"
_MAX_LISTED = 12


@dataclass(frozen=True)
class Selection:
    """The choices behind a path; None where none was made.

    Attributes
    ----------
    channel : str or None
        A channel's name, or its number counted from 0.
    z, position : str or None
        A plane's or stage position's number counted from 0, or ``time`` where a program wrote
        the frames of a movie under the wrong axis.
    frames : int or None
        Read so many frames only, from the first one that is not skipped. The way to use a movie
        that is cut off.
    skip : int
        Leave out so many frames at the beginning: before the shutter opened, for example.
    before : int
        Frames in the parts before, where the movie is split; no choice of the user's.
    """

    channel: str | None = None
    z: str | None = None
    position: str | None = None
    frames: int | None = None
    skip: int = 0
    before: int = 0

    def of_recording(self) -> Selection:
        """Return the choices that decide which recording is read, whatever part of it is used."""
        return replace(self, frames=None, skip=0)


@dataclass(frozen=True)
class MoviePath:
    """A path of the sample sheet, parsed.

    Attributes
    ----------
    file : str
        A file, folder or pattern, without its choices.
    selection : Selection
    """

    file: str
    selection: Selection = Selection()

    @classmethod
    def parse(cls, path: str) -> MoviePath:
        """Separate a path from its choices.

        Parameters
        ----------
        path : str
            As in the sample sheet, e.g. ``data/pre.nd2::channel=GFP::z=0``.

        Raises
        ------
        ChoiceError
            An unknown key, one that is there twice, or a value that is missing or not a number
            where one is needed.
        """
        file, *parts = _CHOICES.split(path)
        made: dict[str, Any] = {}
        for part in parts:
            key, value = (text.strip() for text in part.split("=", 1))
            key = key.lower()
            if key in made:
                raise ChoiceError(
                    f"'::{key}=' stands there twice", "write each choice once", place=path
                )
            if key in _KEYS and not value:
                raise ChoiceError(f"'::{key}=' has no value", "write one, or leave it out", path)
            if key not in _KEYS:
                raise ChoiceError(
                    f"'::{part}' is not a choice that can be made",
                    f"use {', '.join(f'::{name}=...' for name in _KEYS)} behind a path",
                    place=path,
                )
            made[key] = _checked(path, key, value)
        return cls(file, Selection(**made))


@dataclass(frozen=True)
class Planes:
    """Result of `choose_planes`.

    Attributes
    ----------
    index : (frames,) int64 array
        Positions in the file's sequence of planes, in the order of time.
    sample : int
        Which of the components interleaved in each plane is the movie (0 where there is one).
    channel : str or None
        Name of the channel.
    notes : tuple of str
        For the user to read.
    """

    index: IntArray
    sample: int = 0
    channel: str | None = None
    notes: tuple[str, ...] = ()


def _checked(path: str, key: str, value: str) -> str | int:
    """Validate one value; numbers count from 0, frames from 1."""
    if key == "channel" or (key in ("z", "position") and value.lower() == "time"):
        return value
    counts_frames = key in ("frames", "skip")
    if not value.isdecimal() or (counts_frames and int(value) == 0):
        what = "a number of frames, 1 or more" if counts_frames else "a number counted from 0"
        hint = f"write '::{key}=1'"
        if counts_frames:
            hint = f"write for example '::{key}=250', or leave it out to use all frames"
        raise ChoiceError(f"'::{key}={value}' is not {what}", hint, place=path)
    return int(value) if counts_frames else value


def choose_planes(
    path: str,
    sizes: Mapping[str, int],
    selection: Selection,
    *,
    channel_names: Sequence[str] = (),
    interleaved: bool = False,
    z_is_time: bool = False,
) -> Planes:
    """Pick the planes of one movie out of a file of several axes.

    Parameters
    ----------
    path : str
        For messages.
    sizes : mapping
        Axis letter -> length without Y and X, slowest first, as the planes follow each other in
        the file. T, I and Q are time; C, Z, P and R need a choice when longer than 1.
    selection : Selection
    channel_names : sequence of str
        In the order of C, where the file names them.
    interleaved : bool
        The channels of a plane are stored pixel by pixel (ND2), so C is not among the planes.
    z_is_time : bool
        The writer calls every plain stack a z-stack (ImageJ): a lone z axis is taken as time.

    Returns
    -------
    Planes

    Raises
    ------
    ChoiceError
        A choice is missing, or names what the file does not have.
    InputError
        An axis that no choice can take away, or absurdly many planes.
    """
    axes = {axis: size for axis, size in sizes.items() if size > 1}
    notes: list[str] = []
    time_axes = [axis for axis in axes if axis in _TIME_LIKE]
    if z_is_time and not time_axes and selection.z is None and "Z" in axes:
        time_axes.append("Z")
        notes.append(f"the file calls its {axes['Z']} planes z slices; they were read as frames")
    picked: dict[str, int] = {}
    open_choices: dict[str, str] = {}
    for axis, size in axes.items():
        if axis in time_axes:
            continue
        key = _AXIS_KEY.get(axis)
        if key is None:
            raise InputError(
                f"has an axis '{axis}' of length {size} that is neither time, channel nor z",
                "export the movie alone, one frame after the other",
                place=path,
            )
        names = channel_names if key == "channel" else ()
        wanted = getattr(selection, key)
        if wanted is None:
            open_choices[key] = _listed(key, size, names)
        elif wanted.lower() == "time" and key != "channel":
            time_axes.append(axis)
            notes.append(f"its {size} {_AXIS_WORD[key]} were read as frames, as chosen")
        else:
            picked[axis] = _number(path, key, wanted, size, names)
    if open_choices:
        raise _left_open(path, open_choices, channel_names)
    if len(time_axes) > 1:
        raise InputError(
            f"has {len(time_axes)} axes that could be time "
            f"({', '.join(f'{axis}: {axes[axis]}' for axis in time_axes)})",
            "export the movie alone, one frame after the other",
            place=path,
        )
    _refuse_idle_choice(path, selection, axes, channel_names)

    stored = {axis: n for axis, n in axes.items() if not (interleaved and axis == "C")}
    count = math.prod(stored.values())
    plausible(path, count)
    planes = np.arange(count, dtype=np.int64)
    cut = tuple(picked.get(axis, slice(None)) for axis in stored)
    sample = picked.get("C", 0)
    name = channel_names[sample] if sample < len(channel_names) else None
    return Planes(
        index=np.atleast_1d(planes.reshape(tuple(stored.values()))[cut]).reshape(-1),
        sample=sample if interleaved else 0,
        channel=name or None,
        notes=tuple(notes),
    )


def _refuse_idle_choice(
    path: str, selection: Selection, axes: Mapping[str, int], channel_names: Sequence[str]
) -> None:
    """Check that a choice on an axis of length 1 names what is there."""
    for axis, key in (("C", "channel"), ("Z", "z"), ("P", "position")):
        wanted = getattr(selection, key)
        taken = axis in axes or (axis == "P" and "R" in axes)
        if wanted is not None and not taken and wanted.lower() != "time":
            _number(path, key, wanted, 1, channel_names if key == "channel" else ())


def _number(path: str, key: str, wanted: str, size: int, names: Sequence[str]) -> int:
    """Turn a name or number into a number below `size`."""
    exact = [i for i, name in enumerate(names) if name == wanted]
    loose = [i for i, name in enumerate(names) if name.strip().lower() == wanted.strip().lower()]
    for found in (exact, loose):
        if len(found) == 1:
            return found[0]
    if wanted.isdecimal() and int(wanted) < size:
        return int(wanted)
    raise ChoiceError(
        f"there is no {key} '{wanted}'; it holds {_listed(key, size, names)}",
        f"'::{key}=' takes {'a name or ' if names else ''}a number counted from 0",
        place=path,
    )


def _listed(key: str, size: int, names: Sequence[str]) -> str:
    """Spell out what there is."""
    if size == 1:
        only = f"'{names[0]}'" if names else "0"
        return f"one {key} only ({only})"
    if names:
        shown = ", ".join(f"{i} '{name}'" for i, name in enumerate(names[:_MAX_LISTED]))
        return f"{size} {_AXIS_WORD[key]} ({shown}{', ...' if len(names) > _MAX_LISTED else ''})"
    return f"{size} {_AXIS_WORD[key]} (0 to {size - 1})"


def _left_open(path: str, choices: Mapping[str, str], names: Sequence[str]) -> ChoiceError:
    """Return the error that lists the open choices, and how to make them."""
    example = "".join(f"::{key}={names[0] if key == 'channel' and names else 0}" for key in choices)
    others = [key for key in choices if key != "channel"]
    hint = f"append the choice to the path, e.g. '{path}{example}'"
    if others:
        hint += f"; '::{others[0]}=time' if they are the frames of a movie under a wrong name"
    return ChoiceError(f"holds {' and '.join(choices.values())}, and none is chosen", hint, path)
