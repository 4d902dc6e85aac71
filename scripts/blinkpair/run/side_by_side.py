"""One call for each epoch, in two processes where a step has two threads.

Loading the libraries takes a step longer than measuring a small movie. So one step does both
epochs; the second process is a copy of the first, libraries included.

Input: a function and its arguments by epoch. Output: what the function writes.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from blinkpair.run.logs import end_with_the_run


def run_epochs(
    function: Callable[..., None], calls: Sequence[Sequence[Any]], *, threads: int
) -> None:
    """Call a function once for each epoch.

    Parameters
    ----------
    function : callable
        Writes files, and returns nothing.
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
        function(*pre)
        function(*post)
        return
    os.environ["OMP_NUM_THREADS"] = str(threads // 2)
    copied = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(1, copied, initializer=end_with_the_run) as other:
        waiting = other.submit(function, *post)
        function(*pre)
        waiting.result()
