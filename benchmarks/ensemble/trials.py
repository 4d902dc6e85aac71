"""Trials that are kept as they end: a benchmark that was stopped goes on where it was.

Input: a function and its arguments. Output: its results, also those of an earlier run of the same
code.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from blinkpair import ensemble, simulate

FOLDER = Path(tempfile.gettempdir()) / "blinkpair-ensemble-trials"
_SOURCES = [Path(p) for package in (ensemble, simulate) for p in package.__path__]


def trials(
    pool: Executor, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]
) -> list[Any]:
    """Return the function's results (of JSON's kinds) in the order of the arguments.

    Parameters
    ----------
    pool : Executor
    function : callable
        A function of a module.
    arguments : sequence of tuple
        Of numbers and texts.
    """
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{function.__name__}-{_digest(function)}.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    kept = {json.dumps(one[0]): one[1] for one in map(json.loads, lines)}
    missing = [one for one in arguments if json.dumps(one) not in kept]
    results = pool.map(function, *zip(*missing, strict=True)) if missing else ()
    with path.open("a", encoding="utf-8") as file:
        for one, result in zip(missing, results, strict=True):
            file.write(json.dumps([one, result]) + "\n")
            file.flush()
            kept[json.dumps(one)] = result
    return [kept[json.dumps(one)] for one in arguments]


def _digest(function: Callable[..., Any]) -> str:
    """Return a digest of the code of the fits, the simulator and the benchmark."""
    names = (
        "beside",
        "bleach",
        "channels",
        "common",
        "decays",
        "ensemble",
        "fitting",
        "intervals",
        "matrix_fit",
        "models",
        "tables",
    )
    files = sorted(f for folder in _SOURCES for f in folder.glob("*.py") if f.stem in names)
    code = b"".join(f.read_bytes() for f in files) + function.__code__.co_code
    return hashlib.sha256(code).hexdigest()[:12]
