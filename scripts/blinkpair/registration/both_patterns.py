"""Microspheres and nanocrystals together, where neither pattern decides alone.

Every alignment of the microspheres is a place to look for one of the nanocrystals: near it,
by as much as the channels' offset and the stage's creep can be, since the two patterns share
the rotation but not the shift. Between unrelated fields the levels E of the microspheres'
alignments (their expected numbers of chance alignments) lie on (0, inf) at unit rate, and the
best of the nanocrystals near each has a probability p that is uniform. Of the alignments up to
a level B, the expected number with a product E p at or below e is therefore

    integral over E from 0 to B of min(1, e / E) = e (1 + ln(B / e)),

the chance level of the two together.

Input: both patterns of both epochs. Output: one registration with the level of both together
against chance, or the reason why there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.registration.from_start import refine_on_points
from blinkpair.registration.result import Registration, failed
from blinkpair.registration.rigid import apply_matrix

# Two alignments that end this close to each other over the whole field are one.
SAME_ALIGNMENT_PX = 3.0


@dataclass(frozen=True)
class Together:
    """An alignment of the microspheres and that of the nanocrystals near it.

    Attributes
    ----------
    microspheres, nanocrystals : Registration
        Both with the level of the two together as `chance_alignments`.
    """

    microspheres: Registration
    nanocrystals: Registration


def joint_level(product: float, largest: float) -> float:
    """Expected number of chance pairs of alignments with a product of levels as small.

    Parameters
    ----------
    product
        Level of the microspheres' alignment times the probability of the nanocrystals' near it.
    largest
        Level up to which the microspheres' alignments were looked at.
    """
    if product >= largest:
        return largest
    return product * (1 + float(np.log(largest / product))) if product > 0 else 0.0


def decide_together(
    candidates: Sequence[Registration],
    nanocrystals_pre: FloatArray,
    nanocrystals_post: FloatArray,
    *,
    by_rank: bool,
    max_chance_alignments: float,
    **options: Any,
) -> Together | Registration:
    """Find the one alignment of the microspheres that the nanocrystals confirm.

    Parameters
    ----------
    candidates
        Alignments of the microspheres, the best first, not judged.
    nanocrystals_pre, nanocrystals_post
        (n, 2) positions in pixels.
    by_rank
        True where the microspheres' levels cannot be believed (a lattice, a mirror image): then
        only the number of alignments tried counts, and the nanocrystals have to decide.
    max_chance_alignments
        Largest level of both together that is accepted.
    options
        Of :func:`registration_refine.refine_on_points`.

    Returns
    -------
    Together, or a failed Registration with the reason.
    """
    if not candidates:
        return failed("no alignment of the microspheres to look near")
    levels = [
        float(rank) if by_rank else one.chance_alignments for rank, one in enumerate(candidates, 1)
    ]
    largest = max(1.0, *levels)
    found = []
    for level, one in zip(levels, candidates, strict=True):
        near = refine_on_points(
            one.matrix, nanocrystals_pre, nanocrystals_post, max_chance_alignments=1.0, **options
        )
        if near.status == "ok":
            probability = -float(np.expm1(-near.chance_alignments))
            found.append((joint_level(level * probability, largest), one, near))
    if not found:
        return failed("near no alignment of the microspheres do the nanocrystals match")
    chance, one, near = min(found, key=lambda entry: entry[0])
    if chance > max_chance_alignments:
        return failed("both patterns together are not clearly better than chance", chance)
    rivals = [other for level, _, other in found if level <= max_chance_alignments]
    if any(_differ(near, other, nanocrystals_pre) for other in rivals):
        return failed("both patterns together fit in more than one way", chance)
    return Together(
        replace(one, chance_alignments=chance, reason="decided together with the nanocrystals"),
        replace(near, chance_alignments=chance),
    )


def _differ(one: Registration, other: Registration, xy: FloatArray) -> bool:
    apart = np.hypot(*(apply_matrix(one.matrix, xy) - apply_matrix(other.matrix, xy)).T)
    return bool(apart.max() > SAME_ALIGNMENT_PX)
