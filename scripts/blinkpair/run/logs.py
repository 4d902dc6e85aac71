"""Start of every step: messages go into the log of its rule, and it ends with its run.

Input: the path of the log. Output: logging that is set up.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from blinkpair import RUN_PROCESS
from blinkpair.errors import InputError, WriteError, describe_write_errors
from blinkpair.files import is_running

FAILED = "the step failed"
PR_SET_PDEATHSIG = 1  # of Linux, <sys/prctl.h>


class Log(logging.FileHandler):
    """A log whose disk may be full: it is reported once on the terminal, and the step continues."""

    reported = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Report why the log cannot be written; results are reported by themselves."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self.reported:
            self.reported = True
            sys.stderr.write(f"{self.baseFilename} cannot be written: {error}\n")

    def close(self) -> None:
        """Close the file; what cannot be written then is lost, and was reported."""
        with suppress(OSError):
            super().close()


def log_to(path: str | Path) -> None:
    """Send logging, warnings and the error that ends the step to a file; end with the run.

    An error with a hint comes without its traceback.
    """
    end_with_the_run()
    handler: logging.Handler
    try:
        with describe_write_errors(path):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            handler = Log(path, mode="w", encoding="utf-8")
    except WriteError as error:
        sys.stderr.write(f"{error}\n")
        handler = logging.NullHandler()
    logging.basicConfig(
        handlers=[handler],
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        force=True,
    )
    logging.captureWarnings(True)
    shown = sys.excepthook

    def note(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log = logging.getLogger("blinkpair")
        if isinstance(error, InputError | WriteError):
            log.critical("%s: %s", FAILED, error)
            sys.stderr.write(f"{error}\n")
        else:
            log.critical(FAILED, exc_info=(kind, error, trace))
            shown(kind, error, trace)

    sys.excepthook = note


def end_with_the_run() -> None:
    """Have this process end with the Snakemake it belongs to, where that is killed.

    A step that outlives its run would still write its results, beside or after those of the run
    that takes its place, and that one may have other settings.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another libc
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # It may have ended while this process was loading its libraries.
    run = os.environ.get(RUN_PROCESS)
    if run and not is_running(int(run)):
        raise SystemExit("the run this step belongs to has ended")
