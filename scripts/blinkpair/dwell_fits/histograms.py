"""Histograms of dwell times for log-log axes.

Input: durations in whole frames. Output: probability densities in logarithmic bins of whole
frames, with their counting error, for figures; no fit uses them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import gammaincinv, ndtr

from blinkpair.arrays import FloatArray, IntArray

_BINS_PER_DECADE = 8  # where whole frames allow as many


def bin_edges(longest_frames: int) -> IntArray:
    """Return edges of logarithmic bins of whole frames, to the first beyond the longest event.

    Parameters
    ----------
    longest_frames : int
        Duration of the longest event; 0 where there is none.

    Returns
    -------
    (bins + 1,) int array
        From 1; a bin holds the durations from its edge to one frame below the next.
    """
    if longest_frames < 1:
        return np.array([1], dtype=np.int64)
    n_edges = int(np.ceil(np.log10(longest_frames + 1.0) * _BINS_PER_DECADE)) + 2
    ladder = np.rint(10.0 ** (np.arange(n_edges) / _BINS_PER_DECADE)).astype(np.int64)
    ladder = np.unique(ladder)
    return ladder[: int(np.searchsorted(ladder, longest_frames, side="right")) + 1]


def log_binned_density(
    durations_frames: ArrayLike, n_events: ArrayLike | None = None, *, exposure_s: float
) -> pd.DataFrame:
    """Return the probability density P(t) of event durations in logarithmic bins of whole frames.

    A bin holds the durations first_frame..last_frame, both included, and its width is the
    number of whole frames in it: bins that would hold no whole frame do not exist, so that the
    short end has one bin a frame. Empty bins up to the longest event are kept, with density 0.

    Parameters
    ----------
    durations_frames : (n,) array
        Durations in whole frames.
    n_events : (n,) array of int, optional
        How many events had each of them; one each without it.
    exposure_s : float
        Time a frame, s.

    Returns
    -------
    DataFrame
        `first_frame, last_frame, n_events, duration_s` (geometric mean of the bin's two
        ends), `density_per_s` (n_events / all events / bin width), and `density_low_per_s`,
        `density_high_per_s`: 68 % limits from counting n_events (Garwood).
    """
    durations = np.asarray(durations_frames, dtype=np.int64)
    each = np.ones(durations.shape, int) if n_events is None else np.asarray(n_events, np.int64)
    longest = int(durations[each > 0].max(initial=0))
    edges = bin_edges(longest)
    counts = np.array([], dtype=int)
    if len(edges) > 1:
        counts = np.histogram(durations, bins=edges, weights=each)[0]
    # np.histogram closes the last bin on the right; the next edge is beyond `longest`, so no
    # event can sit on it.
    first, last = edges[:-1], edges[1:] - 1
    per_event = 1.0 / (max(int(each.sum()), 1) * (last - first + 1) * exposure_s)
    low, high = count_limits(counts)
    return pd.DataFrame(
        {
            "first_frame": first,
            "last_frame": last,
            "n_events": counts,
            "duration_s": np.sqrt(first.astype(float) * last) * exposure_s,
            "density_per_s": counts * per_event,
            "density_low_per_s": low * per_event,
            "density_high_per_s": high * per_event,
        }
    )


def count_limits(counts: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return 68 % limits of counted events (F. Garwood, Biometrika 28, 437, 1936)."""
    low = gammaincinv(np.maximum(counts, 1), ndtr(-1.0))
    return np.where(counts > 0, low, 0.0), np.asarray(gammaincinv(counts + 1, ndtr(1.0)))
