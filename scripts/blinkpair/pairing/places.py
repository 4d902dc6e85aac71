"""The same nanocrystals in both epochs: the union of both catalogues, with a place in both.

A nanocrystal that is dark in one epoch has a place there as well: only so can 'dark before,
emissive after' be measured.

Input: the nanocrystals detected before and after, the transform between them. Output: one row for
every nanocrystal detected in either epoch, with its positions, and the reason if it is excluded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from blinkpair.arrays import BoolArray, FloatArray, IntArray
from blinkpair.epochs import EPOCHS
from blinkpair.pairing.matching import expected_chance_pairs, match_points
from blinkpair.pairing.moved import find_moved
from blinkpair.photometry.apertures import aperture_is_clear, aperture_stays_inside
from blinkpair.registration.result import Registration

# A measurement that is off by this, half the usual aperture, would miss the nanocrystal.
MAX_PLACE_ERROR_PX = 1.5
# Nanocrystals that moved on the glass by more than this, the root mean square beyond the errors of
# their positions, are no longer at the places where those of one epoch are measured.
MAX_MOTION_ON_GLASS_PX = 0.5
# What is seen in both movies within this distance, although the sample moved by more than that, is
# a pixel of the camera.
SAME_PLACE_PX, MIN_MOTION_PX = 0.5, 2.0


@dataclass(frozen=True)
class PairingSettings:
    """The settings of the configuration that `pair_nanocrystals` uses, with their defaults.

    Attributes
    ----------
    tolerance_px : float
        Largest distance of a pair whose positions are exactly known; three standard errors are
        added to it, up to `min_separation_px`. Where nanocrystals moved on the glass the scatter of
        the pairs that gave the transform is such an error.
    min_separation_px : float
        Nanocrystals closer than this share counts and are excluded.
    aperture_px : float
        Width of the aperture.
    """

    tolerance_px: float = 1.5
    min_separation_px: float = 4.0
    aperture_px: float = 3.0


@dataclass(frozen=True)
class Pairing:
    """Result of `pair_nanocrystals`.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a nanocrystal: nc_id, x_pre, y_pre, x_post, y_post, detected_pre, detected_post,
        pre_index, post_index (row in the catalogue, -1 if not detected), pair_distance_px,
        registration_error_px (expected error of the transform there), neighbour_distance_px,
        analysed, excluded_because.
    expected_chance_pairs : float
        Number of pairs between unrelated catalogues of this density.
    moved_remark : str
        The remark where single nanocrystals moved on the glass (`find_moved`).
    """

    table: pd.DataFrame
    expected_chance_pairs: float
    moved_remark: str = ""

    def summary(self) -> dict[str, float]:
        """Return the number of pairs, and the number expected by chance."""
        paired = self.table["detected_pre"] & self.table["detected_post"]
        return {
            "n_pairs": int(paired.sum()),
            "expected_chance_pairs": self.expected_chance_pairs,
        }


def pair_nanocrystals(
    pre: pd.DataFrame,
    post: pd.DataFrame,
    registration: Registration,
    *,
    drift_pre: FloatArray,
    drift_post: FloatArray,
    shape: tuple[int, int],
    settings: PairingSettings = PairingSettings(),
    hot_pixels: tuple[ArrayLike, ArrayLike] = ((), ()),
) -> Pairing:
    """Return one table of the nanocrystals of two catalogues, with a place in both epochs.

    Parameters
    ----------
    pre, post : pandas.DataFrame
        Columns x, y, error_px, wide (`nanocrystals.find_nanocrystals`).
    registration : Registration
        From pre-PL to post-PL pixels, status 'ok'.
    drift_pre, drift_post : (frames, 2) float
    shape : tuple of int
        Rows and columns of the sensor.
    settings : PairingSettings
    hot_pixels : two (n, 2)
        Column and row of the pixels of either movie whose apertures are excluded, in both: the
        camera is the same.
    """
    pre_xy = pre[["x", "y"]].to_numpy(float)
    post_xy = post[["x", "y"]].to_numpy(float)
    mapped = registration.to_post(pre_xy)
    own = pre["error_px"].fillna(0).clip(upper=1).to_numpy(float)
    spread = 3 * np.hypot(
        registration.place_error(pre_xy), np.maximum(own, registration.match_scatter_px)
    )
    tolerance_px, separation_px = settings.tolerance_px, settings.min_separation_px
    tolerance = np.minimum(tolerance_px + spread, max(separation_px, tolerance_px))
    pairs = match_points(mapped, post_xy, tolerance)
    table = _union(pre_xy, post_xy, pairs, mapped, registration)
    table["neighbour_distance_px"] = _nearest(table)
    fixed = _at_the_same_pixel(pre_xy, post_xy, mapped, pairs)
    pixels = [np.asarray(known, float).reshape(-1, 2) for known in hot_pixels]
    table["excluded_because"] = _exclusions(
        table,
        drift_pre,
        drift_post,
        shape,
        settings,
        np.unique(np.vstack([*pixels, np.rint(fixed)]), axis=0),
        wide=_is_wide(pre, table["pre_index"]) | _is_wide(post, table["post_index"]),
        refined=bool(len(registration.pairs)),
    )
    moved = find_moved(table)
    table.loc[moved.rows & (table["excluded_because"] == ""), "excluded_because"] = "moved"
    table["analysed"] = table["excluded_because"] == ""
    return Pairing(
        table,
        expected_chance_pairs(
            mapped, post_xy, tolerance, displacement_px=max(4 * tolerance_px, 2 * separation_px)
        ),
        moved.remark,
    )


def _union(
    pre_xy: FloatArray,
    post_xy: FloatArray,
    pairs: IntArray,
    mapped: FloatArray,
    registration: Registration,
) -> pd.DataFrame:
    """Return the detections of both epochs with a place in both, one row a nanocrystal.

    `pairs` are rows of `pre_xy` and `post_xy`, `mapped` the places after of `pre_xy`.
    """
    only_pre = np.setdiff1d(np.arange(len(pre_xy)), pairs[:, 0])
    only_post = np.setdiff1d(np.arange(len(post_xy)), pairs[:, 1])
    back = registration.to_pre(post_xy[only_post])
    index_pre = np.concatenate([pairs[:, 0], only_pre, np.full(len(only_post), -1)])
    index_post = np.concatenate([pairs[:, 1], np.full(len(only_pre), -1), only_post])
    place_pre = np.vstack([pre_xy[pairs[:, 0]], pre_xy[only_pre], back])
    place_post = np.vstack([post_xy[pairs[:, 1]], mapped[only_pre], post_xy[only_post]])
    distance = np.full(len(index_pre), np.nan)
    distance[: len(pairs)] = np.hypot(*(mapped[pairs[:, 0]] - post_xy[pairs[:, 1]]).T)
    table = pd.DataFrame(
        {
            "x_pre": place_pre[:, 0],
            "y_pre": place_pre[:, 1],
            "x_post": place_post[:, 0],
            "y_post": place_post[:, 1],
            "detected_pre": index_pre >= 0,
            "detected_post": index_post >= 0,
            "pre_index": index_pre,
            "post_index": index_post,
            "pair_distance_px": distance,
            "registration_error_px": registration.place_error(place_pre),
        }
    )
    table = table.sort_values(["y_pre", "x_pre"], ignore_index=True)
    table.insert(0, "nc_id", np.arange(1, len(table) + 1))
    return table


def motion_remarks(pre: pd.DataFrame, post: pd.DataFrame, registration: Registration) -> list[str]:
    """Return what a user has to know where nanocrystals moved against each other.

    `pre` and `post` are the catalogues of which `registration.pairs` are rows.
    """
    errors = [
        epoch["error_px"].to_numpy(float)[rows]
        for epoch, rows in zip((pre, post), registration.pairs.T, strict=True)
    ]
    expected2 = 2 * np.nanmean(np.square(errors).sum(axis=0)) if len(registration.pairs) else 0.0
    motion2 = registration.match_scatter_px**2 - expected2
    if motion2 <= MAX_MOTION_ON_GLASS_PX**2:
        return []
    return [
        f"the nanocrystals moved against each other by {np.sqrt(motion2):.1f} px (root mean "
        "square) between the epochs: those seen in one epoch only are measured up to as far from "
        "their place in the other"
    ]


def _at_the_same_pixel(
    pre: FloatArray, post: FloatArray, mapped: FloatArray, pairs: IntArray
) -> FloatArray:
    """Return those positions before annealing at which the camera shows something afterwards, too.

    The sample moved there, from `pre` to `mapped`, and what did not is the camera's, unless one of
    the two is also seen where the sample took it (`pairs`). Of randomly placed nanocrystals, 200 in
    512 x 512 pixels, one in 1,700 has another one there by chance.
    """
    from scipy.spatial import cKDTree

    if len(pre) == 0 or len(post) == 0:
        return np.empty((0, 2))
    distance, other = cKDTree(post).query(pre)
    stays = (distance < SAME_PLACE_PX) & (np.hypot(*(mapped - pre).T) > MIN_MOTION_PX)
    moved = np.isin(np.arange(len(pre)), pairs[:, 0]) | np.isin(other, pairs[:, 1])
    return pre[stays & ~moved]


def _is_wide(catalogue: pd.DataFrame, index: pd.Series) -> BoolArray:
    """Return which rows have a wide spot of the catalogue; -1 has none."""
    return np.asarray(np.append(catalogue["wide"].to_numpy(bool), False)[index.to_numpy()])


def _nearest(table: pd.DataFrame) -> FloatArray:
    """Return the distance of each nanocrystal to the nearest other one, over both epochs."""
    from scipy.spatial import cKDTree

    if len(table) < 2:
        return np.full(len(table), np.inf)
    distances = []
    for epoch in EPOCHS:
        xy = table[[f"x_{epoch}", f"y_{epoch}"]].to_numpy()
        distances.append(cKDTree(xy).query(xy, k=2)[0][:, 1])
    return np.minimum(*distances)


def _exclusions(
    table: pd.DataFrame,
    drift_pre: FloatArray,
    drift_post: FloatArray,
    shape: tuple[int, int],
    settings: PairingSettings,
    pixels: FloatArray,
    *,
    wide: BoolArray,
    refined: bool,
) -> NDArray[np.object_]:
    """Return for each nanocrystal why it is excluded, '' if it is not; the last reason remains.

    The places of a pair are certain however uncertain the transform is there, unless the
    transform was not refined on nanocrystals: then the pair itself may be chance.
    """
    reason = np.full(len(table), "", object)
    height, width = shape
    uncertain = (table["registration_error_px"] > MAX_PLACE_ERROR_PX).to_numpy()
    aperture_px = settings.aperture_px
    paired = (table["detected_pre"] & table["detected_post"]).to_numpy() & refined
    reason[uncertain & ~paired] = "registration_uncertain"
    places = [table[[f"x_{epoch}", f"y_{epoch}"]].to_numpy() for epoch in EPOCHS]
    for xy, drift in zip(places, (drift_pre, drift_post), strict=True):
        reason[~aperture_is_clear(xy, drift, pixels, aperture_px=aperture_px)] = "hot_pixel"
    reason[wide] = "wide"
    reason[(table["neighbour_distance_px"] < settings.min_separation_px).to_numpy()] = "crowded"
    for xy, drift in zip(places, (drift_pre, drift_post), strict=True):
        reason[~aperture_stays_inside(xy, drift, shape, aperture_px=aperture_px)] = "edge"
    for xy in places:
        in_view = (xy >= -0.5).all(axis=1) & (xy[:, 0] < width - 0.5) & (xy[:, 1] < height - 0.5)
        reason[~in_view] = "outside"
    return reason


def no_nanocrystals() -> Pairing:
    """Return the pairing of a refused field: the same columns, no rows."""
    kinds = {
        "nc_id": int,
        "x_pre": float,
        "y_pre": float,
        "x_post": float,
        "y_post": float,
        "detected_pre": bool,
        "detected_post": bool,
        "pre_index": int,
        "post_index": int,
        "pair_distance_px": float,
        "registration_error_px": float,
        "neighbour_distance_px": float,
        "excluded_because": str,
        "analysed": bool,
    }
    table = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
    return Pairing(table, 0.0)
