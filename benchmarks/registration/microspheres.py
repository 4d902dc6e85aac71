"""How well are microspheres found in simulated brightfield images of known truth?

Run: PYTHONPATH=scripts python -m benchmarks.microspheres [--images 4] [--given 0.7 1.3]

For both families of sphere image and a range of defocus: the error of isolated centres (per axis
and radial, RMS), the share of isolated, touching and clustered spheres found, and the false
detections per image, with dust counted apart. Signal-to-noise is peak contrast over pixel noise.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import Executor

import numpy as np
import pandas as pd

from benchmarks.registration.points import run
from blinkpair.brightfield.microspheres import find_microspheres
from blinkpair.simulate.brightfield import render_brightfield
from blinkpair.simulate.sphere_images import Family

SIDE_DIAMETERS = 41  # of the image: 256 px for spheres of 6.25 px
DIAMETER_PX = 6.25
LIGHT_COUNTS = 8000.0
NOISE_COUNTS = np.hypot(np.sqrt(LIGHT_COUNTS), 10.0)  # as the forward model draws it
MATCH_PX = 1.5
FAMILIES: tuple[Family, ...] = ("diffraction", "rings")


def layout(rng: np.random.Generator, diameter_px: float) -> tuple[np.ndarray, np.ndarray]:
    """Isolated spheres, touching pairs and triplets, well apart: positions and cluster sizes."""
    side = round(SIDE_DIAMETERS * diameter_px)
    places: list[np.ndarray] = []
    xy, kind = [], []
    sizes = [1] * 12 + [2] * 4 + [3] * 2
    while sizes:
        centre = rng.uniform(2.5 * diameter_px, side - 2.5 * diameter_px, 2)
        if places and np.hypot(*(np.array(places) - centre).T).min() < 5 * diameter_px:
            continue
        places.append(centre)
        size = sizes.pop()
        turn = rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(size) / max(size, 1)
        reach = {1: 0.0, 2: 0.5, 3: 1 / np.sqrt(3)}[size] * 1.02 * diameter_px
        xy.append(centre + reach * np.stack([np.cos(turn), np.sin(turn)], axis=1))
        kind += [size] * size
    return np.vstack(xy), np.array(kind)


def score_image(
    seed: int, family: Family, defocus: float, snr: float, given: float, diameter_px: float, n: int
) -> dict[str, np.ndarray | float]:
    """One image: errors of each true sphere (NaN where missed) and false detections."""
    rng = np.random.default_rng(seed)
    xy, kind = layout(rng, diameter_px)
    shape = (round(SIDE_DIAMETERS * diameter_px),) * 2

    def away(count: int) -> np.ndarray:
        points = rng.uniform(0, shape, (20 * count, 2))
        far = np.hypot(*(points[:, None] - xy).transpose(2, 0, 1)).min(1) > 3 * diameter_px
        return points[far][:count]

    dust, debris = away(n), away(n)
    image = render_brightfield(
        shape, xy, diameter_px=diameter_px, defocus=defocus, family=family,
        contrast=snr * NOISE_COUNTS / LIGHT_COUNTS, light_counts=LIGHT_COUNTS,
        dust_xy=dust, dust_seed=seed, debris_xy=debris, debris_seed=seed,
        microsphere_seed=seed, hot_pixels=20, hot_pixel_seed=seed, rng=rng,
    )  # fmt: skip
    start = time.perf_counter()
    found = find_microspheres(image, diameter_px * given)[["x", "y"]].to_numpy()
    seconds = time.perf_counter() - start
    error = np.full((len(xy), 2), np.nan)
    used = np.zeros(len(found), dtype=bool)
    for i, true in enumerate(xy):
        if len(found):
            distance = np.hypot(*(found - true).T) + 1e9 * used
            j = int(distance.argmin())
            if distance[j] < MATCH_PX * diameter_px / DIAMETER_PX:
                error[i], used[j] = found[j] - true, True
    rest = found[~used]
    near_dust = np.array([np.hypot(*(dust - p).T).min() < 4 for p in rest], bool) if n else []
    return {"error": error, "kind": kind, "false": float(len(rest) - np.sum(near_dust)),
            "dust": float(np.sum(near_dust)), "seconds": seconds}  # fmt: skip


def line(
    family: Family,
    defocus: float,
    snr: float,
    given: float,
    images: int,
    diameter_px: float,
    n: int,
) -> str:
    runs = [
        score_image(100 + s, family, defocus, snr, given, diameter_px, n) for s in range(images)
    ]
    error = np.vstack([r["error"] for r in runs])
    kind = np.concatenate([r["kind"] for r in runs])
    hit = np.isfinite(error[:, 0])
    cells = [f"{family:11s} {defocus:5.1f} {snr:4.0f} {diameter_px:5.1f} {given:5.2f}"]
    for size in (1, 2, 3):
        own = kind == size
        used = error[own & hit]
        radial = np.sqrt(np.mean(np.sum(used**2, axis=1))) if len(used) else np.nan
        cells.append(f"{100 * hit[own].mean():4.0f} % {radial / np.sqrt(2):6.3f} {radial:6.3f}")
    cells.append(
        f"{np.mean([r['false'] for r in runs]):5.2f} {np.mean([r['dust'] for r in runs]):5.2f}"
    )
    cells.append(f"{np.mean([r['seconds'] for r in runs]):5.2f}")
    return " | ".join(cells)


def centre_trial(family: Family, defocus: float, snr: float, seed: int) -> dict[str, object]:
    """Errors of isolated centres in one image."""
    rng = np.random.default_rng([seed, round(10 * defocus) + 100])
    across, down = np.meshgrid(*[np.linspace(35, 477, 7)] * 2)
    xy = np.column_stack([across.ravel(), down.ravel()]) + rng.uniform(-6, 6, (49, 2))
    image = render_brightfield(
        (512, 512), xy, diameter_px=DIAMETER_PX, defocus=defocus, family=family,
        contrast=snr * NOISE_COUNTS / LIGHT_COUNTS, light_counts=LIGHT_COUNTS,
        microsphere_seed=seed, rng=rng,
    )  # fmt: skip
    found = find_microspheres(image, DIAMETER_PX)[["x", "y"]].to_numpy()
    nearest = np.array([found[np.hypot(*(found - p).T).argmin()] - p for p in xy])
    hit = np.hypot(*nearest.T) < MATCH_PX
    return {
        "image": family,
        "defocus": defocus,
        "found": hit.sum(),
        "of": len(xy),
        "false": len(found) - hit.sum(),
        "squares": (nearest[hit] ** 2).sum(),
    }


def centre_table(pool: Executor, images: int, snr: float = 10.0) -> pd.DataFrame:
    """Root-mean-square error per axis of isolated centres, over the focus."""
    jobs = [
        (family, defocus, snr, k)
        for family in FAMILIES
        for defocus in (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
        for k in range(images)
    ]
    trials = run(pool, centre_trial, jobs)
    table = trials.groupby(["image", "defocus"], sort=False).sum()
    table["RMS error px (per axis)"] = np.sqrt(table["squares"] / (2 * table["found"]))
    return table.drop(columns="squares").reset_index()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--dirt", type=int, default=6, help="dust and debris specks per image")
    parser.add_argument("--snr", type=float, nargs="+", default=[10.0])
    parser.add_argument("--defocus", type=float, nargs="+", default=[-2, -1, -0.5, 0.5, 1, 2])
    parser.add_argument("--given", type=float, nargs="+", default=[1.0],
                        help="diameter given to the finder, relative to the true one")  # fmt: skip
    parser.add_argument("--diameter", type=float, nargs="+", default=[DIAMETER_PX])
    options = parser.parse_args()
    print("found, RMS per axis and radial in px: isolated | pairs | triplets;",
          "false and dust per image; seconds per image")  # fmt: skip
    print("family   defocus  snr  diam given |   isolated           |   pairs              |",
          "  triplets           | false dust | s")  # fmt: skip
    for diameter_px in options.diameter:
        for given in options.given:
            for snr in options.snr:
                for family in FAMILIES:
                    for defocus in options.defocus:
                        print(line(family, defocus, snr, given, options.images, diameter_px,
                                   options.dirt), flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
