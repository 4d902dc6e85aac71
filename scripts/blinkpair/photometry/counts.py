"""Measure the counts of every nanocrystal in every frame.

The aperture is a square whose edges cut pixels by area, so that the counts follow a drifting
nanocrystal smoothly; the background is the median of a ring around it, frame by frame, so that a
neighbour or a cosmic ray in the ring has no effect.

Input: a movie, positions at its first frame, the drift. Output: background-subtracted counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray, IntArray, neighbours
from blinkpair.cores import run_halves, usable_cores
from blinkpair.errors import InputError
from blinkpair.photometry.apertures import aperture_stays_inside, empty_frames, empty_places
from blinkpair.photometry.kernels import Photometry, Places, measure_places
from blinkpair.photometry.lanes import as_words
from blinkpair.photometry.ring import RING_OUTER_PX, ring_offsets

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from blinkpair.movie.movie import Movie


# Pixels of the ring this close to another nanocrystal are left out.
NEIGHBOUR_RADIUS_PX = 3.0
MIN_RING_PIXELS = 20
BACKGROUNDS = ("annulus_median", "none")


@dataclass(frozen=True)
class PhotometrySettings:
    """The configuration's `photometry`; the meaning of each is in `extract_traces`."""

    aperture_px: float = 3
    background: str = "annulus_median"


def _usable_ring(xy: FloatArray, others: FloatArray, ring: IntArray) -> BoolArray:
    """Return (n, ring) True where a pixel of the ring is clear of all other nanocrystals."""
    usable = np.ones((len(xy), len(ring)), bool)
    for k, near in enumerate(neighbours(xy, others, RING_OUTER_PX + NEIGHBOUR_RADIUS_PX + 1.0)):
        separation = others[near] - xy[k]
        separation = separation[np.hypot(*separation.T) >= 0.5]  # not itself
        if len(separation):
            apart = np.hypot(*(ring[:, None] - separation[None]).T)
            usable[k] = (apart > NEIGHBOUR_RADIUS_PX).all(axis=0)
        if usable[k].sum() < MIN_RING_PIXELS:
            usable[k] = True  # too crowded: the median of all pixels is used
    return usable


def extract_traces(
    movie: Movie,
    xy: FloatArray | Sequence[Sequence[float]],
    drift: FloatArray | None = None,
    *,
    aperture_px: float = 3,
    background: str = "annulus_median",
    neighbours_xy: FloatArray | None = None,
    frames_per_block: int | None = None,
) -> NDArray[np.float32]:
    """Return background-subtracted counts of each nanocrystal in each frame.

    Parameters
    ----------
    movie : Movie
    xy : (n, 2) float
        Positions at the first frame, pixels.
    drift : (frames, 2) float, optional
        Displacement of the sample since the first frame; none by default.
    aperture_px : float
        Width of the square aperture. Pixels that it cuts count by the area inside.
    background : str
        'annulus_median': the median of a ring of 4.5 to 7.3 px in each frame, corrected for the
        mean difference between mean and median over the movie (the noise of an EMCCD is skewed:
        its median lies below its mean by about 2 counts at 15 counts a pixel and gain 5).
        'none': the plain sum.
    neighbours_xy : (m, 2) float, optional
        All known nanocrystals, those measured and others: they are left out of the rings.
        Default: those measured.
    frames_per_block : int, optional
        How many frames are read at once; the result does not depend on it. By default what fits
        into the processor's cache.

    Returns
    -------
    (n, frames) float32
        NaN in frames in which the aperture is not all on the sensor.

    Raises
    ------
    InputError
        If positions or drift have the wrong shape or are not finite, the aperture has no width, or
        the background is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from blinkpair.movie import from_array
    >>> frames = np.full((4, 32, 32), 100, np.uint16)
    >>> frames[2, 15:18, 15:18] += 50  # nine pixels, in one frame
    >>> extract_traces(from_array(frames), [[16, 16]]).round().tolist()
    [[0.0, 0.0, 450.0, 0.0]]
    """
    return measure(
        movie,
        xy,
        drift,
        aperture_px=aperture_px,
        background=background,
        neighbours_xy=neighbours_xy,
        frames_per_block=frames_per_block,
    ).counts


class Measured(NamedTuple):
    """Counts of a movie: of nanocrystals (n, frames), and at empty places beside them (n, m)."""

    counts: NDArray[np.float32]
    empty: NDArray[np.float32]


def measure(
    movie: Movie,
    xy: FloatArray | Sequence[Sequence[float]],
    drift: FloatArray | None = None,
    *,
    aperture_px: float = 3,
    background: str = "annulus_median",
    neighbours_xy: FloatArray | None = None,
    frames_per_block: int | None = None,
    empty: bool = False,
) -> Measured:
    """Return what `extract_traces` does, and with `empty` the counts at empty places as well.

    The latter (`empty_places`, in `empty_frames`) have the distribution of the counts of a
    nanocrystal that is off. A row is nan where there is none.
    """
    from concurrent.futures import ThreadPoolExecutor

    measurement = Measurement(
        movie,
        xy,
        drift,
        settings=PhotometrySettings(aperture_px, background),
        neighbours_xy=neighbours_xy,
        empty=empty,
    )
    with ThreadPoolExecutor(usable_cores(2)) as pool:
        start = movie.shape[0]
        # From the last frame to the first: after the pass that found the nanocrystals, the last
        # ones are still in memory.
        for block in movie.blocks(frames_per_block, last_pass=True):
            start -= len(block)
            measurement.add(pool, block, start)
    return measurement.result()


class Measurement:
    """Counts of a movie that is read block by block, from its last frame to its first.

    Parameters and errors are those of `extract_traces`.
    """

    def __init__(
        self,
        movie: Movie,
        xy: FloatArray | Sequence[Sequence[float]],
        drift: FloatArray | None,
        *,
        settings: PhotometrySettings,
        neighbours_xy: FloatArray | None,
        empty: bool,
    ) -> None:
        xy = np.array(xy, np.float64).reshape(-1, 2)
        frames, height, width = movie.shape
        self._shape = (height, width)
        self._drift = np.zeros((frames, 2)) if drift is None else np.array(drift, np.float64)
        if self._drift.shape != (frames, 2):
            raise InputError(
                f"drift has shape {self._drift.shape}, but the movie {movie.name} has {frames} "
                "frames",
                f"give one x, y for each frame, an array of ({frames}, 2)",
            )
        if not np.isfinite(xy).all():
            raise InputError("a position to measure is NaN or infinite", "drop it first")
        if not np.isfinite(self._drift).all():
            raise InputError("the drift is NaN or infinite in a frame", "fill it in first")
        if not 0 < settings.aperture_px < np.inf:
            raise InputError(
                f"aperture_px is {settings.aperture_px}", "the width in pixels, e.g. 3"
            )
        if settings.background not in BACKGROUNDS:
            raise InputError(
                f"unknown background '{settings.background}'", f"use one of {BACKGROUNDS}"
            )
        others = xy if neighbours_xy is None else np.asarray(neighbours_xy, float).reshape(-1, 2)
        every = empty_frames(frames)[: None if empty else 0]
        places = empty_places(
            xy[: None if empty else 0],
            others,
            self._drift,
            movie.shape[1:],
            aperture_px=settings.aperture_px,
        )
        self._has_empty = np.isfinite(places[:, 0])
        self._empty = np.full((len(xy), len(every)), np.nan, np.float32)
        self._targets = [
            _Target(at, others, in_frames, settings, movie.dtype)
            for at, in_frames in ((xy, np.arange(frames)), (places[self._has_empty], every))
        ]

    def add(self, pool: ThreadPoolExecutor, block: NDArray[Any], start: int) -> None:
        """Measure the frames of a block, the first of which is number `start`."""
        for target in self._targets:
            target.add(pool, block, start, self._drift)

    def result(self) -> Measured:
        """Return the counts of all blocks."""
        counts, at_empty = (one.result(self._drift, self._shape) for one in self._targets)
        if len(self._has_empty):
            self._empty[self._has_empty] = at_empty
        return Measured(counts, self._empty)


class _Target:
    """Places that are measured block by block, in some of the frames."""

    def __init__(
        self,
        xy: FloatArray,
        others: FloatArray,
        frames: IntArray,
        settings: PhotometrySettings,
        dtype: np.dtype[Any],
    ) -> None:
        order = np.argsort(xy[:, 1], kind="stable")
        n = len(xy)
        usable = _usable_ring(xy[order], others, ring_offsets())
        counted = np.issubdtype(dtype, np.integer) and dtype.itemsize <= 4
        self.frames = frames
        self.how = Photometry(
            aperture_px=float(settings.aperture_px),
            background=settings.background == "annulus_median",
            smallest=int(np.iinfo(dtype).min) if counted else None,
            bits=8 * dtype.itemsize if counted else None,
        )
        self.places = Places(
            xy=xy[order],
            row=order,
            usable=as_words(usable),
            n_usable=usable.sum(axis=1),
            guess=np.tile([0, 1 << 16], (n, 1)),
            skew=np.zeros(n),
            n_skew=np.zeros(n),
        )
        self.traces = np.empty((n, len(frames)), np.float32)

    def add(self, pool: ThreadPoolExecutor, block: Any, start: int, drift: FloatArray) -> None:
        """Measure the frames of a block, the first of which is number `start`."""
        first, last = np.searchsorted(self.frames, [start, start + len(block)])
        if first == last or not len(self.traces):
            return
        chosen = self.frames[first:last]
        run_halves(
            pool,
            measure_places,
            len(self.traces),
            block,
            chosen - start,
            drift[chosen],
            self.how,
            self.places,
            self.traces,
            first,
        )

    def result(self, drift: FloatArray, shape: tuple[int, int]) -> NDArray[np.float32]:
        """Return the counts of all blocks, NaN where the aperture is not all on the sensor."""
        of, area = self.places, self.how.aperture_px**2
        correction = np.empty(len(self.traces), np.float32)
        correction[of.row] = area * of.skew / np.maximum(of.n_skew, 1)
        self.traces -= correction[:, None]
        if not self.traces.size:
            return self.traces
        drift, width = drift[self.frames], self.how.aperture_px
        stays = aperture_stays_inside(of.xy, drift, shape, aperture_px=width)
        for k in np.flatnonzero(~stays):
            at = of.xy[k] + drift
            inside = aperture_stays_inside(at, np.zeros((1, 2)), shape, aperture_px=width)
            self.traces[of.row[k], ~inside] = np.nan
        return self.traces
