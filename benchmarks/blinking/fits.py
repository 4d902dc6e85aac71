"""How right are the dwell-time fits? Simulated durations with a known law.

Each row has its own seed.

Input: a pool of processes and the number of draws a row. Output: tables.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from blinkpair.blinking.run_lengths import events_to_fit, run_lengths
from blinkpair.dwell_fits.fits import DwellFit, fit_dwell_times

WINDOW_FRAMES = 20_000
EXPOSURE_S = 0.02
SETTINGS: dict[str, Any] = {"exposure_s": EXPOSURE_S, "window_frames": WINDOW_FRAMES}
FRAMES = np.arange(1, WINDOW_FRAMES + 1.0)
Rng = np.random.Generator
Row = dict[str, Any]


# ---- draws -------------------------------------------------------------------------------


def draw_whole_frames(rng: Rng, alpha: float, tau: float, n: int) -> np.ndarray:
    """Durations in whole frames, 1..window, of exactly Eq. 1 (tau infinite) or Eq. 2."""
    cumulative = np.cumsum(FRAMES**-alpha * np.exp(-FRAMES / tau))
    return np.searchsorted(cumulative, rng.random(n) * cumulative[-1]) + 1


def draw_unbounded(rng: Rng, alpha: float, n: int) -> np.ndarray:
    """Durations in whole frames of Eq. 1 without an upper bound (but a billion frames)."""
    inside = (FRAMES**-alpha).sum()
    beyond = (WINDOW_FRAMES + 0.5) ** (1 - alpha) / (alpha - 1)
    tail = (WINDOW_FRAMES + 0.5) * rng.random(n) ** (-1 / (alpha - 1))
    is_tail = rng.random(n) < beyond / (inside + beyond)
    body = draw_whole_frames(rng, alpha, np.inf, n)
    return np.where(is_tail, np.minimum(tail, 1e9), body).astype(np.int64)


def draw_continuous(
    rng: Rng, alpha: float, tau: float, n: int, shortest: float, longest: float = np.inf
) -> np.ndarray:
    """Durations in continuous time, in frames, above a shortest one."""
    out = np.empty(0)
    while len(out) < n:
        t = shortest * rng.random(4 * n + 100) ** (-1.0 / (alpha - 1.0))
        t = t[(rng.random(len(t)) < np.exp(-(t - shortest) / tau)) & (t < longest)]
        out = np.concatenate([out, t])
    return out[:n]


# ---- tables ------------------------------------------------------------------------------


def percent(fits: list[DwellFit], model: str) -> float:
    return 100 * float(np.mean([f.model == model for f in fits]))


def covered(estimate: np.ndarray, error: np.ndarray, truth: float) -> float:
    return 100 * float(np.mean(np.abs(estimate - truth) < 1.96 * error))


def each_row(pool: Executor, row: Callable[..., Row], *columns: list[Any]) -> pd.DataFrame:
    return pd.DataFrame(list(pool.map(row, *columns)))


def pure_row(n: int, alpha: float, draws: int) -> Row:
    rng = np.random.default_rng([1, n, round(10 * alpha)])
    fits = [
        fit_dwell_times(draw_whole_frames(rng, alpha, np.inf, n), **SETTINGS) for _ in range(draws)
    ]
    fits = [f for f in fits if f.model != "not_fitted"]
    a = np.array([f.power_law.alpha for f in fits])
    se = np.array([f.power_law.alpha_se for f in fits])
    return {
        "events": n,
        "alpha": alpha,
        "fitted": len(fits),
        "called truncated %": percent(fits, "truncated_power_law"),
        "by half chi-square alone %": 100
        * np.mean([f.p_value_half_chi_square < 0.05 for f in fits]),
        "undecided %": percent(fits, "undecided"),
        "bias of alpha": a.mean() - alpha,
        "sd of alpha": a.std(),
        "95 % interval holds %": covered(a, se, alpha),
    }


def pure_table(pool: Executor, draws: int) -> pd.DataFrame:
    rows = [(n, a) for n in (50, 100, 200, 500, 2000) for a in (1.2, 1.5, 1.8, 2.0, 2.2)]
    return each_row(pool, pure_row, *map(list, zip(*rows, strict=True)), [draws] * len(rows))


def best_possible(alpha: float, tau: float, n: int, level: float, rng: Rng) -> float:
    """Power in percent of the best test there is, the truth being known.

    Neyman and Pearson's likelihood ratio of the true law against the pure law nearest to it
    (in Kullback and Leibler's sense). No test that holds its level for every pure law can
    recognise more.
    """
    log_t = np.log(FRAMES)
    log_true = -alpha * log_t - FRAMES / tau
    true = np.exp(log_true - log_true.max())
    true /= true.sum()
    wanted = float((true * log_t).sum())

    def mean_log(exponent: float) -> float:
        weight = FRAMES**-exponent
        return float((weight * log_t).sum() / weight.sum()) - wanted

    nearest = brentq(mean_log, 0.2, 8.0)
    pure = FRAMES**-nearest / (FRAMES**-nearest).sum()
    ratio = log_true - log_true.max() - np.log(np.exp(log_true - log_true.max()).sum())
    ratio -= np.log(pure)
    draws = 4000

    def totals(cumulative: np.ndarray) -> np.ndarray:
        u = rng.random((draws, n)) * cumulative[-1]
        return ratio[np.searchsorted(cumulative, u)].sum(axis=1)

    threshold = np.quantile(totals(np.cumsum(pure)), 1 - level)
    return 100 * float(np.mean(totals(np.cumsum(true)) > threshold))


def truncated_row(n: int, alpha: float, tau: float, draws: int) -> Row:
    rng = np.random.default_rng([2, n, round(10 * alpha), round(tau)])
    fits = [
        fit_dwell_times(draw_whole_frames(rng, alpha, tau, n), **SETTINGS) for _ in range(draws)
    ]
    found = [f for f in fits if f.model == "truncated_power_law"]
    a = np.array([f.truncated_power_law.alpha for f in fits])
    se = np.array([f.truncated_power_law.alpha_se for f in fits])
    tau_s = tau * EXPOSURE_S
    inside = np.mean([f.tau_low_s <= tau_s <= f.tau_high_s for f in found])
    return {
        "events": n,
        "alpha": alpha,
        "tau, s": tau_s,
        "recognised %": percent(fits, "truncated_power_law"),
        "best possible %": best_possible(alpha, tau, n, 0.05, rng),
        "undecided %": percent(fits, "undecided"),
        "called power law %": percent(fits, "power_law"),
        "median bias of alpha": np.median(a) - alpha,
        "alpha's 95 % interval holds %": covered(a, se, alpha),
        "tau's 95 % interval holds %": 100 * inside,
    }


def truncated_table(pool: Executor, draws: int) -> pd.DataFrame:
    rows = [
        (n, a, t)
        for n in (200, 500, 2000)
        for a in (1.2, 1.5, 1.8, 2.0)
        for t in (10.0, 25.0, 50.0)
    ]
    return each_row(pool, truncated_row, *map(list, zip(*rows, strict=True)), [draws] * len(rows))


WHOLE_FRAMES = "drawn in whole frames"
CUTS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], float]] = {
    "ceil, from 0.5 frames": (np.ceil, 0.5),
    "ceil, from 1 frame": (np.ceil, 1.0),
    "round, from 0.5 frames": (np.rint, 0.5),
    "round, from 1 frame": (np.rint, 1.0),
    "floor, from 1 frame": (np.floor, 1.0),
    WHOLE_FRAMES: (np.rint, 1.0),
}


def quantised_row(way: str, n: int, alpha: float, draws: int) -> Row:
    rng = np.random.default_rng([3, list(CUTS).index(way), n, round(10 * alpha)])
    cut, shortest = CUTS[way]

    def draw(tau: float) -> np.ndarray:
        if way == WHOLE_FRAMES:
            return draw_whole_frames(rng, alpha, tau, n)
        t = draw_continuous(rng, alpha, tau, n, shortest, WINDOW_FRAMES - 1)
        return np.maximum(cut(t), 1).astype(int)

    row: Row = {"durations cut to frames by": way, "events": n, "alpha": alpha}
    pure, cut_off = [draw(np.inf) for _ in range(draws)], [draw(25.0) for _ in range(draws // 2)]
    fits = {
        short: [fit_dwell_times(d, **SETTINGS, short_events=short) for d in pure]
        for short in ("auto", "trust", "camera")
    }
    for name, short in (("", "auto"), ("shortest trusted: ", "trust")):
        fitted = [f for f in fits[short] if f.model != "not_fitted"]
        row[f"{name}called truncated %"] = percent(fitted, "truncated_power_law")
        row[f"{name}bias of alpha"] = np.mean([f.power_law.alpha for f in fitted]) - alpha
        found = [fit_dwell_times(d, **SETTINGS, short_events=short) for d in cut_off]
        row[f"{name}tau 0.5 s recognised %"] = percent(found, "truncated_power_law")
    for short in ("auto", "camera"):
        right = [f for f in fits[short] if f.model == "power_law"]
        a, se = (np.array([getattr(f, name) for f in right]) for name in ("alpha", "alpha_se"))
        row[f"{short}: standard error of alpha"] = np.median(se) if len(se) else np.nan
        row[f"{short}: alpha's 95 % interval holds %"] = covered(a, se, alpha)
    return row


def quantised_table(pool: Executor, draws: int) -> pd.DataFrame:
    rows = [(way, n, a) for way in CUTS for n in (50, 200, 500) for a in (1.5, 2.0)]
    return each_row(pool, quantised_row, *map(list, zip(*rows, strict=True)), [draws] * len(rows))


def window_row(alpha_on: float, alpha_off: float, draws: int) -> Row:
    rng = np.random.default_rng([4, round(10 * alpha_on), round(10 * alpha_off)])
    flagged, dropped = [], []
    for _ in range(draws):
        on = draw_unbounded(rng, alpha_on, WINDOW_FRAMES)
        off = draw_unbounded(rng, alpha_off, WINDOW_FRAMES)
        lengths = np.minimum(np.stack([on, off], axis=1).ravel(), WINDOW_FRAMES)
        enough = int(np.searchsorted(np.cumsum(lengths), WINDOW_FRAMES)) + 1
        states = np.repeat(np.arange(enough) % 2 == 0, lengths[:enough])[:WINDOW_FRAMES]
        durations, censored = events_to_fit(run_lengths(states), 0)
        if (~censored).sum() < 50:
            continue
        flagged.append(fit_dwell_times(durations, censored=censored, **SETTINGS))
        dropped.append(fit_dwell_times(durations[~censored], **SETTINGS))
    row: Row = {"alpha on": alpha_on, "alpha off": alpha_off, "traces with 50 events": len(flagged)}
    row["median events"] = float(np.median([f.n_events for f in flagged])) if flagged else np.nan
    for way, fits in (("last event flagged", flagged), ("last event dropped", dropped)):
        row[f"{way}: called truncated %"] = percent(fits, "truncated_power_law")
        row[f"{way}: bias of alpha"] = np.mean([f.power_law.alpha for f in fits]) - alpha_on
    return row


def window_table(pool: Executor, draws: int) -> pd.DataFrame:
    rows = [(1.4, 2.0), (1.5, 1.5), (1.5, 2.0), (1.8, 1.5), (2.0, 1.6)]
    return each_row(pool, window_row, *map(list, zip(*rows, strict=True)), [draws] * len(rows))


def time_table() -> pd.DataFrame:
    rows = []
    for n in (50, 200, 2000):
        for tau in (np.inf, 25.0):
            rng = np.random.default_rng([5, n])
            d = draw_whole_frames(rng, 1.5, tau, n)
            fit_dwell_times(d, **SETTINGS)
            each = []
            for _ in range(50):
                start = time.perf_counter()
                fit_dwell_times(d, **SETTINGS)
                each.append(time.perf_counter() - start)
            rows.append(
                {
                    "events": n,
                    "tau, s": f"{tau * EXPOSURE_S:g}",
                    "median, ms": 1e3 * np.median(each),
                    "slowest of 50, ms": 1e3 * max(each),
                }
            )
    return pd.DataFrame(rows)
