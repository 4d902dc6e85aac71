"""Uncompressed frames, read straight from their places in the file.

Plain reads, never a memory map: mapped pages are charged to the job on some clusters and get it
killed. Frames that follow each other are fetched by one system call, and small headers between
them (an ND2 chunk's, a TIFF page's) are read into a bin and forgotten, which is cheaper than
stepping around them.

Input: the offset of every frame and how its rows are laid out. Output: frames in the caller's
memory.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import IntArray
from blinkpair.errors import InputError
from blinkpair.movie.formats.source import give_up_cached, read_no_further

# Up to this gap between two frames, reading it costs less than another call.
_MAX_GAP_BYTES = 16 * 1024
# Buffers of one call; POSIX systems take 1024. Each frame may need two.
_MAX_BUFFERS = 1000
# Scratch memory for frames that have to be rearranged: it should stay in the processor's cache.
_SCRATCH_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class RawFrames:
    """Places and layout of uncompressed frames.

    Attributes
    ----------
    paths : tuple of Path
        One file, or several (a spool folder).
    offsets : (frames,) int64 array
        First byte of each frame; negative where it is not there.
    height, width : int
    dtype : numpy dtype
        As stored, with its byte order.
    row_bytes : int
        From the start of one row to that of the next; 0 for no padding.
    samples, sample : int
        Components interleaved in each pixel, and which of them to take.
    file_index : (frames,) int array or None
        Which of `paths` holds each frame; None for the first.
    """

    paths: tuple[Path, ...]
    offsets: IntArray
    height: int
    width: int
    dtype: np.dtype[Any]
    row_bytes: int = 0
    samples: int = 1
    sample: int = 0
    file_index: IntArray | None = None

    @property
    def stride(self) -> int:
        """Bytes from row to row."""
        return self.row_bytes or self.width * self.samples * self.dtype.itemsize

    @property
    def dense(self) -> bool:
        """The bytes of a frame are those of the array."""
        return self.samples == 1 and self.stride == self.width * self.dtype.itemsize

    @property
    def frame_bytes(self) -> int:
        """Bytes from a frame's first pixel to its last."""
        row = self.width * self.samples * self.dtype.itemsize
        return (self.height - 1) * self.stride + row

    @cached_property
    def breaks(self) -> IntArray:
        """Frames at which a read must start anew, and the number of frames."""
        gaps = np.diff(self.offsets) - self.frame_bytes
        new = (gaps < 0) | (gaps > _MAX_GAP_BYTES)
        if self.file_index is not None:
            new |= np.diff(self.file_index) != 0
        return np.append(np.flatnonzero(new) + 1, self.offsets.size)

    def there(self) -> NDArray[np.bool_]:
        """Mark the frames that the file holds in full; the offset of others may be negative."""
        sizes = file_sizes(self.paths, self.file_index, self.offsets.size)
        held: NDArray[np.bool_] = (self.offsets + self.frame_bytes <= sizes) & (self.offsets >= 0)
        return held

    def reader(self, threads: int, give_up: bool = False) -> RawReader:
        """Open the file; reading is one thread's work."""
        return RawReader(self, give_up)


def file_sizes(paths: Sequence[Path], file_index: IntArray | None, frames: int) -> IntArray:
    """Return the size of the file that holds each frame: (frames,) bytes."""
    sizes = np.array([path.stat().st_size for path in paths], np.int64)
    return sizes[np.zeros(frames, np.int64) if file_index is None else file_index]


class RawReader:
    """An open file of uncompressed frames."""

    def __init__(self, frames: RawFrames, give_up: bool = False) -> None:
        self._frames, self._give_up = frames, give_up
        self._file: FileIO | None = None
        self._file_number = -1
        self._bin = memoryview(bytearray(_MAX_GAP_BYTES))
        self._scratch: NDArray[np.uint8] | None = None

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        self._file, self._file_number = None, -1

    def read_into(self, start: int, out: NDArray[Any]) -> None:
        """Fill `out` (n, y, x) with the frames from `start` on.

        Raises
        ------
        InputError
            The file ended early: it was cut while being read.
        """
        frames = self._frames
        if frames.dense:
            self._fetch(start, out.reshape(len(out), -1).view(np.uint8))
            if not frames.dtype.isnative:
                out.byteswap(inplace=True)
            return
        size, item = frames.frame_bytes, frames.dtype.itemsize
        step = max(1, _SCRATCH_BYTES // size)
        if self._scratch is None:
            self._scratch = np.empty((step, size), np.uint8)
        for first in range(0, len(out), step):
            n = min(step, len(out) - first)
            self._fetch(start + first, self._scratch[:n])
            out[first : first + n] = np.ndarray(
                (n, frames.height, frames.width),
                frames.dtype,
                buffer=self._scratch.data,
                offset=frames.sample * item,
                strides=(size, frames.stride, frames.samples * item),
            )

    def _fetch(self, start: int, target: NDArray[np.uint8]) -> None:
        """Read the bytes of consecutive frames into the rows of `target`."""
        offsets, size = self._frames.offsets, self._frames.frame_bytes
        breaks = self._frames.breaks
        done = 0
        while done < len(target):
            first = start + done
            n = int(breaks[np.searchsorted(breaks, first, side="right")]) - first
            n = min(n, len(target) - done)
            contiguous = offsets[first + n - 1] - offsets[first] == (n - 1) * size
            buffers = [target[done : done + n].reshape(-1).data]
            if not contiguous:
                n = min(n, _MAX_BUFFERS // 2)
                gaps = np.diff(offsets[first : first + n]) - size
                buffers = [target[done].data]
                for row, gap in enumerate(gaps.tolist(), start=done + 1):
                    if gap:
                        buffers.append(self._bin[:gap])
                    buffers.append(target[row].data)
            self._read_fully(first, buffers)
            done += n

    def _read_fully(self, frame: int, buffers: Sequence[memoryview]) -> None:
        """Read into `buffers`, one after the other, from the place of `frame` on."""
        file = self._file_of(frame)
        position = int(self._frames.offsets[frame])
        if hasattr(os, "preadv"):
            got = os.preadv(file.fileno(), buffers, position)
            if self._give_up:
                give_up_cached(file.fileno(), position, position + got)
            if got == sum(map(len, buffers)):
                return
        # A system without it, or a read that came back short (Linux ends one at 2 GiB).
        file.seek(position)
        for buffer in buffers:
            filled = 0
            while filled < len(buffer):
                got = file.readinto(buffer[filled:])
                if not got:
                    raise InputError(
                        f"ends before frame {frame} is complete; it was so when it was opened",
                        "is it still being written or copied?",
                        place=file.name,
                    )
                filled += got

    def _file_of(self, frame: int) -> FileIO:
        """Open the file that holds `frame`; one at a time."""
        index = self._frames.file_index
        number = 0 if index is None else int(index[frame])
        if self._file is None or number != self._file_number:
            self.close()
            self._file = self._frames.paths[number].open("rb", buffering=0)
            self._file_number = number
            if self._give_up:
                read_no_further(self._file.fileno())
        return self._file
