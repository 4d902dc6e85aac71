"""Blinking of one simulated nanocrystal, finer than the camera's frames.

The switching happens in continuous time, so that frames cut through events as on a real camera.

Input: a power law for the on-times and one for the off-times, a wanted on-fraction. Output: for
every frame the fraction of the exposure in which the nanocrystal was on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray

MOST_ON = 0.97  # where an on-fraction that falls may start
MOST_OFF = 20  # longest off-time in lengths of the movie: longer ones change nothing but the start


@dataclass(frozen=True)
class DwellLaw:
    """Probability density of a dwell time, t^-alpha exp(-t / tau) between two bounds.

    Attributes
    ----------
    alpha : float
        Exponent of Eq. 1 and Eq. 2 of the paper, above 1.
    t_min_s, t_max_s : float
        Shortest and longest dwell time.
    tau_s : float or None
        Truncation time of Eq. 2; None is the pure power law of Eq. 1.
    """

    alpha: float = 1.5
    t_min_s: float = 0.005
    t_max_s: float = 100.0
    tau_s: float | None = None

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Draw n dwell times in seconds: inverse CDF, then rejection for the exponential."""
        accepted: list[FloatArray] = []
        missing = n
        while missing > 0:
            u = rng.random(2 * missing + 16)
            a = 1.0 - self.alpha
            low, high = self.t_min_s**a, self.t_max_s**a
            t = (low + u * (high - low)) ** (1.0 / a)
            if self.tau_s is not None:
                t = t[rng.random(t.size) < np.exp(-(t - self.t_min_s) / self.tau_s)]
            accepted.append(t[:missing])
            missing -= accepted[-1].size
        return np.concatenate(accepted)

    def mean_s(self) -> float:
        """Return the mean dwell time in s; in closed form without truncation, else on a grid."""
        if self.tau_s is None and self.alpha not in (1.0, 2.0):
            first, zeroth = 2.0 - self.alpha, 1.0 - self.alpha
            moment = (self.t_max_s**first - self.t_min_s**first) / first
            return moment * zeroth / (self.t_max_s**zeroth - self.t_min_s**zeroth)
        t = np.geomspace(self.t_min_s, self.t_max_s, 1001)
        p = t**-self.alpha
        if self.tau_s is not None:
            p *= np.exp(-t / self.tau_s)
        return float(np.trapezoid(t * p, t) / np.trapezoid(p, t))


def on_time_per_frame(
    rng: np.random.Generator,
    on: DwellLaw,
    off: DwellLaw,
    *,
    frames: int,
    exposure_s: float,
    off_stretch: FloatArray | None = None,
) -> NDArray[np.float32]:
    """Draw one trajectory of an alternating renewal process.

    Parameters
    ----------
    rng : numpy.random.Generator
    on, off : DwellLaw
    frames : int
    exposure_s : float
        Frame interval; the camera has no dead time.
    off_stretch : (frames,) float, optional
        Factor on the off-times that begin in a frame; before the first one that of the first.

    Returns
    -------
    (frames,) float32
        Fraction of each frame's exposure spent on, 0 to 1.
    """
    duration_s = frames * exposure_s
    mean_cycle_s = on.mean_s() + off.mean_s()
    # The process runs before the window opens, so that the first event of the trace is cut off
    # as in a measurement.
    warm_up_s = rng.random() * max(off.t_max_s, on.t_max_s)
    starts_on = rng.random() < on.mean_s() / mean_cycle_s
    durations: list[FloatArray] = []
    total_s = 0.0
    # What is stretched begins when the ones before it have ended: a few events at a time.
    most = 64 if off_stretch is not None else np.iinfo(np.int64).max
    while total_s < warm_up_s + duration_s:
        n = min(most, int(1.2 * (warm_up_s + duration_s - total_s) / mean_cycle_s) + 8)
        cycle = np.empty(2 * n)
        cycle[0::2] = on.draw(rng, n) if starts_on else off.draw(rng, n)
        cycle[1::2] = off.draw(rng, n) if starts_on else on.draw(rng, n)
        if off_stretch is not None:
            _stretch(cycle[int(starts_on) :: 2], cycle[int(not starts_on) :: 2], starts_on,
                     (total_s - warm_up_s) / exposure_s, exposure_s, off_stretch)  # fmt: skip
        durations.append(cycle)
        total_s += float(cycle.sum())
    dwell = np.concatenate(durations)
    edges = np.concatenate([[0.0], np.cumsum(dwell)])
    is_on = np.zeros(dwell.size)
    is_on[0 if starts_on else 1 :: 2] = 1.0
    on_time = np.concatenate([[0.0], np.cumsum(dwell * is_on)])
    frame_edges = warm_up_s + exposure_s * np.arange(frames + 1)
    return (np.diff(np.interp(frame_edges, edges, on_time)) / exposure_s).astype(np.float32)


def _stretch(
    off_s: FloatArray,
    on_s: FloatArray,
    starts_on: bool,
    first_frame: float,
    exposure_s: float,
    off_stretch: FloatArray,
) -> None:
    """Stretch alternating off-times in place, each by the factor of the frame it begins in."""
    frame, last = first_frame, len(off_stretch) - 1
    for k in range(len(off_s)):
        if starts_on:
            frame += on_s[k] / exposure_s
        off_s[k] *= off_stretch[min(max(int(frame), 0), last)]
        frame += off_s[k] / exposure_s
        if not starts_on:
            frame += on_s[k] / exposure_s


def trajectory_with_on_fraction(
    rng: np.random.Generator,
    on_fraction: float,
    on: DwellLaw,
    *,
    frames: int,
    exposure_s: float,
    alpha_off: float = 1.5,
    draws: int = 24,
    tolerance: float = 0.02,
    fading: float = 0.0,
    off_t_min_s: float | None = None,
) -> NDArray[np.float32]:
    """Draw a trajectory whose on-fraction comes close to a wanted one.

    Power-law dwell times give every finite trace its own on-fraction. The off-times are scaled so
    that the expected on-fraction is the wanted one, and the closest of up to `draws` trajectories
    is kept; the first within `tolerance` ends the search. With `fading` off events become longer:
    the expected on-fraction falls in a straight line by this share of its start, as far as the
    start can be below 0.97. With `off_t_min_s` the shortest off-time is this one, and the longest
    follows from the on-fraction; else both are scaled.

    Returns
    -------
    (frames,) float32
        Fraction of each frame's exposure spent on.
    """
    if on_fraction <= 0.0:
        return np.zeros(frames, np.float32)
    if on_fraction >= 1.0:
        return np.ones(frames, np.float32)
    reference = DwellLaw(alpha_off, 1.0, on.t_max_s / on.t_min_s)
    scale_s = on.mean_s() * (1.0 - on_fraction) / on_fraction / reference.mean_s()
    off = DwellLaw(alpha_off, scale_s, scale_s * reference.t_max_s)
    if off_t_min_s is not None:
        mean_s = on.mean_s() * (1.0 - on_fraction) / on_fraction
        # Of t^-1.5 between two bounds the mean is the root of their product.
        shortest_s = min(off_t_min_s, mean_s / 2)
        longest_s = min(mean_s**2 / shortest_s, MOST_OFF * frames * exposure_s)
        off = DwellLaw(1.5, shortest_s, max(longest_s, 2 * shortest_s))
    stretch = None
    if fading > 0:
        fall = fading_share(on_fraction, fading)
        expected = on_fraction / (1 - fall / 2) * (1 - fall * np.linspace(0, 1, frames))
        stretch = (1 - expected) / expected * on_fraction / (1 - on_fraction)
    best = np.zeros(frames, np.float32)
    for _ in range(draws):
        trace = on_time_per_frame(
            rng, on, off, frames=frames, exposure_s=exposure_s, off_stretch=stretch
        )
        if abs(trace.mean() - on_fraction) < abs(best.mean() - on_fraction):
            best = trace
        if abs(best.mean() - on_fraction) <= tolerance:
            break
    return best


def alpha_with_mean(mean_s: float, law: DwellLaw, bounds: tuple[float, float]) -> float:
    """Return the exponent at which a law of these bounds has this mean, within `bounds`."""
    low, high = bounds
    for _ in range(40):  # the mean falls with the exponent
        middle = (low + high) / 2
        longer = DwellLaw(middle, law.t_min_s, law.t_max_s, law.tau_s).mean_s() > mean_s
        low, high = (middle, high) if longer else (low, middle)
    return (low + high) / 2


def fading_share(on_fraction: float, fading: float) -> float:
    """Return by which share of its start an on-fraction of this mean can fall, at most `fading`.

    A straight line of mean m that falls by the share f starts at m / (1 - f / 2), at most 0.97.
    """
    return float(np.clip(2 * (1 - on_fraction / MOST_ON), 0.0, fading))
