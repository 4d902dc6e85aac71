"""How many threads a step may use, and a kernel on two of them.

Input: a limit; a kernel and its rows. Output: a number; what the kernel fills.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from concurrent.futures import Executor


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


def run_halves(pool: Executor, kernel: Callable[..., None], n: int, *arguments: Any) -> None:
    """Run `kernel(first, last, *arguments)` for both halves of n rows, side by side."""
    halves = ((0, n // 2), (n // 2, n))
    for job in [pool.submit(kernel, *half, *arguments) for half in halves]:
        job.result()
