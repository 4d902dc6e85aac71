"""Trials of fields that are not quite rigid: magnification, shear, lens distortion.

Point patterns of known truth, at any rotation and shifts of up to 60 px: 10 to 40 microspheres and
20 to 200 nanocrystals, 30 to 90 % of them seen in either epoch, with localisation errors of 0.02 px
(median) and 0.1 px. `__main__` runs them.
"""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.registration.points import GRID, SHAPE, SIZE, run
from blinkpair.registration.acceptance import MAGNIFICATION
from blinkpair.registration.fields import RegistrationSettings, register_field
from blinkpair.registration.nanocrystal_pattern import NanocrystalDetails
from blinkpair.registration.rigid import apply_matrix
from blinkpair.simulate import rigid_matrix

MIDDLE = np.full(2, (SIZE - 1) / 2)
CORNER_PX = float(np.hypot(*MIDDLE))
# What is not rigid, in per cent: of the length, or of the distance to the middle at a corner.
KINDS = {
    "none": (0.0,),
    "scale": (0.05, 0.1, 0.2, 0.3, 0.5, 1.0),
    "shear": (0.05, 0.1, 0.3, 1.0),
    "lens distortion": (0.2, 0.4, 1.0),
}


def distorted(xy: np.ndarray, share: float) -> np.ndarray:
    """Positions as a lens shows them that moves the corners outwards by this share."""
    from_middle = xy - MIDDLE
    return MIDDLE + from_middle * (
        1 + share * (from_middle**2).sum(axis=-1, keepdims=True) / CORNER_PX**2
    )


def undistorted(xy: np.ndarray, share: float) -> np.ndarray:
    result = xy
    for _ in range(10):
        result = result + xy - distorted(result, share)
    return result


def trial(kind: str, per_cent: float, model: str, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng([seed, round(1000 * per_cent), len(kind), 23])
    share = per_cent / 100 * rng.choice([-1, 1])
    rigid = rigid_matrix(rng.uniform(-180, 180), tuple(rng.uniform(-60, 60, 2)), SHAPE)
    strain = np.eye(2)
    if kind == "scale":
        strain *= 1 + share
    if kind == "shear":
        along = rng.uniform(0, np.pi)
        turn = np.array([[np.cos(along), -np.sin(along)], [np.sin(along), np.cos(along)]])
        strain = turn @ np.diag([1 + share / 2, 1 - share / 2]) @ turn.T
    lens = share if kind == "lens distortion" else 0.0

    def to_post(xy: np.ndarray) -> np.ndarray:
        on_sample = MIDDLE + (undistorted(xy, lens) - MIDDLE) @ strain.T
        return distorted(apply_matrix(rigid, on_sample), lens)

    def both(n: int, seen: float, error_px: np.ndarray) -> list[np.ndarray]:
        pre = rng.uniform(-SIZE / 2, 1.5 * SIZE, (4 * n, 2))
        views = []
        for xy in (pre, to_post(pre)):
            here = ((xy >= 0) & (xy <= SIZE - 1)).all(axis=1) & (rng.random(4 * n) < seen)
            noisy = xy + rng.normal(0, 1, xy.shape) * error_px[:, None]
            views += [noisy[here], error_px[here]]
        return views

    n, m = int(rng.integers(10, 41)), int(rng.integers(20, 201))
    beads = both(n, 0.85, np.full(4 * n, 0.1))
    errors = np.exp(rng.normal(np.log(0.02), 0.8, 4 * m)).clip(0.005, 0.3)
    dots = both(m, rng.uniform(0.3, 0.9), errors)
    result = register_field(
        beads[0],
        beads[2],
        dots[0],
        dots[2],
        shape=SHAPE,
        details=NanocrystalDetails(errors_px=(dots[1], dots[3])),
        settings=RegistrationSettings(model=model),
    )
    final = result.final
    ok = final.status == "ok"
    true = to_post(GRID)
    seen = ((true >= 0) & (true <= SIZE - 1)).all(axis=1)
    error = np.hypot(*(apply_matrix(final.matrix, GRID) - true).T)[seen]
    stated = final.tre(GRID[seen], 0.95)
    record = {
        "left over": kind,
        "%": per_cent,
        "model": model,
        "ok": ok,
        "magnification": final.reason.startswith(MAGNIFICATION),
        "reported": ok and "pattern" in final.reason,
        "matched": final.n_matched,
        "reason": final.reason,
        "evidence": result.evidence,
    }
    if ok and "nanocrystals" in result.evidence:
        worst = error.argmax()
        corrected = np.hypot(*(final.to_post(GRID[seen]) - true[seen]).T)
        record |= {
            "error_px": error[worst],
            "rms_error_px": np.sqrt(np.mean(error**2)),
            "tre_px": np.sqrt(np.mean(final.tre(GRID[seen]) ** 2)),
            "stated_px": stated.max(),
            "covered": error[worst] <= stated.max(),
            "inside": (error <= stated).mean(),
            "corrected_px": corrected.max(),
            "rms_corrected_px": np.sqrt(np.mean(corrected**2)),
            "place_error_px": np.sqrt(np.mean(final.place_error(GRID[seen]) ** 2)),
        }
    return record


def trials(pool: Executor, number: int) -> pd.DataFrame:
    """One line a field."""
    jobs = [
        (kind, per_cent, model, k)
        for kind, sizes in KINDS.items()
        for per_cent in sizes
        for model in ("rigid", "similarity")
        for k in range(number)
    ]
    return run(pool, trial, jobs)


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """One line a kind, size and model."""
    lines = []
    for (kind, per_cent, model), group in table.groupby(["left over", "%", "model"], sort=False):
        lines.append(
            {
                "left over": kind,
                "%": per_cent,
                "model": model,
                "fields": len(group),
                "registered": int(group["ok"].sum()),
                "refused for the magnification": int(group["magnification"].sum()),
                "reported": int(group["reported"].sum()),
                "largest error px, median": group["error_px"].median(),
                "95 %": group["error_px"].quantile(0.95),
                "stated largest (95 %), median": group["stated_px"].median(),
                "largest covered %": 100 * group["covered"].astype(float).mean(),
                "positions within 95 %": 100 * group["inside"].mean(),
                "rms error / tre_px": np.sqrt(
                    (group["rms_error_px"] ** 2).mean() / (group["tre_px"] ** 2).mean()
                ),
                "largest error of places px, median": group["corrected_px"].median(),
                "of places, 95 %": group["corrected_px"].quantile(0.95),
                "of places: rms error / stated": np.sqrt(
                    (group["rms_corrected_px"] ** 2).mean() / (group["place_error_px"] ** 2).mean()
                ),
            }
        )
    return pd.DataFrame(lines)
