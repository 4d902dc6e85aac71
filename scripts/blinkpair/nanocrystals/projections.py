"""Read a movie once and keep what detection, drift and the report need.

A stretch is so short that the stage hardly drifts within it: drift can be measured and removed
afterwards without reading the movie again.

Input: blocks of frames. Output: for each of at most ~50 stretches of the movie its mean, its
variance from frame to frame and the brightest of its short bursts, pixel by pixel, and the sum of
every frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.compiled import njit
from blinkpair.cores import run_halves, usable_cores
from blinkpair.errors import InputError

if TYPE_CHECKING:
    from blinkpair.movie.movie import Movie

BURST_FRAMES = 10  # 0.2 s at 20 ms: a blink that long stands out whatever happens around it
MAX_STRETCHES = 50  # three float32 images each: 160 MB at 512 x 512

BURSTS_A_READ = 2
ROUGHNESS_ROWS = 4  # every fourth row measures a frame's noise, at a quarter of the work


@dataclass(frozen=True)
class Projections:
    """What is kept of a movie; S stretches of whole bursts.

    Attributes
    ----------
    mean : (S, y, x) float32
        Mean counts of each stretch.
    variance : (S, y, x) float32
        Variance from frame to frame within each stretch.
    burst : (S, y, x) float32
        Largest mean of any `BURST_FRAMES` successive frames (aligned bursts) in the stretch.
    centre_frame : (S,) float64
        Middle of each stretch, in frames.
    n_frames : (S,) int64
        Frames in each stretch.
    frame_mean : (frames,) float64
        Mean of all pixels of every frame.
    roughness : (frames,) float64
        Mean absolute difference of neighbours in a row of every frame: the median of every
        `ROUGHNESS_ROWS`-th row, which a cosmic ray does not change.
    largest : float
        The largest pixel value.
    saturated_fraction : float
        Share of pixel values that are equal to it: in a movie that nothing cut off, those of a few
        pixels.
    range_top : float
        Top of the integer type's range; infinite for others.
    """

    mean: NDArray[np.float32]
    variance: NDArray[np.float32]
    burst: NDArray[np.float32]
    centre_frame: FloatArray
    n_frames: IntArray
    frame_mean: FloatArray
    roughness: FloatArray
    largest: float
    saturated_fraction: float
    range_top: float


@njit(nogil=True)
def _accumulate(
    first_row: int,
    last_row: int,
    block: Any,
    keep_burst: bool,
    total: Any,
    squares: Any,
    burst: Any,
    row_sums: Any,
    row_steps: Any,
    largest: Any,
    at_largest: Any,
) -> None:
    """Add one burst of frames to the running images, rows first_row to last_row.

    Sums run over frames in order for every pixel, so the result does not depend on how rows are
    shared between threads. `largest` (rows) is the largest value so far and `at_largest` the number
    of its values: with one more pass over a row where it reaches that value, which is rare unless
    values are cut off.
    """
    n_frames, _, width = block.shape
    # Sums of integers are integers, which are exact and, unlike sums of floats, vectorised.
    zero = 0 * block[0, 0, 0]
    burst_sum = np.full(width, zero)
    for row in range(first_row, last_row):
        burst_sum[:] = zero
        for f in range(n_frames):
            row_sum = zero
            row_top = block[f, row, 0]
            for column in range(width):
                value = block[f, row, column]
                burst_sum[column] += value
                row_sum += value
                row_top = max(row_top, value)
            for column in range(width):
                value = np.float64(block[f, row, column])
                squares[row, column] += value * value
            row_sums[f, row] = row_sum
            if row % ROUGHNESS_ROWS == 0:
                steps = zero
                for column in range(1, width):
                    # From a signed zero: the difference of unsigned numbers would wrap around.
                    steps += abs(zero + block[f, row, column] - block[f, row, column - 1])
                row_steps[f, row // ROUGHNESS_ROWS] = steps
            if row_top > largest[row]:
                largest[row] = row_top
                at_largest[row] = 0
            if row_top == largest[row]:
                for column in range(width):
                    at_largest[row] += block[f, row, column] == row_top
        for column in range(width):
            total[row, column] += burst_sum[column]
            if keep_burst:
                burst[row, column] = max(burst[row, column], burst_sum[column] / n_frames)


@njit(nogil=True)
def _finish(
    first_row: int,
    last_row: int,
    n_frames: int,
    total: Any,
    squares: Any,
    brightest: Any,
    mean: Any,
    variance: Any,
    burst: Any,
) -> None:
    """Fill the images of a stretch, rows first_row to last_row, and empty the running ones."""
    for row in range(first_row, last_row):
        for column in range(total.shape[1]):
            average = total[row, column] / n_frames
            mean[row, column] = average
            variance[row, column] = max(squares[row, column] / n_frames - average * average, 0.0)
            burst[row, column] = brightest[row, column]
            total[row, column] = squares[row, column] = 0.0
            brightest[row, column] = -np.inf


def stretch_length(frames: int) -> int:
    """Return the frames of a stretch: whole bursts, at least two, at most `MAX_STRETCHES`."""
    return BURST_FRAMES * max(2, int(np.ceil(frames / BURST_FRAMES / MAX_STRETCHES)))


def _bursts(movie: Movie) -> Iterator[NDArray[Any]]:
    """Read the movie burst by burst, some at a time: a disk likes long reads."""
    for block in movie.blocks(BURSTS_A_READ * BURST_FRAMES):
        for first in range(0, len(block), BURST_FRAMES):
            yield block[first : first + BURST_FRAMES]


def project(movie: Movie) -> Projections:
    """Read the movie once and keep its projections.

    Raises
    ------
    InputError
        If a frame holds values that are not finite.
    """
    from concurrent.futures import ThreadPoolExecutor

    frames, height, width = movie.shape
    length = stretch_length(frames)
    # A last stretch of a few frames would be mostly noise: it joins the one before.
    n_stretches = max(1, round(frames / length))
    starts = length * np.arange(n_stretches + 1)
    starts[-1] = frames
    mean = np.empty((n_stretches, height, width), np.float32)
    variance = np.empty_like(mean)
    burst = np.empty_like(mean)
    frame_mean, roughness = np.empty(frames), np.empty(frames)
    n_sampled = len(range(0, height, ROUGHNESS_ROWS))
    integer = np.issubdtype(movie.dtype, np.integer)
    range_of = np.iinfo(movie.dtype) if integer else None
    largest = np.full(height, range_of.min if range_of else -np.inf, movie.dtype)
    at_largest = np.zeros(height, np.int64)
    total, squares = np.zeros((height, width)), np.zeros((height, width))
    brightest = np.full((height, width), -np.inf)
    s = first_frame = 0
    with ThreadPoolExecutor(usable_cores(2)) as pool:
        # Stretches are whole bursts, so every burst lies within one.
        for block in _bursts(movie):
            row_sums = np.empty((len(block), height))
            row_steps = np.empty((len(block), n_sampled))
            # The mean of a few frames is noisier: it would be the maximum of every pixel.
            whole = len(block) == BURST_FRAMES or frames < BURST_FRAMES
            images = (total, squares, brightest, row_sums, row_steps, largest, at_largest)
            run_halves(pool, _accumulate, height, block, whole, *images)
            next_frame = first_frame + len(block)
            frame_mean[first_frame:next_frame] = row_sums.sum(axis=1) / (height * width)
            roughness[first_frame:next_frame] = np.median(row_steps, axis=1)
            first_frame = next_frame
            if first_frame == starts[s + 1]:
                n = int(starts[s + 1] - starts[s])
                running = (total, squares, brightest)
                run_halves(pool, _finish, height, n, *running, mean[s], variance[s], burst[s])
                s += 1
    bad = np.flatnonzero(~np.isfinite(frame_mean))
    if bad.size:
        raise InputError(
            f"{bad.size} frame(s), the first of them frame {bad[0]}, hold NaN or infinite values",
            "export the raw integer movie of the camera",
            place=movie.name,
        )
    return Projections(
        mean,
        variance,
        burst,
        (starts[:-1] + starts[1:] - 1) / 2,
        np.diff(starts),
        frame_mean,
        roughness / max(width - 1, 1),
        float(largest.max()),
        float(at_largest[largest == largest.max()].sum()) / (frames * height * width),
        float(range_of.max) if range_of else np.inf,
    )
