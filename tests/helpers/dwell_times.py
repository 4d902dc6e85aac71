"""Durations drawn from known laws of dwell times."""

import numpy as np

WINDOW = 20_000
SETTINGS = {"exposure_s": 0.02, "window_frames": WINDOW}


def draw(rng, alpha, n, tau=np.inf, window=WINDOW):
    """Durations in whole frames of exactly Eq. 1 (tau infinite) or Eq. 2."""
    t = np.arange(1, window + 1.0)
    cumulative = np.cumsum(t**-alpha * np.exp(-t / tau))
    return np.searchsorted(cumulative, rng.random(n) * cumulative[-1]) + 1


def draw_continuous(rng, alpha, n, shortest):
    """Durations of Eq. 1 in continuous time, in frames."""
    t = shortest * rng.random(4 * n) ** (-1 / (alpha - 1))
    return t[t < WINDOW - 1][:n]


def draw_unbounded(rng, alpha, n, body=2000):
    """Durations in whole frames of Eq. 1 without an upper bound (but a billion frames)."""
    t = np.arange(1, body + 1.0)
    cumulative = np.cumsum(t**-alpha)
    tail = (body + 0.5) ** (1 - alpha) / (alpha - 1)
    u = rng.random(n) * (cumulative[-1] + tail)
    out = np.searchsorted(cumulative, u) + 1.0
    beyond = u > cumulative[-1]
    share = (u[beyond] - cumulative[-1]) / tail
    out[beyond] = (body + 0.5) * (1 - share) ** (-1 / (alpha - 1))
    return np.minimum(out, 1e9).astype(np.int64)
