"""Sound files, what damage makes of them, and what becomes of a damaged one.

The tests take a few hundred mutants, `benchmarks/robustness_fuzz.py` tens of thousands.

Input: a random generator. Output: bytes, and the fate of a path that is opened and read to its
end, under a limit of time and memory.
"""

from __future__ import annotations

import io
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import tifffile
import yaml

from blinkpair.errors import InputError
from blinkpair.inputs.problems import UnsoundInputError
from blinkpair.inputs.settings import load_settings
from blinkpair.inputs.sheet import read_fields
from blinkpair.movie.reader import open_movie
from tests.helpers.nd2_files import TINY
from tests.helpers.set_files import metamorph_bytes
from tests.helpers.sheet_rows import PLAIN
from tests.helpers.sif_files import HEIGHT, WIDTH, sif_header

# A frame of these has some hundred bytes and a header as many, so that damage meets both.
FRAMES = np.random.default_rng(8).integers(0, 4000, (3, 8, 15)).astype(np.uint16)
CONFIG = Path(__file__).parents[2] / "config" / "config.yaml"

TIFF_KINDS: dict[str, dict[str, object]] = {
    "classic": {},
    "big-endian": {"byteorder": ">"},
    "BigTIFF": {"bigtiff": True, "metadata": None, "rowsperstrip": 3},
    "ImageJ": {"imagej": True, "metadata": {"axes": "TYX", "finterval": 0.02, "unit": "um"}},
    "OME": {"ome": True, "metadata": {"axes": "TYX", "PhysicalSizeX": 0.16}},
    "zlib": {"compression": "zlib", "predictor": True},
    "LZW": {"compression": "lzw", "rowsperstrip": 3},
    "zstd tiles": {"compression": "zstd", "tile": (16, 16)},
    "PackBits": {"compression": "packbits", "metadata": None},
    "JPEG": {"compression": "jpeg", "compressionargs": {"lossless": True}},
    "JPEG 2000": {"compression": "jpeg2000"},
    "12 bits": {"bitspersample": 12, "metadata": None},
    "RGB": {"photometric": "rgb"},
}

# Text that means something to YAML, to CSV or to both.
_TOKENS = (
    "\t", ",", ";", '"', "'", "\n", "\r", " ", "::", "::frames=", "::z=time", "..", "../", "/", "~",
    "{", "}", "[", "]", ": ", "- ", "#", "&a ", "*a", "!!python/object/apply:os.system ", "<<: ",
    "? ", "|", ">", "%", "@", "null", "nan", ".inf", "-.inf", "1e999", "-1", "0", "9" * 400, "on",
    "control", "Control", "\ufeff", "\x00", "\x1b", "\x85", "\u2028", "é", "\U0001f600", "0x10",
    "2001-01-01", "!!binary aGk=", "field", "temperature_c", "sample", "exposure_s", "landmarks",
    "photometry", "threshold", "rigid", "__proto__",
)  # fmt: skip


def tiff_of(kind: str) -> bytes:
    """Bytes of a small TIFF movie of one of the `TIFF_KINDS`."""
    how = {"photometric": "minisblack", **TIFF_KINDS[kind]}
    frames = FRAMES
    if kind == "RGB":
        frames = FRAMES.reshape(3, 8, 5, 3)
    elif kind == "JPEG":
        frames = FRAMES.astype(np.uint8)
    file = io.BytesIO()
    tifffile.imwrite(file, frames, **how)
    return file.getvalue()


def tiffs() -> list[bytes]:
    """One TIFF file of every kind."""
    return [*map(tiff_of, TIFF_KINDS), metamorph_bytes(FRAMES, [0, 20, 40])]


def nd2s() -> list[bytes]:
    """The tiny ND2 movie."""
    return [TINY.read_bytes()]


def sifs() -> list[bytes]:
    """Andor SIF movies with and without time stamps of their own."""
    frames = np.resize(FRAMES, (4, HEIGHT, WIDTH)).astype("<f4").tobytes()
    return [sif_header(stamps) + frames + b"0\n1\n" for stamps in (np.zeros(4), np.arange(4) * 2e4)]


def sheets() -> list[bytes]:
    """A sheet with the columns that have to be there, and one with all of them."""
    more = PLAIN.splitlines()
    ends = ("\tsample\texposure_s\tpixel_size_um\tlandmarks\tnote", "\tS 1\t0.02\t0.16\tl.csv\t{}")
    full = [line + ends[min(n, 1)] for n, line in enumerate(more)]
    return [PLAIN.encode(), ("\n".join(full) + "\n").encode(), PLAIN.replace("\t", ",").encode()]


def configs() -> list[bytes]:
    """The configuration as it is delivered, and the same without its comments."""
    text = CONFIG.read_bytes()
    return [text, yaml.safe_dump(yaml.safe_load(text)).encode()]


def damage(data: bytes, rng: np.random.Generator, others: list[bytes]) -> bytes:
    """Change, cut, double or splice bytes at one to five places."""
    out = bytearray(data)
    for _ in range(rng.integers(1, 6)):
        if not out:
            break
        at, n = int(rng.integers(len(out))), int(rng.integers(1, 9))
        how = rng.integers(8)
        if how < 2:  # as numbers of a header are misread
            n = int(rng.choice([1, 2, 4, 8]))
            value = rng.choice([0, 1, 2**7, 2**8 - 1, 2**15, 2**31 - 1, 2**32 - 1, 2**40])
            order = "little" if rng.random() < 0.7 else "big"
            out[at : at + n] = (int(value) % 256**n).to_bytes(n, order)
        elif how == 2:
            out[at : at + n] = rng.bytes(n)
        elif how == 3:
            out[at] ^= 1 << int(rng.integers(8))
        elif how == 4 and rng.random() < 0.5:
            del out[at:]
        elif how == 5:
            del out[at : at + n]
        elif how == 6:
            out[at:at] = out[at : at + 8 * n]
        else:
            other = others[rng.integers(len(others))]
            start = int(rng.integers(len(other)))
            out[at : at + 8 * n] = other[start : start + 8 * n]
    return bytes(out)


def scribble(data: bytes, rng: np.random.Generator, others: list[bytes]) -> bytes:
    """Damage a text, half of the time by words that mean something."""
    if rng.random() < 0.4:
        return damage(data, rng, others)
    text = data.decode()
    for _ in range(rng.integers(1, 4)):
        at, n = int(rng.integers(len(text) + 1)), int(rng.choice([0, 1, 3, 20]))
        text = text[:at] + str(rng.choice(_TOKENS)) + text[at + n :]
    return text.encode()


def read_movie(path: Path) -> None:
    """Open a movie and read it to its end."""
    movie = open_movie(path)
    for block in movie.blocks(threads=1):
        assert block.shape[1:] == movie.shape[1:]


def read_sheet(path: Path) -> None:
    """Read a sheet; an error names the file in every line."""
    try:
        read_fields(path.name, path.parent)
    except UnsoundInputError as error:
        _names_its_place(error, path.name)
        raise


def read_config(path: Path) -> None:
    """Read a configuration as Snakemake does, then check it; an error names a place in it."""
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (ValueError, yaml.YAMLError, RecursionError) as error:  # Snakemake reports this itself
        raise InputError(str(error)) from None
    try:
        load_settings(config, [path])
    except UnsoundInputError as error:
        _names_its_place(error, (str(path), "configuration"))
        raise


def _names_its_place(error: UnsoundInputError, place: str | tuple[str, ...]) -> None:
    head, *told = str(error).splitlines()
    assert told
    assert head.startswith(f"{len(told)} problem")
    for line in told:
        assert line.removeprefix("  ").startswith(place), line


def fate(read: Callable[[Path], None], path: Path) -> str:
    """Return 'read' or 'refused'; any other error is raised."""
    try:
        read(path)
    except InputError as error:
        cause = error.__cause__
        if isinstance(cause, MemoryError | TimeoutError | RecursionError):
            raise cause from None
        return "refused"
    return "read"


@contextmanager
def limits(seconds: float, megabytes: int) -> Iterator[None]:
    """Raise TimeoutError or MemoryError in what takes more than this.

    Memory is counted when it is asked for, not when it is used, so that a promise in a header
    that nothing is behind is noticed (Linux only).
    """

    def late(signum: int, frame: object) -> None:
        raise TimeoutError(f"took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    status = Path("/proc/self/status")
    if status.exists():
        held = status.read_text().split("VmData:")[1].split()[0]
        resource.setrlimit(resource.RLIMIT_DATA, (int(held) * 1024 + megabytes * 2**20, hard))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
