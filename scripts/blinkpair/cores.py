"""How many threads a step may use, and work on two of them.

Input: a limit; a function and its arguments. Output: a number; the results.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Executor

Item = TypeVar("Item")
Result = TypeVar("Result")


def usable_cores(limit: int) -> int:
    """Return the number of cores this process may use, at most `limit`.

    They are those the system leaves it (a cluster's share, not the whole node) and not more than
    `OMP_NUM_THREADS`, in which Snakemake gives a step the `threads` of its rule. No result depends
    on their number.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(limit, cores, int(allowed) if allowed.isdecimal() else cores))


def on_two_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Return the function of each item; it has to release the lock of the interpreter."""
    with ThreadPoolExecutor(usable_cores(2)) as pool:
        return list(pool.map(function, items))


def run_halves(pool: Executor, kernel: Callable[..., None], n: int, *arguments: Any) -> None:
    """Run `kernel(first, last, *arguments)` for both halves of n rows, side by side."""
    halves = ((0, n // 2), (n // 2, n))
    for job in [pool.submit(kernel, *half, *arguments) for half in halves]:
        job.result()
