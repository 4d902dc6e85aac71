"""Chance levels of alignments where the points repeat a structure.

Spheres in a grain of a lattice, in a straight chain or in parallel pairs do not match independently
of each other: where one matches, its neighbours do, at any shift by a vector of the structure. The
test against chance gives each of the k - 1 matches after the first the mean evidence

    w = (B - log T) / (k - 1)

where T is the yardstick without a penalty for clumps and B the logarithm of the number of places
for the first match. If match a predicts match b with the probability c, only -log c is evidence,
less the logarithm of the ways to choose k of the n points in the overlap, divided by k - 1.
That probability is measured in the patterns: of the points around a, the share from which the
vector from a to b leads to a point, less what random points show; the smaller one of both patterns,
the sparser one taken to be as dense as the other.
Each match is predicted by at most one other, such that the loss is largest (a maximum spanning
forest). A further grain adds the evidence of its own place. Clumps are penalised in T already: the
larger one of both losses counts.

Input: the alignments of two patterns. Output: their chance levels, corrected; those of points
without structure stay as they are.
"""

from __future__ import annotations

from math import lgamma

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import KDTree

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.registration.alignment.chance import log_yardstick
from blinkpair.registration.alignment.search import Alignments
from blinkpair.registration.alignment.task import Task, overlaps_of
from blinkpair.registration.rigid import apply_matrix

# Points around a match from which its vectors are tried: the first, and the first two, shells of a
# hexagonal lattice.
AROUND = (6, 18)
# Other matches that may predict one: its nearest.
PREDICTORS = 12
# Standard deviations of the number of points that random patterns show at a vector's end.
SIGMAS = 3.0
MAX_LOG_LEVEL = 100.0  # above 0 every level is refused


def corrected_level(found: Alignments, task: Task, row: int = 0) -> float:
    """Return the chance level of one alignment, corrected for structure."""
    matrix = task.matrix(found.motions[row])
    pairs = task.matches(matrix, task.gate_px)
    k = len(pairs)
    n, m, area = overlaps_of(found.motions[row][None], task)[0]
    level = float(found.chance[row])
    if k < task.min_matches or not k <= min(n, m):
        return level
    pre, post = task.pre[pairs[:, 0]], task.post[pairs[:, 1]]
    residual = apply_matrix(matrix, task.pre_xy[pairs[:, 0]]) - task.post_xy[pairs[:, 1]]
    spread = float(((pre - pre.mean(axis=0)) ** 2).sum())
    log_t = log_yardstick(
        k,
        float((residual**2).sum()),
        max(spread, 1.0),
        n,
        m,
        area,
        found.log_measure,
        task.variance_px2,
        task.free_scale,
    )
    evidence = (found.log_measure + float(np.log(n * m / area)) - log_t) / (k - 1)
    clumps = max(0.0, float(found.log_t[row]) - log_t)
    fewer = min(n, m)
    choices = lgamma(fewer + 1) - lgamma(k + 1) - lgamma(fewer - k + 1)
    loss = _predicted(task, pairs, pre, post, evidence, choices / (k - 1)) - clumps
    # A level below the smallest number is 0: the smallest stands for it, which claims less.
    log_level = np.log(max(level, np.finfo(float).tiny)) + max(0.0, loss)
    return float(np.exp(min(log_level, MAX_LOG_LEVEL)))


def _predicted(
    task: Task,
    pairs: IntArray,
    pre: FloatArray,
    post: FloatArray,
    evidence: float,
    choices: float,
) -> float:
    """Return the logarithm of the evidence that matches give which others predict.

    `evidence` is that of one match, `choices` the logarithm of the ways to choose the matches
    among the points, for each of them.
    """
    k = len(pairs)
    _, near = KDTree(pre).query(pre, min(PREDICTORS + 1, k))
    a, b = np.repeat(np.arange(k), near.shape[1] - 1), near[:, 1:].ravel()
    a, b = np.concatenate([a, b]), np.concatenate([b, a])
    probability = np.ones(len(a))
    for points, matched, own, field in (
        (task.pre, pre, pairs[:, 0], task.pre_field),
        (task.post, post, pairs[:, 1], task.post_field),
    ):
        shares = _probability(points, own[a], matched[b] - matched[a], field.size, task.gate_px)
        # A sparser pattern leaves out places of the structure: the share that it would show if it
        # were as dense as the other.
        denser = max(len(task.pre), len(task.post)) / len(points)
        probability = np.minimum(probability, denser * shares)
    left = np.maximum(-np.log(np.maximum(probability, np.finfo(float).tiny)) - choices, 0.0)
    loss = evidence - left
    largest: dict[tuple[int, int], float] = {}
    for i, j, one in zip(a.tolist(), b.tolist(), loss.tolist(), strict=True):
        edge = (min(i, j), max(i, j))
        if one > largest.get(edge, 0.0):
            largest[edge] = one
    if not largest:
        return 0.0
    i, j = np.array(list(largest)).T
    graph = coo_matrix((-np.array(list(largest.values())), (i, j)), (k, k))
    return -float(minimum_spanning_tree(graph).sum())


def _probability(
    points: FloatArray, start: IntArray, vector: FloatArray, size: FloatArray, tolerance_px: float
) -> FloatArray:
    """Return the (p,) shares of the points around a start from which a vector leads to a point.

    Points are counted from the centre of a field of this size. What random points show is
    subtracted.
    """
    tree = KDTree(points)
    _, near = tree.query(points, min(max(AROUND) + 1, len(points)))
    ends = points[near[start][:, 1:]] + vector[:, None]
    inside = (np.abs(ends) <= size / 2).all(axis=2)
    distance, _ = tree.query(ends, distance_upper_bound=tolerance_px)
    best = np.zeros(len(start))
    for radius in tolerance_px * np.array([0.5, 1.0]):
        hit = (distance <= radius) & inside
        by_chance = len(points) * np.pi * radius**2 / float(size.prod())
        for number in AROUND:
            tried = inside[:, :number].sum(axis=1)
            expected = by_chance * tried
            beyond = hit[:, :number].sum(axis=1) - expected - SIGMAS * np.sqrt(expected)
            best = np.maximum(best, beyond / np.maximum(tried, 1))
    return best
