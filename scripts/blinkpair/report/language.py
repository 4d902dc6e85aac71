"""Parts of sentences: numbers with their nouns, lists, ranges, numbers as text.

Input: numbers and words. Output: text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

MINUS = "\N{MINUS SIGN}"
THIN = "\N{NARROW NO-BREAK SPACE}"


def known(value: Any) -> bool:
    """Return whether a cell holds a finite number; pandas' NA and None do not."""
    try:
        return bool(np.isfinite(float(value)))
    except (TypeError, ValueError):
        return False


def grouped(count: float) -> str:
    """Write a whole number, thousands apart: 20 000."""
    text = f"{round(float(count)):,}" if abs(count) >= 10_000 else f"{round(float(count))}"
    return text.replace(",", THIN).replace("-", MINUS)


def plain(value: float, digits: int = 3) -> str:
    """Write a number with so many significant digits and without an exponent.

    Digits in front of the point are never rounded away: 1023 stays 1023.
    """
    number = float(f"{float(value):.{digits}g}")
    if number == 0:
        return "0"
    decimals = max(0, digits - 1 - int(np.floor(np.log10(abs(number)))))
    text = f"{float(value):.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", MINUS)


def as_set(value: float) -> str:
    """Write a setting with all its digits, up to nine."""
    return plain(value, 9)


def fixed(value: float, places: int) -> str:
    """Write a number with so many decimals and a proper minus sign; no minus before zero."""
    return f"{round(float(value), places) + 0.0:.{places}f}".replace("-", MINUS)


def counted(count: float, thing: str, things: str = "") -> str:
    """Write how many of a thing: 1 field, 2 fields."""
    return f"{grouped(count)} {thing if round(count) == 1 else things or thing + 's'}"


def verb(count: float, one: str, more: str) -> str:
    """Choose the verb that goes with a count."""
    return one if round(count) == 1 else more


def listed(parts: Iterable[str]) -> str:
    """Write a list: a, b and c."""
    every = [part for part in parts if part]
    if len(every) < 2:
        return "".join(every)
    return f"{', '.join(every[:-1])} and {every[-1]}"


def some_of(names: Iterable[str], most: int = 20) -> list[str]:
    """Return the first names, and how many more there are: thousands are no sentence."""
    every = [str(name) for name in names]
    more = len(every) - most
    return every if more <= 0 else [*every[:most], f"{grouped(more)} more"]


def spread(values: Iterable[float], write: Callable[[float], str] = plain) -> str:
    """Write the range of some numbers: 300 to 3600, or the one that all are."""
    every = list(values)
    ends = [write(end) for end in (min(every), max(every))]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def per_cent(share: float) -> str:
    """Write a share that was set in per cent, without needless digits: 95 %, 12.5 %."""
    return f"{plain(100 * share, 6)} %"


def capitalised(text: str) -> str:
    """Make the first letter of a sentence large."""
    return text[:1].upper() + text[1:]
