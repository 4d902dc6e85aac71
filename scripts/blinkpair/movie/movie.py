"""A movie that was opened: what its headers hold, and its frames in blocks.

Input: the sources that a reader opened, or frames in memory. Output: a `Movie` with its
size, frame time and pixel size, which yields its frames block by block, so that 20,000 frames
(10 GB) are never in memory at once.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from blinkpair.cores import usable_cores
from blinkpair.movie.formats.blocks import ArrayFrames, Buffers, PartsReader
from blinkpair.movie.formats.source import Source

if TYPE_CHECKING:
    from concurrent.futures import Future

# A block of this size is read into the processor's cache and used from there: measured three to
# five times faster than blocks of 32 MB, which go through main memory.
_BLOCK_BYTES = 8 * 1024 * 1024
# A read of more pixels takes seconds; the steps of a workflow set TQDM_DISABLE.
_LONG_PIXELS = 1e9
# More threads than this do not decode faster than a disk delivers.
_MAX_THREADS = 8


@dataclass(frozen=True, eq=False)
class Movie:
    """A movie, or an image, opened for reading.

    It holds no file open between calls, so it need not be closed; it can be used in a ``with``
    statement nevertheless.

    Attributes
    ----------
    shape : tuple of int
        (frames, y, x)
    dtype : numpy dtype
        As stored, in native byte order.
    exposure_s, pixel_size_um : float or None
        Time from one frame to the next, and side of a pixel in the sample, by the rules of
        `formats.timing` and `formats.pixel_size`; None where the file does not give them.
    acquired_s : float or None
        When the recording began, seconds since 1970 by the microscope's clock; None where the file
        does not hold it.
    channel : str or None
        Name of the channel.
    format : str
        In a user's words.
    paths : tuple of Path
        All files it is read from.
    notes : tuple of str
        What is odd about the file and should be read by its owner.
    exposure_from, pixel_size_from : str
        Where time and size are from, in words; where they are None, why, or '' where the file
        holds nothing on them.
    camera_exposure_s : float or None
        How long the camera collected light in each frame, which may be shorter than `exposure_s`.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    exposure_s: float | None
    pixel_size_um: float | None
    acquired_s: float | None
    channel: str | None
    format: str
    paths: tuple[Path, ...]
    notes: tuple[str, ...]
    exposure_from: str = ""
    pixel_size_from: str = ""
    camera_exposure_s: float | None = None
    _parts: tuple[Source, ...] = field(repr=False, default=())
    _skipped: int = field(repr=False, default=0)  # frames at the beginning that are left out

    @property
    def name(self) -> str:
        """The first file, for messages; 'the movie' for frames in memory."""
        return str(self.paths[0]) if self.paths else "the movie"

    @property
    def frames_per_block(self) -> int:
        """Frames that make a block of about 8 MB, the size that is read fastest."""
        frame_bytes = self.shape[1] * self.shape[2] * self.dtype.itemsize
        return max(1, min(self.shape[0], _BLOCK_BYTES // frame_bytes))

    def blocks(
        self,
        frames: int | None = None,
        start: int = 0,
        stop: int | None = None,
        *,
        every: int = 1,
        threads: int | None = None,
        last_pass: bool = False,
    ) -> Iterator[NDArray[Any]]:
        """Read the movie block by block.

        A block stays valid as long as anything refers to it or to a view of it; the memory of
        blocks that nobody holds any more is used again, which saves a third of the time.

        Parameters
        ----------
        frames : int, optional
            Frames a block; default: `frames_per_block`.
        start, stop : int
            Frames to read, ``start <= i < stop``; default: all.
        every : int
            Only the first of so many blocks is read, then the next ones are skipped.
        threads : int, optional
            Threads that decode compressed frames; default: the processor cores this process
            may use. The frames do not depend on it.
        last_pass : bool
            The movie, or a part of it, was read before, and will not be soon again. It is read
            from its last block to its first: what was read last is still in memory, where it would
            be the first to go when the movie is read from its beginning. If the movie is large
            beside the memory, what was read is given up there, so that the next movies have the
            room.

        Yields
        ------
        (n, y, x) array
            C-contiguous, in native byte order; n is `frames`, or less for the last block.

        Raises
        ------
        ValueError
            `frames` is not positive, or `start` and `stop` are not within the movie.
        InputError
            The file is damaged, or was changed since it was opened.
        """
        size = self.frames_per_block if frames is None else int(frames)
        end = self.shape[0] if stop is None else int(stop)
        if size < 1:
            raise ValueError(f"a block has 1 frame or more, not {size}")
        if not 0 <= start <= end <= self.shape[0]:
            raise ValueError(f"frames {start} to {end} are not within 0 to {self.shape[0]}")
        firsts = range(int(start), end, size * every)
        give_up = last_pass and self._is_large()
        reader = PartsReader(self._parts, threads or usable_cores(_MAX_THREADS), give_up=give_up)
        return self._iterate(reader, firsts[::-1] if last_pass else firsts, size, end)

    def _is_large(self) -> bool:
        """Whether the movies of two fields would fill more than half of the memory."""
        if not hasattr(os, "sysconf"):
            return False
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return 8 * math.prod(self.shape) * self.dtype.itemsize > memory

    def _iterate(
        self, reader: PartsReader, firsts: range, size: int, stop: int
    ) -> Iterator[NDArray[Any]]:
        from concurrent.futures import ThreadPoolExecutor

        length = min(size, stop - min(firsts, default=stop))
        buffers = Buffers((length, *self.shape[1:]), self.dtype)
        # One block is read while the one before is used: a disk that waits for the processor, or
        # the other way round, takes the sum of both times.
        with closing(reader), ThreadPoolExecutor(1) as pool:
            ahead: NDArray[Any] | None = None
            pending: Future[None] | None = None
            for first in self._shown([*firsts, None], size):
                block, reading = ahead, pending
                if first is not None:
                    ahead = buffers.take(min(size, stop - first))
                    pending = pool.submit(reader.read_into, first + self._skipped, ahead)
                if reading is not None and block is not None:
                    reading.result()
                    yield block
                del block  # or this frame of the generator would count as a user of it

    def _shown(self, firsts: list[int | None], size: int) -> Iterable[int | None]:
        """Return the first frames of the blocks, with a progress bar on a long read by hand."""
        pixels = len(firsts) * size * self.shape[1] * self.shape[2]
        if pixels < _LONG_PIXELS or not sys.stderr.isatty() or "TQDM_DISABLE" in os.environ:
            return firsts
        from tqdm import tqdm

        bar: Iterable[int | None] = tqdm(firsts, desc=Path(self.name).name, unit="block")
        return bar

    def close(self) -> None:
        """Nothing stays open; here so that a movie can be treated like a file."""

    def __enter__(self) -> Movie:
        """Return the movie itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()


def from_array(
    frames: NDArray[Any], *, exposure_s: float | None = None, pixel_size_um: float | None = None
) -> Movie:
    """Make a movie of frames in memory.

    Parameters
    ----------
    frames : (frames, y, x) array
    exposure_s, pixel_size_um : float, optional

    Returns
    -------
    Movie

    Examples
    --------
    >>> movie = from_array(np.zeros((5, 32, 32), np.uint16), exposure_s=0.02)
    >>> [block.shape for block in movie.blocks(frames=3)]
    [(3, 32, 32), (2, 32, 32)]
    """
    count, height, width = frames.shape
    native = np.ascontiguousarray(frames, frames.dtype.newbyteorder("="))
    source = Source((), "array", (count, height, width), native.dtype, ArrayFrames(native))
    return Movie(
        source.shape,
        source.dtype,
        exposure_s,
        pixel_size_um,
        None,
        None,
        "array",
        (),
        (),
        _parts=(source,),
    )
