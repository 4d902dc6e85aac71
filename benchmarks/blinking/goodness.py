"""Size and power of the test of fit, and what makes it reject both laws in practice.

Input: a pool of processes and the number of draws a row. Output: tables.
"""

from __future__ import annotations

from concurrent.futures import Executor

import numpy as np
import pandas as pd

from benchmarks.blinking.fits import (
    SETTINGS,
    WINDOW_FRAMES,
    Rng,
    Row,
    draw_continuous,
    draw_unbounded,
    draw_whole_frames,
    each_row,
    percent,
)
from blinkpair.blinking.run_lengths import events_to_fit, run_lengths
from blinkpair.dwell_fits.events import count_events
from blinkpair.dwell_fits.fits import fit_dwell_times
from blinkpair.dwell_fits.short_events import Treatments

SIGNIFICANCE = 0.05
LAWS = [(1.2, np.inf), (1.5, np.inf), (1.8, np.inf), (2.2, np.inf)]
LAWS += [(1.2, 10.0), (1.5, 25.0), (1.8, 50.0), (0.5, 100.0)]


def size_row(n: int, draws: int) -> Row:
    """Draw each law in turn: one row of events, a column a law."""
    row: Row = {"events": n}
    for alpha, tau in LAWS:
        rng = np.random.default_rng([6, n, round(10 * alpha)])
        p = [_p_value(draw_whole_frames(rng, alpha, tau, n)) for _ in range(draws)]
        law = f"α {alpha:g}" + (f", τ {0.02 * tau:g} s" if np.isfinite(tau) else "")
        row[law] = 100 * float(np.mean(np.array(p) < SIGNIFICANCE))
    return row


def _p_value(durations: np.ndarray) -> float:
    """Return the p value of the test of fit, without the verdict between the two laws."""
    events = count_events(durations, None, WINDOW_FRAMES)
    return Treatments.of(events, WINDOW_FRAMES, relax=True).p_value_fit()


def size_table(pool: Executor, draws: int) -> pd.DataFrame:
    """Return how often the test rejects either law where it is right, in percent."""
    events = [50, 100, 200, 500, 2000]
    return each_row(pool, size_row, events, [draws] * len(events))


def power_row(name: str, n: int, draws: int) -> Row:
    rng = np.random.default_rng([7, list(OTHERS).index(name), n])
    p = [_p_value(np.ceil(OTHERS[name](rng, n)).clip(1, WINDOW_FRAMES)) for _ in range(draws)]
    share = 100 * float(np.mean(np.array(p) < SIGNIFICANCE))
    return {"durations": name, "events": n, "neither %": share}


def _two(rng: Rng, n: int, fast: float) -> np.ndarray:
    return rng.exponential(np.where(rng.random(n) < 0.5, fast, 10 * fast))


def _two_power_laws(rng: Rng, n: int) -> np.ndarray:
    both = [draw_whole_frames(rng, alpha, np.inf, n) for alpha in (1.3, 2.6)]
    return np.where(rng.random(n) < 0.5, *both)


OTHERS = {
    "exponentials of 0.05 and 0.5 s, half each": lambda rng, n: _two(rng, n, 2.5),
    "exponentials of 0.1 and 1 s, half each": lambda rng, n: _two(rng, n, 5.0),
    "exponentials of 0.5 and 5 s, half each": lambda rng, n: _two(rng, n, 25.0),
    "power laws of 1.3 and 2.6, half each": _two_power_laws,
    "lognormal, median 0.2 s, σ 1": lambda rng, n: rng.lognormal(np.log(10.0), 1.0, n),
    "power law of 1.5, a fifth of the events near 0.4 s": lambda rng, n: np.where(
        rng.random(n) < 0.2, rng.normal(20.0, 2.0, n), draw_whole_frames(rng, 1.5, np.inf, n)
    ),
}


def power_table(pool: Executor, draws: int) -> pd.DataFrame:
    """Return how often the test rejects both laws where neither is right, in percent."""
    rows = [(name, n) for name in OTHERS for n in (100, 200, 500)]
    return each_row(pool, power_row, *map(list, zip(*rows, strict=True)), [draws] * len(rows))


def _frames(rng: Rng) -> np.ndarray:
    """States in whole frames: power laws of 1.5 on and off."""
    on, off = (draw_unbounded(rng, 1.5, WINDOW_FRAMES) for _ in range(2))
    lengths = np.minimum(np.stack([on, off], axis=1).ravel(), WINDOW_FRAMES)
    enough = int(np.searchsorted(np.cumsum(lengths), WINDOW_FRAMES)) + 1
    return np.repeat(np.arange(enough) % 2 == 0, lengths[:enough])[:WINDOW_FRAMES]


def _noisy(rng: Rng, share: float) -> np.ndarray:
    """The same with false frames: the given share of all, of either state."""
    return _frames(rng) ^ (rng.random(WINDOW_FRAMES) < share)


def _merged(rng: Rng, shortest: float) -> np.ndarray:
    """In continuous time, from so many frames on; a frame is on if it is on for half of it."""
    on, off = (draw_continuous(rng, 1.5, np.inf, WINDOW_FRAMES, shortest) for _ in range(2))
    lengths = np.stack([on, off], axis=1).ravel()
    edges = np.concatenate([[0.0], np.cumsum(lengths)])
    on_time = np.concatenate([[0.0], np.cumsum(lengths * (np.arange(len(lengths)) % 2 == 0))])
    return np.diff(np.interp(np.arange(WINDOW_FRAMES + 1.0), edges, on_time)) > 0.5


def _grey(rng: Rng, share_off: float) -> np.ndarray:
    """A third level, 0.2 s in every 2 s, of which the threshold takes a share of frames for off."""
    lengths = np.ceil(rng.exponential(np.tile([90.0, 10.0], WINDOW_FRAMES // 40)))
    grey = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths.astype(int))[:WINDOW_FRAMES]
    grey = np.pad(grey, (0, WINDOW_FRAMES - len(grey)))
    return _frames(rng) & ~(grey & (rng.random(WINDOW_FRAMES) < share_off))


CAUSES = {
    "false frames, share of all": (_noisy, (0.0, 1e-4, 1e-3, 1e-2)),
    "continuous time, shortest event in frames": (_merged, (1.0, 0.5, 0.2, 0.1)),
    "grey level, share of its frames taken for off": (_grey, (0.02, 0.1, 0.5, 1.0)),
}


def cause_row(cause: str, value: float, draws: int) -> Row:
    draw, values = CAUSES[cause]
    rng = np.random.default_rng([8, list(CAUSES).index(cause), values.index(value)])
    fits = []
    for _ in range(draws):
        durations, censored = events_to_fit(run_lengths(draw(rng, value)), 0)
        if (~censored).sum() >= 50:
            fits.append(fit_dwell_times(durations, censored=censored, **SETTINGS))
    row: Row = {"cause": cause, "value": value, "traces with 50 events": len(fits)}
    row["median events"] = float(np.median([f.n_events for f in fits]))
    for name in ("neither", "power_law", "truncated_power_law", "undecided"):
        row[f"{name.replace('_', ' ')} %"] = percent(fits, name)
    row["one-frame events set aside or shifted %"] = 100 * float(
        np.mean([f.fitted_from_frames > 1 or f.law.short != 0 for f in fits])
    )
    return row


def cause_table(pool: Executor, draws: int) -> pd.DataFrame:
    """Return the verdicts of pure power laws of 1.5 behind several distortions, in percent."""
    rows = [(cause, value) for cause, (_, values) in CAUSES.items() for value in values]
    return each_row(pool, cause_row, *map(list, zip(*rows, strict=True)), [draws] * len(rows))
