"""Brightfield and nanocrystals together, where neither decides alone.

Near every alignment of the microspheres one of the nanocrystals is searched for. The two patterns
share the rotation but not the shift: it differs by up to the channels' offset and the stage's
creep. Between unrelated fields the levels E of the microspheres' alignments (their expected numbers
of chance alignments) lie on (0, inf) at unit rate, and the probability p of the best alignment of
the nanocrystals near each is uniform. Of the alignments up to a level B, the expected number with
a product E p at or below e is therefore

    integral over E from 0 to B of min(1, e / E) = e (1 + ln(B / e)),

the chance level of the two together. Alignments of the brightfield images as wholes take the place
of those of the microspheres where these do not help. None may move nothing, as what is fixed to
the camera does: nanocrystals that show so little motion decide alone (`near_identity`).

Input: both patterns of both epochs. Output: one registration with the chance level of both
together, or the reason why there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.registration.acceptance import IDENTITY_PX
from blinkpair.registration.from_start import refine_on_points
from blinkpair.registration.result import Registration, failed
from blinkpair.registration.rigid import apply_matrix

# Two alignments that end this close to each other over the whole field are one.
SAME_ALIGNMENT_PX = 3.0


@dataclass(frozen=True)
class Together:
    """An alignment of the brightfield images and that of the nanocrystals near it.

    The `chance_alignments` of both is the level of the two together.
    """

    brightfield: Registration
    nanocrystals: Registration


def joint_level(product: float, largest: float) -> float:
    """Return the expected number of chance pairs of alignments with a product as small.

    Parameters
    ----------
    product
        Level of the microspheres' alignment times the probability of the nanocrystals' near it.
    largest
        Level up to which alignments of the microspheres are used.
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
    """Return the one alignment of both patterns, or a failed registration with the reason.

    Parameters
    ----------
    candidates
        Alignments of the microspheres or of the brightfield images, the best first, neither
        accepted nor refused.
    nanocrystals_pre, nanocrystals_post
        (n, 2) positions in pixels.
    by_rank
        True where the candidates' levels mean nothing (a lattice, a mirror image): then the
        level of a candidate is its rank, and the nanocrystals decide.
    max_chance_alignments
        Largest level of both together that is accepted.
    options
        Of `from_start.refine_on_points`.
    """
    if not candidates:
        return failed("there is no alignment to start from")
    levels = [
        float(rank) if by_rank else one.chance_alignments for rank, one in enumerate(candidates, 1)
    ]
    largest = max(1.0, *levels)
    found = []
    for level, one in zip(levels, candidates, strict=True):
        near = refine_on_points(
            one.matrix, nanocrystals_pre, nanocrystals_post, max_chance_alignments=1.0, **options
        )
        before, after = nanocrystals_pre[near.pairs[:, 0]], nanocrystals_post[near.pairs[:, 1]]
        if near.status == "ok" and np.median(np.hypot(*(after - before).T)) >= IDENTITY_PX:
            probability = -float(np.expm1(-near.chance_alignments))
            found.append((joint_level(level * probability, largest), one, near))
    if not found:
        return failed("the nanocrystals match near no alignment of brightfield")
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
    """Return whether two registrations give a position places that are far apart."""
    apart = np.hypot(*(apply_matrix(one.matrix, xy) - apply_matrix(other.matrix, xy)).T)
    return bool(apart.max() > SAME_ALIGNMENT_PX)
