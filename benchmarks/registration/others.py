"""The point registration beside two libraries that match unlabelled points.

astroalign matches triangles and fits a similarity; pycpd's coherent point drift is a local
optimiser, started here as its documentation does. Both are given the same patterns.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.registration.points import ROWS, SUCCESS_PX, largest_error, related, run
from blinkpair.registration.points import register_points


def by_blinkpair(pre: np.ndarray, post: np.ndarray) -> np.ndarray | None:
    result = register_points(pre, post)
    return result.matrix if result.status == "ok" else None


def by_astroalign(pre: np.ndarray, post: np.ndarray) -> np.ndarray | None:
    import astroalign

    np.random.seed(0)  # noqa: NPY002  it shuffles by the global generator
    try:
        transform, _ = astroalign.find_transform(pre, post)
    except (astroalign.MaxIterError, TypeError, ValueError):
        return None
    return np.asarray(transform.params)


def by_pycpd(pre: np.ndarray, post: np.ndarray) -> np.ndarray | None:
    from pycpd import RigidRegistration

    # Moves Y onto X by s Y R + t, rows.
    fit = RigidRegistration(X=post, Y=pre, scale=False)
    fit.register()
    matrix = np.eye(3)
    matrix[:2, :2] = float(fit.s) * fit.R.T
    matrix[:2, 2] = np.ravel(fit.t)
    return matrix


METHODS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray | None]] = {
    "blinkpair": by_blinkpair,
    "astroalign": by_astroalign,
    "pycpd": by_pycpd,
}


def trial(method: str, n: int, lost: float, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng([seed, n, round(100 * lost), 17])
    pre, post, truth, common = related(rng, n, lost)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        matrix = METHODS[method](pre, post)
    seconds = time.perf_counter() - start
    error = np.inf if matrix is None else largest_error(matrix, truth)
    return {
        "method": method,
        "microspheres": n,
        "missing and spurious": f"{lost:.0%}",
        "common": common,
        "right": error < SUCCESS_PX,
        "wrong": matrix is not None and not error < SUCCESS_PX,
        "ms": 1000 * seconds,
    }


def comparison_table(pool: Executor, trials: int) -> pd.DataFrame:
    """Success, wrong answers and time of each method on the same patterns."""
    jobs = [(method, *row, k) for row in ROWS for method in METHODS for k in range(trials)]
    table = run(pool, trial, jobs)
    table = table[table["common"] >= 4]
    lines = []
    for (n, lost), rows in table.groupby(["microspheres", "missing and spurious"], sort=False):
        line = {"microspheres": n, "missing and spurious": lost}
        for method in METHODS:
            own = rows[rows["method"] == method]
            line |= {
                "trials": len(own),
                f"{method} success %": 100 * own["right"].mean(),
                f"{method} wrong %": 100 * own["wrong"].mean(),
                f"{method} ms": own["ms"].median(),
            }
        lines.append(line)
    return pd.DataFrame(lines)
