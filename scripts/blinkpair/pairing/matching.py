"""Pairs of points that lie close to each other, and how many of them chance would make.

Input: the nanocrystals of both epochs in one frame. Output: one-to-one pairs; the number expected
of unrelated catalogues of the same density.
"""

from __future__ import annotations

import numpy as np

from blinkpair.arrays import FloatArray, IntArray

# Number of displaced copies of the post-anneal catalogue that chance pairs are counted on.
CHANCE_DISPLACEMENTS = 24


def match_points(mapped: FloatArray, post: FloatArray, tolerance: FloatArray) -> IntArray:
    """One-to-one pairs with the least total squared distance, none above its tolerance.

    Parameters
    ----------
    mapped : (n, 2) float
        Pre-anneal positions in post-anneal pixels.
    post : (m, 2) float
    tolerance : (n,) float
        Largest distance at which each may be paired.

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
    # Few points have two candidates: the assignment is solved in each cluster on its own.
    graph = coo_matrix((np.ones(rows.size), (rows, n + columns)), shape=(n + m, n + m))
    _, label = connected_components(graph, directed=False)
    pairs: list[tuple[int, int]] = []
    order = np.argsort(label[rows], kind="stable")
    for cluster in np.split(order, np.flatnonzero(np.diff(label[rows][order])) + 1):
        a, b = np.unique(rows[cluster]), np.unique(columns[cluster])
        distance2 = ((mapped[a, None] - post[None, b]) ** 2).sum(axis=2)
        limit2 = tolerance[a, None] ** 2
        # Leaving a point alone costs its limit: a pair is made only where it is cheaper.
        cost = np.where(distance2 <= limit2, distance2 - limit2, 0.0)
        for i, j in zip(*linear_sum_assignment(cost), strict=True):
            if distance2[i, j] <= limit2[i, 0]:
                pairs.append((int(a[i]), int(b[j])))
    return np.array(sorted(pairs), np.int64).reshape(-1, 2)


def expected_chance_pairs(
    mapped: FloatArray, post: FloatArray, tolerance: FloatArray, *, displacement_px: float
) -> float:
    """Mean number of pairs with the post-anneal catalogue displaced by more than the tolerance.

    Parameters
    ----------
    mapped, post, tolerance
        As in `match_points`.
    displacement_px : float
        Length of the displacements, taken in `CHANCE_DISPLACEMENTS` directions.
    """
    angles = 2 * np.pi * np.arange(CHANCE_DISPLACEMENTS) / CHANCE_DISPLACEMENTS
    counts = [
        len(
            match_points(
                mapped, post + displacement_px * np.array([np.cos(a), np.sin(a)]), tolerance
            )
        )
        for a in angles
    ]
    return float(np.mean(counts))
