"""Compiled kernels, kept for as long as none of their sources changes.

numba keeps a compiled function under the file that defines it. A function or constant that
it uses from another file is compiled into it, and a change there would have no effect: the
numbers would be those of the old source. So the name of the folder has a digest of all files
with kernels, and what a kernel uses from elsewhere has to be in one of those. The digest
contains the processor, too: otherwise nodes of different kinds that share a disk and start at
once would overwrite each other's entries. Of several processes that need a kernel, one compiles it.

The folder lies beside the source, or where that is read-only in the user's own cache, or in a
private one among the temporary files. Where none of them can be written, every process
compiles anew.

Input: a function. Output: the same, compiled.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

import numba
from llvmlite import binding
from numba.core.runtime import rtsys

PACKAGE = Path(__file__).parent


def digest(package: Path = PACKAGE) -> str:
    """Return the digest of the files of a package that hold kernels, and of the processor."""
    sources = (path.read_bytes() for path in sorted(package.rglob("*.py")))
    found = hashlib.sha256()
    for source in sources:
        if b"njit" in source or b"intrinsic" in source:
            found.update(source)
    found.update(binding.get_host_cpu_name().encode())
    found.update(binding.get_host_cpu_features().flatten().encode())
    return found.hexdigest()[:16]


def find_folder(package: Path = PACKAGE) -> Path | None:
    """Return a folder for kernels that this user can write; None where there is none."""
    name = f"kernels-{digest(package)}"
    for parent in _parents(package):
        folder = parent / name
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return None


def _parents(package: Path) -> Iterator[Path]:
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(chosen)
    yield package / "__pycache__"
    if cache := os.environ.get("XDG_CACHE_HOME"):
        yield Path(cache) / "blinkpair"
    else:
        with contextlib.suppress(RuntimeError):  # a user without a home, as in some containers
            yield Path.home() / ".cache" / "blinkpair"
    # Kernels are code: from a folder that anybody can write, only one's own is taken.
    private = Path(tempfile.gettempdir()) / f"blinkpair-{getattr(os, 'getuid', int)()}"
    try:
        private.mkdir(mode=0o700, exist_ok=True)
        state = private.lstat()
    except OSError:
        return
    own = not hasattr(os, "getuid") or state.st_uid == os.getuid()
    if own and stat.S_ISDIR(state.st_mode) and state.st_mode & 0o077 == 0:
        yield private


_folder = find_folder()
if _folder is not None:
    numba.config.CACHE_DIR = str(_folder)
# Those whose loading of compiled kernels was read: it is private to numba.
_READ_VERSIONS = ("0.68.",)
PATIENCE_S = 60  # the largest kernels take 5 s, several times that on a busy machine


def njit(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator that compiles a function, or loads what was compiled earlier."""

    def compiled(function: Callable[..., Any]) -> Any:
        kernel = numba.njit(cache=_folder is not None, no_cfunc_wrapper=True, **options)(function)
        if _folder is not None and numba.__version__.startswith(_READ_VERSIONS):
            turn = _Turn(Path(f"{kernel._cache._cache_file._index_path}.lock"))
            kernel._cache.load_overload = functools.partial(_load_kernel, kernel._cache, turn)
            kernel._cache.save_overload = functools.partial(_save_kernel, kernel._cache, turn)
        return kernel

    return compiled


class _Turn:
    """One process at a time compiles a kernel; the others wait and load it.

    The jobs of the first fields start together: each would compile the same for 20 s. A lock ends
    with the process that has it. Where files cannot be locked, every process compiles.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Wait until no other process compiles the kernel, at most `PATIENCE_S`."""
        if self._file is not None or fcntl is None:
            return
        until = time.monotonic() + PATIENCE_S
        with contextlib.suppress(OSError):
            self._file = self._path.open("w")
            while time.monotonic() < until:
                try:
                    return fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    time.sleep(0.05)

    def give(self) -> None:
        """Let the others go on."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _load_kernel(cache: Any, turn: _Turn, signature: Any, context: Any) -> Any:
    """Load a compiled kernel as numba does, but for learning first all that it can compile.

    That takes 0.3 s of the processor and has NumPy and SciPy loaded in parts that few steps use.
    numba learns it when something has to be compiled.
    """
    rtsys.initialize(context)  # memory for arrays, all that a kernel needs that is finished
    with cache._guard_against_spurious_io_errors():
        if found := cache._load_overload(signature, context):
            return found
        turn.take()  # and give it after `_save_kernel`, unless another process was quicker
        if found := cache._load_overload(signature, context):
            turn.give()
            return found
    _shorten_error()
    return None


def _shorten_error() -> None:
    """Leave the shapes out of numba's error on a slice and an array of different sizes.

    The code that writes them takes 1.5 s to compile, also for `np.linalg.solve`, which copies its
    right side into a slice. numba has a text without shapes for processors that know no texts.
    """
    from numba.np import arrayobj

    with_shapes = arrayobj.ol_raise_with_shape_context_cpu
    with_shapes.__code__ = arrayobj.ol_raise_with_shape_context_generic.__code__


def _save_kernel(cache: Any, turn: _Turn, signature: Any, kernel: Any) -> None:
    """Keep a compiled kernel as numba does, and let other processes go on that wait for it."""
    type(cache).save_overload(cache, signature, kernel)
    turn.give()
