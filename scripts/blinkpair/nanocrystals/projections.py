"""Read a movie once and keep what detection, drift and the report need.

A stretch is so short that the stage hardly drifts within it: drift can be measured and removed
afterwards without reading the movie again.

Input: blocks of frames. Output: for each of at most ~50 stretches of the movie its mean, its
variance from frame to frame and the brightest of its short bursts, pixel by pixel, and the sum of
every frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray, IntArray
from blinkpair.compiled import njit
from blinkpair.cores import run_halves, usable_cores
from blinkpair.errors import InputError
from blinkpair.nanocrystals.altered_frames import AlteredFrames
from blinkpair.nanocrystals.odd_frames import MAX_ODD_SHARE, odd_frames

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from blinkpair.movie.movie import Movie

BURST_FRAMES = 10  # 0.2 s at 20 ms: a blink that long stands out whatever happens around it
MAX_STRETCHES = 50  # three float32 images each: 160 MB at 512 x 512
BURSTS_A_READ = 2
LOWEST_EVERY = 13  # bursts
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
        Frames of each stretch that were read.
    frame : (frames,) int64
        Numbers of the frames that were read.
    frame_mean : (frames,) float64
        Mean of all pixels of each of them.
    roughness : (frames,) float64
        Mean absolute difference of neighbours in a row of each: the median of every
        `ROUGHNESS_ROWS`-th row, which a cosmic ray does not change.
    odd : (frames,) bool
        Which of them do not show the sample. Up to `odd_frames.MAX_ODD_SHARE` of them are not in
        the images above.
    largest : float
        The largest pixel value.
    saturated_fraction : float
        Share of pixel values that are equal to it.
    range_top : float
        Top of the integer type's range; infinite for others.
    lowest, lowest_fraction : float
        The smallest value in one burst of `LOWEST_EVERY`, and the share of values equal to it.
    moving_border_share, noise_memory : float
        Signs of processing in the same bursts, as in `altered_frames.AlteredFrames`.
    """

    mean: NDArray[np.float32]
    variance: NDArray[np.float32]
    burst: NDArray[np.float32]
    centre_frame: FloatArray
    n_frames: IntArray
    frame: IntArray
    frame_mean: FloatArray
    roughness: FloatArray
    odd: BoolArray
    largest: float
    saturated_fraction: float
    range_top: float
    lowest: float
    lowest_fraction: float
    moving_border_share: float
    noise_memory: float


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


class Projector:
    """Adds frames up to projections, burst by burst.

    Parameters
    ----------
    shape : tuple of int
        Of the movie: frames, rows, columns.
    dtype : numpy dtype
        Of the movie.
    """

    def __init__(self, shape: tuple[int, int, int], dtype: np.dtype[Any]) -> None:
        frames, height, width = shape
        length = stretch_length(frames)
        # A last stretch of a few frames would be mostly noise: it joins the one before.
        n_stretches = max(1, round(frames / length))
        # Stretches are whole bursts, so every burst lies within one.
        self._ends = length * np.arange(1, n_stretches + 1)
        self._ends[-1] = frames
        images = (3, n_stretches, height, width)
        self._mean, self._variance, self._burst = np.empty(images, np.float32)
        self._stretch, self._read = -1, np.zeros(frames, bool)
        self._frame_mean, self._roughness = np.empty(frames), np.empty(frames)
        self._range = np.iinfo(dtype) if np.issubdtype(dtype, np.integer) else None
        lowest = self._range.min if self._range else -np.inf
        self._largest, self._at_largest = np.full(height, lowest, dtype), np.zeros(height, np.int64)
        self._lowest, self._at_lowest, self._looked_at = np.inf, 0, 0
        self._altered = AlteredFrames()
        self._total, self._squares = np.zeros((2, height, width))
        self._brightest = np.full((height, width), -np.inf)

    def add(self, pool: Executor, burst: NDArray[Any], first_frame: int) -> None:
        """Add successive frames of one stretch; all of a stretch come before those of another."""
        stretch = int(np.searchsorted(self._ends, first_frame, side="right"))
        if stretch != self._stretch:
            self._finish(pool)
            self._stretch = stretch
        if first_frame // BURST_FRAMES % LOWEST_EVERY == LOWEST_EVERY // 2:
            self._look_at_lowest(burst)
            self._altered.add(burst)
        n, height, width = burst.shape
        row_sums = np.empty((n, height))
        row_steps = np.empty((n, len(range(0, height, ROUGHNESS_ROWS))))
        # The mean of a few frames is noisier: it would be the maximum of every pixel.
        whole = n == BURST_FRAMES or len(self._read) < BURST_FRAMES
        images = (self._total, self._squares, self._brightest, row_sums, row_steps)
        largest = (self._largest, self._at_largest)
        run_halves(pool, _accumulate, height, burst, whole, *images, *largest)
        here = slice(first_frame, first_frame + n)
        self._frame_mean[here] = row_sums.sum(axis=1) / (height * width)
        self._roughness[here] = np.median(row_steps, axis=1) / max(width - 1, 1)
        self._read[here] = True

    def _look_at_lowest(self, burst: NDArray[Any]) -> None:
        """Count the values at the lowest one so far."""
        if burst.min() < self._lowest:
            self._lowest, self._at_lowest = float(burst.min()), 0
        self._at_lowest += int(np.count_nonzero(burst == self._lowest))
        self._looked_at += burst.size

    def _of_stretch(self, s: int) -> IntArray:
        """Return the frames of a stretch that were read."""
        first = int(self._ends[s - 1]) if s else 0
        return first + np.flatnonzero(self._read[first : self._ends[s]])

    def _finish(self, pool: Executor) -> None:
        """Fill the images of the stretch whose frames have been added."""
        s = self._stretch
        if s < 0:
            return
        running = (self._total, self._squares, self._brightest)
        images = (self._mean[s], self._variance[s], self._burst[s])
        n = len(self._of_stretch(s))
        run_halves(pool, _finish, len(self._total), n, *running, *images)

    def result(self, pool: Executor, name: str) -> Projections:
        """Return the projections of all frames that were added; `name` is the movie's.

        Raises
        ------
        InputError
            If a frame holds values that are not finite.
        """
        self._finish(pool)
        frame = np.flatnonzero(self._read)
        frame_mean, roughness = self._frame_mean[frame], self._roughness[frame]
        if (bad := np.flatnonzero(~np.isfinite(frame_mean))).size:
            first = frame[bad[0]]
            raise InputError(
                f"{bad.size} frame(s), the first of them frame {first}, hold NaN or infinite "
                "values",
                "export the raw integer movie of the camera",
                place=name,
            )
        of_stretch = [self._of_stretch(s) for s in range(len(self._ends))]
        top, pixels = self._largest.max(), len(frame_mean) * self._total.size
        return Projections(
            self._mean,
            self._variance,
            self._burst,
            np.array([frames.mean() for frames in of_stretch]),
            np.array([len(frames) for frames in of_stretch]),
            frame,
            frame_mean,
            roughness,
            odd_frames(frame_mean, roughness),
            float(top),
            float(self._at_largest[self._largest == top].sum()) / pixels,
            float(self._range.max) if self._range else np.inf,
            self._lowest,
            self._at_lowest / max(self._looked_at, 1),
            self._altered.moving_border_share(),
            self._altered.noise_memory(),
        )


def bursts_of(block: NDArray[Any], start: int) -> Iterator[tuple[NDArray[Any], int]]:
    """Return the bursts of a block of whole bursts, each with the number of its first frame."""
    for first in range(0, len(block), BURST_FRAMES):
        yield block[first : first + BURST_FRAMES], start + first


def project(movie: Movie, *, every: int = 1) -> Projections:
    """Read the movie once, or one burst in `every` of it, and keep its projections.

    Raises
    ------
    InputError
        If a frame holds values that are not finite.
    """
    from concurrent.futures import ThreadPoolExecutor

    projector = Projector(movie.shape, movie.dtype)
    # Some bursts at a time: a disk likes long reads.
    size = BURST_FRAMES * (BURSTS_A_READ if every == 1 else 1)
    start = BURST_FRAMES * (every // 2)
    with ThreadPoolExecutor(usable_cores(2)) as pool:
        for number, block in enumerate(movie.blocks(size, start, every=every)):
            for burst, first in bursts_of(block, start + number * size * every):
                projector.add(pool, burst, first)
        return without_odd_frames(movie, projector.result(pool, movie.name), every=every)


def without_odd_frames(movie: Movie, projections: Projections, *, every: int = 1) -> Projections:
    """Return the projections of the frames that show the sample, if few do not.

    The stretches that hold others are read again.

    Parameters
    ----------
    movie : Movie
    projections : Projections
        Of one burst in `every`, as in `project`.
    """
    odd = projections.odd
    if not 0 < odd.sum() <= MAX_ODD_SHARE * len(odd):
        return projections
    images = [projections.mean.copy(), projections.variance.copy(), projections.burst.copy()]
    centre_frame, n_frames = projections.centre_frame.copy(), projections.n_frames.copy()
    stretch_of = np.repeat(np.arange(len(n_frames)), n_frames)
    for s in np.unique(stretch_of[odd]):
        frames, left_out = projections.frame[stretch_of == s], odd[stretch_of == s]
        kept = frames[~left_out]
        blocks = movie.blocks(BURST_FRAMES, int(frames[0]), int(frames[-1]) + 1, every=every)
        for image, values in zip(images, _images_of(blocks, left_out), strict=True):
            image[s] = values
        centre_frame[s], n_frames[s] = kept.mean(), len(kept)
    mean, variance, burst = images
    return replace(
        projections,
        mean=mean,
        variance=variance,
        burst=burst,
        centre_frame=centre_frame,
        n_frames=n_frames,
    )


def _images_of(
    blocks: Iterable[NDArray[Any]], left_out: BoolArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return mean, variance and brightest burst of a stretch without some of its frames."""
    total = squares = brightest = np.zeros(())
    most = start = 0
    for block in blocks:
        shown = block[~left_out[start : start + len(block)]].astype(float)
        start += len(block)
        if not len(shown):
            continue
        total, squares = total + shown.sum(axis=0), squares + (shown**2).sum(axis=0)
        # The mean of fewer frames is noisier: only bursts of the most frames are compared.
        if len(shown) > most:
            most, brightest = len(shown), shown.mean(axis=0)
        elif len(shown) == most:
            brightest = np.maximum(brightest, shown.mean(axis=0))
    mean = total / (~left_out).sum()
    variance = np.maximum(squares / (~left_out).sum() - mean**2, 0.0)
    return mean, variance, brightest
