"""Matrices of transient absorption: delays by probe wavelengths or energies.

Surface Xplorer's CSV (delays in the first row, wavelengths in the first column, text below), the
'Time explicit' and 'Wavelength explicit' ASCII of global analysis programs, and plain matrices with
both axes, either way round. Which axis is which follows from units in the corner or from the
values; where neither decides, the sheet has to give `first_row`.

Input: a path. Output: delays, probe wavelengths, changes in absorbance.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray
from blinkpair.ensemble.readers.lines import text_lines
from blinkpair.ensemble.readers.units import PS, unit_in
from blinkpair.errors import InputError

EV_NM = 1239.841984  # h c / e in eV nm (CODATA 2018)
AXES = ("delay", "probe")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf)", re.IGNORECASE)
_MOST_HEADER_LINES = 40
_ASK = "write in a column first_row of the ensemble sheet what the first row holds: delay or probe"


@dataclass(frozen=True)
class Matrix:
    """A matrix of transient absorption.

    Attributes
    ----------
    delay_ps : (n,) array, ascending
    probe_ev : (m,) array, ascending
    change : (n, m) array
        Change in absorbance; NaN where nothing was measured.
    """

    delay_ps: FloatArray
    probe_ev: FloatArray
    change: FloatArray


def read_matrix(path: str, time_unit: str = "", first_row: str = "") -> Matrix:
    """Read a matrix of transient absorption.

    Parameters
    ----------
    path : str
    time_unit : str, optional
        Of the delays; picoseconds, the programs' own, where neither this nor the file names one.
    first_row : str, optional
        `delay` or `probe`, where the values do not show it.

    Raises
    ------
    InputError
        Naming the file, and what is missing or damaged.
    """
    try:
        lines = text_lines(path)
    except OSError as error:
        raise InputError(
            f"the file cannot be read ({error.strerror})", "check path and rights", path
        ) from error
    if lines is None:
        raise InputError("this is not a text", "export the matrix as CSV or ASCII", path)
    kind = next((k for line in lines[:8] for k in ("time", "wavelength")
                 if line.strip().lower().startswith(f"{k} explicit")), "")  # fmt: skip
    if kind:
        across, down, values = _explicit(lines, path)
        row_axis, corner = ("delay" if kind == "time" else "probe"), ""
    else:
        across, down, values, corner = _plain(lines, path)
        row_axis = first_row or _axis_of_first_row(across, down, corner, path)
    if not np.isfinite(across).all() or not np.isfinite(down).all():
        raise InputError("not all values of its axes are numbers", "correct or remove them", path)
    delays, probes = (across, down) if row_axis == "delay" else (down, across)
    change = values.T if row_axis == "delay" else values
    unit = _agreed_unit(time_unit, unit_in(corner) or _unit_below(lines), path)
    if not unit:
        _refuse_other_units(lines, path)
    return _sorted(delays * PS[unit or "ps"], _energies(probes, path), change, path)


def _explicit(lines: list[str], path: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Read an ASCII file of global analysis: its fifth line holds the explicit axis."""
    at = next(i for i, line in enumerate(lines) if "explicit" in line.lower())
    head = re.findall(r"\d+", lines[at + 1]) if at + 1 < len(lines) else []
    rows = [_cells(line.strip()) for line in lines[at + 2 :] if line.strip()]
    if not head or not rows:
        raise InputError("the file ends in its header", "copy it again", path)
    numbers = [[_number(c) for c in row] for row in rows]
    across = np.array(numbers[0])
    body = [row for row in numbers[1:] if len(row) == across.size + 1]
    if across.size != int(head[-1]) or len(body) < len(numbers) - 1:
        raise InputError(
            f"{head[-1]} columns are announced, and not all rows have them",
            "copy the file again",
            path,
        )
    table = np.array(body)
    return across, table[:, 0], table[:, 1:]


def _plain(lines: list[str], path: str) -> tuple[FloatArray, FloatArray, FloatArray, str]:
    """Read a matrix with an axis in the first row and one in the first column."""
    rows: list[list[str]] = []
    for line in lines:
        cells = _cells(line)
        if len(cells) > 2:
            rows.append(cells)
        elif rows:
            break  # the text that Surface Xplorer writes below
    rows = [r for r in rows if sum(_is_number(c) for c in r[1:]) > 0.5 * (len(r) - 1)]
    if len(rows) < 3:
        raise InputError(
            "no matrix was found in the text",
            "write one axis in the first row, the other in the first column",
            path,
        )
    width = max(len(row) for row in rows[1:])
    head = rows[0] if len(rows[0]) == width else ["", *rows[0]]
    body = [row for row in rows[1:] if len(row) == width and _is_number(row[0])]
    if len(head) != width or len(body) < len(rows) - 1:
        hint = "copy the file again, or remove columns without values"
        raise InputError("the rows differ in length", hint, path)
    table = np.array([[_number(c) for c in row] for row in body])
    across = np.array([_number(c) for c in head[1:]])
    return across, table[:, 0], table[:, 1:], head[0]


def _cells(line: str) -> list[str]:
    """Split a line at commas, semicolons or tabs, at spaces where it has none of them."""
    text = line.strip(" \r\n")  # a tab in front is the empty corner of the two axes
    separator = next((s for s in ("\t", ";", ",") if s in text), None)
    cells = [c.strip().strip('"') for c in text.split(separator)]
    if separator in ("\t", ";") and "." not in text:
        cells = [c.replace(",", ".") for c in cells]  # decimal commas
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _is_number(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell))


def _number(cell: str) -> float:
    return float(cell) if _is_number(cell) else np.nan


def _axis_of_first_row(across: FloatArray, down: FloatArray, corner: str, path: str) -> str:
    """Return which axis the first row holds, by units in the corner or by the values."""
    parts = re.split(r"[\\/|;]|\bvs\b", corner.lower())
    words = {
        "delay": ("time", "delay", "(ps", "(fs", "(ns"),
        "probe": ("nm", "wavel", "ev", "energ"),
    }
    if len(parts) == 2:
        named = [next((a for a in AXES if any(w in p for w in words[a])), "") for p in parts]
        if set(named) == set(AXES):
            return named[1]  # 'rows \ columns': the second names the first row
    fits = [
        name
        for name, (delays, probes) in {"delay": (across, down), "probe": (down, across)}.items()
        if _is_delays(delays) and _is_probe(probes)
    ]
    if len(fits) == 1:
        return fits[0]
    raise InputError("it is not clear which axis holds the delays", _ASK, path)


def _is_delays(values: FloatArray) -> bool:
    """Return whether an axis starts near or before zero, or spans more than any spectrum."""
    finite = values[np.isfinite(values)]
    if finite.size < 3:
        return False
    rises = np.mean(np.diff(finite) > 0) > 0.99
    return bool(rises and (finite.min() <= 0 or finite.max() > 20 * max(finite.min(), 1e-9)))


def _is_probe(values: FloatArray) -> bool:
    """Return whether an axis can be wavelengths in nm or energies in eV, one step like another."""
    finite = values[np.isfinite(values)]
    if finite.size < 2:
        return finite.size == 1
    steps = np.diff(finite)
    one_way = bool(np.all(steps > 0) or np.all(steps < 0))
    in_nm = finite.min() >= 180 and finite.max() <= 3500
    in_ev = finite.min() >= 0.3 and finite.max() <= 7
    return one_way and (in_nm or in_ev)


def _energies(probes: FloatArray, path: str) -> FloatArray:
    finite = probes[np.isfinite(probes)]
    if finite.size and finite.min() >= 0.3 and finite.max() <= 7:
        return probes
    if finite.size and finite.min() >= 180 and finite.max() <= 3500:
        return np.asarray(EV_NM / probes)
    raise InputError(
        "the probe's axis is neither 180 to 3,500 nm nor 0.3 to 7 eV", "check the file", path
    )


def _unit_below(lines: list[str]) -> str:
    """Return the unit that Surface Xplorer writes below a matrix: 'Time units: ps'."""
    named = (line for line in reversed(lines) if line.strip().lower().startswith("time unit"))
    return unit_in(next(named, ""))


def _refuse_other_units(lines: list[str], path: str) -> None:
    """Raise where a line of text above the matrix names delays and a unit that is not ps.

    Whether it is that of the axis, or of the stage's range, the line does not show.
    """
    for line in lines[:_MOST_HEADER_LINES]:
        if sum(_is_number(c) for c in _cells(line)) > 2:
            return
        unit = unit_in(line)
        if "delay" in line.lower() and unit not in ("", "ps"):
            raise InputError(
                f"its delays may be in {unit}, by '{line.strip()[:60]}', or in the usual ps",
                "give the unit in a column time_unit of the ensemble sheet",
                path,
            )


def _agreed_unit(of_sheet: str, of_file: str, path: str) -> str:
    """Return the unit of sheet or file, '' where neither names one."""
    if of_sheet and of_file and of_sheet != of_file:
        raise InputError(
            f"the unit of the delays is {of_file} by the file and {of_sheet} by the sheet",
            "empty the cell time_unit, or correct it",
            path,
        )
    return of_sheet or of_file


def _sorted(delay_ps: FloatArray, probe_ev: FloatArray, change: FloatArray, path: str) -> Matrix:
    rows: NDArray[np.intp] = np.argsort(delay_ps, kind="stable")
    columns: NDArray[np.intp] = np.argsort(probe_ev, kind="stable")
    change = np.where(np.isfinite(change), change, np.nan)[np.ix_(rows, columns)]
    if delay_ps.size < 8 or np.isnan(change).all():
        raise InputError(f"{delay_ps.size} delays are no trace", "check the file", path)
    return Matrix(delay_ps[rows], probe_ev[columns], change)
