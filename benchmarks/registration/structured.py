"""Point patterns with a structure of their own: grains, islands, chains, rows and rings of spheres.

Points of such patterns do not match independently of each other: where two match, their neighbours
do. The positions are drawn as points, without images, in a field of 140 to 512 px.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.registration.points import SUCCESS_PX, run
from blinkpair.registration.points import register_points
from blinkpair.registration.rigid import apply_matrix

JITTER_PX = 0.2
MOST_POINTS = 160

Family = Callable[[np.random.Generator, float, float, float], np.ndarray]


def turned(xy: np.ndarray, angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return xy @ np.array([[c, s], [-s, c]])


def lattice(rng: np.random.Generator, reach: float, spacing: float, square: bool) -> np.ndarray:
    """A lattice that covers a disc of radius `reach`, turned and shifted at random."""
    k = int(reach / spacing / 0.86) + 2
    i, j = (v.ravel().astype(float) for v in np.mgrid[-k : k + 1, -k : k + 1])
    xy = np.column_stack([i, j] if square else [i + (j % 2) / 2, j * np.sqrt(0.75)])
    xy = turned(spacing * xy, rng.uniform(0, 2 * np.pi)) + rng.uniform(0, spacing, 2)
    return xy[np.hypot(*xy.T) <= reach]


def grains(
    rng: np.random.Generator, reach: float, d: float, n: float, square: bool | None = None
) -> np.ndarray:
    """Close-packed or square grains that cover the plane, 2 to 12 in a field."""
    n_grains = int(rng.integers(2, 13)) * 4
    centres = rng.uniform(-reach, reach, (n_grains, 2))
    square = rng.random() < 0.5 if square is None else square
    parts = []
    for g in range(n_grains):
        xy = lattice(rng, 1.5 * reach, 1.05 * d, square)
        parts.append(xy[np.hypot(*(xy[:, None] - centres).T).argmin(axis=0) == g])
    return np.concatenate(parts)


def one_grain(rng: np.random.Generator, reach: float, d: float, n: float) -> np.ndarray:
    """One sheet with holes of several spheres."""
    xy = lattice(rng, 1.5 * reach, 1.02 * d, bool(rng.random() < 0.5))
    holes = rng.uniform(-reach, reach, (int(rng.integers(5, 60)), 2))
    radius = rng.uniform(0.5, 4) * d
    return xy[np.hypot(*(xy[:, None] - holes).T).min(axis=0) > radius]


def islands(rng: np.random.Generator, reach: float, d: float, n: float) -> np.ndarray:
    """Close-packed islands of 2 to 20 spheres apart from each other."""
    parts = []
    while sum(map(len, parts)) < n:
        size = int(rng.integers(2, 21))
        xy = lattice(rng, 6 * d, 1.02 * d, square=False)
        near = xy[np.argsort(np.hypot(*(xy - rng.normal(0, d, 2)).T))[:size]]
        parts.append(near + rng.uniform(-reach, reach, 2))
    return np.concatenate(parts)


def chains(rng: np.random.Generator, reach: float, d: float, n: float) -> np.ndarray:
    """Chains of 3 to 25 touching spheres, straight or winding."""
    parts = []
    bend = rng.choice([0.02, 0.15, 0.6])
    while sum(map(len, parts)) < n:
        size = int(rng.integers(3, 26))
        angle = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, bend, size))
        xy = 1.02 * d * np.cumsum(np.column_stack([np.cos(angle), np.sin(angle)]), axis=0)
        parts.append(xy + rng.uniform(-reach, reach, 2))
    return np.concatenate(parts)


def doublets(rng: np.random.Generator, reach: float, d: float, n: float) -> np.ndarray:
    """Touching pairs; in half of the fields all are parallel."""
    k = int(n / 2) + 1
    angle = rng.uniform(0, 2 * np.pi, k) if rng.random() < 0.5 else np.full(k, rng.uniform(0, 6.3))
    half = 0.51 * d * np.column_stack([np.cos(angle), np.sin(angle)])
    centre = rng.uniform(-reach, reach, (k, 2))
    return np.concatenate([centre - half, centre + half])


def fibres(rng: np.random.Generator, reach: float, d: float, n: float) -> np.ndarray:
    """Spheres along one to three straight fibres, at one distance or at random; few beside."""
    parts = [rng.uniform(-reach, reach, (int(0.15 * n), 2))]
    for _ in range(int(rng.integers(1, 4))):
        k = int(n / 3)
        even = np.arange(-k, k) * 1.02 * d
        along = even if rng.random() < 0.5 else rng.uniform(-reach, reach, k)
        xy = np.column_stack([along, rng.normal(0, 0.05 * d, len(along))])
        parts.append(turned(xy, rng.uniform(0, 6.3)) + rng.uniform(-0.4, 0.4, 2) * reach)
    return np.concatenate(parts)


def printed(rng: np.random.Generator, reach: float, d: float, n: float) -> np.ndarray:
    """A printed array at one to four diameters, with 10 to 60 % of the places empty."""
    xy = lattice(rng, 1.5 * reach, rng.uniform(1.5, 4) * d, bool(rng.random() < 0.5))
    xy = xy + rng.normal(0, rng.choice([0.02, 0.1, 0.3]) * d, xy.shape)
    return xy[rng.random(len(xy)) > rng.uniform(0.1, 0.6)]


def crowded(rng: np.random.Generator, reach: float, d: float, n: float) -> np.ndarray:
    """Spheres that were put down one after the other wherever they did not overlap."""
    xy = np.empty((0, 2))
    for q in rng.uniform(-reach, reach, (int(6 * n), 2)):
        if len(xy) < n and (not len(xy) or np.hypot(*(xy - q).T).min() > d):
            xy = np.vstack([xy, q])
    return xy


def rings(rng: np.random.Generator, reach: float, d: float, n: float) -> np.ndarray:
    """Touching spheres along the rims of dried droplets; held out while the level was worked on."""
    parts = []
    radius = rng.uniform(2, 8) * d
    equal = rng.random() < 0.5
    while sum(map(len, parts)) < n:
        here = radius if equal else rng.uniform(2, 8) * d
        k = int(2 * np.pi * here / (1.02 * d))
        angle = rng.uniform(0, 6.3) + np.arange(k) * 2 * np.pi / k
        rim = here * np.column_stack([np.cos(angle), np.sin(angle)])
        parts.append(rim + rng.uniform(-reach, reach, 2))
    return np.concatenate(parts)


def uniform(rng: np.random.Generator, reach: float, d: float, n: float) -> np.ndarray:
    return rng.uniform(-reach, reach, (int(n), 2))


FAMILIES: dict[str, Family] = {
    "uniform": uniform,
    "grains of a sheet": grains,
    "one grain with holes": one_grain,
    "islands": islands,
    "chains": chains,
    "touching pairs": doublets,
    "along fibres": fibres,
    "printed array": printed,
    "crowded": crowded,
    "rims of droplets": rings,
}


def pair(
    kind: str, seed: int, related: bool
) -> tuple[np.ndarray, np.ndarray, tuple[int, int], np.ndarray]:
    """Both views, the shape of the field, and the true matrix."""
    rng = np.random.default_rng([seed, list(FAMILIES).index(kind), int(related), 23])
    d = float(rng.choice([6.0, 9.0, 14.0]))
    # So wide that a full sheet shows 20 to 150 spheres; sparse patterns show up to 80 in 512 px.
    sheet = kind in ("grains of a sheet", "one grain with holes", "printed array")
    size = d * float(rng.uniform(5, 12)) if sheet else float(rng.choice([140, 256, 512]))
    size = size * (2.5 if kind == "printed array" else 1.0)
    reach = 1.6 * size
    n = float(rng.integers(8, 81)) * (2 * reach / size) ** 2
    lost, moved = float(rng.choice([0, 0.05, 0.2])), float(rng.choice([0, 0.05]))
    angle, middle = rng.uniform(-np.pi, np.pi), size / 2
    shift = rng.uniform(-0.35, 0.35, 2) * size
    matrix = np.eye(3)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    matrix[:2, 2] = middle + shift - matrix[:2, :2] @ [middle, middle]
    sample = FAMILIES[kind](rng, reach, d, n) + middle
    sample = sample + rng.normal(0, 0.01 * d, sample.shape)
    # Of unrelated pairs the second sample has the same history: only its places are others.
    second = sample if related else FAMILIES[kind](rng, reach, d, n) + middle
    views = []
    for xy in (sample, apply_matrix(matrix, second)):
        xy = xy + (rng.random(len(xy)) < moved)[:, None] * rng.normal(0, d, xy.shape)
        here = ((xy >= 0) & (xy <= size - 1)).all(axis=1) & (rng.random(len(xy)) >= lost)
        found = rng.permutation(xy[here] + rng.normal(0, JITTER_PX, (here.sum(), 2)))
        views.append(found[:MOST_POINTS])
    return views[0], views[1], (int(size), int(size)), matrix


def trial(kind: str, related: bool, seed: int) -> dict[str, Any]:
    pre, post, shape, truth = pair(kind, seed, related)
    result = register_points(pre, post, field_shape=shape)
    ok = result.status == "ok"
    far = np.inf
    if ok and related:
        corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * (shape[0] - 1.0)
        far = np.hypot(*(apply_matrix(result.matrix, corners) - apply_matrix(truth, corners)).T)
        far = float(np.max(far))
    return {
        "pattern": kind,
        "related": related,
        "seed": seed,
        "points": min(len(pre), len(post)),
        "ok": ok,
        "right": ok and far < SUCCESS_PX,
        "level": result.chance_alignments,
        "matched": result.n_matched,
        "reason": result.reason,
    }


def summary(pool: Executor, trials: int) -> pd.DataFrame:
    """Pairs of one sample and unrelated ones, and how many of them are registered."""
    jobs = [(kind, one, k) for kind in FAMILIES for one in (True, False) for k in range(trials)]
    table = run(pool, trial, jobs)
    lines = []
    for kind, group in table.groupby("pattern", sort=False):
        same, other = group[group["related"]], group[~group["related"]]
        lines.append(
            {
                "pattern": kind,
                "points (median)": int(group["points"].median()),
                "pairs of one sample": len(same),
                "right": int(same["right"].sum()),
                "wrong": int((same["ok"] & ~same["right"]).sum()),
                "refused": int((~same["ok"]).sum()),
                "unrelated pairs": len(other),
                "accepted": int(other["ok"].sum()),
            }
        )
    return pd.DataFrame(lines)
