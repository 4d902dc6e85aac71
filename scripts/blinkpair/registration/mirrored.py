"""Brightfield that shows the field mirrored against the movie, in both epochs.

A camera or a port of its own mirrors the brightfield images before and after alike: they register,
but the sample in the movies turned the other way. Where many nanocrystals are seen in both epochs
they contradict. Two or three that match under the mirrored motion show it as well.

Input: a transform of the brightfield images, nanocrystals of both epochs. Output: the reason to
refuse it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.registration.alignment import search
from blinkpair.registration.alignment.task import Field, Task

AXES_DEG = (0, 45, 90, 135)  # along the rows, the columns and, after a turn, the diagonals
MAX_TURN_DEG = 0.5
FEWEST_MATCHES = 2
# The unmirrored motion is no better than this by chance where the nanocrystals speak against it.
NO_MATCH_LEVEL = 0.01


def mirrored_reason(
    matrix: FloatArray,
    pre: FloatArray,
    post: FloatArray,
    *,
    max_shift_px: float,
    max_chance_alignments: float,
    field_shape: tuple[int, int],
    **options: Any,
) -> str:
    """Return the reason to refuse a transform that the nanocrystals match mirrored, or ''.

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
    """
    if min(len(pre), len(post)) < FEWEST_MATCHES:
        return ""
    task = Task.of(
        pre,
        post,
        *Field.around_both(pre, post, field_shape, field_shape),
        localisation_error_px=0.15,
        min_matches=FEWEST_MATCHES,
        free_scale=options["model"] == "similarity",
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
        "of the microspheres only if it is mirrored; export both the same way round"
    )


def _reflected(matrix: FloatArray, axis_deg: float, shape: tuple[int, int]) -> FloatArray:
    """Return the motion as seen in images mirrored at a line through their middle."""
    double = np.radians(2 * axis_deg)
    middle = 0.5 * (np.array(shape[::-1]) - 1)
    mirror = np.eye(3)
    mirror[:2, :2] = [[np.cos(double), np.sin(double)], [np.sin(double), -np.cos(double)]]
    mirror[:2, 2] = middle - mirror[:2, :2] @ middle
    return np.asarray(mirror @ matrix @ mirror)
