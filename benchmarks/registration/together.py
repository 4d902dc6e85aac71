"""Microspheres, whole images and nanocrystals weighed together, where none decides alone.

Small simulated fields with few microspheres, pieces of debris and nanocrystals in common, and
fields that share nothing, or nothing but the dust of the camera.
"""

from __future__ import annotations

from concurrent.futures import Executor
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.registration.points import run
from blinkpair.registration.both_patterns import Together, decide_together
from blinkpair.registration.fields import register_field
from blinkpair.registration.images.decision import ImageRegistration
from blinkpair.registration.images.images import register_images
from blinkpair.registration.points import alignments
from blinkpair.registration.result import Registration
from blinkpair.registration.rigid import apply_matrix
from blinkpair.simulate import rigid_matrix
from blinkpair.simulate.brightfield import render_brightfield

SHAPE = (200, 200)
DIAMETER_PX = 6.25
# Of each kind in an image, in common, and the error of a position per axis.
SPHERES, DEBRIS, NANOCRYSTALS, DUST = 20, 20, 40, 15
COMMON_SPHERES, COMMON_DEBRIS, COMMON_NANOCRYSTALS = (3, 5), (4, 9), (3, 5)
JITTER_PX = 0.2
WRONG_PX = 3.0
LEVELS = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003)
UNRELATED = ("nothing in common", "only the camera's dust in common")
Points = NDArray[np.float64]


def pattern(rng: np.random.Generator, matrix: Points, n: int, common: int) -> tuple[Points, Points]:
    """Return n points in either image, some of them the same ones."""
    same = np.empty((0, 2))
    while len(same) < common:
        xy = rng.uniform(8, 191, (1, 2))
        there = apply_matrix(matrix, xy)
        if ((there > 8) & (there < 191)).all():
            same = np.vstack([same, xy])
    others = rng.uniform(0, 199, (2, n - common, 2))
    return np.vstack([same, others[0]]), np.vstack([apply_matrix(matrix, same), others[1]])


def scene(kind: str, seed: int) -> tuple[list[Points], list[Points], list[Points], Points]:
    """Return images, microspheres and nanocrystals of both epochs, and the transform."""
    rng = np.random.default_rng([seed, 31, UNRELATED.index(kind) if kind in UNRELATED else 9])
    angle = float(rng.uniform(-180, 180))
    matrix = rigid_matrix(angle, tuple(rng.uniform(-30, 30, 2)), SHAPE)
    ranges = (COMMON_SPHERES, COMMON_DEBRIS, COMMON_NANOCRYSTALS)
    common = [0 if kind in UNRELATED else int(rng.integers(*one, endpoint=True)) for one in ranges]
    spheres = pattern(rng, matrix, SPHERES, common[0])
    debris = pattern(rng, matrix, DEBRIS, common[1])
    nanocrystals = pattern(rng, matrix, NANOCRYSTALS, common[2])
    dust = None if kind == UNRELATED[0] else rng.uniform(0, 199, (DUST, 2))
    images = [
        render_brightfield(
            SHAPE,
            spheres[epoch],
            diameter_px=DIAMETER_PX,
            debris_xy=debris[epoch],
            # The first pieces of debris are the same ones, in the sample's orientation.
            sample_rotation_deg=angle * epoch,
            dust_xy=dust,
            microsphere_seed=epoch,
            rng=rng,
        ).astype(float)
        for epoch in range(2)
    ]
    found = [
        [xy + rng.normal(0, JITTER_PX, xy.shape) for xy in both] for both in (spheres, nanocrystals)
    ]
    if dust is not None:
        # The finder takes round dust for microspheres.
        found[0] = [np.vstack([xy, dust + rng.normal(0, 0.05, dust.shape)]) for xy in found[0]]
    return images, found[0], found[1], matrix


def related_trial(seed: int) -> dict[str, Any]:
    """Register a field of which none of the patterns shows much."""
    images, spheres, nanocrystals, truth = scene("one sample", seed)
    by_images = partial(register_images, *images, diameter_px=DIAMETER_PX)
    record = {}
    for name, options in (("all", {"by_images": by_images}), ("points", {})):
        found = register_field(*spheres, *nanocrystals, shape=SHAPE, **options)
        record[name] = found.evidence
        if found.final.status == "ok":
            middle = np.array([[99.5, 99.5]])
            off = apply_matrix(found.final.matrix, middle) - apply_matrix(truth, middle)
            record[f"{name} wrong"] = bool(np.hypot(*off.T)[0] > WRONG_PX)
    return record


def unrelated_trial(kind: str, seed: int) -> dict[str, Any]:
    """Return the levels of a pair that shares nothing of the sample."""
    images, spheres, nanocrystals, _ = scene(kind, seed)
    seen = register_images(*images, diameter_px=DIAMETER_PX)
    candidates = alignments(*spheres, field_shape=SHAPE)
    return {
        "pairs": kind,
        "microspheres and images": _level(candidates, spheres[0], [np.empty((0, 2))] * 2, seen),
        "microspheres, images and nanocrystals": _level(candidates, spheres[0], nanocrystals, seen),
    }


def _level(
    candidates: list[Registration],
    spheres_pre: Points,
    nanocrystals: list[Points],
    seen: ImageRegistration,
) -> float:
    def alike(one: Registration) -> float:
        assert seen.evidence is not None
        return seen.evidence.probability_near(one.matrix, spheres_pre[one.pairs[:, 0]])

    found = decide_together(
        candidates,
        *nanocrystals,
        by_rank=False,
        max_chance_alignments=3e-4,
        field_shape=SHAPE,
        images=alike,
    )
    one = found.brightfield if isinstance(found, Together) else found
    return one.chance_alignments


def related_table(pool: Executor, trials: int) -> pd.DataFrame:
    """One line a kind of evidence: how many fields it decides, with the images and without."""
    every = run(pool, related_trial, [(seed,) for seed in range(trials)])
    lines = []
    for evidence in sorted({*every["all"], *every["points"]}):
        line: dict[str, Any] = {"decided by": evidence}
        for name, title in (("points", "without images"), ("all", "with images")):
            chosen = every[every[name] == evidence]
            line[title] = len(chosen)
            wrong = chosen.get(f"{name} wrong", pd.Series(dtype=bool))
            line[f"wrong {title}"] = int(wrong.fillna(False).astype(bool).sum())
        lines.append(line)
    return pd.DataFrame(lines)


def level_table(pool: Executor, trials: int) -> pd.DataFrame:
    """One line a kind of pairs and of evidence: how many are at or below a level."""
    tasks = [(kind, seed) for kind in UNRELATED for seed in range(trials)]
    every = run(pool, unrelated_trial, tasks)
    lines = []
    for kind, group in every.groupby("pairs", sort=False):
        for evidence in every.columns[1:]:
            counts = {f"{level:g}": int((group[evidence] <= level).sum()) for level in LEVELS}
            accepted = int((group[evidence] <= 3e-4).sum())
            lines.append(
                {"pairs": kind, "evidence": evidence, "tried": len(group)}
                | counts
                | {"accepted (0.0003)": accepted}
            )
    expected = {f"{level:g}": f"{trials * -np.expm1(-level):.1f}" for level in LEVELS}
    lines.append(
        {"pairs": "at most expected", "evidence": "", "tried": trials}
        | expected
        | {"accepted (0.0003)": f"{trials * 3e-4:.2f}"}
    )
    return pd.DataFrame(lines)
