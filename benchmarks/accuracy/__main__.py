"""How right are the numbers? Simulated fields of the paper's size through the whole analysis.

Prints a table and writes it to docs/accuracy.md with --write. All data are simulated by
`blinkpair.simulate`; the same seeds give the same table.
"""

from __future__ import annotations

import argparse
import gc
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from skimage.registration import phase_cross_correlation

from benchmarks.accuracy.chain import analyse
from benchmarks.accuracy.other_microscope import HEAD
from benchmarks.page import update
from blinkpair.arrays import FloatArray
from blinkpair.blinking.on_fractions import COUNTED, classify
from blinkpair.epochs import EPOCHS
from blinkpair.movie.movie import from_array
from blinkpair.nanocrystals.finding import find_nanocrystals
from blinkpair.nanocrystals.projections import project
from blinkpair.photometry.counts import extract_traces
from blinkpair.registration.rigid import apply_matrix
from blinkpair.simulate import Camera, FieldDesign, simulate_field
from blinkpair.simulate.camera import film_block

# rotation (degrees), shift (px), drift (px), channel offset (px), PSF sigma before and after (px)
CASES = [
    (3.0, (12.0, -8.0), 1.0, (0.5, 0.5), (0.6, 0.7)),
    (25.0, (-60.0, 35.0), 3.0, (1.4, -1.4), (0.8, 1.1)),
    (-90.0, (10.0, 90.0), 2.0, (-1.0, 1.7), (1.1, 0.9)),
    (137.0, (-110.0, -30.0), 3.0, (2.0, 0.0), (0.7, 0.8)),
    (180.0, (40.0, 0.0), 2.5, (-1.4, -1.4), (0.9, 1.0)),
    (-47.0, (100.0, 110.0), 3.0, (0.0, 2.0), (1.0, 0.6)),
]
SAME_PX = 1.0
DRIFT_BLOCKS = 50


def design_of(case: int, frames: int, size: int) -> FieldDesign:
    rotation, shift, drift, offset, sigma = CASES[case % len(CASES)]
    return FieldDesign(
        camera=Camera(shape=(size, size)),
        frames=frames,
        n_nanocrystals=220 * (size / 512) ** 2,
        n_microspheres=25 * (size / 512) ** 2,
        rotation_deg=rotation,
        shift_px=tuple(s * size / 512 for s in shift),
        drift_px=drift,
        channel_offset_px=offset,
        psf_sigma_px=sigma,
    )


def drift_errors(
    movie: NDArray[np.uint16], drift: FloatArray, true_drift: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Errors of a drift, and of one that scikit-image finds in the same movie.

    The second check shares nothing with the library: every block's plain mean image against that
    of the first block, by phase correlation to 0.01 px.

    Parameters
    ----------
    movie : (frames, y, x) array
    drift, true_drift : (frames, 2) float
        Displacement since frame 0, pixels.

    Returns
    -------
    largest_px : float
        Of `drift`, in any frame.
    by_block, by_phase_correlation : (blocks, 2) float
        Of either in the mean of each block, pixels. Their mean is zero: a block has no absolute
        place, so that only the course of the drift is compared.
    """
    images, own, true = (
        np.stack([block.mean(axis=0) for block in np.array_split(values, DRIFT_BLOCKS)])
        for values in (movie, drift, true_drift)
    )
    # Its default normalization locks on a pattern that is fixed to the camera.
    shifts = [
        phase_cross_correlation(image, images[0], upsample_factor=100, normalization=None)[0]
        for image in images
    ]
    errors = [course - true for course in (own, np.array(shifts)[:, ::-1])]
    largest_px = float(np.hypot(*(drift - true_drift).T).max())
    return largest_px, *(error - error.mean(axis=0) for error in errors)


def run_case(case: int, frames: int, size: int) -> dict[str, float]:
    """Every number of one field."""
    field = simulate_field(design_of(case, frames, size), seed=1000 + case)
    result = analyse(field)
    row: dict[str, float] = {
        "rotation_deg": field.design.rotation_deg,
        "registered": result.registration.final.status == "ok",
    }
    if not row["registered"]:
        return row
    drifts = {"pre": field.drift_pre, "post": field.drift_post}
    found = {e: result.catalogues[e].drift.per_frame(frames) for e in EPOCHS}
    largest, by_block, by_phase_correlation = zip(
        *(drift_errors(result.movies[e], found[e], drifts[e]) for e in EPOCHS), strict=True
    )
    row["drift_max_px"] = max(largest)
    row["drift_rms_px"] = float(np.sqrt(np.mean(np.square(by_block))))
    row["phase_correlation_rms_px"] = float(np.sqrt(np.mean(np.square(by_phase_correlation))))
    grid = np.stack(np.meshgrid(*[np.linspace(0, size - 1, 33)] * 2), -1).reshape(-1, 2)
    true_place = apply_matrix(field.matrix, grid)
    common = ((true_place >= 0) & (true_place <= size - 1)).all(axis=1)
    error = np.hypot(*(apply_matrix(result.registration.final.matrix, grid) - true_place).T)
    row["registration_max_px"] = error[common].max()
    row["tre_px"] = float(np.sqrt(np.mean(result.registration.final.tre(grid[common]) ** 2)))
    truth = field.truth
    table = result.table[result.table["analysed"]].reset_index(drop=True)
    distance, match = cKDTree(truth[["x_pre", "y_pre"]]).query(table[["x_pre", "y_pre"]])
    row["n_analysed"] = len(table)
    row["true_percent"] = 100 * np.mean(distance < SAME_PX)
    emissive = truth[["on_fraction_pre", "on_fraction_post"]].max(axis=1) >= 0.10
    wanted = truth.index[truth["analysable"] & emissive]
    row["n_wanted"] = len(wanted)
    row["complete_percent"] = 100 * np.isin(wanted, match[distance < SAME_PX]).mean()
    table, match = table[distance < SAME_PX], match[distance < SAME_PX]
    difference, against_time = [], []
    for epoch in EPOCHS:
        at_truth = extract_traces(
            from_array(result.movies[epoch]),
            truth.loc[match, [f"x_{epoch}", f"y_{epoch}"]].to_numpy(),
            drifts[epoch],
            neighbours_xy=truth[[f"x_{epoch}", f"y_{epoch}"]].to_numpy(),
        )
        measured = table[f"on_fraction_{epoch}"].to_numpy()
        difference.append(measured - (at_truth > 100).mean(axis=1))
        against_time.append(measured - truth.loc[match, f"on_fraction_{epoch}"].to_numpy())
    row["on_fraction_rms"] = float(np.sqrt(np.mean(np.concatenate(difference) ** 2)))
    row["on_fraction_rms_true_time"] = float(np.sqrt(np.mean(np.concatenate(against_time) ** 2)))
    true_population = classify(
        truth.loc[match, "on_fraction_pre"], truth.loc[match, "on_fraction_post"]
    )
    counts = {p: int((table["population"] == p).sum()) for p in COUNTED}
    n = sum(counts.values())
    off = [counts[p] - int((true_population == p).sum()) for p in COUNTED]
    row["n"] = n
    row["population_error_percent"] = 100 * max(abs(o) for o in off) / n
    del result
    gc.collect()
    return row


def empty_field(seed: int, frames: int, size: int) -> int:
    """Nanocrystals found where there are none."""
    camera = Camera(shape=(size, size))
    movie = film_block(
        camera,
        np.full(camera.shape, 15.0, np.float32),
        np.zeros((0, 2)),
        np.zeros((0, frames), np.float32),
        np.zeros((frames, 2)),
        psf_sigma_px=0.9,
        first_frame=0,
        frames=frames,
        seed=seed,
    )
    return len(find_nanocrystals(project(from_array(movie))).table)


REQUIRED = [
    ("drift_max_px", "drift since frame 0: largest error in any frame (px)", "max", 0.1),
    (
        "drift_rms_px",
        f"course of the drift over {DRIFT_BLOCKS} blocks: RMS error per axis (px)",
        "max",
        0.05,
    ),
    (
        "phase_correlation_rms_px",
        "the same course by scikit-image's phase correlation of the blocks (px)",
        "max",
        None,
    ),
    ("registration_max_px", "registration: largest error over the common area (px)", "max", 0.2),
    ("complete_percent", "isolated, emissive in one epoch at least: analysed (%)", "min", 98.0),
    ("true_percent", "of the analysed: true (%)", "min", 99.5),
    ("on_fraction_rms", "on-fraction against the true place: RMS", "max", 0.01),
    ("on_fraction_rms_true_time", "on-fraction against the true time on: RMS", "max", None),
    ("population_error_percent", "population counts: largest error (% of n)", "max", 2.0),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--cases", type=int, default=len(CASES))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--write", type=Path, help="write the table there as Markdown")
    arguments = parser.parse_args()
    size = (arguments.frames, arguments.size)
    with ProcessPoolExecutor(arguments.processes) as pool:
        jobs = [pool.submit(run_case, case, *size) for case in range(arguments.cases)]
        empties = [pool.submit(empty_field, seed, *size) for seed in range(2)]
        table = pd.DataFrame([job.result() for job in jobs])
        found = [job.result() for job in empties]
    lines = [
        f"Simulated: {arguments.cases} fields of {arguments.size} x {arguments.size} px, "
        f"{arguments.frames} frames; {table['registered'].sum()} registered.",
        "",
        "| quantity | required | worst field | median field |",
        "| --- | --- | --- | --- |",
    ]
    for column, text, kind, bound in REQUIRED:
        worst = table[column].max() if kind == "max" else table[column].min()
        sign = "at most" if kind == "max" else "at least"
        required = "(reported)" if bound is None else f"{sign} {bound:g}"
        lines.append(f"| {text} | {required} | {worst:.3g} | {table[column].median():.3g} |")
    lines.append(f"| nanocrystals found in an empty field | at most 1 | {max(found)} | |")
    lines += [
        "",
        "Dark nanocrystals are drawn with on-fractions up to 6 % and emissive ones mostly from "
        "15 %: how counts near the cutoff of 10 % are shared out is not tested here.",
    ]
    lines += ["", "Each field:", "", "| " + " | ".join(table.columns) + " |"]
    lines.append("| " + " | ".join("---" for _ in table.columns) + " |")
    for row in table.itertuples(index=False):
        lines.append("| " + " | ".join(f"{value:.4g}" for value in row) + " |")
    text = "\n".join(lines)
    print(text)
    if arguments.write:
        update(arguments.write, HEAD, [f"## The whole analysis\n\n{text}"])


if __name__ == "__main__":
    main()
