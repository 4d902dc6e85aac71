"""Find the channels of a decay to fit and its delay behind the response; convert it to photons.

Input: the values of a decay and of its response. Output: channels, the response above its
background, the delay between the two, and the decay in photons.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.ensemble.readers.decay import Decay
from blinkpair.errors import InputError

_FEW = 20.0  # photons that empty channels should hold, from which on they count as dead
_MARGIN = 2  # channels that are kept at either end of a response
_PHOTONS_OF_RISE = 100
_FEWEST_FOR_SCATTER = 64  # channels: its standard error is then 20 %
_ROUNDS = 6
_SHARED = 1.0 + 2 * (16 + 1) / 36.0  # squared correlations of second differences, both sides
_SURE = 4.0  # standard errors: a larger background was subtracted from the values
_LEAST_SUBTRACTED = 0.2  # of the level behind the maximum
_NEAR_ONE = 0.3  # distance of f from 1 within which it may be 1
_ROUNDING = 1e-3  # of a count, in files
_FEWEST_STEPS = 10  # range of the values; one below the rounding would pass as whole numbers


def in_photons(decay: Decay, place: str = "") -> Decay:
    """Return a decay in photons, also one that was normalised or had a background subtracted.

    The scatter of the values shows both. Counts are returned unchanged, with two exceptions: where
    all are multiples of one number, that is a photon, and where the scatter shows that a background
    was subtracted, it is added again.

    Raises
    ------
    InputError
        If values below 0 were set to 0.
    """
    found = _scaled(decay)
    # Empty channels are counted without the background that was added again.
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
    Values v = f N - B of N photons scatter with the variance f (v + B), a straight line in v. The
    variance comes from second differences a - 2b + c of three neighbours, which the slope of the
    decay does not change, and which have six times the variance. Where B may be 0, the line goes
    through the origin.
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
        seen = level > 0  # scatter / level gives all channels the same weight
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

    By least squares with weights: the standard deviation of a squared normal deviate is
    proportional to its mean. Where values differ by whole numbers and f may be 1, f is held at 1,
    which determines B better.
    """
    design = np.column_stack([level, np.ones(level.size)])
    expected = np.full(level.size, float(scatter.mean()))
    floor = 0.05 * float(scatter.mean())
    for _ in range(_ROUNDS):
        weighted = design / expected[:, None]
        factor, offset = np.linalg.lstsq(weighted, scatter / expected, rcond=None)[0]
        expected = np.maximum(factor * level + offset, floor)
    # Neighbouring second differences share values, so that their squares are correlated.
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
    """Return by how many the empty channels of a tail exceed the expected ones; 0 for few.

    Of channels with a mean of L photons a share e^-L is expected to be empty.
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
    # Empty channels are data unless the level beside them lets photons be expected in them.
    if before and np.mean(counts[first : first + before]) * before < _FEW:
        first = 0
    elif before and first + before > int(np.argmax(counts)):
        first = 0  # the pulse itself is what begins there
    if behind and np.mean(counts[max(end - behind, 0) : end]) * behind < _FEW:
        end = counts.size
    return first, end


def above_background(counts: FloatArray) -> FloatArray:
    """Return a response above its background, zero where it does not rise above the noise.

    Reflections and late pulses behind the main one belong to the response. The background is the
    mean before the pulse, or, where the pulse comes too early for that, that of the lowest quarter
    of the record.
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
    # The running mean shows a weak end that the noise of single channels hides.
    seen = smoothed(above, 5) > 5.0 * noise / np.sqrt(5.0)
    seen[peak] = True
    kept = np.convolve(seen, np.ones(2 * _MARGIN + 1), mode="same") > 0
    return np.where(kept, np.maximum(above, 0.0), 0.0)


def delay_of_rise(counts: FloatArray, response: FloatArray) -> int:
    """Return by how many channels a decay is delayed behind its response.

    The decay is compared with an exponential behind the response, whose time constant is the mean
    delay of the light, because that rises later than the response itself. Both are averaged over
    the width of the response, or over more channels until these hold 100 photons.
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
    """Return the first channel whose mean over `width` channels reaches half of the largest."""
    smooth = smoothed(counts, max(width, 3))
    return _first_at(smooth, 0.5 * float(smooth.max()))


def _first_at(counts: FloatArray, level: float) -> int:
    """Return the channel in which the rise to the maximum last crosses a level."""
    peak = int(np.argmax(counts))
    below = np.flatnonzero(counts[: peak + 1] < level)
    return int(below[-1]) + 1 if below.size else 0


def tail_start(counts: FloatArray) -> int:
    """Return the channel from which on no light is due to the response itself."""
    smooth = smoothed(counts, 3)
    peak = int(np.argmax(smooth))
    rise = peak - _first_at(smooth, 0.1 * float(smooth[peak]))
    return peak + 2 * max(rise, 1)
