"""The memory of the blocks, and a reader that runs over the parts of a movie.

Fresh memory has to be handed out page by page by the operating system, which takes as long as a
third of the reading. So a block's memory is used again as soon as no array refers to it any more.

Input: the size of a block; the parts of a movie. Output: arrays to fill; frames.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blinkpair.movie.formats.source import FrameReader, Source

# A loop holds one block while the next is read; one more for a consumer that looks back.
_KEPT = 3


class Buffers:
    """Memory for the blocks of one iteration.

    Parameters
    ----------
    shape : tuple of int
        Of the largest block.
    dtype : numpy dtype
    """

    def __init__(self, shape: tuple[int, int, int], dtype: np.dtype[Any]) -> None:
        self._shape, self._dtype = shape, dtype
        self._free: list[NDArray[np.uint8]] = []

    def take(self, frames: int) -> NDArray[Any]:
        """Return a C-contiguous (frames, y, x) array whose content is undefined."""
        size = math.prod(self._shape)
        try:
            memory = self._free.pop()
        except IndexError:
            memory = np.empty(size * self._dtype.itemsize, np.uint8)
        # Every view of a block refers to this array, and not to `memory`, since a memoryview stands
        # between the two. When the last view is gone, it is gone.
        block = np.frombuffer(memory.data, self._dtype, size)
        weakref.finalize(block, self._release, memory).atexit = False
        return block.reshape(self._shape)[:frames]

    def _release(self, memory: NDArray[np.uint8]) -> None:
        if len(self._free) < _KEPT:
            self._free.append(memory)


class PartsReader:
    """Reads the frames of several files as one sequence, with one file open at a time.

    With `give_up`, what was read is dropped from the system's cache of files.
    """

    def __init__(self, parts: Sequence[Source], threads: int, *, give_up: bool = False) -> None:
        self._parts, self._threads, self._give_up = parts, threads, give_up
        self._ends = np.cumsum([part.shape[0] for part in parts])
        self._number = -1
        self._reader: FrameReader | None = None

    def close(self) -> None:
        """Close the file that is open."""
        if self._reader is not None:
            self._reader.close()
        self._reader, self._number = None, -1

    def read_into(self, start: int, out: NDArray[Any]) -> None:
        """Fill `out` (n, y, x) with the frames from `start` on."""
        done = 0
        while done < len(out):
            frame = start + done
            number = int(np.searchsorted(self._ends, frame, side="right"))
            n = min(len(out) - done, int(self._ends[number]) - frame)
            within = frame - int(self._ends[number]) + self._parts[number].shape[0]
            self._reader_of(number).read_into(within, out[done : done + n])
            done += n

    def _reader_of(self, number: int) -> FrameReader:
        if self._reader is None or number != self._number:
            self.close()
            self._reader = self._parts[number].frames.reader(self._threads, self._give_up)
            self._number = number
        return self._reader


@dataclass(frozen=True)
class ArrayFrames:
    """Frames in memory."""

    array: NDArray[Any]

    def reader(self, threads: int, give_up: bool = False) -> ArrayFrames:
        """Return itself: there is nothing to open."""
        return self

    def read_into(self, start: int, out: NDArray[Any]) -> None:
        """Copy frames."""
        out[...] = self.array[start : start + len(out)]

    def close(self) -> None:
        """Nothing is open."""
