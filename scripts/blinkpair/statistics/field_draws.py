"""Draws of whole fields with replacement, for thousands of fields.

Thousands of draws of thousands of fields are many numbers: they are kept as bytes, converted to
floats a block at a time, and not drawn again for the next table.

Input: the field of each nanocrystal. Output: how often each of some thousand draws took each
field, and the means over what was drawn.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blinkpair.arrays import FloatArray
from blinkpair.labels import text_codes

Codes = NDArray[np.intp]
Draws = NDArray[np.unsignedinteger[Any]]

_BLOCK = 1 << 20  # numbers that are floats at a time
_KEPT_BYTES = 150 << 20  # 5,000 draws of ten thousand fields, three times


@dataclass(frozen=True)
class FieldDraws:
    """The fields of one group's nanocrystals, and how often each draw took them.

    Attributes
    ----------
    codes : ndarray of int, shape (n,)
        Field of each nanocrystal, 0 to n_fields - 1, none of them empty.
    draws : ndarray of unsigned int, shape (resamples, n_fields)
        From `draw_fields`.
    """

    codes: Codes
    draws: Draws

    @property
    def n_fields(self) -> int:
        """Fields with at least one nanocrystal of the group."""
        return self.draws.shape[1]


def resample_fields(fields: ArrayLike, label: object, *, resamples: int, seed: int) -> FieldDraws:
    """Number the fields of a group (a temperature, or a part of it) and draw from them.

    Parameters
    ----------
    fields : array_like, shape (n,)
        Field of each nanocrystal.
    label : object
        Name of the temperature. It is a part of the seed, so that the draws of one temperature
        do not depend on which others there are.
    resamples, seed : int
        Number of draws, and their seed.
    """
    codes, names = text_codes(fields)
    return FieldDraws(codes, _KEPT.draws(len(names), str(label), resamples, seed))


def draw_fields(n_fields: int, resamples: int, rng: np.random.Generator) -> Draws:
    """Draw fields with replacement.

    Parameters
    ----------
    n_fields : int
        Fields to draw from, and drawn each time.
    resamples : int
        Number of draws.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    ndarray of unsigned int, shape (resamples, n_fields)
        How often each field was drawn. A byte each, as long as no field comes more than 255
        times: of thousands of fields ten times is rare.
    """
    draws: Draws = np.zeros((resamples, n_fields), np.uint8)
    if n_fields == 0:
        return draws
    shares = np.full(n_fields, 1.0 / n_fields)
    for rows in _blocks(draws):
        counts = rng.multinomial(n_fields, shares, size=len(draws[rows]))
        if counts.max() > np.iinfo(draws.dtype).max:
            draws = draws.astype(np.min_scalar_type(n_fields))
        draws[rows] = counts
    return draws


def _blocks(draws: Draws) -> Iterator[slice]:
    """Yield rows that have a million numbers together."""
    step = max(1, _BLOCK // max(draws.shape[1], 1))
    for start in range(0, len(draws), step):
        yield slice(start, start + step)


def drawn_means(values: FloatArray, codes: Codes, draws: Draws) -> FloatArray:
    """Return the mean over the nanocrystals of each draw of fields.

    Parameters
    ----------
    values : ndarray, shape (n,)
        One value a nanocrystal.
    codes : ndarray of int, shape (n,)
        Field of each.
    draws : ndarray of unsigned int, shape (resamples, n_fields)
        From `draw_fields`.

    Returns
    -------
    ndarray, shape (resamples,)
    """
    n_fields = draws.shape[1]
    sums = np.bincount(codes, weights=values, minlength=n_fields)
    counts = np.bincount(codes, minlength=n_fields).astype(float)
    means = np.empty(len(draws))
    for rows in _blocks(draws):
        drawn = draws[rows].astype(float)
        means[rows] = (drawn @ sums) / (drawn @ counts)
    return means


class _Kept:
    """The latest draws: several parts of a temperature mostly have the same fields."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._draws: OrderedDict[tuple[int, str, int, int], Draws] = OrderedDict()

    def draws(self, n_fields: int, label: str, resamples: int, seed: int) -> Draws:
        """Return the draws that these four determine, made anew or kept."""
        key = (n_fields, label, resamples, seed)
        if key not in self._draws:
            rng = np.random.default_rng([seed, zlib.crc32(label.encode())])
            self._draws[key] = draw_fields(n_fields, resamples, rng)
            self._draws[key].flags.writeable = False
        self._draws.move_to_end(key)
        while len(self._draws) > 1 and self.n_bytes > self._most_bytes:
            self._draws.popitem(last=False)
        return self._draws[key]

    @property
    def n_bytes(self) -> int:
        """Bytes of all draws that are kept."""
        return sum(draws.nbytes for draws in self._draws.values())


_KEPT = _Kept(_KEPT_BYTES)
