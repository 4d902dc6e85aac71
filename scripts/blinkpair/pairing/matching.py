"""Pairs of points that lie close to each other, and the number of them expected by chance.

Input: the nanocrystals of both epochs in one frame. Output: one-to-one pairs; the number expected
between unrelated catalogues of the same density.
"""

from __future__ import annotations

import numpy as np

from blinkpair.arrays import FloatArray, IntArray

# Number of displaced copies of the post-anneal catalogue with which chance pairs are counted.
CHANCE_DISPLACEMENTS = 24


def match_points(mapped: FloatArray, post: FloatArray, tolerance: FloatArray) -> IntArray:
    """Return one-to-one pairs with the least total squared distance, none above its tolerance.

    Parameters
    ----------
    mapped : (n, 2) float
        Pre-anneal positions in post-anneal pixels.
    post : (m, 2) float
    tolerance : (n,) float
        Largest distance at which each can be paired.

    Returns
    -------
    (pairs, 2) int
        Rows of `mapped` and `post`.
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    n, m = len(mapped), len(post)
    if n == 0 or m == 0:
        return np.empty((0, 2), np.int64)
    near = cKDTree(post).query_ball_point(mapped, tolerance)
    rows = np.repeat(np.arange(n), [len(hits) for hits in near])
    columns = np.array([j for hits in near for j in sorted(hits)], np.int64)
    if rows.size == 0:
        return np.empty((0, 2), np.int64)
    # Few points have two candidates: the assignment is solved in each cluster separately.
    graph = coo_matrix((np.ones(rows.size), (rows, n + columns)), shape=(n + m, n + m))
    _, label = connected_components(graph, directed=False)
    pairs: list[tuple[int, int]] = []
    order = np.argsort(label[rows], kind="stable")
    for cluster in np.split(order, np.flatnonzero(np.diff(label[rows][order])) + 1):
        a, b = np.unique(rows[cluster]), np.unique(columns[cluster])
        distance2 = ((mapped[a, None] - post[None, b]) ** 2).sum(axis=2)
        limit2 = tolerance[a, None] ** 2
        # A point without a pair costs its limit: a pair is made only where it costs less.
        cost = np.where(distance2 <= limit2, distance2 - limit2, 0.0)
        for i, j in zip(*linear_sum_assignment(cost), strict=True):
            if distance2[i, j] <= limit2[i, 0]:
                pairs.append((int(a[i]), int(b[j])))
    return np.array(sorted(pairs), np.int64).reshape(-1, 2)


def expected_chance_pairs(
    mapped: FloatArray, post: FloatArray, tolerance: FloatArray, *, displacement_px: float
) -> float:
    """Return the mean number of pairs with the post-anneal catalogue displaced.

    The other arguments are those of `match_points`; the displacement, in `CHANCE_DISPLACEMENTS`
    directions, must exceed the tolerance.
    """
    angles = 2 * np.pi * np.arange(CHANCE_DISPLACEMENTS) / CHANCE_DISPLACEMENTS
    shifts = displacement_px * np.column_stack([np.cos(angles), np.sin(angles)])
    return float(np.mean([len(match_points(mapped, post + shift, tolerance)) for shift in shifts]))
