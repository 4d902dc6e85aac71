"""Frames in which all nanocrystals of a field are off together.

Nanocrystals blink independently of each other. Where all of them switch off within a few frames,
the light was off, a shutter was closed, or the sample left the focus or its place: these frames do
not show blinking. Their images do not always differ from others, for example where room light or
the camera's offset remains, so that they are found by the states.

Input: states of one epoch. Output: these frames.
"""

from __future__ import annotations

import numpy as np

from blinkpair.arrays import BoolArray, row_runs

# Largest share of the frames that is left out. A movie with more of them has to be cut by hand.
MAX_SHARE = 0.1
WITHIN_FRAMES = 3  # a shutter takes a frame or two
# Share of the nanocrystals usually on at the same time that noise may show as on in the dark.
STILL_ON = 0.03
CHANCE = 1e-6  # of a run in one movie by blinking alone
# Of one nanocrystal to switch off, and to stay off, whatever its trace shows.
LEAST_CHANCE = 0.02


def all_off_frames(on: BoolArray) -> BoolArray:
    """Return the frames in which all nanocrystals are off together, too many for chance.

    For each nanocrystal that was on, its own trace gives the probability that it is off three
    frames later, and that it then stays off for as long as the run of dark frames. The chance of
    the run is the product over these nanocrystals; a run is found if its beginning or its end is
    rarer than `CHANCE`. The frame on either side, in which the light changed, is included.

    Parameters
    ----------
    on : (n, frames) bool
        States, True where on.

    Returns
    -------
    (frames,) bool
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
    """Return first frame and length of each run of dark frames, gaps by noise filled."""
    _, start, length, is_dark = row_runs(dark[None])
    filled = dark.copy()
    for first, n in zip(start[~is_dark], length[~is_dark], strict=True):
        if n < WITHIN_FRAMES and 0 < first < len(dark) - n:
            filled[first : first + n] = True
    _, start, length, is_dark = row_runs(filled[None])
    return list(zip(start[is_dark].tolist(), length[is_dark].tolist(), strict=True))


def _switched_together(on: BoolArray, runs: list[tuple[int, int]], needed: float) -> BoolArray:
    """Return for each dark run whether -ln of its chance exceeds `needed`, (runs,) bool.

    The chance is that of switching off within `WITHIN_FRAMES` and of staying off as long.
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
        # How often an off event lasts as long; this one is among them.
        longer = np.bincount(row[length >= n], minlength=len(on))
        stays = -np.log(np.maximum((longer + 1) / (n_off + 2), LEAST_CHANCE))
        together[k] = (switch[inside] + stays @ off_again[:, inside]).max() > needed
    return together
