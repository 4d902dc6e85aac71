"""Jumps of the stage within a movie: the frame of each, and what is seen twice because of it.

The stretch that holds a jump shows every nanocrystal at two places, and its drift is that of one of
them. The frames around it show when the light moved from the places before to those after.

Input: a movie, the nanocrystals found in it and their drift. Output: the catalogue with the frame
of each jump; which candidates are second images.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.nanocrystals.drift import TIMED_FRAMES, Drift, excursions_of, jumps_of

if TYPE_CHECKING:
    from blinkpair.movie.movie import Movie
    from blinkpair.nanocrystals.finding import Catalogue

BRIGHTEST = 60  # nanocrystals that show the frame of a jump
APERTURE_PX, AROUND_PX = 3, 9  # whole pixels; the median of the larger square is the background
# By chance the frame of a jump stands out of noise by 2 or 3 of its standard deviations.
MIN_SIGMAS = 6.0
# A second image is seen in one stretch; in the others noise is, at most so much of it.
ELSEWHERE = 0.3


def time_jumps(movie: Movie, catalogue: Catalogue) -> Catalogue:
    """Return the catalogue with a drift that steps at the frame of each jump.

    The frames between the middles of the two stretches beside a jump are read again. Each of the
    drift's steps becomes two displacements one frame apart, so that its table has two rows more. A
    jump that too little light shows stays between its stretches.
    """
    drift = catalogue.drift
    xy = catalogue.table[["x", "y"]].to_numpy(float)[:BRIGHTEST]
    for first, last in excursions_of(drift.xy)[::-1]:
        drift = _time_excursion(movie, xy, drift, first, last)
    for k in jumps_of(drift.xy)[::-1]:
        if drift.centre_frame[k + 1] - drift.centre_frame[k] < TIMED_FRAMES:
            continue
        first, last = (int(np.ceil(at)) for at in drift.centre_frame[k : k + 2])
        moved = _light_moved(movie, first, last, xy + drift.xy[k], xy + drift.xy[k + 1])
        frame = _frame_of_step(moved)
        if frame is None:
            continue
        knots = [first + frame - 0.75, first + frame - 0.25]
        drift = Drift(
            np.insert(drift.centre_frame, k + 1, knots),
            np.insert(drift.xy, k + 1, drift.xy[k : k + 2], axis=0),
            np.insert(drift.measured, k + 1, [True, True]),
        )
    focus = catalogue.focus_px
    if focus is not None:
        focus = np.interp(drift.centre_frame, catalogue.drift.centre_frame, focus)
    return replace(catalogue, drift=drift, focus_px=focus)


def _time_excursion(movie: Movie, xy: FloatArray, drift: Drift, first: int, last: int) -> Drift:
    """Return the drift in which the sample leaves and returns at the frames that show it."""
    beside = [first - 1, last + 1]
    start, stop = (int(np.ceil(at)) for at in drift.centre_frame[beside])

    def home(at: FloatArray) -> FloatArray:
        """Return the path (frames, 2) without the excursion."""
        knots = drift.centre_frame[beside]
        return np.column_stack([np.interp(at, knots, drift.xy[beside, k]) for k in range(2)])

    stretches = slice(first, last + 1)
    away = np.mean(drift.xy[stretches] - home(drift.centre_frame[stretches]), axis=0)
    here = xy + home(np.array([0.5 * (start + stop)]))
    frames = _frames_of_excursion(_light_moved(movie, start, stop, here, here + away))
    if frames is None:
        return drift
    left, back = start + frames[0], start + frames[1]
    knots = np.array([left - 0.75, left - 0.25, back - 0.75, back - 0.25])
    timed = home(knots)
    timed[1:3] += away
    rest = np.s_[first : last + 1]
    return Drift(
        np.insert(np.delete(drift.centre_frame, rest), first, knots),
        np.insert(np.delete(drift.xy, rest, axis=0), first, timed, axis=0),
        np.insert(np.delete(drift.measured, rest), first, [True] * len(knots)),
    )


def are_seen_at_a_jump_only(amplitude: FloatArray, drift: FloatArray) -> BoolArray:
    """Return which candidates, (n,), are seen in no stretch but one beside a jump.

    Parameters
    ----------
    amplitude : (n, S) float
        Counts in each stretch.
    drift : (S, 2) float

    Notes
    -----
    They are second images of nanocrystals. One that is on in this stretch only is lost with them:
    it is dark.
    """
    only = np.zeros(len(amplitude), bool)
    for k in jumps_of(drift):
        for stretch in (k, k + 1):
            others = np.delete(amplitude, stretch, axis=1).max(axis=1, initial=0.0)
            only |= others < ELSEWHERE * amplitude[:, stretch]
    return only


def _light_moved(
    movie: Movie, first: int, last: int, before: FloatArray, after: FloatArray
) -> FloatArray:
    """Return for each frame the counts at the places before a jump less those after it."""
    height, width = movie.shape[1:]
    margin = AROUND_PX // 2
    places = np.rint(np.stack([before, after])).astype(np.int64)
    lowest, highest = places.min(axis=0) - margin, places.max(axis=0) + margin
    inside = ((lowest >= 0) & (highest < [width, height])).all(axis=1)
    there, here = places[:, inside]
    frames = [
        _counts(block, there) - _counts(block, here)
        for block in movie.blocks(start=first, stop=last)
    ]
    return np.concatenate(frames)


def _counts(block: NDArray[Any], places: NDArray[np.int64]) -> FloatArray:
    """Return the sum over all places, (n, 2), of the counts above background in each frame."""
    span = np.arange(AROUND_PX) - AROUND_PX // 2
    rows, columns = places[:, 1, None] + span, places[:, 0, None] + span
    around = block[:, rows[:, :, None], columns[:, None, :]].astype(float)
    centre = slice((AROUND_PX - APERTURE_PX) // 2, (AROUND_PX + APERTURE_PX) // 2)
    background = np.median(around, axis=(2, 3), keepdims=True)
    return np.asarray((around - background)[..., centre, centre].sum(axis=(1, 2, 3)))


def _frame_of_step(moved: FloatArray) -> int | None:
    """Return the first frame after a jump: what is positive before it is negative from it on."""
    total = np.concatenate([[0.0], np.cumsum(moved)])
    frame = 1 + int(np.argmax(total[1:-1]))
    noise = np.std(np.diff(moved)) / np.sqrt(2)
    shown = 2 * total[frame] - total[-1]
    return frame if shown > MIN_SIGMAS * noise * np.sqrt(len(moved)) else None


def _frames_of_excursion(moved: FloatArray) -> tuple[int, int] | None:
    """Return the first frame of an excursion and the first one after it: negative in between."""
    total = np.concatenate([[0.0], np.cumsum(moved)])[1:-1]
    fallen = np.maximum.accumulate(total) - total
    back = int(np.argmax(fallen))
    left = int(np.argmax(total[: back + 1]))
    noise = np.std(np.diff(moved)) / np.sqrt(2)
    shown = fallen[back] > MIN_SIGMAS * noise * np.sqrt(len(moved))
    return (1 + left, 1 + back) if shown else None
