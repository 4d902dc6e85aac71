"""Accuracy and honesty of the point registration, measured on simulated patterns.

Run as `PYTHONPATH=scripts python benchmarks/registration_points.py [--trials N]
[--tables success,wrong,level,tre,speed] [--csv curve.csv]`. Prints tables; the CSV holds the
calibration curve of `chance_alignments`. Every draw comes from the seed.

Patterns: beads uniform on a plane larger than the 512 px field, so that a shift brings new
ones into view; 'missing' are lost from either image, 'spurious' added to either; 0.2 px of
normal jitter per axis and image. Error: the largest over the field's corners.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from blinkpair import alignment_search, alignment_task
from blinkpair.alignment_task import Field, Task
from blinkpair.registration import apply_matrix, register_points

SIZE = 512
SHAPE = (SIZE, SIZE)
CORNERS = np.array([[0, 0], [SIZE - 1, 0], [0, SIZE - 1], [SIZE - 1, SIZE - 1]], dtype=float)
Pattern = Callable[[np.random.Generator, int], np.ndarray]


def uniform(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.uniform(0, SIZE - 1, (n, 2))


def clustered(rng: np.random.Generator, n: int, sd: float = 15.0) -> np.ndarray:
    centres = uniform(rng, max(n // 5, 1))
    return np.clip(centres[rng.integers(0, len(centres), n)] + rng.normal(0, sd, (n, 2)), 0, 511)


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
    "clustered, sd 15 px": clustered,
    "clustered, sd 40 px": lambda rng, n: clustered(rng, n, 40.0),
    "minimum distance": spaced,
    "doublets": doublets,
}


def random_motion(rng: np.random.Generator, shift_px: float) -> np.ndarray:
    angle, middle = rng.uniform(-np.pi, np.pi), (SIZE - 1) / 2
    matrix = np.eye(3)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    shift = rng.uniform(-shift_px, shift_px, 2)
    matrix[:2, 2] = middle + shift - matrix[:2, :2] @ [middle, middle]
    return matrix


def related(
    rng: np.random.Generator, n: int, lost: float, shift_px: float = 60.0, jitter_px: float = 0.2
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Two views of one sample, the true matrix, and the number of beads seen in both."""
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


def largest_error(matrix: np.ndarray, truth: np.ndarray) -> float:
    return float(np.hypot(*(apply_matrix(matrix, CORNERS) - apply_matrix(truth, CORNERS)).T).max())


def success_table(trials: int, rng: np.random.Generator) -> None:
    print("\nSuccess: largest error over the field < 3 px, four beads or more in common")
    print("beads  lost  shift  trials  success   refused  wrong  median error px")
    rows = [(8, 0.0), (15, 0.1), (15, 0.3), (30, 0.3), (60, 0.3)]
    for n, lost, shift in [(*r, s) for s in (60.0, 150.0) for r in rows]:
        errors = []
        for _ in range(trials):
            pre, post, truth, common = related(rng, n, lost, shift)
            if common >= 4:
                result = register_points(pre, post, field_shape=SHAPE)
                errors.append(largest_error(result.matrix, truth))
        e = np.array(errors)
        print(
            f"{n:5d} {lost:5.0%} {shift:6.0f} {len(e):7d} {(e < 3).mean():8.2%} "
            f"{np.isnan(e).mean():9.2%} {int((e >= 3).sum()):6d} {np.nanmedian(e):12.3f}"
        )


def wrong_table(trials: int, rng: np.random.Generator) -> None:
    print("\nAccepted, of patterns with nothing in common but, in the last row, camera dust")
    total = 0
    for name, draw in PATTERNS.items():
        wrong = 0
        for _ in range(trials):
            n, m = rng.integers(5, 61, 2)
            result = register_points(draw(rng, n), draw(rng, m), field_shape=SHAPE)
            wrong += result.status == "ok"
        total += wrong
        print(f"{name:24s} {wrong} of {trials}")
    wrong = 0
    for _ in range(trials):
        n, k, m = rng.integers(5, 61), *rng.integers(0, 41, 2)
        dust = uniform(rng, n)
        pre = np.vstack([dust + rng.normal(0, 0.2, dust.shape), uniform(rng, k)])
        post = np.vstack([dust + rng.normal(0, 0.2, dust.shape), uniform(rng, m)])
        wrong += register_points(pre, post, field_shape=SHAPE).status == "ok"
    print(f"{'camera dust':24s} {wrong} of {trials}")
    print(f"{'all':24s} {total + wrong} of {trials * (len(PATTERNS) + 1)}")


def level_table(trials: int, rng: np.random.Generator, path: Path | None) -> None:
    print("\nchance_alignments of the best alignment of unrelated patterns: share at or below a")
    print("level, over the share 1 - exp(-level) it should be")
    levels = np.array([1, 0.3, 0.1, 0.03, 0.01, 0.003])
    print("pattern                    n " + "".join(f"{x:8g}" for x in levels))
    rows = []
    for name, n in [(p, n) for p in PATTERNS for n in (15, 30, 60)]:
        best = []
        for _ in range(trials):
            pre, post = PATTERNS[name](rng, n), PATTERNS[name](rng, n)
            fields = Field.around(pre, SHAPE), Field.around(post, SHAPE)
            task = Task.of(
                pre, post, *fields, localisation_error_px=0.2, min_matches=3, free_scale=False
            )
            found = alignment_search.search(task, alignment_task.all_motions(task))
            best.append(found.chance[0] if len(found.chance) else np.inf)
        share = (np.array(best)[:, None] <= levels).mean(axis=0)
        expected = -np.expm1(-levels)
        print(f"{name:24s} {n:3d} " + "".join(f"{x:8.2f}" for x in share / expected))
        rows += [
            (name, n, trials, level, s, x)
            for level, s, x in zip(levels, share, expected, strict=True)
        ]
    if path is not None:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["pattern", "n_points", "trials", "level", "share", "expected_share"])
            writer.writerows(rows)


def tre_table(trials: int, rng: np.random.Generator) -> None:
    print("\nShare of field positions within the predicted radius; 0.1, 0.2, 0.4 px of jitter")
    print("matches  jitter  trials   68 %   95 %   predicted / true rms")
    for low, high, n in ((3, 3, 4), (4, 4, 6), (5, 8, 9), (9, 20, 20), (21, 80, 60)):
        for jitter in (0.1, 0.2, 0.4):
            rows = []
            for _ in range(trials):
                pre, post, truth, _ = related(rng, n, 0.0, jitter_px=jitter)
                result = register_points(pre, post, field_shape=SHAPE)
                if result.status == "ok" and low <= result.n_matched <= high:
                    x = uniform(rng, 30)
                    error = np.hypot(*(apply_matrix(result.matrix, x) - apply_matrix(truth, x)).T)
                    inside = [(error <= result.tre(x, c)).mean() for c in (0.68, 0.95)]
                    rows.append([*inside, (result.tre(x) ** 2).mean(), (error**2).mean()])
            if rows:
                in68, in95, predicted, true = np.mean(rows, axis=0)
                print(
                    f"{low:3d}-{high:<3d} {jitter:7.1f} {len(rows):7d} {in68:7.1%} {in95:6.1%} "
                    f"{np.sqrt(predicted / true):10.2f}"
                )


def speed_table(rng: np.random.Generator) -> None:
    print("\nSeconds a registration, compiled, one core")
    for n in (15, 60, 150, 300):
        for name in ("related", "unrelated"):
            if name == "related":
                pre, post, *_ = related(rng, n, 0.3)
            else:
                pre, post = uniform(rng, n), uniform(rng, n)
            start = time.perf_counter()
            register_points(pre, post, field_shape=SHAPE)
            print(f"{n:4d} points, {name:10s} {time.perf_counter() - start:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--tables", default="success,wrong,level,tre,speed")
    parser.add_argument("--csv", type=Path, help="write the calibration curve here")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    wanted = args.tables.split(",")
    start = time.perf_counter()
    register_points(*related(np.random.default_rng(0), 12, 0.0)[:2])
    print(f"first call, compilation included: {time.perf_counter() - start:.1f} s")
    for place, (name, table) in enumerate(
        {
            "success": success_table,
            "wrong": wrong_table,
            "tre": tre_table,
        }.items()
    ):
        if name in wanted:
            table(args.trials, np.random.default_rng([args.seed, place]))
    if "level" in wanted:
        level_table(args.trials, np.random.default_rng([args.seed, 10]), args.csv)
    if "speed" in wanted:
        speed_table(np.random.default_rng([args.seed, 11]))


if __name__ == "__main__":
    main()
