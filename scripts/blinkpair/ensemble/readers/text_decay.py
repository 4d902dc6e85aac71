"""Decays as text: exports of Edinburgh, Horiba and PicoHarp programs, and plain columns.

The numbers are the last block of lines that hold nothing but numbers. The width of a channel is
from the header ('#ns/channel' and the number below it, 'Time calibration = 2.7E-11 sec/ch') or from
a column of times with a unit. For other files the sheet has to give `bin_ps` or `time_unit`.

Input: a path. Output: a decay.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.ensemble.readers.decay import Decay, choose
from blinkpair.ensemble.readers.lines import text_lines
from blinkpair.ensemble.readers.units import PS, UNIT, short_unit
from blinkpair.errors import InputError

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_CHANNEL = r"\s*/\s*(?:ch|chan|channel|bin)\b"
_PER_CHANNEL = re.compile(rf"({_NUMBER})\s*({UNIT}){_CHANNEL}", re.IGNORECASE)
_UNIT_PER_CHANNEL = re.compile(rf"\b({UNIT}){_CHANNEL}", re.IGNORECASE)
# The head of a column and nothing else: 'Time (ns)', 't/ns', 'ns'; not 'Integration time (s)'.
_HEAD = r"[\W_]*(?:(?:decay|delay|lag|tac|time|t|x)[\W_]+)*"
_TIME_UNIT = re.compile(rf"{_HEAD}({UNIT})[\W_]*", re.IGNORECASE)
_TOO_LONG = re.compile(rf"{_HEAD}(min|mins|minutes?|h|hrs?|hours?|days?)[\W_]*", re.IGNORECASE)
_MOST_BYTES = 100_000_000
_FEWEST = 16  # channels of a decay


def number_rows(path: str) -> tuple[list[str], list[list[float]]]:
    """Return the header's lines and the last block of lines of numbers.

    Tabs, commas, semicolons and spaces separate; a comma within numbers is a decimal one where
    another separator is there.
    """
    if Path(path).stat().st_size > _MOST_BYTES:
        raise InputError("this file is too large for a text of one decay", "check the path", path)
    lines = text_lines(path)
    if lines is None:
        raise InputError(
            "this is neither .sdt, .ptu, .phu nor text",
            "export the decay as text, or name it by its own suffix",
            path,
        )
    decimal_comma = _has_decimal_commas(lines, path)
    parsed = [_numbers(line, decimal_comma) for line in lines]
    end = len(parsed)
    while end and not parsed[end - 1]:
        end -= 1
    start = end
    while (
        start and parsed[start - 1] and len(parsed[start - 1] or ()) == len(parsed[end - 1] or ())
    ):
        start -= 1
    run = 0
    for row in parsed[:start]:
        run = run + 1 if row else 0
        if run >= _FEWEST:
            raise InputError(
                f"line {start} interrupts the columns of numbers",
                "write one line a channel, all with the same number of columns and none between",
                path,
            )
    rows = [row for row in parsed[start:end] if row]
    return lines[:start], rows


def _has_decimal_commas(lines: list[str], path: str) -> bool:
    """Return whether numbers have decimal commas, from the lines that hold nothing else."""
    numbers = re.compile(r"[-+\d.,;\seE]*\d[;,\s]*")
    texts = [line.strip(" ;,\t") for line in lines if numbers.fullmatch(line)]
    # A lone column of shares as 0,012: the part before the comma would pass for a curve of its own.
    if texts and all(re.fullmatch(r"[01],\d+", text) for text in texts):
        return True
    if not any(re.search(r"\d,\d+[\t; ]|[\t; ]-?\d+,\d", text) for text in texts):
        return False
    if any(re.search(r"\d,\d", t) and re.search(r"\d\.\d", t) for t in texts):
        raise InputError(
            "numbers are written with commas and with points",
            "export them without a separator of thousands",
            path,
        )
    return True


def read_text(path: str, curve: int | None, bin_ps: float | None, time_unit: str) -> Decay:
    """Read a decay from columns of numbers; the counts of curve N are its column N."""
    header, rows = number_rows(path)
    if len(rows) < _FEWEST:
        raise InputError(
            f"{len(rows)} lines of numbers are no decay",
            "export one line a channel, with the same number of columns in each",
            path,
        )
    table = np.array(rows, dtype=np.float64)
    times = table[:, 0] if table.shape[1] > 1 else None
    is_axis = times is not None and bool(np.all(np.diff(times) > 0))
    is_falling = times is not None and bool(np.all(np.diff(times) < 0))
    if times is not None and (is_falling or (is_axis and not _is_even(times))):
        raise InputError(
            "the times in the first column do not rise in equal steps",
            "export all channels in their order, also those without photons",
            path,
        )
    columns = table[:, 1:] if is_axis else table
    which = curve if curve is not None else 0 if columns.shape[1] == 1 else None
    which = choose(np.abs(columns).sum(axis=0), which, path)
    stated = _width_in_header(header)
    if stated is None and times is not None and is_axis and not _is_channels(times):
        unit = _agreed_unit(time_unit, _unit_in_header(header, path), path)
        if unit:
            stated = float(times[-1] - times[0]) / (times.size - 1) * _ns(unit)
        elif not bin_ps:
            raise InputError(
                "the text does not name the unit of its times",
                "name it (s, ns, ps, ...) in a column time_unit of the ensemble sheet",
                path,
            )
    if stated is None and not bin_ps:
        raise InputError(
            "the text holds no width of a channel",
            "give it in ps in a column bin_ps of the ensemble sheet",
            path,
        )
    return Decay(columns[:, which], stated or 1e-3 * (bin_ps or np.nan))


def _agreed_unit(of_sheet: str, of_file: str, path: str) -> str:
    """Return the unit of sheet or file, '' where neither names one."""
    if of_sheet and of_file and of_sheet != of_file:
        raise InputError(
            f"the unit of the times is {of_file} by the file and {of_sheet} by the sheet",
            "empty the cell time_unit, or correct it",
            path,
        )
    return of_sheet or of_file


def _numbers(line: str, decimal_comma: bool) -> list[float] | None:
    text = line.strip().rstrip(",;\t ")
    if decimal_comma:
        text = text.replace(",", ".")
    parts = [p for p in re.split(r"[\s;,]+", text) if p]
    if not parts or not all(re.fullmatch(_NUMBER, p) for p in parts):
        return None
    return [float(p) for p in parts]


def _width_in_header(header: list[str]) -> float | None:
    """Return the width of a channel in ns by the header, None where it holds none."""
    for i, line in enumerate(header):
        if match := _PER_CHANNEL.search(line):
            return float(match[1]) * _ns(match[2])
        if match := _UNIT_PER_CHANNEL.search(line):
            following = [_numbers(text, False) for text in header[i + 1 : i + 2]]
            if following and following[0]:
                return following[0][0] * _ns(match[1])
    return None


def _ns(unit: str) -> float:
    return 1e-3 * PS[short_unit(unit)]


def _unit_in_header(header: list[str], path: str) -> str:
    for line in reversed(header):
        cells = [cell.strip() for cell in re.split(r"[\t;,]", line)]
        if any(re.fullmatch(_NUMBER, cell) for cell in cells):
            continue  # a setting and its value, no heads of columns
        for cell in cells:
            if match := _TIME_UNIT.fullmatch(cell):
                return short_unit(match[1])
            if match := _TOO_LONG.fullmatch(cell):
                raise InputError(
                    f"its times are in {match[1]}: this is no decay after a pulse",
                    "name the file of the decay, with times in ns or ps",
                    path,
                )
    return ""


def _is_even(values: FloatArray) -> bool:
    """Return whether values rise in equal steps, but for the digits they were written with."""
    steps = np.diff(values)
    mean = float(np.mean(steps))
    return mean > 0 and bool(np.all(np.abs(steps - mean) < 0.5 * mean)) and values.size > 2


def _is_channels(values: FloatArray) -> bool:
    """Return whether an axis is 0, 1, 2, ... or 1, 2, 3, ...: numbers of channels, not times."""
    return bool(values[0] in (0, 1) and np.all(np.diff(values) == 1))
