"""Which frames do not show the sample: the shutter closed, the lamp on, a frame read out twice.

A shutter that was closed for a while would turn every nanocrystal off together, a room light or a
saturated register would hide them: both give on-fractions that look like any others.

The roughness is the mean absolute difference of neighbouring pixels in a row, of the median row.
Offsets and large structures drop out of it, and so do cosmic rays; the noise remains. Shot noise
goes with the square root of the light, so that a hop of the laser by 5 % changes it by 2.5 % at
most, while a closed shutter leaves the read-out's noise alone.

Input: two numbers a frame, its mean and its roughness, from the pass over the movie that is made
anyway. Output: which frames are odd.
"""

from __future__ import annotations

import numpy as np

from blinkpair.arrays import BoolArray, FloatArray, begins

# Frames that are left out make events shorter, or two events one. With more of them something is
# wrong with the movie that these numbers do not show.
MAX_ODD_SHARE = 0.01
# What a frame's roughness must step by, as a factor, to be another scene. Less light is measured
# from the light there was; more of it matters once its noise comes near a threshold, and cameras
# have single frames of 1.4 times the noise.
DARKER_FACTOR, BRIGHTER_FACTOR = 3 / 4, 2.0
STEP_FACTOR = 1.15
STEP_NOISES = 8.0
# A camera repeats no frame: noise makes two numbers of two frames equal once in thousands.
REPEATED_FRAMES = 2
_LEVEL_FRAMES = 50  # from which the level beside a step is measured


def odd_frames(frame_mean: FloatArray, roughness: FloatArray) -> BoolArray:
    """Return which frames do not show what most of the movie shows.

    Parameters
    ----------
    frame_mean, roughness : (frames,) float
        Counts, as in `projections.Projections`.

    Returns
    -------
    (frames,) bool
        True where the roughness has stepped away from that of the longest stretch without a step,
        and where a frame is one of `REPEATED_FRAMES` or more equal ones in a row. A slow change, as
        of a background that bleaches, is followed.
    """
    return _stepped_away(roughness) | repeated(frame_mean, roughness)


def _stepped_away(roughness: FloatArray) -> BoolArray:
    level = np.log(np.maximum(roughness, 1e-9))
    steps = np.abs(np.diff(level))
    noise = 1.4826 * float(np.median(steps)) if len(steps) else 0.0
    cuts = np.flatnonzero(steps > max(np.log(STEP_FACTOR), STEP_NOISES * noise)) + 1
    stretches = np.split(level, cuts)
    longest = int(np.argmax([len(stretch) for stretch in stretches]))
    later = _same_scene(stretches[longest:])
    earlier = _same_scene([stretch[::-1] for stretch in stretches[longest::-1]])
    same = [*earlier[:0:-1], *later]
    return np.repeat(~np.array(same), [len(stretch) for stretch in stretches])


def _same_scene(stretches: list[FloatArray]) -> list[bool]:
    """Return for each stretch whether it continues at the level of the first one."""
    seen, same = stretches[0], [True]
    for own in stretches[1:]:
        apart = np.median(own[:_LEVEL_FRAMES]) - np.median(seen[-_LEVEL_FRAMES:])
        same.append(bool(np.log(DARKER_FACTOR) < apart < np.log(BRIGHTER_FACTOR)))
        if same[-1]:
            seen = np.concatenate([seen[-_LEVEL_FRAMES:], own])
    return same


def repeated(frame_mean: FloatArray, roughness: FloatArray) -> BoolArray:
    """Return which frames, (frames,), are one of `REPEATED_FRAMES` or more equal ones in a row."""
    first = np.flatnonzero(begins(frame_mean) | begins(roughness))
    lengths = np.diff(first, append=len(frame_mean))
    return np.repeat(lengths >= REPEATED_FRAMES, lengths)
