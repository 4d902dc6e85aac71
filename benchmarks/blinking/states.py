"""What a state assignment does to on-fraction, dwell times and types, on simulated traces.

The truth is the state of each frame that a camera without noise would record: on for more than half
of the frame.

Input: a pool of processes and the number of traces a row. Output: a table.
"""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.blinking.fits import (
    EXPOSURE_S,
    SETTINGS,
    WINDOW_FRAMES,
    Rng,
    draw_continuous,
    draw_whole_frames,
    percent,
)
from blinkpair.blinking.off_levels import estimate_off_levels, expected_false_events
from blinkpair.blinking.run_lengths import events_to_fit, run_lengths
from blinkpair.blinking.states.registry import METHODS, assign_states
from blinkpair.blinking.states.settings import ThresholdSettings
from blinkpair.dwell_fits.fits import DwellFit, fit_dwell_times
from blinkpair.photometry.apertures import EMPTY_FRAMES

SKEWNESS = 0.3  # of the background's noise, after electron multiplication


def lit_whole_frames(rng: Rng, alpha_on: float, tau_on: float, alpha_off: float) -> np.ndarray:
    """A nanocrystal that switches between frames only."""
    on = draw_whole_frames(rng, alpha_on, tau_on, WINDOW_FRAMES // 2)
    off = draw_whole_frames(rng, alpha_off, np.inf, WINDOW_FRAMES // 2)
    lengths = np.stack([on, off], axis=1).ravel()
    enough = int(np.searchsorted(np.cumsum(lengths), WINDOW_FRAMES)) + 1
    return np.repeat(np.arange(enough) % 2 == 0, lengths[:enough])[:WINDOW_FRAMES].astype(float)


def lit_continuous(rng: Rng, alpha_on: float, tau_on: float, alpha_off: float) -> np.ndarray:
    """Share of each frame that a nanocrystal is on: continuous time, events from half a frame."""
    n = 2 * WINDOW_FRAMES
    on = draw_continuous(rng, alpha_on, tau_on, n, 0.5)
    off = draw_continuous(rng, alpha_off, np.inf, n, 0.5)
    pair = [on, off] if rng.random() < 0.5 else [off, on]
    switches = np.concatenate([[0.0], np.cumsum(np.stack(pair, axis=1).ravel())])
    is_on = (np.arange(2 * n) % 2 == 0) == (pair[0] is on)
    lit = np.concatenate([[0.0], np.cumsum(np.diff(switches) * is_on)])
    return np.diff(np.interp(np.arange(WINDOW_FRAMES + 1.0), switches, lit))


SWITCHING = {"between frames": lit_whole_frames, "any time": lit_continuous}


def counts_of(rng: Rng, lit: np.ndarray, on: float, noise: float) -> np.ndarray:
    """Counts: gamma-skewed background noise, and twice the shot noise of the signal (EM gain)."""
    shape = 4.0 / SKEWNESS**2
    background = (rng.gamma(shape, size=lit.shape) - shape) / np.sqrt(shape) * noise
    signal = on * lit + rng.normal(size=lit.shape) * np.sqrt(2.0 * on * lit)
    return (signal + background).astype(np.float32)


def fits_of(states: np.ndarray) -> list[DwellFit]:
    events = run_lengths(states)
    pairs = (events_to_fit(events, k) for k in range(len(states)))
    return [fit_dwell_times(d, censored=c, **SETTINGS, min_events=50) for d, c in pairs]


def alphas(fit: DwellFit, truth: DwellFit) -> tuple[float, float]:
    """Alpha of both fits under the law of the truth's verdict."""
    if truth.model == "truncated_power_law":
        return fit.truncated_power_law.alpha, truth.truncated_power_law.alpha
    return fit.power_law.alpha, truth.power_law.alpha


def states_rows(
    switching: str, alpha_on: float, tau: float, alpha_off: float, on: float, noise: float, n: int
) -> list[dict[str, Any]]:
    key = [7, len(switching), round(10 * alpha_on), round(10 * alpha_off), round(on), round(noise)]
    rng = np.random.default_rng([*key, 0 if np.isinf(tau) else round(tau)])
    lit = np.stack([SWITCHING[switching](rng, alpha_on, tau, alpha_off) for _ in range(n)])
    traces = counts_of(rng, lit, on, noise)
    off = estimate_off_levels(counts_of(rng, np.zeros((n, EMPTY_FRAMES)), 0.0, noise))
    true = fits_of(lit > 0.5)
    rows = []
    for method in METHODS:
        assigned = assign_states(traces, ThresholdSettings(method), off)
        false_events = expected_false_events(
            off.noise_counts,
            assigned.thresholds_counts,
            WINDOW_FRAMES,
            off_level_counts=off.level_counts,
            off_fraction=1.0 - assigned.states.mean(axis=1),
            skewness=off.skewness,
        )
        pairs = [
            (f, t)
            for f, t in zip(fits_of(assigned.states), true, strict=True)
            if "not_fitted" not in (f.model, t.model)
        ]
        a = np.array([alphas(f, t) for f, t in pairs]).reshape(-1, 2)
        error = a[:, 0] - a[:, 1]
        found, truth = [f for f, _ in pairs], [t for _, t in pairs]
        tau_s = tau * EXPOSURE_S
        rows.append(
            {
                "switches": switching,
                "alpha on, tau (s), alpha off": f"{alpha_on}, {tau_s:g}, {alpha_off}",
                "counts on, noise": f"{on:g}, {noise:g}",
                "states by": method,
                "traces": len(pairs),
                "on-fraction, points": 100 * (assigned.states.mean() - lit.mean()),
                "events": np.median([f.n_events for f in found]) if found else np.nan,
                "true events": np.median([f.n_events for f in truth]) if found else np.nan,
                "expected false": np.median(false_events),
                "alpha: mean error": error.mean() if len(error) else np.nan,
                "alpha: RMS error": np.sqrt(np.mean(error**2)) if len(error) else np.nan,
                "alpha: median size of error": np.median(np.abs(error)) if len(error) else np.nan,
                "truncated %": percent(found, "truncated_power_law"),
                "truncated by the true states %": percent(truth, "truncated_power_law"),
                "same type %": 100 * np.mean([f.model == t.model for f, t in pairs])
                if found
                else np.nan,
            }
        )
    return rows


CASES = [  # alpha on, tau on (frames), alpha off, counts when on, noise
    (1.5, np.inf, 1.6, 500, 40),
    (1.8, np.inf, 1.6, 500, 40),
    (1.5, np.inf, 2.0, 500, 40),
    (1.5, 25.0, 1.6, 500, 40),
    (1.8, 25.0, 1.6, 500, 40),
    (1.5, np.inf, 1.6, 250, 40),
]


def states_table(pool: Executor, traces: int) -> pd.DataFrame:
    cases = [(switching, *case) for switching in SWITCHING for case in CASES]
    columns = map(list, zip(*cases, strict=True))
    parts = pool.map(states_rows, *columns, [traces] * len(cases))
    return pd.DataFrame([row for part in parts for row in part])


def weak_rows(ratio: float, n: int) -> list[dict[str, Any]]:
    """A field of blinkers whose on levels scatter by 30 % about `ratio` noises; none is dark."""
    rng = np.random.default_rng([9, round(10 * ratio)])
    lit = np.empty((0, WINDOW_FRAMES))
    while len(lit) < n:
        more = np.stack([lit_continuous(rng, 1.5, np.inf, 1.5) for _ in range(n)])
        share = more.mean(axis=1)
        lit = np.vstack([lit, more[(share > 0.2) & (share < 0.9)]])[:n]
    noise = 40.0
    on = ratio * noise * np.exp(0.3 * rng.normal(size=(n, 1)))
    spread = np.sqrt(noise**2 + 2 * on * lit)
    traces = (on * lit + spread * rng.normal(size=lit.shape)).astype(np.float32)
    rows = []
    empty = noise * rng.normal(size=(n, EMPTY_FRAMES))
    off = estimate_off_levels(empty.astype(np.float32))
    for method in METHODS:
        found = assign_states(traces, ThresholdSettings(method), off).states.mean(axis=1)
        rows.append(
            {
                "mean on level, noises": ratio,
                "states by": method,
                "nanocrystals": n,
                "called dark": int((found < 0.1).sum()),
                "on-fraction, mean": found.mean(),
                "true": lit.mean(),
            }
        )
    return rows


def weak_table(pool: Executor, n: int) -> pd.DataFrame:
    ratios = [3.0, 4.0, 5.0, 7.0, 10.0]
    parts = pool.map(weak_rows, ratios, [n] * len(ratios))
    return pd.DataFrame([row for part in parts for row in part])
