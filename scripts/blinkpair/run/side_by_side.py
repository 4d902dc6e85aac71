"""One call for each epoch, in two processes where a step has two threads.

Loading the libraries takes a step longer than measuring a small movie. So one step does both
epochs; the second process is a copy of the first, libraries included.

Input: a function and its arguments by epoch. Output: what the function returns.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

from blinkpair.run.logs import end_with_the_run

T = TypeVar("T")


def run_epochs(
    function: Callable[..., T], calls: Sequence[Sequence[Any]], *, threads: int
) -> tuple[T, T]:
    """Call a function once for each epoch, and return both results.

    Parameters
    ----------
    function : callable
        Writes files, or returns something small.
    calls : sequence of two sequences
        Its arguments of pre and post.
    threads : int
        With two or more, both calls run at the same time, each in a process with half of the
        threads. It needs a system whose processes can be copied.

    Raises
    ------
    Exception
        What either call raises; that of pre first.
    """
    pre, post = calls
    if threads < 2:
        return function(*pre), function(*post)
    os.environ["OMP_NUM_THREADS"] = str(threads // 2)
    copied = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(1, copied, initializer=end_with_the_run) as other:
        waiting = other.submit(function, *post)
        return function(*pre), waiting.result()
