"""How many bytes the report's page takes for 1,000 nanocrystals in movies as long as the paper's.

Traces, states, images and positions are simulated (no movies): 5 fields of 200 nanocrystals,
20,000 frames in both epochs, power-law blinking, 500 counts when on, noise of 45 counts, 512 x 512
noisy images. Printed are the bytes of each part of `report.fields.field_content` as JSON, and
how long it takes to make. The page comes on top: its libraries, the tables, and the rows of
`nanocrystals.csv`, which are some 200 bytes each once deflated.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from blinkpair.blinking.photostability import integrated_pl
from blinkpair.epochs import EPOCHS
from blinkpair.photometry.traces import epoch_dataset, join_epochs
from blinkpair.registration.rigid import apply_matrix
from blinkpair.report.fields import field_content
from blinkpair.report.traces import bins_for
from blinkpair.simulate.blinking import DwellLaw, on_time_per_frame

SIDE_PX, EXPOSURE_S = 512, 0.02
ON_COUNTS, NOISE_COUNTS, GAIN = 500.0, 45.0, 2.0
PSF_SIGMA_PX, BURST_FRAMES = 0.8, 10
MICROSPHERES, SPHERE_PX = 40, 3.0
ANGLE_DEG, SHIFT_PX = 12.0, (40.0, -25.0)
DRIFT_STRETCHES = 80
LIMIT_BYTES = 9.5e6


def transform() -> np.ndarray:
    """From pixels before to pixels after: turned about the middle, and shifted."""
    angle, middle = np.deg2rad(ANGLE_DEG), (SIDE_PX - 1) / 2
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.eye(3)
    matrix[:2, :2] = turn
    matrix[:2, 2] = middle - turn @ [middle, middle] + SHIFT_PX
    return matrix


def blink(rng: np.random.Generator, n: int, frames: int) -> np.ndarray:
    """Counts (n, frames) of nanocrystals with power-law on- and off-times."""
    counts = np.empty((n, frames), np.float32)
    for row in counts:
        on, off = (DwellLaw(rng.uniform(1.4, 1.9), 0.01, 40.0) for _ in range(2))
        lit = on_time_per_frame(rng, on, off, frames=frames, exposure_s=EXPOSURE_S)
        signal = ON_COUNTS * rng.lognormal(0.0, 0.3) * lit
        row[:] = signal + rng.normal(size=frames) * np.hypot(NOISE_COUNTS, np.sqrt(GAIN * signal))
    return counts


def draw(rng: np.random.Generator, xy: np.ndarray, heights: np.ndarray, sigma_px: float) -> Any:
    """Return nanocrystals on a noisy background, (y, x)."""
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    image = np.zeros((SIDE_PX, SIDE_PX))
    reach = int(5 * sigma_px) + 1
    for (cx, cy), height in zip(xy, heights, strict=True):
        i, j = (slice(max(round(c) - reach, 0), max(round(c) + reach + 1, 0)) for c in (cy, cx))
        r2 = (x[i, j] - cx) ** 2 + (y[i, j] - cy) ** 2
        image[i, j] += height * np.exp(-r2 / (2 * sigma_px**2))
    return image


def field(seed: int, n: int, frames: int, bins: int) -> dict[str, Any]:
    """Content of one simulated field."""
    rng = np.random.default_rng([seed, n, frames])
    matrix = transform()
    nc_xy, sphere_xy = (rng.uniform(30, SIDE_PX - 30, (m, 2)) for m in (n, MICROSPHERES))
    places = {"pre": nc_xy, "post": apply_matrix(matrix, nc_xy)}
    spheres = {"pre": sphere_xy, "post": apply_matrix(matrix, sphere_xy)}
    table = pd.DataFrame({"nc_id": np.arange(n)})
    datasets, states, projections, brightfields, light = [], {}, {}, {}, []
    for epoch in EPOCHS:
        table[[f"x_{epoch}", f"y_{epoch}"]] = places[epoch]
        counts = blink(rng, n, frames)
        datasets.append(epoch_dataset(counts, table, epoch=epoch, exposure_s=EXPOSURE_S))
        states[epoch] = counts > 100
        light.append(integrated_pl(counts, exposure_s=EXPOSURE_S).assign(epoch=epoch))
        # The brightest ten frames: noise of one pixel is that of the aperture's nine together.
        heights = ON_COUNTS * states[epoch].any(axis=1) / (2 * np.pi * PSF_SIGMA_PX**2)
        noise = NOISE_COUNTS / 3 / np.sqrt(BURST_FRAMES)
        drawn = draw(rng, places[epoch], heights, PSF_SIGMA_PX)
        projections[epoch] = 100 + drawn + rng.normal(0, noise, drawn.shape)
        profile = draw(rng, spheres[epoch], np.full(MICROSPHERES, 3000.0), SPHERE_PX)
        brightfields[epoch] = 8000 + profile + rng.normal(0, 90, profile.shape)
    stretch = frames / DRIFT_STRETCHES
    drift = pd.DataFrame({"frame": (np.arange(DRIFT_STRETCHES) + 0.5) * stretch, "measured": True})
    drift[["x_px", "y_px"]] = rng.normal(0, 0.05, (DRIFT_STRETCHES, 2)).cumsum(axis=0)
    found = {e: p + rng.normal(0, 0.05, p.shape) for e, p in places.items()}
    registration = {
        "status": "ok",
        "matrix": matrix.tolist(),
        "matrix_brightfield": matrix.tolist(),
        "rotation_deg": ANGLE_DEG,
        "scale": 1.0,
        "microsphere_pairs": np.tile(np.arange(MICROSPHERES)[:, None], 2),
        "nanocrystal_pairs": np.tile(np.arange(n)[:, None], 2),
    }
    return field_content(
        f"field_{seed}",
        {"temperature_c": "70", "sample": "simulated"},
        join_epochs(*datasets, states, f"field_{seed}"),
        registration,
        brightfields=brightfields,
        projections=projections,
        movie_frames=dict.fromkeys(EPOCHS, frames),
        microspheres=spheres,
        nanocrystals=found,
        drift=dict.fromkeys(EPOCHS, drift),
        light=pd.concat(light),
        bins=bins,
    )


def size(content: Any) -> int:
    return len(json.dumps(content, separators=(",", ":"), allow_nan=False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fields", type=int, default=5)
    parser.add_argument("--nanocrystals", type=int, default=200, help="of a field")
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--bins", type=int, help="of a trace; default: as the report chooses")
    args = parser.parse_args()
    n = args.fields * args.nanocrystals
    bins = args.bins or bins_for(n)
    parts: Counter[str] = Counter()
    for seed in range(args.fields):
        start = time.perf_counter()
        content = field(seed, args.nanocrystals, args.frames, bins)
        print(f"field {seed}: {time.perf_counter() - start:.1f} s, simulation included")
        parts.update({name: size(value) for name, value in content.items()})
    total = sum(parts.values())
    for name, count in parts.most_common():
        if count > 1000:
            print(f"{name:>15} {count:>11,} bytes, {count / n:>7,.0f} a nanocrystal")
    print(f"{'total':>15} {total:>11,} bytes with {bins} bins; limit {LIMIT_BYTES:,.0f}")
    if total > LIMIT_BYTES:
        raise SystemExit("Too large. Hint: fewer bins, or a lower quality of the images.")


if __name__ == "__main__":
    main()
