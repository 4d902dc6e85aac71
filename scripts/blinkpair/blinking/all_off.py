"""Frames in which all nanocrystals of a field are off together.

Nanocrystals blink independently of each other. Where all of them switch off within a few frames,
the light was off, a shutter was closed, or the sample left the focus or its place: these frames say
nothing about blinking. The frames themselves do not always show it, as where room light or the
camera's offset remains.

Input: states of one epoch. Output: these frames.
"""

from __future__ import annotations

import numpy as np

from blinkpair.arrays import BoolArray, row_runs

# Without more frames than this a movie is another one: it has to be cut by hand.
MAX_SHARE = 0.1
WITHIN_FRAMES = 3  # a shutter takes a frame or two
# Of the nanocrystals that are usually on at the same time, so many may seem on in the dark: noise.
STILL_ON = 0.03
# By chance in one of a million movies. The chance that one is off again is at least 2 %, however
# long it was on, so that seven at least have to switch.
CHANCE = 1e-6
LEAST_CHANCE = 0.02


def all_off_frames(on: BoolArray) -> BoolArray:
    """Return which frames (frames,) follow, or precede, what cannot be chance: all are off at once.

    The chance of it is the product of those by which each one that was on is off three frames
    later, and stays off for as long, which its own trace shows. The frame on either side, in which
    it happened, is included.

    Parameters
    ----------
    on : (n, frames) bool
        States, True where on.
    """
    frames = on.shape[1]
    found = np.zeros(frames, bool)
    lit = on.sum(axis=0)
    if frames <= WITHIN_FRAMES or not len(on):
        return found
    dark = lit <= STILL_ON * np.quantile(lit, 0.9)
    needed = np.log(frames / CHANCE)
    runs = _dark_runs(dark)
    # The same in reverse: the light came on.
    backwards = [(frames - first - n, n) for first, n in runs]
    switched = _switched_together(on, runs, needed)
    switched |= _switched_together(on[:, ::-1], backwards, needed)
    for (first, n), together in zip(runs, switched, strict=True):
        if together:
            found[max(first - 1, 0) : first + n + 1] = True
    return found


def _dark_runs(dark: BoolArray) -> list[tuple[int, int]]:
    """Return first frame and length of each run of dark frames, noise in it included."""
    _, start, length, is_dark = row_runs(dark[None])
    filled = dark.copy()
    for first, n in zip(start[~is_dark], length[~is_dark], strict=True):
        if n < WITHIN_FRAMES and 0 < first < len(dark) - n:
            filled[first : first + n] = True
    _, start, length, is_dark = row_runs(filled[None])
    return list(zip(start[is_dark].tolist(), length[is_dark].tolist(), strict=True))


def _switched_together(on: BoolArray, runs: list[tuple[int, int]], needed: float) -> BoolArray:
    """Return for each dark run whether -ln of the chance to switch off so and to stay so is enough.

    In the dark run, between a frame and `WITHIN_FRAMES` later.
    """
    before, after = on[:, :-WITHIN_FRAMES], on[:, WITHIN_FRAMES:]
    off_again = np.zeros(on.shape, bool)
    off_again[:, WITHIN_FRAMES:] = before & ~after
    chance = (off_again.sum(axis=1) + 1) / (before.sum(axis=1) + 2)
    switch = -np.log(np.maximum(chance, LEAST_CHANCE)) @ off_again
    most = switch - np.log(LEAST_CHANCE) * off_again.sum(axis=0)
    row, _, length, state = row_runs(on)
    row, length = row[~state], length[~state]
    n_off = np.bincount(row, minlength=len(on))
    together = np.zeros(len(runs), bool)
    for k, (first, n) in enumerate(runs):
        inside = slice(first, first + n)
        if most[inside].max() <= needed:
            continue
        # One of those that last as long is this one.
        longer = np.bincount(row[length >= n], minlength=len(on))
        stays = -np.log(np.maximum((longer + 1) / (n_off + 2), LEAST_CHANCE))
        together[k] = (switch[inside] + stays @ off_again[:, inside]).max() > needed
    return together
