"""Microspheres, whole images and nanocrystals together, where none decides alone.

Near every alignment of the microspheres one of the nanocrystals is searched for. The two patterns
share the rotation but not the shift: it differs by up to the channels' offset and the stage's
creep. Between unrelated fields the levels E of the microspheres' alignments (their expected numbers
of chance alignments) lie on (0, inf) at unit rate, and the probability p of the best alignment of
the nanocrystals near each is uniform. Of the alignments up to a level B, the expected number with
a product E p at or below e is therefore

    integral over E from 0 to B of min(1, e / E) = e (1 + L),  L = ln(B / e),

the chance level of the two together. The brightfield images as wholes, where they show no matched
microsphere, are a third: with their probability in the product it is e (1 + L + L^2 / 2).
Where the alignments of the microspheres do not decide, those of whole images are used instead.
Alignments without motion are left out, because what is fixed to the camera has none; nanocrystals
that moved so little decide alone (`near_identity`).

Input: all patterns of both epochs. Output: one registration with the chance level of both
together, or the reason why there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import factorial
from typing import Any

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.registration.acceptance import IDENTITY_PX
from blinkpair.registration.from_start import refine_on_points
from blinkpair.registration.result import Registration, failed
from blinkpair.registration.rigid import apply_matrix

IMAGES, NANOCRYSTALS = "brightfield images", "nanocrystals"
# Largest probability at which images count as alike.
ALIKE = 0.05
# Two alignments that end this close to each other over the whole field are one.
SAME_ALIGNMENT_PX = 3.0


@dataclass(frozen=True)
class Together:
    """An alignment of the brightfield images, and what agrees with it.

    Attributes
    ----------
    brightfield, nanocrystals
        Both with the `chance_alignments` of all together; the latter failed where it matches none.
    by
        What decided beside the alignment, in words.
    """

    brightfield: Registration
    nanocrystals: Registration
    by: str

    @property
    def matrix(self) -> FloatArray:
        """The transform of the nanocrystals, or that of brightfield where they match nothing."""
        best = self.nanocrystals if self.nanocrystals.status == "ok" else self.brightfield
        return best.matrix


def joint_level(product: float, largest: float, beside: int = 1) -> float:
    """Return the expected number of chance alignments with a product as small.

    Parameters
    ----------
    product
        Level of the microspheres' alignment times the probabilities of what is seen near it.
    largest
        Level up to which alignments of the microspheres are used.
    beside
        Number of probabilities in the product.
    """
    if product >= largest:
        return largest
    if product <= 0:
        return 0.0
    logarithm = float(np.log(largest / product))
    return product * sum(logarithm**k / factorial(k) for k in range(beside + 1))


def decide_together(
    candidates: Sequence[Registration],
    nanocrystals_pre: FloatArray,
    nanocrystals_post: FloatArray,
    *,
    by_rank: bool,
    max_chance_alignments: float,
    field_shape: tuple[int, int],
    images: Callable[[Registration], float] | None = None,
    **options: Any,
) -> Together | Registration:
    """Return the one alignment of all patterns, or a failed registration with the reason.

    Parameters
    ----------
    candidates
        Alignments of the microspheres or of the brightfield images, the best first, neither
        accepted nor refused.
    nanocrystals_pre, nanocrystals_post
        (n, 2) positions in pixels.
    by_rank
        True where the candidates' levels mean nothing (a lattice, a mirror image): then the level
        of a candidate is its rank, and the other patterns decide.
    max_chance_alignments
        Largest level of all together that is accepted.
    field_shape
        Rows and columns of the field.
    images
        Returns the probability that the images as wholes look alike by chance under a candidate.
        Called where the points alone leave fewer than one.
    options
        Of `from_start.refine_on_points`.
    """
    if not candidates:
        return failed("there is no alignment to start from")
    levels = [
        float(rank) if by_rank else one.chance_alignments for rank, one in enumerate(candidates, 1)
    ]
    largest = max(1.0, *levels)
    found: list[tuple[float, Together]] = []
    for level, one in zip(levels, candidates, strict=True):
        near = refine_on_points(
            one.matrix,
            nanocrystals_pre,
            nanocrystals_post,
            max_chance_alignments=1.0,
            field_shape=field_shape,
            **options,
        )
        product, by, weighed = level, [], False
        if near.status == "ok":
            before, after = nanocrystals_pre[near.pairs[:, 0]], nanocrystals_post[near.pairs[:, 1]]
            if np.median(np.hypot(*(after - before).T)) < IDENTITY_PX:
                continue
            product *= -float(np.expm1(-near.chance_alignments))
            by, weighed = [NANOCRYSTALS], True
        if images is not None and product < 1:
            alike = images(one)
            product *= alike
            by, weighed = [IMAGES, *by] if alike < ALIKE else by, True
        if weighed:
            chance = joint_level(product, largest, 1 if images is None else 2)
            found.append((chance, Together(one, near, " and ".join(by))))
    if not found:
        return failed("the nanocrystals match near no alignment of brightfield")
    chance, best = min(found, key=lambda entry: entry[0])
    if chance > max_chance_alignments or not best.by:
        return failed("the patterns together are not clearly better than chance", chance)
    rivals = [other for level, other in found if level <= max_chance_alignments]
    if any(_differ(best.matrix, other.matrix, field_shape) for other in rivals):
        return failed("the patterns together fit in more than one way", chance)
    return Together(
        replace(
            best.brightfield, chance_alignments=chance, reason=f"decided together with {best.by}"
        ),
        replace(best.nanocrystals, chance_alignments=chance),
        best.by,
    )


def _differ(one: FloatArray, other: FloatArray, shape: tuple[int, int]) -> bool:
    """Return whether two transforms give a corner of the field places that are far apart."""
    rows, columns = shape
    corners = np.array([[0, 0], [columns - 1, 0], [0, rows - 1], [columns - 1, rows - 1]], float)
    apart = np.hypot(*(apply_matrix(one, corners) - apply_matrix(other, corners)).T)
    return bool(apart.max() > SAME_ALIGNMENT_PX)
