"""Register one field and pair its nanocrystals, or refuse it with the reason.

Input: what was found in the images and movies of both epochs. Output: the content of
`registration.json` and the table of places.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import pandas as pd

from blinkpair.errors import InputError
from blinkpair.nanocrystals import catalogues
from blinkpair.pairing.checks import FILES, PAIRED, REGISTERED, Found, refuse
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


@dataclass(frozen=True)
class RegistrationSettings:
    """The configuration's `registration`; meanings as in `registration.points.register_points`."""

    model: str = "rigid"
    min_microspheres: int = 3
    max_chance_alignments: float = 3e-4


@dataclass(frozen=True)
class PairingSettings:
    """What `pairing.places.pair_nanocrystals` uses of the configuration."""

    tolerance_px: float = 1.5
    min_separation_px: float = 4.0
    aperture_px: float = 3.0


def register_and_pair(
    pre: EpochTables,
    post: EpochTables,
    *,
    landmarks: str = "",
    registration: RegistrationSettings = RegistrationSettings(),
    pairing: PairingSettings = PairingSettings(),
) -> tuple[dict[str, Any], Pairing]:
    """Return the registration of a field, as written to its file, and its paired nanocrystals.

    Parameters
    ----------
    pre, post : EpochTables
    landmarks : str
        The user's file of common points; empty without one.
    registration : RegistrationSettings
    pairing : PairingSettings

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
    registration: RegistrationSettings,
    pairing: PairingSettings,
) -> tuple[dict[str, Any], Pairing]:
    movies = (pre.nanocrystals_info, post.nanocrystals_info)
    found = Found(movies, (pre.microspheres_info, post.microspheres_info))
    refuse(FILES, found)
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
        model=registration.model,
        min_microspheres=registration.min_microspheres,
        max_chance_alignments=registration.max_chance_alignments,
    )
    content = describe(
        result,
        nanocrystals_pre=found_pre,
        n_microspheres=(len(pre.microspheres), len(post.microspheres)),
        shape=(height, width),
    )
    if content["status"] != "ok":
        return content, no_nanocrystals()
    refuse(REGISTERED, found)
    drift_pre, drift_post = (catalogues.read_drift(e.drift).per_frame(frames) for e in (pre, post))
    paired = pair_nanocrystals(
        pre.nanocrystals,
        post.nanocrystals,
        from_description(content),
        drift_pre=drift_pre,
        drift_post=drift_post,
        shape=(height, width),
        hot_pixels=(movies[0]["hot_pixels"], movies[1]["hot_pixels"]),
        tolerance_px=pairing.tolerance_px,
        min_separation_px=pairing.min_separation_px,
        aperture_px=pairing.aperture_px,
    )
    refuse(PAIRED, replace(found, pairing=paired))
    return content, paired
