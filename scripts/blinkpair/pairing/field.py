"""Register one field and pair its nanocrystals, or refuse it with the reason.

Input: what was found in the images and movies of both epochs. Output: the content of
`registration.json` and the table of places.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from blinkpair.errors import InputError
from blinkpair.nanocrystals import catalogues
from blinkpair.pairing.checks import check_files, check_found, check_movies, check_pairing
from blinkpair.pairing.places import Pairing, no_nanocrystals, pair_nanocrystals
from blinkpair.registration.fields import register_field
from blinkpair.registration.landmarks import read_landmarks
from blinkpair.registration.result import describe, describe_failed, from_description


class EpochTables(NamedTuple):
    """Tables of one epoch of a field, with what is known of the image and the movie behind them.

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


def register_and_pair(
    pre: EpochTables,
    post: EpochTables,
    *,
    landmarks: str,
    registration: Mapping[str, Any],
    pairing: Mapping[str, float],
) -> tuple[dict[str, Any], Pairing]:
    """Return the registration of a field, as written to its file, and its paired nanocrystals.

    Parameters
    ----------
    pre, post : EpochTables
    landmarks : str
        The user's file of common points; empty without one.
    registration : mapping
        Arguments of `registration.fields.register_field`.
    pairing : mapping
        Arguments of `pairing.places.pair_nanocrystals`.

    Returns
    -------
    content : dict
        Of `registration.json`; a refused field has `status` 'failed' and its `reason`.
    pairing : Pairing
        Without nanocrystals where the field is refused.
    """
    try:
        content, paired = _register_and_pair(pre, post, landmarks, registration, pairing)
    except InputError as error:
        return describe_failed(str(error)), no_nanocrystals()
    return content, paired


def _register_and_pair(
    pre: EpochTables,
    post: EpochTables,
    landmarks: str,
    registration: Mapping[str, Any],
    pairing: Mapping[str, float],
) -> tuple[dict[str, Any], Pairing]:
    epochs = (pre, post)
    movies = (pre.nanocrystals_info, post.nanocrystals_info)
    check_files(*movies, *(epoch.microspheres_info for epoch in epochs))
    check_movies(*movies)
    found_pre = catalogues.positions(pre.nanocrystals)
    frames, height, width = movies[0]["shape"]
    result = register_field(
        catalogues.positions(pre.microspheres),
        catalogues.positions(post.microspheres),
        found_pre,
        catalogues.positions(post.nanocrystals),
        shape=(height, width),
        landmarks=read_landmarks(landmarks) if landmarks else None,
        nanocrystal_errors_px=catalogues.errors_px(pre.nanocrystals, post.nanocrystals),
        start_error_px=catalogues.start_error_px(movies),
        **registration,
    )
    content = describe(
        result,
        nanocrystals_pre=found_pre,
        n_microspheres=(len(pre.microspheres), len(post.microspheres)),
        shape=(height, width),
    )
    if content["status"] != "ok":
        return content, no_nanocrystals()
    check_found(*movies)
    drift_pre, drift_post = (catalogues.read_drift(e.drift).per_frame(frames) for e in epochs)
    paired = pair_nanocrystals(
        pre.nanocrystals,
        post.nanocrystals,
        from_description(content),
        drift_pre=drift_pre,
        drift_post=drift_post,
        shape=(height, width),
        hot_pixels=(movies[0]["hot_pixels"], movies[1]["hot_pixels"]),
        **pairing,
    )
    check_pairing(paired)
    return content, paired
