"""Where the microspheres of a field lie before and after the re-mount, none overlapping another.

Aggregates grow by random sequential addition: one microsphere after another in touch with the
aggregate, refused where it would overlap any other.

Input: a `FieldDesign`, numbers of microspheres, the corners of the area. Output: centres in the
sample's frame before the re-mount, what the re-mount did, and who is in which aggregate.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.errors import InputError
from blinkpair.simulate.design import FieldDesign
from blinkpair.simulate.sphere_images import draw_sizes

# Free width between microspheres that are not of one aggregate, in diameters.
GAP = 0.15
# Attempts to place a microsphere somewhere, to add one to an aggregate, to move a patch.
PLACE_ATTEMPTS = 3000
GROW_ATTEMPTS = 40
MOVE_ATTEMPTS = 100
# A chain bends by this much (standard deviation) from one microsphere to the next.
BEND_RAD = 0.4
# How the re-mount moves a patch: standard deviation of each coordinate and of the angle.
MOVED_PX = 15.0
TURNED_RAD = 0.35
# Centres computed to be in touch are not refused for rounding.
ROUNDING_PX = 1e-9


class Layout(NamedTuple):
    """Microspheres, n of them over both epochs, in the frame of the sample before the re-mount."""

    xy: FloatArray  # (2, n, 2): epoch, microsphere, x and y in pixels
    present: BoolArray  # (n, 2): is on the sample in the epoch
    sizes: FloatArray  # (n, 2): diameter relative to the mean, NaN where not present
    moved: BoolArray  # (n,): by the re-mount
    aggregate: NDArray[np.int_]  # (n,): number of the aggregate before, -1 where alone


def touching(
    rng: np.random.Generator, xy: FloatArray, share: float, distance_px: float
) -> FloatArray:
    """Gather a share of the positions into touching pairs and triplets."""
    gathered = xy.copy()
    chosen = rng.permutation(len(xy))[: round(share * len(xy))]
    while len(chosen) >= 2:
        size = min(int(rng.integers(2, 4)), len(chosen))
        group, chosen = chosen[:size], chosen[size:]
        angle = rng.uniform(0, 2 * np.pi) + np.array([0.0, np.pi / 3])[: size - 1]
        gathered[group[1:]] = gathered[group[0]] + distance_px * np.column_stack(
            [np.cos(angle), np.sin(angle)]
        )
    return gathered


def lay_out(
    rng: np.random.Generator,
    design: FieldDesign,
    n: int,
    n_new: int,
    low: FloatArray,
    high: FloatArray,
) -> Layout:
    """Place n microspheres, and re-mount them: some lost, some moved, n_new new ones.

    Raises
    ------
    InputError
        If there is no room for so many without overlap.
    """
    sizes = draw_sizes(n + n_new, seed=int(rng.integers(2**32)))
    radii = 0.5 * design.microsphere_diameter_px * sizes
    pre, aggregate = _grow(rng, design, radii[:n], low, high)
    gone = _patches(rng, pre, np.arange(n), design.lost_microspheres, design.remount_patch_px)
    stays = np.ones(n, bool)
    stays[[k for patch in gone for k in patch]] = False
    post, moved = _move(rng, design, pre, radii[:n], np.flatnonzero(stays))
    gap = GAP * design.microsphere_diameter_px
    there, there_radii = post[stays], radii[:n][stays]
    for radius in radii[n:]:
        there = np.vstack([there, _free_place(rng, there, there_radii, radius + gap, low, high)])
        there_radii = np.append(there_radii, radius)
    new = there[int(stays.sum()) :]
    present = np.column_stack([np.arange(n + n_new) < n, np.append(stays, np.ones(n_new, bool))])
    return Layout(
        np.stack([np.vstack([pre, new]), np.vstack([post, new])]),
        present,
        np.where(present, sizes[:, None], np.nan),
        np.append(moved, np.zeros(n_new, bool)),
        np.append(aggregate, np.full(n_new, -1)),
    )


def _is_free(xy: FloatArray, others: FloatArray, reach: FloatArray) -> bool:
    """Whether no centre is closer than `reach`, the sum of both radii and of what is kept free."""
    return bool((np.hypot(*(others - xy).T) >= reach - ROUNDING_PX).all())


def _free_place(
    rng: np.random.Generator,
    others: FloatArray,
    other_radii: FloatArray,
    radius: float,
    low: FloatArray,
    high: FloatArray,
) -> FloatArray:
    for _ in range(PLACE_ATTEMPTS):
        place = low + rng.random(2) * (high - low)
        if _is_free(place, others, other_radii + radius):
            return np.asarray(place)
    raise InputError(
        f"no room for more than {len(others)} microspheres without overlap",
        "lower n_microspheres or microsphere_diameter_px",
    )


def _grow(
    rng: np.random.Generator,
    design: FieldDesign,
    radii: FloatArray,
    low: FloatArray,
    high: FloatArray,
) -> tuple[FloatArray, NDArray[np.int_]]:
    """Centres, the aggregates first, and the number of each one's aggregate."""
    n = len(radii)
    gap = GAP * design.microsphere_diameter_px
    xy = np.empty((n, 2))
    aggregate = np.full(n, -1)
    wanted = round(design.aggregated_share * n)
    placed = number = 0
    while wanted - placed >= 2:
        kind = rng.choice(["pair", "chain", "sheet"], p=design.aggregate_kinds)
        size = 2 if kind == "pair" else int(rng.integers(*design.aggregate_sizes, endpoint=True))
        left = wanted - placed
        size = min(size, left)
        # The last microsphere is not left alone.
        size += left - size == 1
        for _ in range(PLACE_ATTEMPTS):
            own = radii[placed : placed + size]
            start = _free_place(rng, xy[:placed], radii[:placed], own[0] + gap, low, high)
            grown = _aggregate(rng, kind, start, own, xy[:placed], radii[:placed] + gap)
            if len(grown) == size:
                break
        else:
            raise InputError(
                f"no room for {kind}s of {size} microspheres without overlap",
                "lower n_microspheres, aggregated_share or aggregate_sizes",
            )
        xy[placed : placed + size] = grown
        aggregate[placed : placed + size] = number
        placed += size
        number += 1
    for k in range(placed, n):
        xy[k] = _free_place(rng, xy[:k], radii[:k], radii[k] + gap, low, high)
    return xy, aggregate


def _aggregate(
    rng: np.random.Generator,
    kind: str,
    start: FloatArray,
    radii: FloatArray,
    others: FloatArray,
    reach: FloatArray,
) -> FloatArray:
    """Grow one aggregate from its first centre; fewer rows than radii if it runs into others."""
    xy = start[None]
    heading = rng.uniform(0, 2 * np.pi)
    for radius in radii[1:]:
        own = radii[: len(xy)]
        for attempt in range(GROW_ATTEMPTS):
            if kind == "sheet" and len(xy) > 1 and attempt < GROW_ATTEMPTS // 2:
                place = _touching_two(rng, xy, own, radius)
                if place is None:
                    continue
                turn = heading
            elif kind == "sheet":
                turn = rng.uniform(0, 2 * np.pi)
                at = int(rng.integers(len(xy)))
                place = xy[at] + (own[at] + radius) * np.array([np.cos(turn), np.sin(turn)])
            else:
                turn = heading + rng.normal(0, BEND_RAD)
                place = xy[-1] + (own[-1] + radius) * np.array([np.cos(turn), np.sin(turn)])
            if _is_free(place, xy, own + radius) and _is_free(place, others, reach + radius):
                xy, heading = np.vstack([xy, place]), turn
                break
        else:
            break
    return xy


def _touching_two(
    rng: np.random.Generator, xy: FloatArray, radii: FloatArray, radius: float
) -> FloatArray | None:
    """Centre of a sphere in touch with a random one and its nearest reachable neighbour."""
    first = int(rng.integers(len(xy)))
    distance = np.hypot(*(xy - xy[first]).T)
    near = np.flatnonzero((distance > 0) & (distance < radii + radii[first] + 2 * radius))
    if len(near) == 0:
        return None
    second = int(rng.choice(near))
    a, b, c = radii[first] + radius, radii[second] + radius, float(distance[second])
    along = (xy[second] - xy[first]) / c
    part = (a**2 - b**2 + c**2) / (2 * c)
    height = np.sqrt(max(a**2 - part**2, 0.0)) * rng.choice([-1.0, 1.0])
    return np.asarray(xy[first] + part * along + height * np.array([-along[1], along[0]]))


def _patches(
    rng: np.random.Generator,
    xy: FloatArray,
    candidates: NDArray[np.int_],
    share: float,
    patch_px: float,
) -> list[NDArray[np.int_]]:
    """Choose this share of all microspheres, those within `patch_px` of a random one together."""
    wanted = round(share * len(xy))
    patches = []
    while wanted > 0 and len(candidates):
        distance = np.hypot(*(xy[candidates] - xy[rng.choice(candidates)]).T)
        nearest_first = candidates[np.argsort(distance, kind="stable")]
        patch = nearest_first[: max(1, int((distance <= patch_px).sum()))][:wanted]
        patches.append(patch)
        candidates = np.setdiff1d(candidates, patch)
        wanted -= len(patch)
    return patches


def _move(
    rng: np.random.Generator,
    design: FieldDesign,
    pre: FloatArray,
    radii: FloatArray,
    staying: NDArray[np.int_],
) -> tuple[FloatArray, BoolArray]:
    """Centres after the re-mount, each patch moved as one piece to where it overlaps nothing."""
    post = pre.copy()
    moved = np.zeros(len(pre), bool)
    share = design.moved_microspheres
    for patch in _patches(rng, pre, staying, share, design.remount_patch_px):
        rest = np.setdiff1d(staying, patch)
        middle = pre[patch].mean(axis=0)
        for _ in range(MOVE_ATTEMPTS):
            angle = rng.normal(0, TURNED_RAD)
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            there = (pre[patch] - middle) @ turn.T + middle + rng.normal(0, MOVED_PX, 2)
            if all(
                _is_free(place, post[rest], radii[rest] + radius)
                for place, radius in zip(there, radii[patch], strict=True)
            ):
                post[patch], moved[patch] = there, True
                break
    return post, moved
