"""What libraries do that no step of a run uses, left out: a third of the time of a small step.

Input: nothing. Output: other settings of Python and of modules of libraries in this process.
"""

from __future__ import annotations

import atexit
import gc
import sys
from types import ModuleType
from typing import Any

SCIPY = "1.17."


class _NoText(dict[str, Any]):
    """A docstring without any section, in place of what SciPy's parser returns."""

    def __init__(self, *_: object) -> None:
        super().__init__(Notes=[])

    def __missing__(self, section: str) -> list[Any]:
        return []

    def __str__(self) -> str:
        return "\n"


def leave_out_what_no_step_uses() -> None:
    """Spare this process what it does not need, since it ends with a step.

    Of the many objects that libraries and figures make hardly any is garbage: it is looked for
    rarely, and not at the end. xarray loads all of dask, where that is installed, to see whether an
    array is one of dask's.
    """
    gc.set_threshold(100_000, 50, 100)
    atexit.register(gc.freeze)
    sys.modules.setdefault("dask", None)  # type: ignore[arg-type]
    load_scipy_without_docstrings()


def load_scipy_without_docstrings() -> None:
    """Have SciPy find no text in the docstrings of its functions, and no reader of Fortran.

    It parses 200 of them to add a note on other kinds of arrays, and takes all names of NumPy,
    which loads that reader. These are details of a library: in another version nothing is left out.
    """
    import numpy as np
    import scipy

    if not scipy.__version__.startswith(SCIPY):
        return
    from scipy._lib import _docscrape

    _docscrape.FunctionDoc = _NoText
    if "numpy.f2py" not in sys.modules:
        np.f2py = ModuleType("numpy.f2py")
