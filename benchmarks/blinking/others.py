"""The dwell-time fits beside the powerlaw package, on the same durations.

powerlaw fits both laws from one frame on with its discrete option and compares them by its
nested likelihood ratio; it has no window.
"""

from __future__ import annotations

import contextlib
import io
import time
import warnings
from concurrent.futures import Executor
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.blinking.fits import SETTINGS, draw_whole_frames, each_row
from blinkpair.dwell_fits.fits import fit_dwell_times


def by_powerlaw(durations: np.ndarray) -> tuple[bool, float]:
    """Whether it calls them truncated at 5 %, and alpha of the pure law."""
    import powerlaw

    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        fit = powerlaw.Fit(durations, discrete=True, xmin=1, verbose=False)
        ratio, p = fit.distribution_compare("truncated_power_law", "power_law", nested=True)
    return bool(ratio > 0 and p < 0.05), float(fit.power_law.alpha)


def comparison_row(n: int, alpha: float, draws: int) -> dict[str, Any]:
    rng = np.random.default_rng([6, n, round(10 * alpha)])
    samples = [draw_whole_frames(rng, alpha, np.inf, n) for _ in range(draws)]
    start = time.perf_counter()
    ours = [fit_dwell_times(d, **SETTINGS) for d in samples]
    between = time.perf_counter()
    theirs = [by_powerlaw(d) for d in samples]
    end = time.perf_counter()
    return {
        "events": n,
        "alpha": alpha,
        "draws": draws,
        "blinkpair: called truncated %": 100
        * np.mean([f.model == "truncated_power_law" for f in ours]),
        "powerlaw: called truncated %": 100 * np.mean([truncated for truncated, _ in theirs]),
        "blinkpair: bias of alpha": np.mean([f.power_law.alpha for f in ours]) - alpha,
        "powerlaw: bias of alpha": np.mean([a for _, a in theirs]) - alpha,
        "blinkpair: ms a fit": 1e3 * (between - start) / draws,
        "powerlaw: ms a fit": 1e3 * (end - between) / draws,
    }


def comparison_table(pool: Executor, draws: int) -> pd.DataFrame:
    rows = [(n, a) for n in (50, 200, 500) for a in (1.5, 1.8)]
    return each_row(pool, comparison_row, *map(list, zip(*rows, strict=True)), [draws] * len(rows))
