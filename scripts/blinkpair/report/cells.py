"""Numbers, shares and intervals as the cells of a table show them, and transposed tables.

An interval is written only where both its ends are known.

Input: rows of the result tables. Output: text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from blinkpair.populations.table import (
    BY_ASSUMPTION,
    BY_FIELDS,
    BY_OTHER_FIELDS,
    BY_OTHER_SAMPLES,
    BY_SAMPLES,
)
from blinkpair.report.language import MINUS, grouped, known, plain

Row = Mapping[Any, Any]  # a row of a table, by column
Write = Callable[[Any], str]

NOTHING = "–"
# Why the accidental pairs are an upper limit.
ACCIDENTAL = (
    "unrelated catalogues of this density would show as many, and true partners are paired first"
)
# What an interval takes as the difference between fields, by `interval_method`.
BASES = {
    BY_FIELDS: "as much as fields of one treatment are seen to differ",
    BY_OTHER_FIELDS: "of a treatment with one field, as much as those of the others",
    BY_ASSUMPTION: "by an assumption, where no treatment has two fields with such nanocrystals",
    BY_SAMPLES: "as much as samples of one treatment are seen to differ",
    BY_OTHER_SAMPLES: "of a treatment with one sample, as much as those of the others",
}
SMALLEST_P = 1e-4  # what is smaller is written as a limit


@dataclass(frozen=True)
class Table:
    """A table to show.

    Attributes
    ----------
    caption : str
        What it holds, in a line.
    header : list of str
        Names of the columns.
    rows : list of list of str
        Cells; the first of each row names it.
    note : str
        Written under it.
    """

    caption: str
    header: list[str]
    rows: list[list[str]]
    note: str = ""


def number(value: Any, digits: int = 3) -> str:
    """Write a number with some significant digits; a dash for one that is not known."""
    return plain(value, digits) if known(value) else NOTHING


def two_digits(value: float) -> str:
    """Write a positive number with two significant digits, zeros among them: 0.70, 0.050, 123."""
    places = 1 - math.floor(math.log10(float(f"{value:.1e}")))
    return f"{value:.{max(places, 0)}f}"


def upper_limit(value: Any) -> str:
    """Write a number that is an upper limit: rounded up to a whole one."""
    return grouped(math.ceil(value)) if known(value) else NOTHING


def signed_points(value: Any) -> str:
    """Write a change of the on-fraction in percentage points, with its sign."""
    if not np.isfinite(value):
        return NOTHING
    # Rounding takes off what binary numbers add, so that a figure of the same value agrees.
    text = f"{round(100 * value, 6):+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", MINUS)


def percent(value: Any) -> str:
    """Write a share in per cent; '< 1 %' and '> 99 %' where rounding would give 0 or 100 %."""
    if not np.isfinite(value):
        return NOTHING
    text = f"{percent_end(value)} %"
    if value > 0 and text == "0 %":
        return "< 1 %"
    return "> 99 %" if value < 1 and text == "100 %" else text


def percent_end(value: Any) -> str:
    """Write the end of an interval of a share, without the unit."""
    return f"{100 * value:.0f}".replace("-", MINUS)


def p_value(value: Any) -> str:
    """Write a p value, or an expected number that has to be small; the smallest as a limit."""
    if not np.isfinite(value):
        return NOTHING
    return f"< {plain(SMALLEST_P)}" if value < SMALLEST_P else two_digits(value)


def interval_of(row: Row, name: str, write: Write, end: Write | None = None) -> str:
    """Write `value (low to high)`; `end` writes the ends, where that is not as the value."""
    text, both = write(row[name]), ends(row, name, end or write)
    return f"{text} ({both})" if known(row[name]) and both else text


def ends(row: Row, name: str, write: Write, unit: str = "") -> str:
    """Write `low to high`, or nothing where there is no interval."""
    low, high = (row.get(f"{name}_{side}", np.nan) for side in ("low", "high"))
    return f"{write(low)} to {write(high)}{unit}" if known(low) and known(high) else ""


def share_of(row: Row, count: str, share: str) -> str:
    """Write `count, share (low to high)`; of no nanocrystals `0 (0 to 2 %)`."""
    low, high = row.get(f"{share}_low", np.nan), row.get(f"{share}_high", np.nan)
    text = f"{row[count]:.0f}"
    if not known(row[share]):
        return text
    both = known(low) and known(high)
    if not row[count]:
        return f"{text} (0 to {percent_end(high)} %)" if both else text
    text += f", {percent(row[share])}"
    return f"{text} ({percent_end(low)} to {percent_end(high)})" if both else text


def share_cells(names: Mapping[str, str]) -> dict[str, Callable[[Row], str]]:
    """Return the lines of some populations, types or classes: their label, and what writes them."""

    def line(key: str) -> Callable[[Row], str]:
        return lambda row: share_of(row, f"n_{key}", f"fraction_{key}")

    return {label: line(key) for key, label in names.items()}


def transposed(
    caption: str,
    rows: Iterable[Row],
    cells: Mapping[str, Callable[[Row], str]],
    name: Callable[[Row], str],
    note: str = "",
) -> Table:
    """Set a table with a column for each row of the file and a line for each quantity."""
    columns = list(rows)
    return Table(
        caption,
        ["", *(name(row) for row in columns)],
        [[label, *(write(row) for row in columns)] for label, write in cells.items()],
        note,
    )


def intervals_note(methods: Iterable[Any], confidence: float) -> str:
    """Return the meaning of the brackets: the coverage, and the basis of the intervals."""
    # A row without nanocrystals has no interval and no basis.
    used = {str(method) for method in methods if isinstance(method, str) and method}
    basis = [words for method, words in BASES.items() if method in used]
    units = "samples" if used & {BY_SAMPLES, BY_OTHER_SAMPLES} else "fields"
    allow = f", which allow for {units} that differ {'; '.join(basis)}" if basis else ""
    return f"In brackets {plain(100 * confidence, 6)} % intervals{allow}."
