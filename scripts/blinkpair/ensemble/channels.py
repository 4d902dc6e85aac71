"""Which channels of a decay are fitted, and where its response lies.

Input: the counts of a decay and of its response. Output: channels, the response above its
background, by how much it is moved, and photons from the scatter of values that are no counts.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.ensemble.readers.decay import Decay
from blinkpair.errors import InputError

_FEW = 20.0  # photons that would have to be missing for channels to count as dead
_MARGIN = 2  # channels around what is seen of a response
_PHOTONS_OF_RISE = 100
_FEWEST_FOR_SCATTER = 64  # channels: its standard error is then 20 %
_ROUNDS = 6
_SHARED = 1.0 + 2 * (16 + 1) / 36.0  # squared correlations of second differences, both sides
_SURE = 4.0  # standard errors from which on a background was subtracted
_LEAST_SUBTRACTED = 0.2  # of the level behind the maximum
_NEAR_ONE = 0.3  # from 1, for the f of values that differ by whole numbers
_ROUNDING = 1e-3  # of a count, in files
_FEWEST_STEPS = 10  # between the least and the largest value, or a range of 1e-3 would be whole


def in_photons(decay: Decay, place: str = "") -> Decay:
    """Return a decay in photons, as its scatter shows them: normalised, less a background, or both.

    Counts are returned as they are, unless all are multiples of a number, which is then a photon,
    or their scatter shows that a background was subtracted.

    Raises
    ------
    InputError
        If values below 0 were set to 0.
    """
    found = _scaled(decay)
    # What was added to a background that was subtracted fills the empty channels.
    n_empty = n_cut_off(np.where(decay.counts == 0, 0.0, found.counts - found.added))
    if decay.counts.min() >= 0 and found.is_counts and n_empty:
        raise InputError(
            f"{n_empty} channels behind the maximum are empty although those beside them are not: "
            "values below 0 were set to 0, counts were multiplied, or channels are finer than the "
            "electronics'",
            "export the counts without subtracting a background (the fit has one); for time tags "
            "give a wider bin_ps",
            place,
        )
    return found


def _scaled(decay: Decay) -> Decay:
    """Return a decay in photons.

    Notes
    -----
    Values v = f N - B of photons N scatter with the variance f (v + B): a straight line in their
    level. Second differences (a - 2b + c) of three in a row are free of the slope of the decay and
    have six times the variance. The line goes through the origin where B may be 0.
    """
    values = decay.counts
    if decay.is_counts and (step := np.gcd.reduce(values.astype(np.int64))) > 1:
        return replace(decay, counts=values / step, is_scaled=True)
    above = values - min(float(values.min()), 0.0)
    tail = values[tail_start(above) : live_channels(above)[1]]
    if tail.size < _FEWEST_FOR_SCATTER or not tail.any():
        return decay
    level = smoothed(tail, 33)[1:-1]
    scatter = np.diff(tail, 2) ** 2 / 6.0
    factor, background, error = _line(level, scatter, are_whole=_are_steps_of_one(values))
    # Channels of unequal width add scatter too: 5 % at a level of 500 and differences of 1 %.
    least = max(_SURE * error, _LEAST_SUBTRACTED * float(np.median(level)))
    is_subtracted = values.min() < 0 or background > least
    if decay.is_counts and not is_subtracted:
        return decay
    if not is_subtracted:
        seen = level > 0  # by which all channels weigh alike
        expected = (tail[:-2] + 4 * tail[1:-1] + tail[2:])[seen] / (6.0 * level[seen])
        factor, background = float(np.sum(scatter[seen] / level[seen]) / np.sum(expected)), 0.0
    if factor <= 0:
        return decay
    background = max(background, -float(values.min()))
    return replace(
        decay,
        counts=(values + background) / factor,
        is_scaled=True,
        added=background / factor if is_subtracted else 0.0,
    )


def _line(level: FloatArray, scatter: FloatArray, *, are_whole: bool) -> tuple[float, float, float]:
    """Return f and B of scatter = f (level + B), and the standard error of B.

    By weighted least squares: the square of a normal deviate scatters as its expectation. Where
    values differ by whole numbers and f may be 1, it is 1, which determines B better.
    """
    design = np.column_stack([level, np.ones(level.size)])
    expected = np.full(level.size, float(scatter.mean()))
    floor = 0.05 * float(scatter.mean())
    for _ in range(_ROUNDS):
        weighted = design / expected[:, None]
        factor, offset = np.linalg.lstsq(weighted, scatter / expected, rcond=None)[0]
        expected = np.maximum(factor * level + offset, floor)
    # Neighbouring second differences share values, by which their squares scatter more.
    covariance = _SHARED * 2.0 * np.linalg.pinv(weighted.T @ weighted)
    if are_whole and abs(factor - 1.0) < max(_NEAR_ONE, _SURE * float(np.sqrt(covariance[0, 0]))):
        factor, weights = 1.0, expected**-2.0
        background = np.sum(weights * (scatter - level)) / weights.sum()
        error = np.sqrt(_SHARED * 2.0 / weights.sum())
    elif factor <= 0:
        factor, background, error = 0.0, 0.0, np.inf
    else:
        along = np.array([-offset / factor, 1.0]) / factor
        background, error = offset / factor, np.sqrt(along @ covariance @ along)
    return float(factor), float(background), float(error)


def _are_steps_of_one(values: FloatArray) -> bool:
    """Return whether values differ by whole numbers, as counts less a constant do."""
    steps = values - values[0]
    return bool(
        np.ptp(values) > _FEWEST_STEPS and np.abs(steps - np.round(steps)).max() < _ROUNDING
    )


def n_cut_off(counts: FloatArray) -> int:
    """Return the number of empty channels of a tail beyond those that photons leave, 0 for few.

    A level of L photons leaves a share e^-L of the channels empty.
    """
    tail = counts[tail_start(counts) : live_channels(counts)[1]]
    if tail.size < _FEWEST_FOR_SCATTER:
        return 0
    empty, expected = int(np.sum(tail == 0)), float(np.sum(np.exp(-smoothed(tail, 33))))
    is_more = empty > expected + _SURE * np.sqrt(expected) + 2 * _FEW
    return round(empty - expected) if is_more else 0


def smoothed(counts: FloatArray, width: int = 9) -> FloatArray:
    """Return a running mean, the ends repeated."""
    padded = np.pad(counts, width // 2, mode="edge")
    sums = np.cumsum(np.concatenate([[0.0], padded]))
    return np.asarray((sums[width:] - sums[:-width]) / width)


def live_channels(counts: FloatArray) -> tuple[int, int]:
    """Return the first and the end of the channels that the electronics can fill."""
    filled = np.flatnonzero(counts)
    first, end = int(filled[0]), int(filled[-1]) + 1
    before, behind = first, counts.size - end
    # Empty channels are data unless the level beside them promises photons in them.
    if before and np.mean(counts[first : first + before]) * before < _FEW:
        first = 0
    elif before and first + before > int(np.argmax(counts)):
        first = 0  # the pulse itself is what begins there
    if behind and np.mean(counts[max(end - behind, 0) : end]) * behind < _FEW:
        end = counts.size
    return first, end


def above_background(counts: FloatArray) -> FloatArray:
    """Return a response above its background, zero where it does not rise above the noise.

    Reflections and late pulses behind the main one are parts of it. The background is that before
    the pulse; where it comes too early for that, the level that a quarter of the record is below.
    """
    peak = int(np.argmax(counts))
    onset = _first_at(counts, 0.01 * float(counts[peak]))
    dark = counts[: max(onset - 10, 0)]
    if dark.size < 10:
        first, end = live_channels(counts)
        levels = smoothed(counts[first:end], 101)
        dark = counts[first:end][levels <= np.quantile(levels, 0.25)]
    background = float(np.mean(dark))
    above = counts - background
    if Decay(counts, 1.0).is_counts:
        noise = float(np.sqrt(background + 1.0))
    else:  # normalised, or a background was subtracted before
        noise = float(np.std(dark))
    # The running mean finds a weak end that single channels hide in their noise.
    seen = smoothed(above, 5) > 5.0 * noise / np.sqrt(5.0)
    seen[peak] = True
    kept = np.convolve(seen, np.ones(2 * _MARGIN + 1), mode="same") > 0
    return np.where(kept, np.maximum(above, 0.0), 0.0)


def delay_of_rise(counts: FloatArray, response: FloatArray) -> int:
    """Return by how many channels a decay rises later than its response makes one rise.

    That is an exponential with the mean delay of the light behind the response, which rises later
    than the response itself. Both are averaged over the width of the response, or over more
    channels until 100 photons lie in them: a single channel may hold few.
    """
    from scipy.signal import lfilter

    delay = mean_delay(counts)
    made = lfilter([1.0], [1.0, -np.exp(-1.0 / delay)], response)
    width = 2 * int(np.sum(response > 0.5 * response.max()) // 2) + 1
    if Decay(counts, 1.0).is_counts:
        while width < delay and width * smoothed(counts, width).max() < _PHOTONS_OF_RISE:
            width = 2 * width + 1
    return _half_height(counts, width) - _half_height(made, width)


def mean_delay(counts: FloatArray) -> float:
    """Return the mean delay of the light behind the maximum, at least one channel."""
    behind = np.maximum(counts[int(np.argmax(counts)) :] - np.min(smoothed(counts, 101)), 0.0)
    return max(float(behind @ np.arange(behind.size)) / max(float(behind.sum()), 1e-300), 1.0)


def _half_height(counts: FloatArray, width: int) -> int:
    """Return the first channel whose mean over so many channels reaches half of the largest."""
    smooth = smoothed(counts, max(width, 3))
    return _first_at(smooth, 0.5 * float(smooth.max()))


def _first_at(counts: FloatArray, level: float) -> int:
    """Return where the rise to the maximum last crosses a level."""
    peak = int(np.argmax(counts))
    below = np.flatnonzero(counts[: peak + 1] < level)
    return int(below[-1]) + 1 if below.size else 0


def tail_start(counts: FloatArray) -> int:
    """Return the channel from which on no light is due to the response itself."""
    smooth = smoothed(counts, 3)
    peak = int(np.argmax(smooth))
    rise = peak - _first_at(smooth, 0.1 * float(smooth[peak]))
    return peak + 2 * max(rise, 1)
