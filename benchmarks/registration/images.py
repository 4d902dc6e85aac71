"""Registration from images and movies to the final transform, on simulated fields.

Each row is one difficulty; one is all of them together. Every trial draws rotation, shift,
focus, sphere image and signal-to-noise anew, from its seed. The error is the largest over the
area that both fields have in common; 'wrong' is an accepted one above 3 px. `registration.py`
runs them.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.accuracy.chain import register
from benchmarks.registration.points import run
from blinkpair.brightfield.microspheres import find_microspheres
from blinkpair.nanocrystals.catalogues import positions
from blinkpair.registration.points import register_points
from blinkpair.registration.rigid import apply_matrix
from blinkpair.simulate import Camera, FieldDesign, SimulatedField, rigid_matrix, simulate_field
from blinkpair.simulate.brightfield import render_brightfield

SIZE = 512
SHAPE = (SIZE, SIZE)
FRAMES = 400
LIGHT_COUNTS = 8000.0
NOISE_COUNTS = np.hypot(np.sqrt(LIGHT_COUNTS), 10.0)
SNR = (10.0, 40.0)
GRID = np.stack(np.meshgrid(*[np.linspace(0, SIZE - 1, 33)] * 2), -1).reshape(-1, 2)
# Both images show the same places up to this distance from the edge.
EDGE_PX = 5.0


def overlap(rotation_deg: float, shift_px: np.ndarray) -> float:
    """Share of the first field that the second one shows."""
    return float(_inside(apply_matrix(rigid_matrix(rotation_deg, tuple(shift_px), SHAPE), GRID)))


def _inside(xy: np.ndarray, margin: float = 0.0) -> np.ndarray:
    return ((xy >= margin) & (xy <= SIZE - 1 - margin)).all(axis=1).mean()


@dataclass(frozen=True)
class Row:
    """One difficulty: what it changes of the design, and how the second field lies."""

    name: str
    design: dict[str, Any] = field(default_factory=dict)
    flipped: bool = False
    overlap: tuple[float, float] | None = None
    in_common: int | None = None
    offset_px: float = 1.5
    motion: tuple[float, float] | None = None  # largest shift (px) and rotation (degrees)


LOST = {"lost_microspheres": 0.35, "moved_microspheres": 0.2}
ROWS = [
    Row("nothing special"),
    Row("contrast flipped by defocus", flipped=True),
    Row("60 % in touching pairs and triplets", {"touching_microspheres": 0.6}),
    Row("35 % lost, 20 % moved", LOST),
    Row("60 dust specks", {"n_dust": 60}),
    Row("40 pieces of debris", {"n_debris": 40}),
    Row("overlap 30 to 40 %", overlap=(0.3, 0.4)),
    Row("6 microspheres in common", {"n_microspheres": 15, **LOST}, in_common=6),
    Row("drift of 9 px", {"drift_px": 9.0, "settling_px": 2.0}),
    Row("channel offset of 3 px", offset_px=3.0),
    Row("few nanocrystals", {"n_nanocrystals": 55}),
    Row(
        "all together",
        {
            **LOST,
            "n_microspheres": 30,
            "touching_microspheres": 0.4,
            "n_dust": 60,
            "drift_px": 9.0,
            "settling_px": 2.0,
        },
        flipped=True,
        overlap=(0.5, 0.7),
        offset_px=3.0,
    ),
    Row("did not move", {"n_dust": 20}, motion=(0.0, 0.0)),
    Row("moved by 6 px and 3 degrees at most, 60 dust specks", {"n_dust": 60}, motion=(6.0, 3.0)),
]


def draw(row: Row, seed: int) -> SimulatedField:
    """Draw a field of this row; drawn again until it has the required microspheres in common."""
    for attempt in range(1000):
        rng = np.random.default_rng([seed, attempt])
        rotation = rng.uniform(-180, 180)
        shift = rng.uniform(-60, 60, 2)
        if row.motion is not None:
            own = np.random.default_rng([seed, attempt, 1])  # the other rows stay as they are
            towards = own.uniform(0, 2 * np.pi)
            rotation = own.uniform(-1, 1) * row.motion[1]
            shift = own.uniform(0, row.motion[0]) * np.array([np.cos(towards), np.sin(towards)])
        if row.overlap is not None:
            towards = rng.uniform(0, 2 * np.pi)
            lengths = np.arange(0, SIZE, 2.0)
            shifts = lengths[:, None] * np.array([np.cos(towards), np.sin(towards)])
            shares = np.array([overlap(rotation, s) for s in shifts])
            shift = shifts[np.abs(shares - rng.uniform(*row.overlap)).argmin()]
        focus = rng.choice([-1, 1]) * rng.uniform(0.5, 1.5, 2) * [1, -1 if row.flipped else 1]
        phase = rng.uniform(0, 2 * np.pi)
        design = FieldDesign(
            camera=Camera(shape=SHAPE),
            frames=FRAMES,
            rotation_deg=rotation,
            shift_px=tuple(shift),
            channel_offset_px=tuple(row.offset_px * np.array([np.cos(phase), np.sin(phase)])),
            psf_sigma_px=tuple(rng.uniform(0.6, 1.1, 2)),
            defocus=tuple(focus),
            microsphere_family=str(rng.choice(["diffraction", "rings"])),
            microsphere_contrast=rng.uniform(*SNR) * NOISE_COUNTS / LIGHT_COUNTS,
            **row.design,
        )
        simulated = simulate_field(design, seed=1000 * seed + attempt)
        if row.in_common is None or in_common(simulated) == row.in_common:
            return simulated
    raise RuntimeError(f"{row.name}: no such field in 1000 draws")


def in_common(simulated: SimulatedField) -> int:
    microspheres = simulated.microspheres[~simulated.microspheres["moved"]].dropna()
    seen = [
        ((xy >= EDGE_PX) & (xy <= SIZE - 1 - EDGE_PX)).all(axis=1)
        for xy in (
            microspheres[["x_pre", "y_pre"]].to_numpy(),
            microspheres[["x_post", "y_post"]].to_numpy(),
        )
    ]
    return int((seen[0] & seen[1]).sum())


def largest(difference: np.ndarray) -> float:
    return float(np.hypot(*difference.T).max())


def trial(number: int, seed: int) -> dict[str, Any]:
    row = ROWS[number]
    simulated = draw(row, 100 * seed + number)
    result = register(simulated).registration
    final, coarse = result.final, result.microspheres
    record: dict[str, Any] = {
        "row": row.name,
        "seed": seed,
        "in_common": in_common(simulated),
        "microspheres": coarse.status == "ok",
        "ok": final.status == "ok",
        "evidence": result.evidence,
        "reason": final.reason,
    }
    if coarse.status == "ok":
        microspheres = simulated.microspheres[~simulated.microspheres["moved"]].dropna()
        there = apply_matrix(coarse.matrix, microspheres[["x_pre", "y_pre"]])
        record["microspheres_px"] = largest(there - microspheres[["x_post", "y_post"]].to_numpy())
    if final.status == "ok":
        true = apply_matrix(simulated.matrix, GRID)
        common = ((true >= 0) & (true <= SIZE - 1)).all(axis=1)
        error = np.hypot(*(apply_matrix(final.matrix, GRID) - true).T)[common]
        refined = "nanocrystals" in result.evidence
        record |= {
            "error_px": error.max(),
            "rms_error_px": float(np.sqrt(np.mean(error**2))),
            "nanocrystals": final.n_matched if refined else 0,
            "inside_68": (error <= final.tre(GRID[common], 0.68)).mean(),
            "inside_95": (error <= final.tre(GRID[common], 0.95)).mean(),
        }
    return record


def summary(trials: pd.DataFrame) -> pd.DataFrame:
    """One line a row of difficulty."""
    lines = []
    for name, group in trials.groupby("row", sort=False):
        good = group[group["ok"] & (group["error_px"] < 3)]
        sure = good[good["nanocrystals"] >= 20]
        lines.append(
            {
                "fields": name,
                "trials": len(group),
                "registered": len(good),
                "refused": int((~group["ok"]).sum()),
                "wrong": int((group["error_px"] >= 3).sum()),
                "by microspheres alone": int(group["microspheres"].sum()),
                "median error px": sure["error_px"].median(),
                "95 % of errors px": sure["error_px"].quantile(0.95),
                "largest px": sure["error_px"].max(),
                "above 0.15 px": int((sure["error_px"] > 0.15).sum()),
                "within 68 %": 100 * sure["inside_68"].mean(),
                "within 95 %": 100 * sure["inside_95"].mean(),
            }
        )
    return pd.DataFrame(lines)


def image_trials(pool: Executor, trials: int) -> pd.DataFrame:
    """One line a simulated field."""
    return run(pool, trial, [(number, 1 + k) for number in range(len(ROWS)) for k in range(trials)])


def debris_trial(seed: int) -> dict[str, Any]:
    """Register two images of one field of debris, without a microsphere.

    The debris moves with the sample, so a registration may be right; `error_px` is in its middle.
    """
    rng = np.random.default_rng([seed, 3])
    matrix = rigid_matrix(rng.uniform(-180, 180), tuple(rng.uniform(-60, 60, 2)), SHAPE)
    turn = np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0]))
    debris = rng.uniform(-SIZE / 2, 1.5 * SIZE, (int(rng.integers(20, 240)), 2))
    found = []
    for xy, angle in ((debris, 0.0), (apply_matrix(matrix, debris), turn)):
        image = render_brightfield(
            SHAPE, None, debris_xy=xy, debris_seed=seed, sample_rotation_deg=angle, rng=rng
        )
        found.append(positions(find_microspheres(image, 6.25)))
    result = register_points(*found, field_shape=SHAPE)
    middle = np.full((1, 2), (SIZE - 1) / 2)
    error = apply_matrix(result.matrix, middle) - apply_matrix(matrix, middle)
    return {
        "found": sum(map(len, found)) / 2,
        "ok": result.status == "ok",
        "error_px": np.hypot(*error[0]),
        "seed": seed,
    }


def debris_trials(pool: Executor, trials: int) -> pd.DataFrame:
    """One line a field of debris."""
    return run(pool, debris_trial, [(k,) for k in range(trials)])
