"""Run one timed task in a process of its own and print seconds and peak memory.

Run as `python -m benchmarks.speed.tasks TASK JSON`.
A process each, so that peak memory is the task's own and nothing is left of the one before.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

REPEATS = 3
EXPOSURE_S = 0.02


def peak_mb() -> float:
    """Peak of the memory of this process; the page cache is not in it.

    Not getrusage's, which begins with what the parent had.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return float("nan")


def forget(path: str) -> None:
    """Drop a file from the page cache."""
    handle = os.open(path.partition("::")[0], os.O_RDONLY)
    os.fsync(handle)
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(handle)


def timed(
    work: Callable[[], Any], path: str = "", *, cold: bool = False, repeats: int = REPEATS
) -> list[float]:
    """Seconds of each run."""
    seconds = []
    for _ in range(repeats):
        if cold:
            forget(path)
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return seconds


def read(path: str, cold: bool = False, megabytes: int = 16) -> list[float]:
    buffer = bytearray(megabytes << 20)

    def work() -> None:
        with Path(path).open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass

    return timed(work, path, cold=cold)


def decode(path: str) -> list[float]:
    from blinkpair.movie.reader import open_movie

    movie = open_movie(path)

    def work() -> None:
        for _ in movie.blocks():
            pass

    return timed(work)


def frame_sum(path: str) -> list[float]:
    """Sum the frames by NumPy, blocks read by the package."""
    from blinkpair.movie.reader import open_movie

    movie = open_movie(path)
    return timed(lambda: [block.sum(axis=(1, 2)) for block in movie.blocks()])


def find(path: str, cold: bool = False) -> list[float]:
    from blinkpair.movie.reader import open_movie
    from blinkpair.nanocrystals.finding import find_nanocrystals
    from blinkpair.nanocrystals.projections import project

    project(open_movie(f"{path.partition('::')[0]}::frames=40"))  # the kernels
    movie = open_movie(path)
    return timed(lambda: find_nanocrystals(project(movie)), path, cold=cold)


def projections(path: str) -> list[float]:
    """Only the pass over the movie that `find` makes."""
    from blinkpair.movie.reader import open_movie
    from blinkpair.nanocrystals.projections import project

    project(open_movie(f"{path}::frames=40"))
    movie = open_movie(path)
    return timed(lambda: project(movie))


def places(n: int, size: int = 512) -> np.ndarray:
    """Draw positions at random, in the order of a catalogue: none."""
    return np.random.default_rng(n).uniform(12, size - 12, (n, 2))


def extract(path: str, n: int = 300, cold: bool = False) -> list[float]:
    from blinkpair.movie.reader import open_movie
    from blinkpair.photometry.counts import extract_traces

    extract_traces(open_movie(f"{path.partition('::')[0]}::frames=40"), places(n))
    movie = open_movie(path)
    way = np.linspace(0, 3, movie.shape[0])
    drift = np.column_stack([way, -0.5 * way])
    return timed(lambda: extract_traces(movie, places(n), drift), path, cold=cold)


def analyse(n: int = 300, frames: int = 20_000) -> list[float]:
    """Everything of a field after its traces: states, fits, types, photostability."""
    import pandas as pd

    from blinkpair.blinking.field import BlinkingSettings, analyse_nanocrystals
    from blinkpair.epochs import EPOCHS
    from blinkpair.inputs.settings import load_settings
    from blinkpair.photometry.apertures import EMPTY_FRAMES
    from blinkpair.simulate.blinking import DwellLaw, on_time_per_frame

    rng = np.random.default_rng(1)
    law = DwellLaw(1.6, 0.01, 100.0)
    intensity = {}
    for epoch in EPOCHS:
        lit = np.stack(
            [
                on_time_per_frame(rng, law, law, frames=frames, exposure_s=EXPOSURE_S)
                for _ in range(n)
            ]
        )
        noise = rng.normal(size=lit.shape) * np.sqrt(1600 + 1000 * lit)
        intensity[epoch] = (500 * lit + noise).astype(np.float32)
    empty = (40.0 * rng.normal(size=(n, EMPTY_FRAMES))).astype(np.float32)
    rows = pd.DataFrame({"nc_id": np.arange(n), "analysed": True, "excluded_because": ""})
    settings = BlinkingSettings.of(load_settings({}))

    def work() -> None:
        analyse_nanocrystals(
            rows,
            np.arange(n),
            intensity,
            dict.fromkeys(EPOCHS, empty),
            exposure_s=EXPOSURE_S,
            settings=settings,
        )

    work()
    return timed(work)


def by_trackpy(path: str, frames: int = 20) -> list[float]:
    """Locate the nanocrystals of single frames."""
    import trackpy

    from blinkpair.movie.reader import open_movie

    trackpy.quiet()
    block = next(open_movie(path).blocks(frames)).copy()
    return timed(lambda: [trackpy.locate(frame, 5, minmass=200) for frame in block])


def by_photutils(path: str, n: int = 300, frames: int = 20) -> list[float]:
    """Sum in apertures and take the median of annuli in single frames."""
    from photutils.aperture import (
        ApertureStats,
        CircularAnnulus,
        RectangularAperture,
        aperture_photometry,
    )

    from blinkpair.movie.reader import open_movie

    block = next(open_movie(path).blocks(frames)).astype(float)
    apertures = RectangularAperture(places(n), 3, 3)
    rings = CircularAnnulus(places(n), 4.5, 7.3)

    def work() -> None:
        for frame in block:
            (
                aperture_photometry(frame, apertures)["aperture_sum"]
                - 9 * ApertureStats(frame, rings).median
            )

    return timed(work)


def by_slicing(path: str, n: int = 300, frames: int = 20) -> list[float]:
    """Sum slices and take medians of rings by NumPy, nanocrystal by nanocrystal."""
    from blinkpair.movie.reader import open_movie

    block = next(open_movie(path).blocks(frames)).copy()
    dy, dx = np.mgrid[-8:9, -8:9]
    ring = (np.hypot(dx, dy) >= 4.5) & (np.hypot(dx, dy) <= 7.3)
    whole = np.rint(places(n)).astype(int)

    def work() -> None:
        for frame in block:
            for x, y in whole:
                frame[y - 1 : y + 2, x - 1 : x + 2].sum() - 9 * np.median(
                    frame[y - 8 : y + 9, x - 8 : x + 9][ring]
                )

    return timed(work)


TASKS: dict[str, Callable[..., list[float]]] = {
    task.__name__: task
    for task in (
        read,
        decode,
        frame_sum,
        find,
        projections,
        extract,
        analyse,
        by_trackpy,
        by_photutils,
        by_slicing,
    )
}


if __name__ == "__main__":
    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        result = TASKS[sys.argv[1]](**json.loads(sys.argv[2]))
    print(json.dumps({"seconds": result, "peak_mb": peak_mb()}))
