"""Time per frame and pixel size of a field: from the sheet, its movies or the configuration.

Input: a row of the sheet with the headers of its files, and the settings. Output: a value, where it
is from, and what is wrong or odd about it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from blinkpair.inputs.columns import MOVIE_COLUMNS
from blinkpair.inputs.row_checks import Row, differ


@dataclass(frozen=True)
class Quantity:
    """A quantity of a field that the sheet, a movie or the configuration can give."""

    column: str
    source: str
    name: str
    unit: str
    example: float


EXPOSURE = Quantity("exposure_s", "exposure_from", "the time per frame", "s", 0.02)
# Longer frames than in the configuration are allowed in the sheet; no file confirms them.
_LONG_S = 1.0
PIXEL_SIZE = Quantity("pixel_size_um", "pixel_size_from", "the pixel size", "um", 0.16)


def resolve(
    one: Row,
    quantity: Quantity,
    in_sheet: float,
    settings: Mapping[str, Any],
    reported: bool,
    may_differ: bool,
) -> tuple[float, str]:
    """Return a quantity and where it is from: the sheet, else the movies, else the configuration.

    With `reported`, no value is demanded that is missing because of a slip reported
    already; `may_differ` allows the two epochs to differ.
    """
    name, unit, column = quantity.name, quantity.unit, quantity.column
    movies = {c: one.headers[c] for c in ("pre_pl", "post_pl") if c in one.headers}
    in_files: dict[str, float] = {
        c: v for c, h in movies.items() if (v := getattr(h, column)) is not None
    }
    if math.isfinite(in_sheet):
        for movie, value in in_files.items():
            if differ(in_sheet, value):
                text = f"{name} is {in_sheet:g} {unit} in the sheet and {value:g} {unit} in the "
                one.note(movie, f"{text}file; the sheet's is used.")
        if quantity is EXPOSURE and not in_files and in_sheet > _LONG_S:
            text = f"{in_sheet:g} s a frame; if milliseconds are meant, write {in_sheet / 1000:g}."
            one.note(column, text)
        return in_sheet, "sheet"
    in_config = settings[column]
    if in_files:
        first, used = next(iter(in_files.items()))
        last = in_files.get("post_pl", used)
        if differ(used, last):
            text = f"{name} is {last:g} {unit} here and {used:g} {unit} in pre_pl"
            if may_differ:
                one.note("post_pl", f"{text}; that of pre_pl is used.")
            elif not reported:
                hint = (
                    "name two movies taken alike; if a file is mistaken, put the true value into "
                    f"a column {column} of the sheet"
                )
                one.problem("post_pl", text, hint)
        agreed = in_config is not None and not differ(in_config, used)
        for silent in movies.keys() - in_files.keys():
            reason = getattr(movies[silent], quantity.source)
            if reason and not agreed and not reported:
                what = f"{name} is not known ({reason}), and {used:g} {unit} in {first}"
                one.problem(silent, what, f"put the true value into a column {column} of the sheet")
                continue
            text = f"the file does not give {name}; that of {first}, {used:g} {unit}, is used."
            one.note(silent, text)
        if in_config is not None and differ(in_config, used):
            text = f"{name} is {used:g} {unit} in the file and {in_config:g} {unit} in the "
            one.note(first, f"{text}configuration; the file's is used.")
        return used, f"file: {getattr(one.headers[first], quantity.source)}"
    if in_config is not None:
        return float(in_config), "configuration"
    if settings["made_by_rules"] and not reported:
        what = f"{name} is not known before the movies are made (made_by_rules)"
        hint = f"add '{column}: {quantity.example}' (in {unit}; your value) to the settings, or a "
        one.problem(MOVIE_COLUMNS[0], what, f"{hint}column {column} to the sheet")
    elif movies and not reported:
        what = f"{name} is known neither from the movies nor from the sheet or configuration"
        reasons = {reason for h in movies.values() if (reason := getattr(h, quantity.source))}
        if reasons:
            what += f" ({'; '.join(sorted(reasons))})"
        hint = (
            f"add '{column}: {quantity.example}' (in {unit}; your value) to the configuration, "
            f"or a column {column} to the sheet if it differs between fields"
        )
        one.problem(next(iter(movies)), what, hint)
    return math.nan, ""
