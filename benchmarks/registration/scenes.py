"""How well are microspheres found as microscopes show them?

Each row is one difficulty of real brightfield images, the last all of them together. Each seed has
its own turn, focus, sphere image and signal-to-noise, the same in all rows. A common offset of all
centres of an image is allowed: it acts like the offset between the channels, and the nanocrystals
take it out of the transform. Spheres at another height have an offset of their own: their centres
are false, but not far from all microspheres.

Input: seeds. Output: microspheres found, false ones and the error of the centres, a row a scene.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from benchmarks.registration.points import run
from blinkpair.brightfield.microspheres import find_microspheres
from blinkpair.simulate import Camera, FieldDesign, SimulatedField, simulate_field
from blinkpair.simulate.brightfield import Illumination
from blinkpair.simulate.dirt import Dirt

SIZE = 512
DIAMETER_PX = 6.25
LIGHT_COUNTS = 8000.0
NOISE_COUNTS = np.hypot(np.sqrt(LIGHT_COUNTS), 10.0)
SNR = (10.0, 40.0)
# A centre farther than this from every microsphere, after the common offset, is false.
MATCH_PX = 1.5
# The largest common offset that is looked for. Light that travels at an angle displaces the image
# of a sphere by its distance from the focus times the tangent of the angle: of 1.2 diameters and
# the simulated light (numerical aperture 0.85, over a half angle of 1.2 rad) 1.5 diameters.
OFFSET_PX = 1.5 * DIAMETER_PX
MIN_COMMON = 4
# Microspheres closer to the edge than this are neither required nor false.
EDGE_PX = 8.0

Finder = Callable[[np.ndarray, float], pd.DataFrame]


@dataclass(frozen=True)
class Scene:
    """One difficulty: what it changes of the design, and the share of the light from one side."""

    name: str
    design: dict[str, Any] = field(default_factory=dict)
    one_sided: float = 0.0


HALF = {"aggregated_share": 0.5}
HEIGHTS = {"second_height_share": 0.3}
DIRT = {
    "sample_dirt": Dirt(fibres=4, flakes=8, bands=1),
    "camera_dirt": Dirt(fibres=2, flakes=4, bands=1),
    "n_dust": 20,
}
JPEG = {"jpeg_quality": 75}
SCENES = [
    Scene("nothing special"),
    Scene("light from one side", one_sided=0.7),
    Scene("half in aggregates", HALF),
    Scene("light from one side, half in aggregates", HALF, 0.7),
    Scene("two heights of focus", HEIGHTS),
    Scene("shaded bands and dirt", DIRT),
    Scene("JPEG of quality 75", JPEG),
    Scene("all together", HALF | HEIGHTS | DIRT | JPEG, 0.7),
]


def draw(scene: Scene, seed: int) -> SimulatedField:
    """Draw a field of this scene; of one seed, all scenes have the same focus and contrast."""
    rng = np.random.default_rng([seed, 17])
    focus = rng.choice([-1, 1]) * rng.uniform(0.2, 1.2, 2) * [1, rng.choice([-1, 1])]
    design = FieldDesign(
        camera=Camera(shape=(SIZE, SIZE)),
        frames=1,
        n_nanocrystals=0,
        n_microspheres=80,
        microsphere_diameter_px=DIAMETER_PX,
        rotation_deg=rng.uniform(-180, 180),
        shift_px=tuple(rng.uniform(-60, 60, 2)),
        defocus=tuple(focus),
        microsphere_family=str(rng.choice(["diffraction", "rings"])),
        microsphere_contrast=rng.uniform(*SNR) * NOISE_COUNTS / LIGHT_COUNTS,
        illumination=Illumination(
            one_sided=scene.one_sided, one_sided_angle_deg=rng.uniform(-180, 180)
        ),
        **scene.design,
    )
    return simulate_field(design, seed=seed)


def common_offset(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Shift of most found centres from their microspheres: the fullest place, then its median.

    Zero where fewer than MIN_COMMON agree: a false detection near a microsphere is no offset.
    """
    differences = (found[:, None] - true).reshape(-1, 2)
    differences = differences[np.hypot(*differences.T) < OFFSET_PX]
    if len(differences) < MIN_COMMON:
        return np.zeros(2)
    tree = cKDTree(differences)
    agree = tree.query_ball_point(differences, 0.4, return_length=True)
    if agree.max() < MIN_COMMON:
        return np.zeros(2)
    fullest = differences[np.argmax(agree)]
    return np.asarray(np.median(differences[tree.query_ball_point(fullest, 0.6)], axis=0))


def score(found: np.ndarray, spheres: pd.DataFrame, epoch: str) -> dict[str, float]:
    """Found, false and error of the centres of one image, each microsphere matched once."""
    there = spheres.dropna(subset=[f"x_{epoch}"])
    true = there[[f"x_{epoch}", f"y_{epoch}"]].to_numpy()
    alone = cKDTree(true).query(true, k=2)[0][:, 1] > 1.5 * DIAMETER_PX
    inside = _inside(true)
    offset = common_offset(found, true)
    error = np.full((len(true), 2), np.nan)
    used = np.zeros(len(found), bool)
    if len(found):
        distance = np.hypot(*(found[:, None] - offset - true).transpose(2, 0, 1))
        for flat in np.argsort(distance, axis=None):
            i, j = divmod(int(flat), len(true))
            if distance[i, j] > MATCH_PX:
                break
            if not used[i] and np.isnan(error[j, 0]):
                error[j], used[i] = found[i] - offset - true[j], True
    hit = np.isfinite(error[:, 0])
    return {
        "microspheres": float(inside.sum()),
        "found": float((hit & inside).sum()),
        "alone": float((alone & inside).sum()),
        "alone found": float((hit & alone & inside).sum()),
        "false": float((_inside(found) & ~used).sum()),
        "far": float((_inside(found) & ~used & (cKDTree(true).query(found)[0] > OFFSET_PX)).sum()),
        "squares": float(np.nansum(error[inside] ** 2)),
        "offset": float(np.hypot(*offset)),
    }


def _inside(xy: np.ndarray) -> np.ndarray:
    return np.asarray(((xy >= EDGE_PX) & (xy <= SIZE - 1 - EDGE_PX)).all(axis=1))


def scene_trial(
    number: int, seed: int, given: float = 1.0, find: Finder = find_microspheres
) -> dict[str, Any]:
    """Score both images of a field; `given` is the diameter given relative to the true one."""
    scene = SCENES[number]
    simulated = draw(scene, seed)
    scores = [
        score(find(image, given * DIAMETER_PX)[["x", "y"]].to_numpy(), simulated.microspheres, e)
        for image, e in ((simulated.brightfield_pre, "pre"), (simulated.brightfield_post, "post"))
    ]
    both = pd.DataFrame(scores)
    return {"scene": scene.name, **both.drop(columns="offset").sum(),
            "offset": both["offset"].max()}  # fmt: skip


def scene_table(
    pool: Executor, fields: int, given: float = 1.0, find: Finder = find_microspheres
) -> pd.DataFrame:
    """One line a scene, over both images of so many fields."""
    jobs = [(k, 1 + s, given, find) for k in range(len(SCENES)) for s in range(fields)]
    trials = run(pool, scene_trial, jobs)
    sums = trials.groupby("scene", sort=False).sum()
    grouped = sums["microspheres"] - sums["alone"]
    return pd.DataFrame(
        {
            "scene": sums.index,
            "microspheres": sums["microspheres"].astype(int).to_numpy(),
            "found %": (100 * sums["found"] / sums["microspheres"]).to_numpy(),
            "alone %": (100 * sums["alone found"] / sums["alone"]).to_numpy(),
            "with close neighbours %": (
                100 * (sums["found"] - sums["alone found"]) / grouped
            ).to_numpy(),
            "false %": (100 * sums["false"] / (sums["found"] + sums["false"])).to_numpy(),
            "far from all %": (100 * sums["far"] / (sums["found"] + sums["false"])).to_numpy(),
            "RMS error px (per axis)": np.sqrt(sums["squares"] / (2 * sums["found"])).to_numpy(),
            "largest common offset px": trials.groupby("scene", sort=False)["offset"]
            .max()
            .to_numpy(),
        }
    )
