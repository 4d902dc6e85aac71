"""Shares of types A and B: counted verdicts beside the estimate of all, on simulated traces.

Continuous time, light of a part of a frame, photon and camera noise; every nanocrystal is emissive.
Type A has alpha of 1.4, cut-offs about 0.22 s and off-times of 8 s at most, as it would be dark
otherwise; type B has alpha of 1.65 and no cut-off.

Input: a pool of processes and the number of nanocrystals a row. Output: a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.blinking.fits import EXPOSURE_S, Rng, Row, draw_continuous
from blinkpair.blinking.columns import epoch_columns
from blinkpair.blinking.off_levels import OffLevels, estimate_off_levels
from blinkpair.blinking.photostability import PhotostabilitySettings
from blinkpair.blinking.recipes import Recipes
from blinkpair.blinking.run_lengths import run_lengths
from blinkpair.blinking.states.settings import ThresholdSettings
from blinkpair.dwell_fits.result import DwellTimeSettings
from blinkpair.photometry.apertures import EMPTY_FRAMES
from blinkpair.populations.type_ratios import ratios_within_group
from blinkpair.populations.type_shares import pooled_type_shares
from blinkpair.populations.type_states import RATIO

ON_COUNTS, NOISE, LEAST_ON = 500.0, 40.0, 0.1
ALPHA_A = 1.4
LONGEST_ON, LONGEST_OFF_A, LONGEST_OFF_B = 5000.0, 400.0, 3000.0  # frames
RATIO_COLUMNS = [name.format("{epoch}") for name in RATIO]
FIELDS = 4  # over which the nanocrystals are spread for the interval

CASES = [  # frames, shortest event in frames, share of type A
    (2000, 1.0, 0.0),
    (2000, 1.0, 0.2),
    (2000, 0.4, 0.2),
    (20_000, 1.0, 0.2),
    (20_000, 0.4, 0.2),
]


class Laws(NamedTuple):
    """Laws of both types; times in frames, of `movie` frames."""

    movie: int
    shortest_on: float
    shortest_off: float
    alpha_b: float = 1.65
    alpha_b_sd: float = 0.1
    tau_a: float = 11.0


def lit(rng: Rng, type_a: bool, laws: Laws) -> np.ndarray:
    """Share of each frame that a nanocrystal is on; the first event began before the movie."""
    frames = laws.movie
    tau = laws.tau_a * np.exp(0.4 * rng.normal()) if type_a else np.inf
    alpha, alpha_sd = (ALPHA_A, 0.1) if type_a else (laws.alpha_b, laws.alpha_b_sd)
    alpha_on = max(alpha + alpha_sd * rng.normal(), 1.15)
    alpha_off = max(1.6 + 0.12 * rng.normal(), 1.25) + 0.4 * type_a
    longest_off = LONGEST_OFF_A if type_a else LONGEST_OFF_B
    n = 2 * frames
    on = draw_continuous(rng, alpha_on, tau, n, laws.shortest_on, LONGEST_ON)
    off = draw_continuous(rng, alpha_off, np.inf, n, laws.shortest_off, longest_off)
    switches = np.concatenate([[0.0], np.cumsum(np.stack([on, off], axis=1).ravel())])
    time_on = np.concatenate([[0.0], np.cumsum(np.diff(switches) * (np.arange(2 * n) % 2 == 0))])
    start = rng.random() * (switches[-1] - frames) / 2
    return np.diff(np.interp(start + np.arange(frames + 1.0), switches, time_on))


def emissive(
    rng: Rng, share_a: float, laws: Laws, n: int
) -> tuple[np.ndarray, OffLevels, np.ndarray]:
    """Counts (n, frames) of nanocrystals that are on for a tenth of the movie or more.

    With their off levels, and which are of type A, (n,).
    """
    light: list[np.ndarray] = []
    type_a: list[bool] = []
    while len(light) < n:
        is_a = bool(rng.random() < share_a)
        one = lit(rng, is_a, laws)
        if one.mean() >= LEAST_ON:
            light.append(one)
            type_a.append(is_a)
    signal = ON_COUNTS * np.exp(0.2 * rng.normal(size=(n, 1))) * np.array(light)
    photons = 4.0 * rng.poisson(signal / 4.0)  # a variance of four times the counts
    counts = (photons + NOISE * rng.normal(size=signal.shape)).astype(np.float32)
    off = estimate_off_levels((NOISE * rng.normal(size=(n, EMPTY_FRAMES))).astype(np.float32))
    return counts, off, np.array(type_a)


def share_rows(frames: int, shortest: float, share_a: float, n: int) -> list[Row]:
    """Return the shares of one case by both methods."""
    rng = np.random.default_rng([31, frames, round(10 * shortest), round(10 * share_a)])
    counts, off, type_a = emissive(rng, share_a, Laws(frames, shortest, shortest), n)
    rows = []
    for method in ("hmm", "fixed"):
        recipes = Recipes.of(counts, counts, off, ThresholdSettings(method))
        columns = epoch_columns(
            counts,
            off,
            recipes,
            run_lengths(recipes.answer.states),
            analysed=np.ones(n, bool),
            exposure_s=EXPOSURE_S,
            dark_cutoff=0.0,
            dwell_times=DwellTimeSettings(),
            photostability=PhotostabilitySettings(),
        )
        rows.append(_row(columns, type_a) | {"states by": method})
    movie = {"movie, s": frames * EXPOSURE_S, "shortest event, frames": shortest}
    return [movie | row for row in rows]


def _row(columns: pd.DataFrame, type_a: np.ndarray) -> Row:
    verdicts = columns["blinking_{epoch}"]
    a, b = (100 * (verdicts == law).mean() for law in ("truncated_power_law", "power_law"))
    ratios = ratios_within_group(columns[RATIO_COLUMNS].to_numpy(float)).logs
    (share,), _ = pooled_type_shares([ratios], [np.arange(len(ratios)) % FIELDS])
    ends = f"{100 * share.low:.0f} to {100 * share.high:.0f}"
    return {
        "nanocrystals": len(type_a),
        "type A %": 100 * type_a.mean(),
        "estimated %": 100 * share.value,
        "95 % interval": ends,
        "counted %": a,
        "of the verdicts %": 100 * a / (a + b) if a + b else np.nan,
        "type B %": 100 - 100 * type_a.mean(),
        "type B, counted %": b,
    }


def shares_table(pool: Executor, n: int) -> pd.DataFrame:
    """Return one row a case and method; the long movies have a quarter of the nanocrystals."""
    counts: Sequence[int] = [max(n * 2000 // frames, n // 4) for frames, *_ in CASES]
    parts = pool.map(share_rows, *zip(*CASES, strict=True), counts)
    table = pd.DataFrame([row for part in parts for row in part])
    return table[["movie, s", "shortest event, frames", "states by", *list(table)[2:-1]]]
