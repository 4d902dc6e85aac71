"""Units of time as programs and people write them: ns, nsec, nanoseconds.

Input: a text. Output: `s`, `ms`, `us`, `ns`, `ps` or `fs`.
"""

from __future__ import annotations

import re

PS = {"s": 1e12, "ms": 1e9, "us": 1e6, "ns": 1e3, "ps": 1.0, "fs": 1e-3}
UNIT = r"(?:[munpfµμ]?s(?:ecs?)?|(?:milli|micro|nano|pico|femto)?(?:seconds?|secs?))"
# A word of its own; the apostrophe of "sample's" is none.
_ALONE = re.compile(rf"(?<![^\W_])(?<!['’]){UNIT}(?![^\W_])", re.IGNORECASE)
_PREFIXES = {"milli": "m", "micro": "u", "µ": "u", "μ": "u"}


def unit_in(text: str) -> str:
    """Return the first unit of time in a text, '' where there is none."""
    match = _ALONE.search(text)
    return short_unit(match[0]) if match else ""


def short_unit(word: str) -> str:
    """Return a unit that matches `UNIT` in its short form."""
    word = word.lower()
    prefix = next((p for p in _PREFIXES if word.startswith(p)), word[:1])
    return "s" if prefix == "s" else _PREFIXES.get(prefix, prefix) + "s"
