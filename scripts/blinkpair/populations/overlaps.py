"""Fields of one sample that show the same nanocrystals, because they overlap in space.

The pattern of the nanocrystals shows it, whatever a format holds on the place of the stage: fields
of one sample are filmed in one orientation before annealing, so that the patterns differ by a shift
alone. A nanocrystal and three of its nearest neighbours make three vectors, which hardly any other
has; equal ones propose a shift, and all nanocrystals of both fields decide on it.

Input: the nanocrystal table, and which fields are of one sample. Output: a remark for each field
that overlaps with another one.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from blinkpair.arrays import BoolArray, FloatArray, IntArray
from blinkpair.labels import as_bool
from blinkpair.treatments import TEMPERATURE, TREATMENT

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

PLACE = ("x_pre", "y_pre")
COLUMNS = ("field", "analysed", "excluded_because", *PLACE)
# In `excluded_because`: spots of the camera are at the same place in every field.
CAMERA = "hot_pixel"
_NEIGHBOURS = 4  # of which any three make a pattern: one may be missing in the other field
# Places have errors of 0.1 to 0.3 px, those that were mapped from the other epoch some more. A
# thousand fields of 200 take 12 s, most of it to find vectors that are equal.
_TOLERANCE_PX, _VECTORS_PX = 1.5, 1.0
# At the right shift one field shows what the other shows, except what was hardly ever on.
MIN_SHARE, MIN_SHARED = 0.5, 5
# Accidental overlaps expected among all fields of a sample; with more it is no overlap.
MAX_CHANCE = 1e-3


class Overlap(NamedTuple):
    """Two fields that share nanocrystals.

    `n` is how many, `n_twice` how many of these are analysed in both; `shift_px` (2,) the place in
    `other` less that in `field`.
    """

    field: str
    other: str
    n: int
    n_twice: int
    shift_px: FloatArray


class _Places(NamedTuple):
    """Places (n, 2) of the nanocrystals of a field, and which are analysed."""

    name: str
    xy: FloatArray
    analysed: BoolArray
    tree: cKDTree


def remarks(nanocrystals: pd.DataFrame, fields: pd.DataFrame) -> dict[str, str]:
    """Return a remark for each field with nanocrystals that another field counts, too.

    Parameters
    ----------
    nanocrystals, fields
        As in `find_overlaps`.
    """
    found: dict[str, list[str]] = {}
    for overlap in find_overlaps(nanocrystals, fields):
        if not overlap.n_twice:
            continue
        both = ((overlap.field, overlap.other, 1), (overlap.other, overlap.field, -1))
        for field, other, sign in both:
            x, y = sign * overlap.shift_px
            found.setdefault(field, []).append(
                f"{overlap.n_twice} of its nanocrystals are analysed in field {other}, too, and "
                f"count twice: the fields overlap ({overlap.n} places before are the same, shifted "
                f"by {round(x):+d}, {round(y):+d} px): remove one of them from the sheet"
            )
    return {field: "; ".join(parts) for field, parts in found.items()}


def find_overlaps(nanocrystals: pd.DataFrame, fields: pd.DataFrame) -> list[Overlap]:
    """Return the pairs of fields of one sample and treatment that share nanocrystals.

    Parameters
    ----------
    nanocrystals : pandas.DataFrame
        `COLUMNS`.
    fields : pandas.DataFrame
        `field`, `same_nanocrystals_as` (fields that share a movie are known to share nanocrystals,
        and are not compared) and, where there are such columns, `sample` and the treatment.
    """
    from scipy.spatial import cKDTree

    there = np.isfinite(nanocrystals[list(PLACE)].to_numpy(float)).all(axis=1)
    seen = nanocrystals[there & (nanocrystals["excluded_because"].astype(str) != CAMERA)]
    places = {}
    for field, rows in seen.groupby(seen["field"].astype(str)):
        if len(rows) > _NEIGHBOURS:
            xy = rows[list(PLACE)].to_numpy(float)
            places[field] = _Places(field, xy, as_bool(rows["analysed"]), cKDTree(xy))
    same = [name for name in (TEMPERATURE, TREATMENT, "sample") if name in fields]
    groups = fields[same].astype(str).agg("\n".join, axis=1).to_numpy()
    known = dict(zip(fields["field"].astype(str), fields["same_nanocrystals_as"], strict=True))
    return [
        overlap
        for _, names in fields["field"].astype(str).groupby(groups, sort=False)
        for overlap in _overlaps([places[name] for name in names if name in places])
        if not known[overlap.field] or known[overlap.field] != known[overlap.other]
    ]


def _overlaps(fields: list[_Places]) -> list[Overlap]:
    """Return the overlaps of fields of one orientation, at most one of each pair."""
    if len(fields) < 2:
        return []
    from scipy.spatial import cKDTree

    vectors = np.concatenate([_vectors(field) for field in fields])
    field_of = np.repeat(np.arange(len(fields)), [len(field.xy) for field in fields])
    xy = np.concatenate([field.xy for field in fields])
    tree = cKDTree(vectors.reshape(-1, vectors.shape[-1]))
    alike = tree.query_pairs(_VECTORS_PX, p=np.inf, output_type="ndarray") // vectors.shape[1]
    # Rows (first place, second place) of different fields, the first in the earlier field.
    alike = alike[field_of[alike[:, 0]] != field_of[alike[:, 1]]]
    shifts = xy[alike[:, 1]] - xy[alike[:, 0]]
    # One of those shifts of a pair of fields that are the same within the tolerance.
    steps = np.round(shifts / (2 * _TOLERANCE_PX))
    proposed = np.unique(np.column_stack([field_of[alike], steps]), axis=0, return_index=True)[1]
    n_pairs = len(fields) * (len(fields) - 1) / 2
    found: dict[tuple[int, int], Overlap] = {}
    for k in proposed:
        pair = (int(field_of[alike[k, 0]]), int(field_of[alike[k, 1]]))
        overlap = _at_shift(fields[pair[0]], fields[pair[1]], shifts[k], n_pairs)
        if overlap and (pair not in found or overlap.n > found[pair].n):
            found[pair] = overlap
    return list(found.values())


def _vectors(field: _Places) -> FloatArray:
    """Return the x and y from each place to three of its nearest neighbours, (n, choices, 6)."""
    near = field.tree.query(field.xy, k=_NEIGHBOURS + 1)[1][:, 1:]
    threes = list(itertools.combinations(range(_NEIGHBOURS), 3))
    to_near = field.xy[near] - field.xy[:, None]
    return np.asarray(to_near[:, threes].reshape(len(field.xy), len(threes), -1))


def _at_shift(one: _Places, other: _Places, shift: FloatArray, n_pairs: float) -> Overlap | None:
    """Return what two fields share at a shift (2,) of the second, or None where chance explains it.

    Accidental overlaps expected are the probability of as many matches in unrelated patterns of the
    same density (Poisson's law), times the number of shifts at which the patterns may match, times
    the number of pairs of fields.
    """
    from scipy.special import pdtrc

    near, own = _matches(one, other, shift)
    if len(near) < MIN_SHARED:
        return None
    shift = np.median(other.xy[own] - one.xy[near], axis=0)
    near, own = _matches(one, other, shift)
    moved = other.xy - shift
    low = np.maximum(one.xy.min(axis=0), moved.min(axis=0)) - _TOLERANCE_PX
    high = np.minimum(one.xy.max(axis=0), moved.max(axis=0)) + _TOLERANCE_PX
    inside = [int(((xy >= low) & (xy <= high)).all(axis=1).sum()) for xy in (one.xy, moved)]
    of_match = np.pi * _TOLERANCE_PX**2
    expected = inside[0] * inside[1] * of_match / np.prod(high - low)
    n_shifts = np.prod(2 * np.ptp(one.xy, axis=0)) / of_match
    n = len(near)
    if n < max(MIN_SHARED, MIN_SHARE * min(inside)):
        return None
    if n_pairs * n_shifts * pdtrc(n - 1, expected) > MAX_CHANCE:
        return None
    n_twice = int((one.analysed[near] & other.analysed[own]).sum())
    return Overlap(one.name, other.name, n, n_twice, shift)


def _matches(one: _Places, other: _Places, shift: FloatArray) -> tuple[IntArray, IntArray]:
    """Return the rows of places in the two fields that are the same at a shift, each once."""
    distance, near = one.tree.query(other.xy - shift, distance_upper_bound=_TOLERANCE_PX)
    own = np.flatnonzero(np.isfinite(distance))
    near, first = np.unique(near[own], return_index=True)
    return near, own[first]
