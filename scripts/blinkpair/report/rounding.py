"""Round numbers, because a page has thousands of them and every digit takes space.

Input: numbers. Output: the same, rounded, as lists that JSON can hold; what is not finite is None.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blinkpair.arrays import FloatArray


def round_down(values: ArrayLike, unit: float) -> FloatArray:
    """Round down to whole multiples of a unit such as 0.01."""
    per_unit = round(1.0 / unit)
    numbers = np.asarray(values, dtype=np.float64)
    down = np.floor(numbers * per_unit) / per_unit
    # A product that was rounded up in the last bit may have taken it over the number.
    return np.asarray(np.where(down > numbers, down - unit, down))


def round_up(values: ArrayLike, *, digits: int) -> FloatArray:
    """Round positive numbers up to so many significant digits; others become 0."""
    numbers = np.asarray(values, dtype=np.float64)
    safe = np.where(numbers > 0, numbers, 1.0)
    power = digits - 1 - np.floor(np.log10(safe)).astype(int)
    up = np.array([_up(v, p) for v, p in zip(safe.ravel(), power.ravel(), strict=True)])
    return np.where(numbers > 0, up.reshape(numbers.shape), 0.0)


def _up(value: float, power: int) -> float:
    # Decimal digits that a float cannot hold exactly are settled by their shortest text.
    from decimal import ROUND_CEILING, Decimal

    return float(Decimal(float(value)).quantize(Decimal(1).scaleb(-int(power)), ROUND_CEILING))


def decimals(values: ArrayLike, places: int) -> list[Any]:
    """Round to so many decimal places; a list of the same shape."""
    rounded: FloatArray = np.asarray(values, dtype=np.float64).round(places)
    return _listed(rounded + 0.0)  # -0.0 becomes 0.0


def significant(values: ArrayLike, digits: int) -> list[Any]:
    """Round to so many significant digits; a list of the same shape."""
    numbers = np.asarray(values, dtype=np.float64)
    rounded: FloatArray = np.array([float(f"{v:.{digits}g}") + 0.0 for v in numbers.ravel()], float)
    return _listed(rounded.reshape(numbers.shape))


def _listed(numbers: FloatArray) -> list[Any]:
    if numbers.ndim > 1:
        return [_listed(row) for row in numbers]
    return [_short(v) for v in numbers.tolist()]


def _short(value: float) -> float | int | None:
    """Return a number as JSON has it: whole ones without '.0', None for what is not finite."""
    if not np.isfinite(value):
        return None
    return int(value) if value.is_integer() else value
