"""Whether lost frames explain time stamps better than a straight line does.

Frames are exposed at whole multiples of one time, also where some of them were lost. So a time per
frame is right if the stamps lie near such multiples, which a line that takes lost frames for noise
does not make use of.

Input: time stamps of frames, and a line through them. Output: by how much another
time that is as likely differs.
"""

from __future__ import annotations

import numpy as np

from blinkpair.arrays import FloatArray, IntArray

# Stamps that are compared, because the work grows with the square of their number.
_STRETCH = 256
# Times that are tried, relative to the line's, in steps by which the last stamp moves so far.
_SHORTEST, _LONGEST, _STEP = 0.6, 1.3, 0.15
# A difference of the criterion below this is no evidence (Kass and Raftery, 1995).
_NO_EVIDENCE = 2.0
_FINEST_S2 = 1e-12


def difference_of_another(
    frame: IntArray, times: FloatArray, slope: float, scatter: float, jumps: int, within: float
) -> float:
    """Return by which share another time differs whose multiples fit as well as the line; or 0.

    Both are compared by the Bayesian information criterion (Schwarz, 1978), with a parameter for
    each place where frames were lost.

    Parameters
    ----------
    frame, times : (stamps,) arrays
        Number and seconds of each.
    slope, scatter : float
        Of the line: seconds a frame, and standard deviation of a stamp about it.
    jumps : int
        Of the line.
    within : float
        Times that differ from the line's by less than this share are not another.
    """
    n = min(times.size, _STRETCH)
    frames, since = frame[:n] - frame[0], times[:n] - times[0]
    rates = np.exp(np.arange(np.log(_SHORTEST), np.log(_LONGEST), _STEP / frames[-1]))
    other = slope * rates[np.abs(rates - 1) > within]
    ahead = since / other[:, None] - frames
    offset = np.angle(np.exp(2j * np.pi * ahead).mean(axis=1, keepdims=True)) / (2 * np.pi)
    lost = np.rint(ahead - offset)
    variance = (ahead - lost).var(axis=1) * other**2
    steps = np.diff(lost, axis=1)
    criterion = _criterion(n, variance, (steps != 0).sum(axis=1))
    criterion[(steps < 0).any(axis=1)] = np.inf  # no frame is found again
    own = _criterion(n, np.array(scatter**2 * (n - jumps - 2) / n), np.array(jumps))
    best = int(criterion.argmin())
    return float(abs(other[best] / slope - 1)) if criterion[best] < own + _NO_EVIDENCE else 0.0


def _criterion(n: int, variance: FloatArray, jumps: IntArray) -> FloatArray:
    return n * np.log(variance + _FINEST_S2) + np.log(n) * (jumps + 2)
