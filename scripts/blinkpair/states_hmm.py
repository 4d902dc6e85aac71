"""Refine on/off states with a hidden Markov model, one nanocrystal at a time.

In: counts, first states from a threshold, and the off levels these rest on. Out: refined
states, the counts at which both states are equally likely, and which traces were modelled.

Off frames are normal (gamma where the field's noise is skewed), on frames normal with their own
spread. A share of either, learnt too, is spread evenly over its half of the way to the other
level: frames that the nanocrystal was on for a part of belong to the state of their larger part,
so that neither short on events nor short off events are smoothed away. A thin uniform floor over
the range of the trace keeps one outlier from forcing a state.

Either state comes in two kinds, short-lived and long-lived, alike in counts: two exponentials
are a fair likeness of a power law over the durations that matter. A single one describes the
average event, and erases most events, which are short.

Levels, spreads and transitions are learnt from the trace (Baum-Welch), from the threshold's
states: no random start. A frame is on where its posterior probability is above one half.

Own code, because what is needed are such emissions and kinds, and a guard for traces of one
state, and because hmmlearn takes some 0.3 s for a trace of 20,000 frames, ten times as long.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from blinkpair.compiled import njit
from blinkpair.off_levels import OffLevels

FloatArray = NDArray[np.float64]

_ITERATIONS = 12
_TOLERANCE = 1e-3  # change of a transition probability or of a level in units of noise
_FLOOR = 1e-4  # weight of the uniform floor of the emissions
_PARTIAL_START = 0.05  # first guess of the share of frames that are on in part
_PARTIAL_RANGE = (0.001, 0.3)
_STAY_START = (0.4, 0.95)  # in the short- and the long-lived kind, a frame
_STAY_BORDER = 0.75  # between the two kinds
_SHORT_START = 0.6  # share of events of the short-lived kind
_TABLE = 2048  # counts at which the emissions are tabulated, ...
_REACH = 8.0  # ... to so many spreads below off and above on
_MIN_FRAMES = 5  # in each state, for a second state to exist
_MIN_SEPARATION = 3.0  # of the levels, in off noise


def refine_states(
    traces: NDArray[np.float32], states: NDArray[np.bool_], off: OffLevels
) -> tuple[NDArray[np.bool_], FloatArray, NDArray[np.bool_]]:
    """Refine the states of every trace that has two.

    Parameters
    ----------
    traces : (n, frames) array
        Counts.
    states : (n, frames) bool array
        First states.
    off : OffLevels
        Off level and noise of each.

    Returns
    -------
    states : (n, frames) bool array
        Refined, or the first ones where `modelled` is False.
    levels : (n,) array
        Counts at which both states are equally likely; nan where not modelled.
    modelled : (n,) bool array
        False where a trace shows no second state, or the model does not hold two.
    """
    refined = states.copy()
    levels = np.full(len(traces), np.nan)
    for i, (trace, first) in enumerate(zip(traces, states, strict=True)):
        n_on = int(first.sum())
        if off.source[i] == "none" or not _MIN_FRAMES <= n_on <= len(first) - _MIN_FRAMES:
            continue
        x = np.ascontiguousarray(trace, dtype=np.float64)
        if not np.isfinite(x).all() or not off.noise_counts[i] > 0:
            continue
        mean, sigma = _start(x, first, off, i)
        # Where the levels are close, a threshold many noises above off has lost half of on.
        start = first | (x > mean.mean())
        posterior, mean, sigma, partial = _posterior_on(x, start, mean, sigma, off.skewness)
        if not mean[1] - mean[0] >= _MIN_SEPARATION * sigma[0]:
            continue
        on = posterior > 0.5
        if not _MIN_FRAMES <= int(on.sum()) <= len(on) - _MIN_FRAMES:
            continue
        refined[i] = on
        levels[i] = _crossing(mean, sigma, partial, off.skewness)
    return refined, levels, np.isfinite(levels)


def _start(
    x: FloatArray, first: NDArray[np.bool_], off: OffLevels, i: int
) -> tuple[FloatArray, FloatArray]:
    on = x[first]
    level = float(np.median(on))
    spread = 1.4826 * float(np.median(np.abs(on - level)))
    noise = float(off.noise_counts[i])
    return np.array([float(off.level_counts[i]), level]), np.array([noise, max(spread, noise)])


def _crossing(mean: FloatArray, sigma: FloatArray, partial: FloatArray, skewness: float) -> float:
    """Counts between the levels where on begins to be likelier than off."""
    x = np.linspace(mean[0], mean[1], 400)
    density, _ = _emissions(x, mean, sigma, partial, skewness, 0.0)
    return float(x[int(np.argmax(density[:, 1] > density[:, 0]))])


@njit()
def _emissions(
    x: FloatArray,
    mean: FloatArray,
    sigma: FloatArray,
    partial: FloatArray,
    skewness: float,
    floor: float,
) -> tuple[FloatArray, FloatArray]:
    """Densities of off and on, and the shares of their whole frames (the rest: on in part)."""
    n = len(x)
    density = np.empty((n, 2))
    whole_share = np.empty((n, 2))
    middle = 0.5 * (mean[0] + mean[1])
    even = 0.5 / (middle - mean[0])
    edge = sigma[0] * np.sqrt(2.0)
    amplitude = 1.0 / (sigma * np.sqrt(2.0 * np.pi))
    shape = 4.0 / max(skewness, 0.02) ** 2
    log_gamma = 0.5 * np.log(shape) - math.lgamma(shape) - np.log(sigma[0])
    for t in range(n):
        z = (x[t] - mean[0]) / sigma[0]
        if skewness < 0.02:
            off = amplitude[0] * np.exp(-0.5 * z * z)
        else:
            y = shape + z * np.sqrt(shape)
            off = np.exp(log_gamma + (shape - 1.0) * np.log(y) - y) if y > 0.0 else 0.0
        z = (x[t] - mean[1]) / sigma[1]
        on = amplitude[1] * np.exp(-0.5 * z * z)
        # The even spread between two counts, blurred by the noise.
        e_off = math.erf((x[t] - mean[0]) / edge)
        e_mid = math.erf((x[t] - middle) / edge)
        e_on = math.erf((x[t] - mean[1]) / edge)
        density[t, 0] = (1.0 - partial[0]) * off + partial[0] * even * (e_off - e_mid) + floor
        density[t, 1] = (1.0 - partial[1]) * on + partial[1] * even * (e_mid - e_on) + floor
        whole_share[t, 0] = (1.0 - partial[0]) * off / max(density[t, 0], 1e-300)
        whole_share[t, 1] = (1.0 - partial[1]) * on / max(density[t, 1], 1e-300)
    return density, whole_share


@njit()
def _posterior_on(
    x: FloatArray,
    first: NDArray[np.bool_],
    mean: FloatArray,
    sigma: FloatArray,
    skewness: float,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Learn the model by Baum-Welch.

    Returns
    -------
    posterior, mean, sigma, partial
        Probability of 'on' of each frame; level, spread and share of partly lit frames of off
        and on.
    """
    n = len(x)
    floor = _FLOOR / max(x.max() - x.min(), 1e-300)
    least_sigma = 0.5 * sigma[0]
    partial = np.full(2, _PARTIAL_START)
    # Kinds 0, 1 are off, 2, 3 on; the even ones short-lived.
    stay = np.array([_STAY_START[0], _STAY_START[1], _STAY_START[0], _STAY_START[1]])
    enter = np.array([_SHORT_START, 1.0 - _SHORT_START, _SHORT_START, 1.0 - _SHORT_START])
    start_on = min(max(first.mean(), 0.01), 0.99)
    f = np.empty(4)
    b = np.empty(4)
    d = np.empty(4)
    grid = np.empty(_TABLE)
    density = np.empty((n, 2))
    whole_share = np.empty((n, 2))
    forward = np.empty((n, 4))
    posterior = np.empty(n)
    for iteration in range(_ITERATIONS + 1):
        # Both vary slowly with the counts: a table of them, then a linear look-up a frame.
        low = mean[0] - _REACH * sigma[0]
        step = (mean[1] + _REACH * sigma[1] - low) / (_TABLE - 1)
        for k in range(_TABLE):
            grid[k] = low + k * step
        on_grid, share_on_grid = _emissions(grid, mean, sigma, partial, skewness, floor)
        for t in range(n):
            place = (x[t] - low) / step
            if place <= 0.0 or place >= _TABLE - 1:
                density[t, 0] = density[t, 1] = floor
                whole_share[t, 0] = whole_share[t, 1] = 0.0
                continue
            k = int(place)
            w = place - k
            for s in range(2):
                density[t, s] = (1.0 - w) * on_grid[k, s] + w * on_grid[k + 1, s]
                whole_share[t, s] = (1.0 - w) * share_on_grid[k, s] + w * share_on_grid[k + 1, s]
        # Forward, each frame normalised to one.
        for t in range(n):
            if t == 0:
                for k in range(4):
                    f[k] = (start_on if k > 1 else 1.0 - start_on) * 0.5 * density[0, k // 2]
            else:
                out_off = f[0] * (1.0 - stay[0]) + f[1] * (1.0 - stay[1])
                out_on = f[2] * (1.0 - stay[2]) + f[3] * (1.0 - stay[3])
                for k in range(4):
                    entered = (out_off if k > 1 else out_on) * enter[k]
                    f[k] = (f[k] * stay[k] + entered) * density[t, k // 2]
            f /= f.sum()
            forward[t] = f
        # Backward, with the sums Baum-Welch needs.
        b[:] = 1.0
        stayed = np.zeros(4)
        left = np.zeros(4)
        entries = np.zeros(4)
        weight = np.zeros(2)
        moment = np.zeros(2)
        posterior[n - 1] = forward[n - 1, 2] + forward[n - 1, 3]
        for t in range(n - 2, -1, -1):
            for k in range(4):
                d[k] = density[t + 1, k // 2] * b[k]
            into_off = enter[0] * d[0] + enter[1] * d[1]
            into_on = enter[2] * d[2] + enter[3] * d[3]
            total = 0.0
            for k in range(4):
                into = into_off if k > 1 else into_on
                b[k] = stay[k] * d[k] + (1.0 - stay[k]) * into
                total += forward[t, k] * b[k]
            out_off = forward[t, 0] * (1.0 - stay[0]) + forward[t, 1] * (1.0 - stay[1])
            out_on = forward[t, 2] * (1.0 - stay[2]) + forward[t, 3] * (1.0 - stay[3])
            for k in range(4):
                into = into_off if k > 1 else into_on
                stayed[k] += forward[t, k] * stay[k] * d[k] / total
                left[k] += forward[t, k] * (1.0 - stay[k]) * into / total
                entries[k] += (out_off if k > 1 else out_on) * enter[k] * d[k] / total
            posterior[t] = (forward[t, 2] * b[2] + forward[t, 3] * b[3]) / total
            b /= b.sum()
        if iteration == _ITERATIONS:
            break
        for t in range(n):
            w0 = (1.0 - posterior[t]) * whole_share[t, 0]
            w1 = posterior[t] * whole_share[t, 1]
            weight[0] += w0
            weight[1] += w1
            moment[0] += w0 * x[t]
            moment[1] += w1 * x[t]
        frames_on = posterior.sum()
        for s in range(2):
            frames = frames_on if s == 1 else n - frames_on
            share = 1.0 - weight[s] / max(frames, 1.0)
            partial[s] = min(max(share, _PARTIAL_RANGE[0]), _PARTIAL_RANGE[1])
        change = 0.0
        for s in range(2):
            if weight[s] < 1.0:
                continue
            new_mean = moment[s] / weight[s]
            change = max(change, abs(new_mean - mean[s]) / sigma[0])
            mean[s] = new_mean
        square = np.zeros(2)
        for t in range(n):
            square[0] += (1.0 - posterior[t]) * whole_share[t, 0] * (x[t] - mean[0]) ** 2
            square[1] += posterior[t] * whole_share[t, 1] * (x[t] - mean[1]) ** 2
        for s in range(2):
            if weight[s] >= 1.0:
                sigma[s] = max(np.sqrt(square[s] / weight[s]), least_sigma)
        for k in range(4):
            # Two frames of the first guess keep a kind that is not there from dividing by zero.
            guess = _STAY_START[k % 2]
            new_stay = (stayed[k] + 2.0 * guess) / (stayed[k] + left[k] + 2.0)
            new_stay = min(new_stay, _STAY_BORDER) if k % 2 == 0 else max(new_stay, _STAY_BORDER)
            change = max(change, abs(new_stay - stay[k]))
            stay[k] = new_stay
            of_state = entries[k - k % 2] + entries[k - k % 2 + 1]
            enter[k] = (entries[k] + 1.0) / (of_state + 2.0)
        start_on = min(max(posterior[0], 0.01), 0.99)
        if change < _TOLERANCE:
            break
    return posterior, mean, sigma, partial
