"""Brightfield images that share nothing: how often does the registration by whole images accept?

Real pairs are those of many samples (`unrelated_real`), where these are present, two crops apart in
one image, a crop and the mirror image of another, crops of two samples, and crops apart in which
everything that stands out is painted out. Simulated pairs show debris, fibres and flakes, many or
few, others in either image, and the same dirt and the same fringes of the camera in both.

A lattice has a chance level of its own, and is counted apart.

Input: seeds. Output: the chance level of the best alignment of each pair.
"""

from __future__ import annotations

import time
from concurrent.futures import Executor
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.registration import unrelated_real
from benchmarks.registration.points import run
from benchmarks.registration.real_images import (
    SOURCES,
    SPARSE,
    Image,
    exposed,
    load,
    painted_out,
)
from blinkpair.registration.images.decision import LATTICE
from blinkpair.registration.images.images import register_images
from blinkpair.simulate.brightfield import render_brightfield
from blinkpair.simulate.dirt import Dirt, draw_dirt

# Largest side of an image, in pixels.
SIDE = 384
REAL_KINDS = ("apart", "mirrored", "other sample", "spheres painted out")
# Most pieces of debris, fibres, flakes and bands of the sample; fibres, flakes, bands and dust of
# the camera.
DEBRIS = {
    "simulated debris": ((20, 150), (8, 30, 1), (2, 5, 1), 60),
    "few simulated objects": ((0, 15), (3, 8, 1), (1, 2, 1), 8),
}
# Real pairs of many samples.
MANY_SAMPLES = "many samples"
# What pairs are called whose images show a lattice.
LATTICES = "as lattices"
LEVELS = (0.5, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003)


def real_pair(kind: str, rng: np.random.Generator) -> tuple[Image, Image, float]:
    """Return two images that share nothing, and a diameter."""
    every = SOURCES | SPARSE
    names = list(every)
    name = names[rng.integers(len(names))]
    diameter = every[name].diameter_px
    image = load(name)
    if kind == "other sample":
        others = [other for other in names if every[other].sample != every[name].sample]
        pair = [_crop(image, rng), _crop(load(others[rng.integers(len(others))]), rng)]
    elif kind == "mirrored":
        pair = [_crop(image, rng), _crop(image, rng)[:, ::-1]]
    else:
        axis = int(rng.integers(2))
        pair = [_crop(half, rng, 0.95) for half in np.array_split(image, 2, axis=axis)]
        if kind == "spheres painted out":
            pair = [painted_out(one, diameter, 1.0, rng) for one in pair]
    pair = [np.rot90(one, rng.integers(4)) for one in pair]
    pre, post = (exposed(one, float(np.ptp(one)), rng) for one in pair)
    return pre, post, diameter * rng.uniform(0.7, 1.4)


def _crop(image: Image, rng: np.random.Generator, share: float = 0.75) -> Image:
    rows, columns = (min(int(share * n), SIDE) for n in image.shape)
    y, x = (rng.integers(0, n - m + 1) for n, m in zip(image.shape, (rows, columns), strict=True))
    return image[y : y + rows, x : x + columns]


def debris_pair(kind: str, rng: np.random.Generator) -> tuple[Image, Image, float]:
    """Return two images of debris without a microsphere, and the diameter of it."""
    debris, on_sample, on_camera, most_dust = DEBRIS[kind]
    diameter = rng.uniform(5, 14)
    corners = np.zeros(2), np.full(2, float(SIDE))

    def dirt(most: tuple[int, int, int]) -> Dirt:
        fibres, flakes, bands = (int(rng.integers(n + 1)) for n in most)
        return Dirt(
            fibres=fibres, flakes=flakes, bands=bands, flake_size_px=rng.uniform(1, 3) * diameter
        )

    fixed = draw_dirt(rng, dirt(on_camera), *corners)
    dust = rng.uniform(0, SIDE, (int(rng.integers(most_dust)), 2))
    dust_seed = int(rng.integers(1 << 30))
    images = [
        render_brightfield(
            (SIDE, SIDE),
            None,
            diameter_px=diameter,
            dust_xy=dust,
            dust_seed=dust_seed,
            debris_xy=rng.uniform(0, SIDE, (int(rng.integers(*debris)), 2)),
            debris_seed=int(rng.integers(1 << 30)),
            dirt=[*draw_dirt(rng, dirt(on_sample), *corners), *fixed],
            rng=rng,
        ).astype(float)
        for _ in range(2)
    ]
    return images[0], images[1], diameter


def trial(kind: str, seed: int) -> dict[str, Any]:
    """Register a pair that has nothing in common."""
    rng = np.random.default_rng([seed, 77])
    if kind == MANY_SAMPLES:
        kind, pre, post, diameter = unrelated_real.pair(seed)
    else:
        pre, post, diameter = debris_pair(kind, rng) if kind in DEBRIS else real_pair(kind, rng)
    start = time.process_time()
    found = register_images(pre, post, diameter_px=diameter)
    return {
        "pairs": kind,
        "lattice": found.reason.startswith(LATTICE),
        "ok": found.status == "ok",
        "chance": found.chance_alignments,
        "reason": found.reason,
        "seconds": time.process_time() - start,
        "seed": seed,
    }


def trials(pool: Executor, many: int, real: int, debris: int) -> pd.DataFrame:
    """One line a pair."""
    tasks = [(MANY_SAMPLES, seed) for seed in range(many if unrelated_real.present() else 0)]
    tasks += [(REAL_KINDS[seed % len(REAL_KINDS)], seed) for seed in range(real)]
    tasks += [(kind, seed) for kind in DEBRIS for seed in range(debris // len(DEBRIS))]
    return run(pool, trial, tasks)


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """One line a kind of pairs, with the numbers at or below a level, and what is expected."""
    lines = []
    lattice = table["lattice"]
    by_kind = table[~lattice].groupby("pairs", sort=False)
    for kind, group in [*by_kind, (LATTICES, table[lattice]), ("all", table)]:
        line = {"pairs": kind, "tried": len(group), "accepted": int(group["ok"].sum())}
        reached = {f"{level:g}": int((group["chance"] <= level).sum()) for level in LEVELS}
        lines.append(line | reached)
    expected = {f"{level:g}": f"{level * len(table):.1f}" for level in LEVELS}
    lines.append({"pairs": "expected of all", "tried": "", "accepted": ""} | expected)
    return pd.DataFrame(lines)
