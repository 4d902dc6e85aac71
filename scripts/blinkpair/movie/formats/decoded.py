"""Frames that must be decoded one by one: compressed, tiled or otherwise packed.

Decompression leaves Python's lock alone, so a pool of threads uses all cores; each thread fills
its own frames of the block, and the result does not depend on their number.

Input: a function that returns frame i from an open file. Output: frames in the caller's memory, in
order.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from blinkpair.arrays import IntArray
from blinkpair.errors import InputError
from blinkpair.movie.formats.source import give_up_cached, read_no_further

# Decode frame i of an open file (seek and read under `read_at`) into a (y, x) array.
ReadAt = Callable[[int, int], bytes]
Decode = Callable[[ReadAt, int, NDArray[Any]], None]


@dataclass(frozen=True)
class DecodedFrames:
    """Frames behind a decoder.

    Attributes
    ----------
    paths : tuple of Path
        One file, or several.
    decode : callable
        ``decode(read_at, i, out)`` fills `out` (y, x) with frame i; ``read_at(offset, size)``
        returns bytes of its file. Called from several threads at once.
    file_index : (frames,) int array or None
        Which of `paths` holds each frame; None for the first.
    """

    paths: tuple[Path, ...]
    decode: Decode
    file_index: IntArray | None = None

    def reader(self, threads: int, give_up: bool = False) -> DecodedReader:
        """Open the file and, for more than one thread, a pool."""
        return DecodedReader(self, threads, give_up)


class DecodedReader:
    """Open files with their decoding threads."""

    def __init__(self, frames: DecodedFrames, threads: int, give_up: bool = False) -> None:
        self._frames, self._give_up = frames, give_up
        # Of a recording of thousands of files, each is opened for as long as it is read.
        alone = len(frames.paths) == 1
        self._file = frames.paths[0].open("rb", buffering=0) if alone else None
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._places: list[tuple[int, int]] = []  # bytes read for a block
        if self._file is not None and give_up:
            read_no_further(self._file.fileno())

    def close(self) -> None:
        """Close the files and end the threads."""
        if self._pool is not None:
            self._pool.shutdown()
        if self._file is not None:
            self._file.close()

    def read_into(self, start: int, out: NDArray[Any]) -> None:
        """Fill `out` (n, y, x) with the frames from `start` on.

        Raises
        ------
        InputError
            A frame cannot be decoded: the file is damaged.
        """
        index = self._frames.file_index

        def one(i: int) -> None:
            number = 0 if index is None else int(index[start + i])
            try:
                self._frames.decode(partial(self._read_at, number), start + i, out[i])
            except (InputError, MemoryError):
                raise
            # Decoders of a dozen formats raise as many kinds of errors on damaged data; Pillow an
            # OSError without a number, which no disk raises.
            except Exception as error:
                if isinstance(error, OSError) and error.errno is not None:
                    raise
                raise InputError(
                    f"frame {start + i} cannot be decoded ({error})",
                    "the file is damaged there; copy or export it again",
                    place=self._frames.paths[number],
                ) from error

        if self._pool is None:
            for i in range(len(out)):
                one(i)
        else:
            for _ in self._pool.map(one, range(len(out))):
                pass
        if self._file is not None and self._give_up and self._places:
            starts, ends = zip(*self._places, strict=True)
            give_up_cached(self._file.fileno(), min(starts), max(ends))
        self._places.clear()

    def _read_at(self, number: int, offset: int, size: int) -> bytes:
        # Not seek and read: several threads share the file.
        if self._file is not None:
            data = os.pread(self._file.fileno(), size, offset)
            self._places.append((offset, offset + size))
        else:
            with self._frames.paths[number].open("rb", buffering=0) as file:
                data = os.pread(file.fileno(), size, offset)
                if self._give_up:
                    give_up_cached(file.fileno(), offset, offset + size)
        if len(data) < size:
            raise ValueError(f"{size - len(data)} bytes are missing at the end of the file")
        return data
