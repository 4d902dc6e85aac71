"""On levels that no frame need show: on lasts less than a frame, or hardly longer.

Where on lasts for several frames, most of these were lit throughout, and their counts are the on
level. So are those of frames between two others that are lit, where their counts scatter as the
camera alone makes them. Where the noise hides that, neighbouring frames are still alike if on
lasts. Where none of this is so, all frames may have been lit in part: the level that is found is a
mean of parts, too low, and the time on too long. The counts alone do not show it, as times on of
half a frame each make a level, too. What is known then are the light, and the on levels of the
field's other nanocrystals: the time on is the light over a level that is drawn from these, and not
below the one that was found.

Input: levels and chains of a field. Output: by how much the time on of a trace is shorter than its
own level makes it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.blinking.states import chain, emissions
from blinkpair.blinking.states.levels import Trace

_LONG_ON = 4  # the state
_LASTING_STAY = 0.83  # a frame: on for six frames
_LASTING_FRAMES = 10.0
_ENCLOSED_FRAMES = 10  # lit, between two others that are
_ENCLOSED_SHARE = 0.5  # of the frames on
_ENCLOSED_SPREAD = 0.2**2  # variance beyond the camera's, in squares of the step
_CAMERA_SPREAD = 0.25**2  # with more noise, parts of frames would not stand out of it
# Differences of neighbouring frames against those of frames three apart, mean squares less noise:
# events of 0.5 frames give 0.9 and more, of one 0.75, of 1.6 one half, of three 0.27.
_APART, _LASTING_DIFFERENCES = 3, 0.5
_QUARTILES_APART = 1.349  # of a normal variable, in its standard deviations
_FEW = 5  # levels: with fewer their spread is not known
_LEAST_SPREAD, _NOTHING_KNOWN = 0.25, 1.0  # of the logarithm of the field's levels
_MOST_BELOW = np.log(4.0)  # means of parts lie below the level by factors up to this, evenly
# Variance of the on counts beyond the camera's, in squares of the step: a level fluctuates by that
# of a tenth, parts of frames spread evenly by up to twice 1/12.
_OF_LEVEL, _OF_PARTS = 0.1**2, 2.0 / 12.0
_RATIOS = np.linspace(0.0, _MOST_BELOW, 40)  # logarithms of level over the one that was found


def is_lasting(result: chain.Chain) -> bool:
    """Return whether on lasts for several frames, so that some were lit throughout."""
    frames = result.share[_LONG_ON] * len(result.lit)
    stay = result.transition[_LONG_ON, _LONG_ON]
    return bool(stay >= _LASTING_STAY and frames >= _LASTING_FRAMES)


def shows_level(trace: Trace, result: chain.Chain) -> bool:
    """Return whether frames between two others that are lit hold one level."""
    lit = result.probability[:, emissions.OFF] < 0.5
    enclosed = lit[1:-1] & lit[:-2] & lit[2:]
    frames_on = (result.probability[:, emissions.ON] > 0.5).sum()
    if enclosed.sum() < max(_ENCLOSED_FRAMES, _ENCLOSED_SHARE * frames_on):
        return False
    low, high = np.percentile(trace.x[1:-1][enclosed], (25, 75))
    camera = _camera_variance(trace, result)
    variance = ((high - low) / _QUARTILES_APART / _span(result)) ** 2
    return bool(camera < _CAMERA_SPREAD and variance - camera < _ENCLOSED_SPREAD)


def outlasts_frames(trace: Trace, result: chain.Chain) -> bool:
    """Return whether neighbouring frames are alike, as only those of longer events are.

    Events shorter than a frame light one frame, or parts of two: frames next to each other differ
    nearly as much as those farther apart. Slow changes, of the level or of how often events occur,
    add to neither difference. No frame need stand out of the noise.
    """
    noise, signal = trace.course.factors[trace.course.part].T
    noise_variance = result.levels[emissions.OFF_NOISE] ** 2 * float((noise**2).mean())
    light = (trace.x - result.levels[emissions.OFF_LEVEL]) * signal
    camera = noise_variance + trace.excess * max(float(light.mean()), 0.0)
    near, far = (_difference_variance(trace.x, lag) for lag in (1, _APART))
    # Standard error of near - far / 2: that of the mean squares, and that of the camera's noise.
    error = np.hypot(
        near * np.sqrt(3.0 / len(trace.x)),
        2.0 * (1.0 - _LASTING_DIFFERENCES) * trace.off.noise_se * noise_variance,
    )
    return bool(near - camera + error < _LASTING_DIFFERENCES * (far - camera))


def _difference_variance(x: FloatArray, lag: int) -> float:
    """Return half the mean square of the differences of frames so many apart, counts^2."""
    return 0.5 * float(((x[lag:] - x[:-lag]) ** 2).mean()) if len(x) > lag else 0.0


def shares_of_found(found: Sequence[tuple[Trace, chain.Chain]]) -> FloatArray:
    """Return mean and mean square of the time on over that by the own level, (n, 2).

    One where on lasts.
    """
    shares = np.ones((len(found), 2))
    logs = np.log([_span(one) for _, one in found])
    lasting = np.array(
        [
            is_lasting(one) or shows_level(trace, one) or outlasts_frames(trace, one)
            for trace, one in found
        ],
        bool,
    )
    known = logs[lasting]
    middle, spread = np.median(logs) if len(logs) else 0.0, _NOTHING_KNOWN
    if len(known) >= _FEW:
        middle, spread = np.median(known), max(float(known.std()), _LEAST_SPREAD)
    for i, one in enumerate(found):
        if lasting[i]:
            continue
        likely = _density((logs[i] + _RATIOS - middle) / spread)
        weight = likely * np.gradient(_RATIOS) / _MOST_BELOW
        seen = likely[0] * _spread_of_level(*one) * _OF_PARTS
        for power in (1, 2):
            whole = seen + weight @ np.exp(-power * _RATIOS)
            shares[i, power - 1] = whole / (seen + weight.sum())
    return shares


def _density(z: FloatArray) -> FloatArray:
    """Return the density of Student's t of 3 degrees: some levels of a field lie far out."""
    return np.asarray((1.0 + z**2 / 3.0) ** -2)


def _spread_of_level(trace: Trace, result: chain.Chain) -> float:
    """Return the probability density of the spread of the on counts, were they those of a level."""
    camera = _camera_variance(trace, result)
    added = max((result.levels[emissions.ON_SIGMA] / _span(result)) ** 2 - camera, 0.0)
    frames = result.probability[:, emissions.ON].sum()
    usual = _OF_LEVEL + camera * np.sqrt(2.0 / max(frames, 1.0))
    return float(np.exp(-added / usual) / usual)


def _camera_variance(trace: Trace, result: chain.Chain) -> float:
    """Return the variance that the camera gives the on counts, in squares of the step."""
    span = _span(result)
    return float(result.levels[emissions.OFF_NOISE] ** 2 + trace.excess * span) / span**2


def _span(result: chain.Chain) -> float:
    """Return the on level above off."""
    return float(result.levels[emissions.ON_LEVEL] - result.levels[emissions.OFF_LEVEL])
