"""SciPy loaded without what no step of a run uses: 0.1 to 0.3 s of the processor in each.

SciPy parses the docstrings of 200 functions to add a note on other kinds of arrays, and it loads
NumPy's reader of Fortran because it takes all names of NumPy. These are details of a library: in
another version than the one named here nothing is left out.

Input: nothing. Output: a parser without results and an empty module in their place.
"""

from __future__ import annotations

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


def load_scipy_without_docstrings() -> None:
    """Have SciPy find no text in the docstrings of its functions, and no reader of Fortran.

    For a process that ends with a step, not for a notebook, where somebody reads docstrings.
    """
    import numpy as np
    import scipy

    if not scipy.__version__.startswith(SCIPY):
        return
    from scipy._lib import _docscrape

    _docscrape.FunctionDoc = _NoText
    if "numpy.f2py" not in sys.modules:
        np.f2py = ModuleType("numpy.f2py")
