"""On-fractions and dwell times where the camera waits between frames.

Nanocrystals switch in continuous time, on and off by t^-1.6 from a shortest event on, on also with
a cut-off of 25 frames. The camera collects light for the first part of the time per frame only. The
truth is the share of the whole time in which a nanocrystal is on.

Input: a pool of processes and the number of nanocrystals a row. Output: a table.
"""

from __future__ import annotations

from concurrent.futures import Executor

import numpy as np
import pandas as pd

from benchmarks.blinking.doubles import Switching
from benchmarks.blinking.light import power_law
from blinkpair.blinking.columns import epoch_columns
from blinkpair.blinking.off_levels import estimate_off_levels
from blinkpair.blinking.on_fractions import DARK_CUTOFF
from blinkpair.blinking.photostability import PhotostabilitySettings
from blinkpair.blinking.recipes import Recipes
from blinkpair.blinking.run_lengths import run_lengths
from blinkpair.blinking.states.settings import ThresholdSettings
from blinkpair.dwell_fits.result import DwellTimeSettings

FRAMES, FRAME_S = 6000, 1.0
ALPHA, TAU, LONGEST = 1.6, 25.0, 2000.0
NOISE, GAIN = 40.0, 5.0
DEAD = (0.0, 0.4, 0.7)  # of the time per frame
SHORTEST = (0.1, 0.3, 1.0)  # frames


def draw(rng: np.random.Generator, shortest: float, truncated: bool) -> Switching:
    """A nanocrystal that began to blink long before the movie."""
    off = power_law(rng, 8 * FRAMES, ALPHA, shortest, LONGEST)
    on = power_law(rng, 32 * FRAMES, ALPHA, shortest, LONGEST)
    if truncated:
        on = on[rng.random(len(on)) < np.exp(-(on - shortest) / TAU)]
    durations = np.column_stack([on[: len(off)], off]).ravel()
    is_on = np.arange(len(durations)) % 2 == 0
    times = np.concatenate([[0.0], np.cumsum(durations)])
    return Switching(times - rng.uniform(0, max(times[-1] - FRAMES, 0)), is_on)


def time_on(one: Switching, until: np.ndarray) -> np.ndarray:
    """Time on from the first switch to each of these times."""
    return np.interp(
        until, one.times, np.concatenate([[0.0], np.cumsum(np.diff(one.times) * one.is_on)])
    )


def trial(job: tuple[float, float, bool, int]) -> dict[str, object]:
    """A row of the table."""
    shortest, dead, truncated, n = job
    rng = np.random.default_rng([round(10 * shortest), round(10 * dead), truncated, 37])
    emitters = [draw(rng, shortest, truncated) for _ in range(n)]
    start = np.arange(FRAMES)
    seen = 1.0 - dead
    lit = np.array([time_on(e, start + seen) - time_on(e, start) for e in emitters]) / seen
    truth = [float(np.diff(time_on(e, np.array([0.0, FRAMES])))[0]) / FRAMES for e in emitters]
    light = rng.uniform(300, 700, (n, 1)) * np.clip(lit, 0, 1)
    noise = np.sqrt(NOISE**2 + 2 * GAIN * light) * rng.normal(size=lit.shape)
    counts = (light + noise).astype(np.float32)
    off = estimate_off_levels((NOISE * rng.normal(size=lit.shape)).astype(np.float32))
    recipes = Recipes.of(counts, counts, off, ThresholdSettings("hmm"))
    columns = epoch_columns(
        counts, off, recipes, run_lengths(recipes.answer.states), analysed=np.full(n, True),
        exposure_s=FRAME_S, dark_cutoff=DARK_CUTOFF, dwell_times=DwellTimeSettings(),
        photostability=PhotostabilitySettings(),
    )  # fmt: skip
    alpha = columns["alpha_on_{epoch}"]
    tau = columns["tau_on_{epoch}_s"].notna() & truncated
    wrong = recipes.best.on_fractions - np.array(truth)
    share_of = lambda held: round(100 * float(np.mean(held))) if len(held) else "-"  # noqa: E731
    low, high = (columns[f"tau_on_{{epoch}}_{end}_s"] for end in ("low", "high"))
    return {
        "shortest event, frames": shortest,
        "cut-off": "25 frames" if truncated else "none",
        "dead time %": round(100 * dead),
        "on-fraction: bias": float(f"{wrong.mean():.1e}"),
        "RMS error": float(f"{np.sqrt(np.mean(wrong**2)):.1e}"),
        "95 % interval holds %": share_of(np.abs(wrong) < 1.96 * recipes.best.on_fractions_se),
        "fixed: RMS error": float(
            f"{np.sqrt(np.mean((recipes.fixed.on_fractions - truth) ** 2)):.1e}"
        ),
        "alpha, median": float(alpha.median()),
        "holds %": share_of(
            (alpha - ALPHA).abs()[alpha.notna()]
            < 1.96 * columns["alpha_on_{epoch}_se"][alpha.notna()]
        ),
        "tau, median": float(columns["tau_on_{epoch}_s"][tau].median()) if tau.any() else "-",
        "tau holds %": share_of(((low <= TAU) & (high >= TAU))[tau]),
    }


def table(pool: Executor, n: int) -> pd.DataFrame:
    """Return one row a shortest event, cut-off and dead time."""
    jobs = [(s, d, cut, max(n, 2)) for s in SHORTEST for cut in (False, True) for d in DEAD]
    return pd.DataFrame(pool.map(trial, jobs))
