"""Where a step writes what it has to say: into its rule's log, errors included."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from types import TracebackType


def log_to(path: str | Path) -> None:
    """Send logging, warnings and the traceback of an error that ends the step to a file."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=path,
        filemode="w",
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        encoding="utf-8",
        force=True,
    )
    logging.captureWarnings(True)
    shown = sys.excepthook

    def note(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        logging.getLogger("blinkpair").critical("the step failed", exc_info=(kind, error, trace))
        shown(kind, error, trace)

    sys.excepthook = note
