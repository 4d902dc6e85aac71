"""Refuse fields whose brightfield images are mirrored against the movies, in both epochs.

A separate camera or port for brightfield mirrors the images before and after annealing in the same
way: they register, but in the movies the sample turned the other way. Many nanocrystals seen in
both epochs contradict the registration. Two or three that match under the mirrored motion show it,
too.

Input: a transform of the brightfield images, nanocrystals of both epochs. Output: the reason to
refuse it.
"""

from __future__ import annotations

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.registration.alignment import search
from blinkpair.registration.alignment.task import Field, Task

AXES_DEG = (0, 45, 90, 135)  # along the rows, the columns and, after a turn, the diagonals
MAX_TURN_DEG = 0.5
FEWEST_MATCHES = 2
# A smaller chance level of the unmirrored motion shows that the images are not mirrored.
NO_MATCH_LEVEL = 0.01


def mirrored_reason(
    matrix: FloatArray,
    pre: FloatArray,
    post: FloatArray,
    *,
    max_shift_px: float,
    max_chance_alignments: float,
    field_shape: tuple[int, int],
    free_scale: bool,
) -> str:
    """Return the reason to refuse a transform whose mirrored form the nanocrystals match, or ''.

    Parameters
    ----------
    matrix : (3, 3) float
        From pre to post pixels, from the brightfield images.
    pre, post : (n, 2) float
        Nanocrystals.
    max_shift_px : float
        Largest distance of their transform from that of brightfield.
    max_chance_alignments : float
        Expected number of chance matches, of all mirrored motions together.
    field_shape : tuple of int
        Rows and columns of the sensor.
    free_scale : bool
        Whether the magnification may change.
    """
    if min(len(pre), len(post)) < FEWEST_MATCHES:
        return ""
    task = Task.of(
        pre,
        post,
        *Field.around_both(pre, post, field_shape, field_shape),
        localisation_error_px=0.15,
        min_matches=FEWEST_MATCHES,
        free_scale=free_scale,
    )

    def chance(start: FloatArray) -> float:
        found = search.search_near(task, start, max_shift_px, np.radians(MAX_TURN_DEG))
        return float(found.chance[0]) if len(found.chance) else np.inf

    if chance(matrix) < NO_MATCH_LEVEL:
        return ""
    level = len(AXES_DEG) * min(chance(_reflected(matrix, axis, field_shape)) for axis in AXES_DEG)
    if level > max_chance_alignments:
        return ""
    return (
        "brightfield shows the field mirrored against the movie: the nanocrystals match the motion "
        "of the microspheres only if it is mirrored: export both the same way round"
    )


def _reflected(matrix: FloatArray, axis_deg: float, shape: tuple[int, int]) -> FloatArray:
    """Return the motion in images that are mirrored at a line through their middle."""
    double = np.radians(2 * axis_deg)
    middle = 0.5 * (np.array(shape[::-1]) - 1)
    mirror = np.eye(3)
    mirror[:2, :2] = [[np.cos(double), np.sin(double)], [np.sin(double), -np.cos(double)]]
    mirror[:2, 2] = middle - mirror[:2, :2] @ middle
    return np.asarray(mirror @ matrix @ mirror)
