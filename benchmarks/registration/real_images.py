"""Registration by whole images, on pairs cut from real images of microspheres of other groups.

Two crops of one image, one of them turned, with another gain and offset, fresh noise and some of
the spheres painted out, are a pair of known truth. The images are not part of the project; where
they are absent there is nothing to measure.
"""

from __future__ import annotations

import time
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.registration.points import run
from blinkpair.brightfield.microspheres import find_microspheres
from blinkpair.registration.fields import register_field
from blinkpair.registration.images.images import register_images
from blinkpair.registration.rigid import apply_matrix

REAL = Path(__file__).parents[3] / "shared" / "realdata"
# Largest error over the overlap of a right one, and smallest of a wrong one.
RIGHT_PX, WRONG_PX = 0.5, 3.0
# The diameter given, as a multiple of the right one.
FACTORS = (0.7, 1.0, 1.4)
Image = NDArray[np.float64]


@dataclass(frozen=True)
class Real:
    """A real image, the sample it is of, and the diameter of its microspheres in pixels."""

    path: str
    sample: str
    diameter_px: float
    box: tuple[slice, slice] = (slice(None), slice(None))
    halved: bool = False


DROPLET = (slice(256, 790), slice(250, 860))
SOURCES = {
    "electrodes 1": Real("microspheres/henry_hct/1_min.jpg", "electrodes", 11.0),
    "electrodes 5": Real("microspheres/henry_hct/5_min.jpg", "electrodes", 11.0),
    "droplet 2": Real("microspheres/microbeads/compression150a0002.tif", "droplet", 6.0, DROPLET),
    "droplet 4": Real("microspheres/microbeads/compression150a0004.tif", "droplet", 6.0, DROPLET),
    "rows": Real("microspheres/coreshell/MR16.89_11_10837.tif", "rows", 10.0),
    "scanner 0": Real("microspheres/sbrt/o0x480s480n1200dpi.png", "scanner 0", 14.0, halved=True),
    "scanner 1": Real(
        "microspheres/sbrt/o480x1920s480n1200dpi.png", "scanner 1", 14.0, halved=True
    ),
}
SPARSE = {"few spheres": Real("trackpy_brightfield/bf_0000.png", "few spheres", 11.0)}


def present() -> bool:
    """Return whether the real images are there."""
    return (REAL / "microspheres").is_dir()


@cache
def load(name: str) -> Image:
    from skimage import io

    source = (SOURCES | SPARSE)[name]
    image = io.imread(REAL / source.path).astype(float)
    if image.ndim == 3:
        image = image[..., :3].mean(axis=2)
    image = image[source.box]
    if source.halved:
        rows, columns = (n // 2 for n in image.shape)
        image = image[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2).mean(axis=(1, 3))
    return image


def exposed(image: Image, scale: float, rng: np.random.Generator) -> Image:
    """Return the image under another light and gain, with fresh noise of 1 % of the range."""
    gain, offset = rng.uniform(0.8, 1.25), rng.uniform(-0.1, 0.1) * scale
    return gain * image + offset + rng.normal(0, 0.01 * scale, image.shape)


def lit_from_one_side(image: Image, diameter: float) -> Image:
    """Return the image with a bright and a dark half of every sphere, along x of the camera."""
    slope = ndimage.gaussian_filter(image, 0.12 * diameter, order=(0, 1))
    return 0.3 * image + slope * (image.std() / max(float(slope.std()), 1e-9))


def painted_out(image: Image, diameter: float, share: float, rng: np.random.Generator) -> Image:
    """Return the image with a share of what stands out replaced by its surroundings."""
    fine = image - ndimage.gaussian_filter(image, diameter)
    power = ndimage.gaussian_filter(fine**2, 0.4 * diameter)
    peaks = power == ndimage.maximum_filter(power, 2 * round(0.6 * diameter) + 1)
    y, x = np.nonzero(peaks & (power > 3 * np.median(power)))
    painted = image.copy()
    rows, columns = np.indices(image.shape)
    reach = int(np.ceil(1.2 * diameter))
    for k in np.flatnonzero(rng.random(len(y)) < share):
        around = tuple(slice(max(at[k] - reach, 0), at[k] + reach + 1) for at in (y, x))
        distance = np.hypot(rows[around] - y[k], columns[around] - x[k])
        ring = (distance > 0.8 * diameter) & (distance < 1.2 * diameter)
        painted[around][distance <= 0.8 * diameter] = np.median(image[around][ring])
    return painted


@dataclass(frozen=True)
class Pair:
    pre: Image
    post: Image
    matrix: Image
    overlap: float


def cut(
    name: str,
    rng: np.random.Generator,
    *,
    quarters: int | None,
    overlap: float,
    lost: float = 0.0,
    one_sided: bool = False,
) -> Pair:
    """Return two crops of an image, the second turned by quarters, or by any angle."""
    image, diameter = load(name), SOURCES[name].diameter_px
    height, width = image.shape
    side = int(min(height, width, 640) * 0.8) if quarters is not None else 0
    side = side or int(min(height, width, 720) * 0.6)
    middle = (side - 1) / 2
    # A crop turned by any angle lies within the image: half a diagonal from its edges.
    margin = middle if quarters is not None else min(0.72 * side, min(height, width) / 2)
    angle = rng.uniform(-180, 180) if quarters is None else 90.0 * quarters
    grid = np.stack(np.meshgrid(*[np.linspace(0, side - 1, 41)] * 2), -1).reshape(-1, 2)
    best = None
    for _ in range(3000):
        corner = np.array([rng.integers(0, n - side + 1) for n in (width, height)])
        centre = np.array([rng.uniform(margin, n - 1 - margin + 1e-9) for n in (width, height)])
        if quarters is not None:
            centre = np.round(centre - middle) + middle
        matrix = _turn_about(centre - corner, np.deg2rad(angle), np.full(2, middle))
        there = apply_matrix(matrix, grid)
        seen = float(((there >= 0) & (there <= side - 1)).all(axis=1).mean())
        if best is None or abs(seen - overlap) < abs(best[0] - overlap):
            best = (seen, corner, matrix)
        if abs(seen - overlap) < 0.03:
            break
    seen, corner, matrix = best
    rows, columns = (slice(at, at + side) for at in corner[::-1])
    if lost:
        # Each epoch loses its own, in the frame of the whole image.
        first, second = (painted_out(image, diameter, lost / 2, rng) for _ in range(2))
    else:
        first = second = image
    to_image = np.linalg.inv(matrix @ _shift(-corner))
    post = ndimage.affine_transform(
        second,
        to_image[:2, :2][::-1, ::-1],
        to_image[:2, 2][::-1],
        output_shape=(side, side),
        order=3 if quarters is None else 1,
        mode="reflect",
    )
    pair = [first[rows, columns], post]
    if one_sided:
        pair = [lit_from_one_side(one, diameter) for one in pair]
    scale = float(np.ptp(pair[0]))
    return Pair(exposed(pair[0], scale, rng), exposed(pair[1], scale, rng), matrix, seen)


def _shift(by: np.ndarray) -> Image:
    matrix = np.eye(3)
    matrix[:2, 2] = by
    return matrix


def _turn_about(centre: np.ndarray, angle: float, to: np.ndarray) -> Image:
    matrix = np.eye(3)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    matrix[:2, 2] = to - matrix[:2, :2] @ centre
    return matrix


def largest_error_px(matrix: Image, pair: Pair) -> float:
    """Return the largest distance to the truth over the overlap."""
    rows, columns = pair.pre.shape
    axes = np.linspace(0, columns - 1, 21), np.linspace(0, rows - 1, 21)
    xy = np.stack(np.meshgrid(*axes), -1).reshape(-1, 2)
    true = apply_matrix(pair.matrix, xy)
    inside = ((true >= 0) & (true <= np.array(pair.post.shape[::-1]) - 1)).all(axis=1)
    error = np.hypot(*(apply_matrix(matrix, xy) - true).T)
    return float(error[inside].max())


def related_trial(name: str, factor: float, quarters: bool, one_sided: bool, seed: int) -> dict:
    """Register a pair of one image by the images alone, and by microspheres and images."""
    rng = np.random.default_rng([seed, round(10 * factor), quarters, one_sided])
    pair = cut(
        name,
        rng,
        quarters=int(rng.integers(4)) if quarters else None,
        overlap=rng.uniform(0.3, 0.9),
        lost=0.0 if quarters else 0.2,
        one_sided=one_sided,
    )
    start = time.process_time()
    diameter_px = factor * SOURCES[name].diameter_px
    found = register_images(pair.pre, pair.post, diameter_px=diameter_px)
    seconds = time.process_time() - start
    spheres = [
        find_microspheres(image, diameter_px)[["x", "y"]].to_numpy()
        for image in (pair.pre, pair.post)
    ]
    nothing = np.empty((0, 2))
    together = register_field(
        *spheres, nothing, nothing, shape=pair.pre.shape, by_images=lambda: found
    )
    record: dict[str, Any] = {
        "image": name,
        "diameter": factor,
        "turn": "quarters" if quarters else "any",
        "one_sided": one_sided,
        "overlap": pair.overlap,
        "ok": found.status == "ok",
        "chance": found.chance_alignments,
        "reason": found.reason,
        "seconds": seconds,
        "seed": seed,
        "evidence": together.evidence,
    }
    if together.evidence != "none":
        record["together_px"] = largest_error_px(together.microspheres.matrix, pair)
    if found.status == "ok":
        xy = np.array([[0, 0], [pair.pre.shape[1] - 1, pair.pre.shape[0] - 1]]) / 2.0
        error = np.hypot(*(apply_matrix(found.matrix, xy) - apply_matrix(pair.matrix, xy)).T)
        record["error_px"] = largest_error_px(found.matrix, pair)
        record["inside_68"] = float((error <= found.tre(xy, 0.68)).mean())
        record["inside_95"] = float((error <= found.tre(xy, 0.95)).mean())
    return record


def related_trials(pool: Executor, trials: int, *, one_sided: bool = False) -> pd.DataFrame:
    """One line a pair: every image, three diameters, quarter turns and any angle."""
    tasks = [
        (name, factor, quarters, one_sided, seed)
        for seed in range(trials)
        for name in SOURCES
        for factor in FACTORS
        for quarters in (True, False)
    ]
    return run(pool, related_trial, tasks)


def related_summary(trials: pd.DataFrame) -> pd.DataFrame:
    """One line an image and a kind of turn, and one of all."""
    lines = []
    groups = [*trials.groupby(["image", "turn"], sort=False), (("all", ""), trials)]
    for (name, turn), group in groups:
        lines.append(
            {
                "image": name,
                "turn": turn,
                "pairs": len(group),
                **_outcomes(group["error_px"]),
                "within 68 %": 100 * group["inside_68"].mean(),
                "within 95 %": 100 * group["inside_95"].mean(),
            }
        )
    return pd.DataFrame(lines)


def together_summary(trials: pd.DataFrame) -> pd.DataFrame:
    """One line an image and a kind of turn, of microspheres and whole images together."""
    lines = [
        {
            "image": name,
            "turn": turn,
            "pairs": len(group),
            "by microspheres": int((group["evidence"] == "microspheres").sum()),
            **_outcomes(group["together_px"]),
        }
        for (name, turn), group in trials.groupby(["image", "turn"], sort=False)
    ]
    return pd.DataFrame(lines)


def _outcomes(error_px: pd.Series) -> dict[str, float]:
    """Return how many of the errors are right, off and wrong; refused ones are not numbers."""
    return {
        "right": int((error_px < RIGHT_PX).sum()),
        "off by 0.5 to 3 px": int(error_px.between(RIGHT_PX, WRONG_PX).sum()),
        "wrong": int((error_px > WRONG_PX).sum()),
        "refused": int(error_px.isna().sum()),
        "median error px": error_px.median(),
    }
