"""Compiled kernels, kept beside the source for as long as none of their sources changes.

numba keeps a compiled function by the file it stands in. A function or constant that it
takes from another file is compiled into it, and a change there would go unnoticed: numbers
of the old source, in silence. So the folder they are kept in carries a digest of all files
with kernels; what a kernel takes from elsewhere has to stand in one of those.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

import numba

PACKAGE = Path(__file__).parent


def digest(package: Path = PACKAGE) -> str:
    """Digest of the files of a package that hold kernels."""
    sources = (path.read_bytes() for path in sorted(package.rglob("*.py")))
    found = hashlib.sha256()
    for source in sources:
        if b"njit" in source:
            found.update(source)
    return found.hexdigest()[:16]


# A folder of the user's choice (NUMBA_CACHE_DIR) is respected; numba has its own where this one
# cannot be written.
numba.config.CACHE_DIR = str(
    Path(numba.config.CACHE_DIR or PACKAGE / "__pycache__") / f"kernels-{digest()}"
)
njit = functools.partial(numba.njit, cache=True)
