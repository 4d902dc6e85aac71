"""Trials of the point registration on simulated patterns of known truth.

Microspheres are uniform on a plane larger than the field of 512 px, so that a shift brings new ones
into view; 'missing' are lost from either image, 'spurious' added to either; 0.2 px of normal
jitter per axis and image. Each trial has its own seed, so that any number of processes gives
the same table. `registration.py` runs them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import Any

import numpy as np
import pandas as pd

from blinkpair.registration.alignment import search
from blinkpair.registration.alignment import task as alignment_task
from blinkpair.registration.alignment.task import Field, Task
from blinkpair.registration.points import register_points
from blinkpair.registration.rigid import apply_matrix

SIZE = 512
SHAPE = (SIZE, SIZE)
JITTER_PX = 0.2
CORNERS = np.array([[0, 0], [SIZE - 1, 0], [0, SIZE - 1], [SIZE - 1, SIZE - 1]], dtype=float)
GRID = np.stack(np.meshgrid(*[np.linspace(0, SIZE - 1, 9)] * 2), -1).reshape(-1, 2)
# Microspheres, share missing from and share spurious in either image.
ROWS = [(8, 0.0), (15, 0.1), (15, 0.3), (30, 0.3), (60, 0.3)]
LEVELS = np.array([1, 0.3, 0.1, 0.03, 0.01, 0.003])
SUCCESS_PX = 3.0

Pattern = Callable[[np.random.Generator, int], np.ndarray]


def uniform(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.uniform(0, SIZE - 1, (n, 2))


def clustered(rng: np.random.Generator, n: int, sd: float = 15.0) -> np.ndarray:
    centres = uniform(rng, max(n // 5, 1))
    return np.clip(centres[rng.integers(0, len(centres), n)] + rng.normal(0, sd, (n, 2)), 0, 511)


def loosely_clustered(rng: np.random.Generator, n: int) -> np.ndarray:
    return clustered(rng, n, 40.0)


def spaced(rng: np.random.Generator, n: int) -> np.ndarray:
    """Uniform, but no two closer than 0.6 of the mean spacing."""
    points = uniform(rng, 1)
    while len(points) < n:
        q = rng.uniform(0, SIZE - 1, 2)
        if np.hypot(*(points - q).T).min() > 0.6 * SIZE / np.sqrt(n):
            points = np.vstack([points, q])
    return points


def doublets(rng: np.random.Generator, n: int) -> np.ndarray:
    """Touching pairs, 8 px from centre to centre."""
    centre, angle = rng.uniform(5, SIZE - 6, (n // 2 + 1, 2)), rng.uniform(0, 2 * np.pi, n // 2 + 1)
    half = 4 * np.column_stack([np.cos(angle), np.sin(angle)])
    return np.vstack([centre - half, centre + half])[:n]


PATTERNS: dict[str, Pattern] = {
    "uniform": uniform,
    "clusters of 15 px": clustered,
    "clusters of 40 px": loosely_clustered,
    "with a minimum distance": spaced,
    "touching pairs": doublets,
}


def random_motion(rng: np.random.Generator, shift_px: float) -> np.ndarray:
    angle, middle = rng.uniform(-np.pi, np.pi), (SIZE - 1) / 2
    matrix = np.eye(3)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    shift = rng.uniform(-shift_px, shift_px, 2)
    matrix[:2, 2] = middle + shift - matrix[:2, :2] @ [middle, middle]
    return matrix


def related(
    rng: np.random.Generator,
    n: int,
    lost: float,
    shift_px: float = 60.0,
    jitter_px: float = JITTER_PX,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Two views of one sample, the true matrix, and the number of microspheres in both."""
    truth = random_motion(rng, shift_px)
    sample = rng.uniform(-SIZE, 2 * SIZE, (9 * n, 2))
    moved = apply_matrix(truth, sample)
    views, seen = [], np.ones(len(sample), dtype=bool)
    for xy in (sample, moved):
        here = ((xy >= 0) & (xy <= SIZE - 1)).all(axis=1) & (rng.random(len(xy)) >= lost)
        seen &= here
        found = xy[here] + rng.normal(0, jitter_px, (here.sum(), 2))
        views.append(rng.permutation(np.vstack([found, uniform(rng, rng.binomial(n, lost))])))
    return views[0], views[1], truth, int(seen.sum())


def distances(matrix: np.ndarray, truth: np.ndarray, at: np.ndarray) -> np.ndarray:
    return np.hypot(*(apply_matrix(matrix, at) - apply_matrix(truth, at)).T)


def largest_error(matrix: np.ndarray, truth: np.ndarray) -> float:
    return float(distances(matrix, truth, CORNERS).max())


def run(
    pool: Executor, trial: Callable[..., dict[str, Any]], jobs: Iterable[tuple]
) -> pd.DataFrame:
    """One row a job, in order."""
    return pd.DataFrame(pool.map(trial, *zip(*jobs, strict=True), chunksize=4))


def related_trial(n: int, lost: float, shift_px: float, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng([seed, n, round(100 * lost), round(shift_px)])
    pre, post, truth, common = related(rng, n, lost, shift_px)
    result = register_points(pre, post)
    ok = result.status == "ok"
    error = distances(result.matrix, truth, GRID)
    return {
        "microspheres": n,
        "missing and spurious": f"{lost:.0%}",
        "shift px": shift_px,
        "common": common,
        "ok": ok,
        "wrong": ok and largest_error(result.matrix, truth) >= SUCCESS_PX,
        "rms_px": float(np.sqrt(np.mean(error**2))),
        "largest_px": largest_error(result.matrix, truth),
    }


def success_table(pool: Executor, trials: int) -> pd.DataFrame:
    """Success where four microspheres or more are in common; the others must not go wrong."""
    jobs = [(*row, shift, k) for shift in (60.0, 150.0) for row in ROWS for k in range(trials)]
    table = run(pool, related_trial, jobs)
    lines = []
    for key, group in table.groupby(["shift px", "microspheres", "missing and spurious"]):
        enough = group[group["common"] >= 4]
        few = group[group["common"] < 4]
        right = enough["ok"] & ~enough["wrong"]
        lines.append(
            {
                "shift px": key[0],
                "microspheres": key[1],
                "missing and spurious": key[2],
                "trials": len(enough),
                "success %": 100 * right.mean(),
                "refused": int((~enough["ok"]).sum()),
                "wrong": int(enough["wrong"].sum()),
                "median error px (rms over the field)": enough["rms_px"].median(),
                "(largest)": enough["largest_px"].median(),
                "fewer than 4 in common": len(few),
                "refused or right": int((~few["wrong"]).sum()),
            }
        )
    return pd.DataFrame(lines)


def unrelated_trial(kind: str, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng([seed, len(kind), 7])
    if kind == "camera dust":
        n, k, m = rng.integers(5, 61), *rng.integers(0, 41, 2)
        dust = uniform(rng, n)
        pre = np.vstack([dust + rng.normal(0, JITTER_PX, dust.shape), uniform(rng, k)])
        post = np.vstack([dust + rng.normal(0, JITTER_PX, dust.shape), uniform(rng, m)])
    else:
        n, m = rng.integers(5, 61, 2)
        pre, post = PATTERNS[kind](rng, n), PATTERNS[kind](rng, m)
    return {"kind": kind, "accepted": register_points(pre, post).status == "ok"}


def wrong_table(pool: Executor, trials: int) -> pd.DataFrame:
    """Accepted wrongly: a quarter unrelated, a quarter dust, half related patterns."""
    share = trials // 4
    each = share // len(PATTERNS)
    jobs = [(kind, k) for kind in PATTERNS for k in range(each)]
    jobs += [("camera dust", k) for k in range(share)]
    table = run(pool, unrelated_trial, jobs)
    lines = [
        {"patterns": f"nothing in common: {kind}", "trials": len(g), "wrong": g["accepted"].sum()}
        for kind, g in table.groupby("kind", sort=False)
    ]
    rows = run(
        pool,
        related_trial,
        [(*row, 60.0, 10_000 + k) for row in ROWS for k in range(2 * share // len(ROWS))],
    )
    lines.append({"patterns": "of one sample", "trials": len(rows), "wrong": rows["wrong"].sum()})
    result = pd.DataFrame(lines)
    total = {"patterns": "all", "trials": result["trials"].sum(), "wrong": result["wrong"].sum()}
    return pd.concat([result, pd.DataFrame([total])], ignore_index=True)


def level_trial(kind: str, n: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng([seed, n, len(kind), 11])
    pre, post = PATTERNS[kind](rng, n), PATTERNS[kind](rng, n)
    fields = Field.around(pre, SHAPE), Field.around(post, SHAPE)
    task = Task.of(pre, post, *fields, localisation_error_px=0.2, min_matches=3, free_scale=False)
    found = search.search(task, alignment_task.all_motions(task))
    level = found.chance[0] if len(found.chance) else np.inf
    return {"patterns": kind, "points": n, "level": level}


def level_table(pool: Executor, trials: int) -> pd.DataFrame:
    """Share of unrelated patterns at or below each level, and the share it should be."""
    jobs = [(kind, n, k) for kind in PATTERNS for n in (8, 15, 30, 60) for k in range(trials)]
    table = run(pool, level_trial, jobs)
    lines = []
    for (kind, n), group in table.groupby(["patterns", "points"], sort=False):
        for level in LEVELS:
            count = int((group["level"] <= level).sum())
            lines.append(
                {
                    "patterns": kind,
                    "points": n,
                    "trials": len(group),
                    "level": level,
                    "share": count / len(group),
                    "expected_share": -np.expm1(-level),
                }
            )
    return pd.DataFrame(lines)


FIDUCIALS = ((3, 3, 4), (4, 4, 6), (5, 8, 9), (9, 20, 20), (21, 80, 60))


def radius_trial(low: int, high: int, n: int, jitter_px: float, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng([seed, n, round(1000 * jitter_px), 13])
    pre, post, truth, _ = related(rng, n, 0.0, jitter_px=jitter_px)
    result = register_points(pre, post)
    row: dict[str, Any] = {"matches": f"{low} to {high}", "jitter px": jitter_px, "counts": False}
    if result.status == "ok" and low <= result.n_matched <= high:
        x = uniform(rng, 30)
        error = distances(result.matrix, truth, x)
        row |= {
            "counts": True,
            "within 68 %": 100 * (error <= result.tre(x, 0.68)).mean(),
            "within 95 %": 100 * (error <= result.tre(x, 0.95)).mean(),
        }
    return row


def radius_table(pool: Executor, trials: int) -> pd.DataFrame:
    """Share of the field's positions within the predicted radius."""
    jobs = [
        (*fiducials, jitter, k)
        for fiducials in FIDUCIALS
        for jitter in (0.05, 0.1, 0.2, 0.3)
        for k in range(trials)
    ]
    table = run(pool, radius_trial, jobs)
    table = table[table["counts"]]
    return (
        table.groupby(["matches", "jitter px"], sort=False)
        .agg(
            **{
                "trials": ("counts", "size"),
                "within 68 %": ("within 68 %", "mean"),
                "within 95 %": ("within 95 %", "mean"),
            }
        )
        .reset_index()
    )


def speed_table(repeats: int = 5) -> pd.DataFrame:
    """Seconds a registration takes on one core, compiled; the slowest of the repeats."""
    register_points(*related(np.random.default_rng(0), 12, 0.0)[:2])
    lines = []
    for n in (15, 60, 150, 300):
        for name in ("related", "unrelated"):
            seconds = []
            for k in range(repeats):
                rng = np.random.default_rng([k, n])
                pair = related(rng, n, 0.3)[:2] if name == "related" else uniform(rng, 2 * n)
                pre, post = pair if name == "related" else (pair[:n], pair[n:])
                start = time.perf_counter()
                register_points(pre, post)
                seconds.append(time.perf_counter() - start)
            lines.append(
                {
                    "points": n,
                    "patterns": name,
                    "median s": np.median(seconds),
                    "slowest s": max(seconds),
                }
            )
    return pd.DataFrame(lines)
