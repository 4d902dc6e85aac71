"""Snakemake as a user runs it, except that it looks at its jobs every second.

The executor for Slurm waits ten seconds longer after every look at which no job had ended well.
That spares a cluster; a test with jobs that fail would spend minutes asleep.
"""

from __future__ import annotations

import asyncio

from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor


async def sleep_a_second(executor: RemoteExecutor) -> None:
    """Stand in for `RemoteExecutor.sleep`."""
    await asyncio.sleep(1)


if __name__ == "__main__":
    RemoteExecutor.sleep = sleep_a_second
    main()
