"""Run one daemon and leave nothing of it behind: python keep.py FOLDER COMMAND ...

The end of this process's standard input is the order to stop. It comes when the one who started it
closes the pipe, and also when that one is gone, for whatever reason; then nothing was written to
the pipe, and the folder that all daemons share is removed as well.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def descendants(ancestor: int) -> list[int]:
    """Ids of the processes below a process, nearest first."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            # The name, in brackets, may itself hold blanks and brackets.
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(folder.name))
    found = [ancestor]
    for process in found:
        found += children.get(process, [])
    return found[1:]


def has_children() -> bool:
    """Whether anything is left below this process."""
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


def keep(folder: str, command: list[str]) -> None:
    """Run a command until standard input ends, then kill all that came of it.

    Slurm's steps leave the process group and the parent of their slurmd. They cannot leave a
    subreaper, which is given every orphan below it.
    """
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    subprocess.Popen(command, stdin=subprocess.DEVNULL)
    # Orphans that end need no burial. After the start: the daemon would inherit this.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    ordered = sys.stdin.buffer.read()
    while has_children():
        for process in descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.01)
    if not ordered:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    keep(sys.argv[1], sys.argv[2:])
