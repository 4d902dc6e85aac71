"""Lines of a text as programs of instruments write them.

Input: a path. Output: its lines.
"""

from __future__ import annotations

import codecs
from pathlib import Path


def text_lines(path: str) -> list[str] | None:
    """Return the lines of a text in UTF-8, UTF-16 with its mark, or Windows' Western code page.

    In the last the sign of micro is one byte; read as UTF-8 it is lost, and microseconds would
    become seconds.

    Returns
    -------
    list of str or None
        None where the file is no text.
    """
    raw = Path(path).read_bytes()
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", errors="replace").splitlines()
    if b"\x00" in raw[:4096]:
        return None
    try:
        return raw.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace").splitlines()
