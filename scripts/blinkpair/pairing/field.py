"""Register one field and pair its nanocrystals, or refuse the field with the reason.

Input: what was found in the images and movies of both epochs. Output: the content of
`registration.json` and the table of places.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
from numpy.typing import ArrayLike, NDArray

from blinkpair.arrays import FloatArray
from blinkpair.brightfield.microspheres import find_microspheres, no_microspheres
from blinkpair.brightfield.seen import common_offset_px, image_diameter_px, size_remark
from blinkpair.epochs import EPOCHS
from blinkpair.errors import InputError
from blinkpair.nanocrystals import catalogues
from blinkpair.pairing.checks import FILES, PAIRED, REGISTERED, Found, refuse
from blinkpair.pairing.places import (
    Pairing,
    PairingSettings,
    motion_remarks,
    no_nanocrystals,
    pair_nanocrystals,
)
from blinkpair.pairing.unlit import unlit_remark
from blinkpair.photometry.apertures import light_change
from blinkpair.registration.fields import RegistrationSettings, register_field
from blinkpair.registration.landmarks import read_landmarks
from blinkpair.registration.nanocrystal_pattern import NanocrystalDetails
from blinkpair.registration.result import describe, describe_failed, from_description

if TYPE_CHECKING:
    from blinkpair.movie.movie import Movie
    from blinkpair.registration.images.decision import ImageRegistration


class EpochTables(NamedTuple):
    """What was found in one epoch of a field.

    Attributes
    ----------
    microspheres, nanocrystals : DataFrame
        Positions, pixels.
    microspheres_info, nanocrystals_info : mapping
        `status` of the image and of the movie, with the `reason` where it could not be used.
    drift : DataFrame
        From `catalogues.drift_table`.
    """

    microspheres: pd.DataFrame
    microspheres_info: Mapping[str, Any]
    nanocrystals: pd.DataFrame
    nanocrystals_info: Mapping[str, Any]
    drift: pd.DataFrame


def microspheres_of(
    read: Callable[[str], tuple[NDArray[Any], Movie]], path: str, diameter_px: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the microspheres of an image, and its `status` with the `reason` if it is unusable.

    `read` is `movie.read_image`, or one that remembers what it read; `diameter_px` is the expected
    diameter.
    """
    outcome: dict[str, Any] = {"status": "ok", "reason": "", "diameter_px": None}
    found = no_microspheres()
    try:
        pixels, header = read(path)
        outcome |= {"shape": pixels.shape, "notes": header.notes}
        found = find_microspheres(pixels, diameter_px)
        seen_px = image_diameter_px(pixels, found[["x", "y"]].to_numpy(), diameter_px)
        outcome["diameter_px"] = seen_px
    except InputError as error:
        outcome |= {"status": "failed", "reason": str(error)}
    return found, outcome | {"n_microspheres": len(found)}


def register_and_pair(
    pre: EpochTables,
    post: EpochTables,
    *,
    brightfields: Callable[[], tuple[FloatArray, FloatArray]],
    diameter_px: float,
    landmarks: str,
    registration: RegistrationSettings,
    pairing: PairingSettings,
) -> tuple[dict[str, Any], Pairing]:
    """Return the content of `registration.json` of a field, and its paired nanocrystals.

    `brightfields` reads both images, (rows, columns); it is called only where the microspheres,
    `diameter_px` across, do not decide, or loosely. `landmarks` is the user's file of common
    points, or ''. A refused field has the `status` 'failed', its `reason` and no nanocrystals.
    """
    try:
        by_images = partial(_by_images, brightfields, diameter_px, registration)
        return _register_and_pair(
            pre, post, by_images, diameter_px, landmarks, registration, pairing
        )
    except InputError as error:
        return describe_failed(str(error)), no_nanocrystals()


def _by_images(
    brightfields: Callable[[], tuple[FloatArray, FloatArray]],
    diameter_px: float,
    settings: RegistrationSettings,
) -> ImageRegistration:
    # Here: what it imports takes 0.3 s to load, and few fields need it.
    from blinkpair.registration.images.images import register_images
    from blinkpair.registration.images.mismatch import explained

    def register(pre: ArrayLike, post: ArrayLike, diameter_px: float) -> ImageRegistration:
        return register_images(
            pre,
            post,
            diameter_px=diameter_px,
            model=settings.model,
            max_chance_alignments=settings.max_chance_alignments,
        )

    images = brightfields()
    return explained(register(*images, diameter_px), register, *images, diameter_px)


def _register_and_pair(
    pre: EpochTables,
    post: EpochTables,
    by_images: Callable[[], ImageRegistration],
    diameter_px: float,
    landmarks: str,
    registration: RegistrationSettings,
    pairing: PairingSettings,
) -> tuple[dict[str, Any], Pairing]:
    movies = (pre.nanocrystals_info, post.nanocrystals_info)
    found = Found(movies, (pre.microspheres_info, post.microspheres_info))
    refuse(FILES, found)
    content = _register(pre, post, by_images, diameter_px, landmarks, registration)
    if content["status"] != "ok":
        return content, no_nanocrystals()
    for epoch, tables in zip(EPOCHS, (pre, post), strict=True):
        content[f"n_rarely_on_{epoch}"] = tables.nanocrystals_info.get("n_rarely_on", 0)
        content[f"light_change_{epoch}"] = light_change(
            tables.drift["psf_sigma_px"].to_numpy(float), aperture_px=pairing.aperture_px
        )
    refuse(REGISTERED, found)
    # The epochs may differ by a few frames.
    drift_pre, drift_post = (
        catalogues.read_drift(tables.drift).per_frame(movie["shape"][0])
        for tables, movie in zip((pre, post), movies, strict=True)
    )
    final = from_description(content)
    moved = motion_remarks(pre.nanocrystals, post.nanocrystals, final)
    content["reason"] = "; ".join(filter(None, (content["reason"], *moved)))
    _, height, width = movies[0]["shape"]
    paired = pair_nanocrystals(
        pre.nanocrystals,
        post.nanocrystals,
        final,
        drift_pre=drift_pre,
        drift_post=drift_post,
        shape=(height, width),
        hot_pixels=(movies[0]["hot_pixels"], movies[1]["hot_pixels"]),
        settings=pairing,
    )
    refuse(PAIRED, replace(found, pairing=paired))
    remarks = (content["reason"], paired.moved_remark, unlit_remark(paired.table))
    content["reason"] = "; ".join(filter(None, remarks))
    return content, paired


def _register(
    pre: EpochTables,
    post: EpochTables,
    by_images: Callable[[], ImageRegistration],
    diameter_px: float,
    landmarks: str,
    settings: RegistrationSettings,
) -> dict[str, Any]:
    """Return the registration as the content of `registration.json`, with all remarks."""
    movies = (pre.nanocrystals_info, post.nanocrystals_info)
    found_pre = catalogues.positions(pre.nanocrystals)
    _, height, width = movies[0]["shape"]
    result = register_field(
        catalogues.positions(pre.microspheres),
        catalogues.positions(post.microspheres),
        found_pre,
        catalogues.positions(post.nanocrystals),
        shape=(height, width),
        by_images=by_images,
        landmarks=read_landmarks(landmarks) if landmarks else None,
        details=NanocrystalDetails(
            errors_px=catalogues.errors_px(pre.nanocrystals, post.nanocrystals),
            counts=(
                pre.nanocrystals["counts"].to_numpy(float),
                post.nanocrystals["counts"].to_numpy(float),
            ),
            start_error_px=catalogues.start_error_px(movies),
            camera_reach_px=sum(movie["drift_max_px"] for movie in movies),
        ),
        light_offset_px=sum(common_offset_px(e.microspheres, diameter_px) for e in (pre, post)),
        settings=settings,
    )
    seen_px = (pre.microspheres_info["diameter_px"], post.microspheres_info["diameter_px"])
    content = describe(
        result,
        nanocrystals_pre=found_pre,
        n_microspheres=(len(pre.microspheres), len(post.microspheres)),
        microsphere_diameters_px=seen_px,
        shape=(height, width),
    )
    remarks = dict.fromkeys(size_remark(one, diameter_px) for one in seen_px)
    odd = [
        f"{epoch} movie: {remark}"
        for epoch, movie in zip(EPOCHS, movies, strict=True)
        for remark in movie.get("remarks", ())
    ]
    content["reason"] = "; ".join(filter(None, (content["reason"], *remarks, *odd)))
    return content
