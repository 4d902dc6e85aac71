"""The expected number of alignments as good between two unrelated patterns.

The yardstick T of one alignment. n points lie in the overlap (area O) on one side and m
on the other; k of them match with a sum of squared residuals S. All (q_1 ... q_k) that
are an exact copy of (p_1 ... p_k) form a surface in 2k dimensions, 3 of them long
(rotation, two shifts), of size G k sqrt(I): G is the measure of the motions allowed and
I the sum of squared distances of the p to their centroid. Unrelated points come within
a tube of cross-section V about that surface with probability G k sqrt(I) V / O^k, and
there are C(n, k) m! / (m - k)! ways to choose the pairs. For true matches the residuals
have a known density across the tube, M(S): normal, with the variance of
`target_error` integrated out. Its inverse replaces V,

    T = C(n, k) m! / (m - k)!  O^-k  G k sqrt(I) / M(S),

so that small residuals lower T, but not below what the localisation error can
show (with V ~ S^((2k - 3) / 2) three points that match by chance would rank above
twenty good matches).

T as a rate. T ranks alignments of every size. The number of chance alignments that
rank at or above a given one is the sum over all k, and the mean over all motions with
their own n, m and O, of the tube's exact expectation where T is smaller.

Input: an alignment's number of matches, their residuals, and how many points lie in the overlap of
the two fields. Output: the expected number of alignments at least as good between two patterns of
independent, uniformly spread points of the same numbers.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial import KDTree

from blinkpair.arrays import FloatArray
from blinkpair.compiled import njit

# Weight of the expected localisation error, in residuals: with one that is wrong by a factor of two
# the true alignment still ranks first.
PRIOR_DOF = 4.0
# Matches closer together than this count as one: a microsphere can be found twice.
SAME_PLACE_PX = 2.5
# Where points clump, those closer together than this do not match independently.
CLUMP_DISTANCE_PX = 20.0
CLUMP_BINS = 41


@njit()
def residual_dimensions(k: int, free_scale: bool) -> int:
    """Return the degrees of freedom of the residuals of k matches."""
    return 2 * k - 4 if free_scale else 2 * k - 3


@njit()
def log_yardstick(
    k: int,
    residual2: float,
    spread: float,
    n: float,
    m: float,
    overlap: float,
    log_motions: float,
    variance: float,
    free_scale: bool,
) -> float:
    """Return the logarithm of T of the module's docstring.

    Parameters
    ----------
    k, residual2, spread
        Number of matches, their sum of squared residuals and of squared distances to their
        centroid (px^2).
    n, m, overlap
        Points in the overlap on either side, n, m >= k, and its area (px^2).
    log_motions
        Logarithm of the measure G of allowed motions (rad px^2).
    variance
        Expected variance per axis of a true match's residual (px^2).
    free_scale
        True for a similarity.
    """
    d = residual_dimensions(k, free_scale)
    log_choices = (
        math.lgamma(n + 1)
        - math.lgamma(n - k + 1)
        - math.lgamma(k + 1)
        + math.lgamma(m + 1)
        - math.lgamma(m - k + 1)
    )
    log_surface = math.log(k) + (1.0 if free_scale else 0.5) * math.log(spread)
    log_density = (
        math.lgamma(0.5 * (PRIOR_DOF + d))
        - math.lgamma(0.5 * PRIOR_DOF)
        - 0.5 * d * math.log(math.pi * PRIOR_DOF * variance)
        - 0.5 * (PRIOR_DOF + d) * math.log1p(residual2 / (PRIOR_DOF * variance))
    )
    return log_choices - k * math.log(overlap) + log_motions + log_surface - log_density


@njit()
def expected_alignments(
    log_t: FloatArray,
    overlaps: FloatArray,
    log_motions: float,
    k_min: int,
    variance: float,
    gate2: float,
    free_scale: bool,
) -> FloatArray:
    """Return the expected number of chance alignments with a T at or below each exp(log_t).

    Parameters
    ----------
    log_t
        Logarithms of T of observed alignments.
    overlaps
        (g, 3) motions spread evenly over those allowed: points of either pattern in the
        overlap, and its area (px^2).
    log_motions, variance, free_scale
        As in `log_yardstick`.
    k_min
        Fewest matches an alignment may have.
    gate2
        Largest squared residual of a match (px^2).
    """
    result = np.zeros(len(log_t))
    for g in range(len(overlaps)):
        n, m, area = overlaps[g, 0], overlaps[g, 1], overlaps[g, 2]
        k = k_min
        while k <= n and k <= m:
            # A uniform overlap's second moment is about area / 6 for both axes together.
            spread = (k - 1) * area / 6.0
            lowest = log_yardstick(k, 0.0, spread, n, m, area, log_motions, variance, free_scale)
            d = residual_dimensions(k, free_scale)
            log_volume = (
                math.lgamma(0.5 * (PRIOR_DOF + d))
                - math.lgamma(0.5 * PRIOR_DOF)
                - math.lgamma(0.5 * d + 1)
            )
            # Tuples with two members at one place are not counted.
            log_apart = -0.5 * k * (k - 1) * math.pi * SAME_PLACE_PX**2 / area
            ratio_cap = 0.5 * d * gate2 / (2 * PRIOR_DOF * variance)
            largest = -math.inf
            for e in range(len(log_t)):
                gap = log_t[e] - lowest
                if gap <= 0.0:
                    continue
                ratio = min(math.expm1(min(2 * gap / (PRIOR_DOF + d), 600.0)), ratio_cap)
                log_count = lowest + log_volume + 0.5 * d * math.log(ratio) + log_apart
                largest = max(largest, log_count - log_t[e])
                result[e] += math.exp(min(log_count, 600.0))
            # Counts fall steeply once k is past the bulk.
            if largest < -12.0 and lowest < -30.0:
                break
            k += 1
    return result / max(len(overlaps), 1)


def clumping(points: FloatArray, area: float, tolerance_px: float) -> tuple[float, FloatArray]:
    """Return the number of neighbours of points, relative to uniformly spread ones.

    Clumps match other clumps more often than single points match single points: the
    chance of a second match beside a first is higher by the ratio of neighbours found to
    neighbours expected, once for either pattern. Microspheres that touch do so at one
    distance, so the ratio is that at the distance of the match.

    Parameters
    ----------
    points
        (n, 2) positions in pixels.
    area
        Area they can lie in, px^2.
    tolerance_px
        Two distances this close can belong to one pair in both patterns.

    Returns
    -------
    excess
        The ratio at one to three clump distances, less two standard deviations; at least 1.
    beside
        The ratio at `CLUMP_BINS` distances up to the clump distance, or that over all of them if
        it is larger, without the pair itself; at least 1.
    """
    n = len(points)
    n_pairs = 0.5 * n * (n - 1)
    radii = CLUMP_DISTANCE_PX * np.array([1.0, 3.0])
    tree = KDTree(points)
    near, far = 0.5 * (tree.count_neighbors(tree, radii) - n)
    expected_near, expected_far = n_pairs * np.pi * radii**2 / area
    ring = far - near
    excess = (ring - 2 * np.sqrt(ring)) / max(expected_far - expected_near, 1e-9)
    at = np.linspace(0.0, CLUMP_DISTANCE_PX, CLUMP_BINS)
    inner, outer = np.maximum(at - tolerance_px, 0.0), at + tolerance_px
    found = 0.5 * (
        tree.count_neighbors(tree, outer)
        - np.where(inner > 0, tree.count_neighbors(tree, inner), n)
    )
    expected = n_pairs * np.pi * (outer**2 - inner**2) / area
    beside = np.maximum((found - 1) / expected, (near - 1) / max(expected_near, 1e-9))
    return max(1.0, float(excess)), np.maximum(1.0, beside)
