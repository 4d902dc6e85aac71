"""Decide the size of a pixel in the sample, for all formats.

A format lists the values that its file holds, the most reliable first; the first plausible one is
used.

==============================================  ===================================================
a file holds                                    pixel size
==============================================  ===================================================
ND2: the calibration of the objective           that; not known where the axis is not calibrated
OME: PhysicalSizeX; Micro-Manager, NDTiff:      that
PixelSizeUm, of the image that is read;
MetaMorph (STK): XCalibration;
ImageJ: the resolution tag with ImageJ's unit
exactly 1 um, in any format but ND2             not known: programs write it where nothing is
                                                calibrated; reported
only a TIFF resolution tag, 0.005 to 2 um       that; reported
such a tag above 2 um (below 12,700 dpi)        not known: a printer's or scanner's setting;
                                                reported, but for those of 40 um and more (72, 96,
                                                300, 600 dpi), which nearly every TIFF file has
below 0.005 or above 5 um, the limit of the     not known; reported
sample sheet
==============================================  ===================================================

Pixels that are not square are reported, and their width is used. Not known means: the sheet or the
configuration has to give the value. SIF, PNG and JPEG hold none.

Input: what a file holds on its pixels. Output: micrometres, where they are from, notes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from blinkpair.movie.formats.timing import plain_unit

_RANGE_UM = (0.005, 5.0)
# The finest printers and scanners have 12,800 dpi. A tag of 40 um or more means nothing at all.
_MOST_BY_TAG_UM, _MEANINGLESS_UM = 2.0, 40.0
_INCH_UM = 25400.0
_SQUARE_TOLERANCE = 0.01
_SAME = 0.02  # sizes in several files that differ by less are equal
_MICROMETRES = {
    "um": 1.0, "micron": 1.0, "microns": 1.0, "micrometer": 1.0, "micrometre": 1.0,
    "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6, "inch": _INCH_UM, "in": _INCH_UM, "å": 1e-4,
}  # fmt: skip


@dataclass(frozen=True)
class PixelStatement:
    """One place of a file that holds the size of a pixel.

    Attributes
    ----------
    where : str
        In words, e.g. 'the OME pixel size'.
    width_um : float or None
        None where the place is empty.
    height_um : float or None
        None where it is not given.
    calibrated : bool
        The file marks it as calibrated.
    by_tag : bool
        It is from TIFF's resolution tags, which are meant for printers.
    """

    where: str
    width_um: float | None
    height_um: float | None = None
    calibrated: bool = False
    by_tag: bool = False


class PixelSize(NamedTuple):
    """The size of a pixel.

    Attributes
    ----------
    um : float or None
    source : str
        Where it is from, in words; where it is not known, why, or '' where nothing was there.
    notes : tuple of str
        What the owner of the file should read.
    """

    um: float | None
    source: str = ""
    notes: tuple[str, ...] = ()


def pixel_size(statements: Sequence[PixelStatement]) -> PixelSize:
    """Decide the size of a pixel by the rules above.

    Parameters
    ----------
    statements : sequence of PixelStatement
        The most trusted first.

    Returns
    -------
    PixelSize
    """
    reasons: list[str] = []
    for one in statements:
        um = one.width_um
        if um is None or not np.isfinite(um) or um <= 0:
            continue
        if (reason := _not_believed(one, um)) is None:
            notes = [f"{reason}; it was not used" for reason in reasons]
            if one.by_tag:
                notes.append(f"pixel size {um:.4g} um taken from the TIFF resolution tags")
            if one.height_um and abs(one.height_um - um) > _SQUARE_TOLERANCE * um:
                notes.append(
                    f"its pixels are not square ({um:.4g} by {one.height_um:.4g} um); the width "
                    "was used"
                )
            return PixelSize(um, one.where, tuple(notes))
        if reason:
            reasons.append(reason)
    notes = [f"{reason}; the pixel size is not known from it" for reason in reasons]
    return PixelSize(None, "; ".join(reasons), tuple(notes))


def pixel_size_of_parts(
    parts: Sequence[Sequence[PixelStatement]], names: Sequence[str]
) -> PixelSize:
    """Decide the size of a pixel of a movie in several files.

    Parameters
    ----------
    parts : sequence of sequences of PixelStatement
        One a file.
    names : sequence of str
        Of the files, for notes.

    Returns
    -------
    PixelSize
        That of the first file; files that differ from it are reported.
    """
    first, *others = (pixel_size(part) for part in parts)
    differ = tuple(
        f"pixel sizes differ: {first.um:.6g} in {names[0]}, {other.um:.6g} in {name}; used the "
        "first"
        for other, name in zip(others, names[1:], strict=True)
        if first.um and other.um and abs(other.um / first.um - 1) > _SAME
    )
    return first._replace(notes=first.notes + differ)


def micrometres(value: float, unit: str | None) -> float | None:
    """Convert a length; None where the unit is missing or not one of length ('pixel')."""
    factor = _MICROMETRES.get(plain_unit(unit))
    return None if factor is None else value * factor


def _not_believed(one: PixelStatement, um: float) -> str | None:
    """Return why a value is not used, '' where that needs no message; None for a plausible one."""
    if one.by_tag and um >= _MEANINGLESS_UM:
        return ""
    if one.by_tag and um > _MOST_BY_TAG_UM:
        return (
            f"{one.where} gives {_INCH_UM / um:.0f} dpi ({um:.4g} um a pixel), a printer's or "
            "scanner's setting"
        )
    if not one.calibrated and np.isclose(um, 1.0, rtol=1e-9):
        return f"{one.where} gives exactly 1 um, which stands for 'not calibrated'"
    if not _RANGE_UM[0] <= um <= _RANGE_UM[1]:
        return f"{one.where} gives {um:.4g} um, outside of {_RANGE_UM[0]:g} to {_RANGE_UM[1]:g} um"
    return None
