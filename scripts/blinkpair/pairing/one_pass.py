"""Measure long movies while they are searched, so that their frames are read once.

Where counts have to be taken depends on the nanocrystals of both epochs and the transform between
them. A part of the frames shows nearly all of them: these are registered and paired first. Then one
pass over all frames takes the counts there and the projections, in which the final nanocrystals
are found.

Input: the movies of a field, its brightfield images. Output: places; projections and counts.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from blinkpair.arrays import FloatArray
from blinkpair.cores import usable_cores
from blinkpair.errors import InputError
from blinkpair.movie.reader import open_movie, read_image
from blinkpair.nanocrystals import catalogues
from blinkpair.nanocrystals.finding import Catalogue, find_nanocrystals
from blinkpair.nanocrystals.projections import (
    BURST_FRAMES,
    BURSTS_A_READ,
    Projections,
    Projector,
    bursts_of,
    project,
    without_odd_frames,
)
from blinkpair.nanocrystals.sampling import bursts_apart
from blinkpair.nanocrystals.stage_jumps import time_jumps
from blinkpair.pairing.field import EpochTables, microspheres_of, register_and_pair
from blinkpair.pairing.places import PairingSettings
from blinkpair.photometry.apertures import moved_inside
from blinkpair.photometry.counts import Measurement, PhotometrySettings
from blinkpair.photometry.first_counts import NEAR_PX, ON_NOISES, RARELY_ON, SAME_PX, FirstCounts
from blinkpair.registration.fields import RegistrationSettings

if TYPE_CHECKING:
    from blinkpair.movie.movie import Movie


class FirstCatalogue(NamedTuple):
    """The nanocrystals that a part of a movie's frames shows.

    Attributes
    ----------
    nanocrystals, drift : DataFrame
        From `catalogues.nanocrystals_table` and `catalogues.drift_table`.
    info : dict
        `status`, `shape` of the movie, and what `catalogues.describe` returns.
    """

    nanocrystals: pd.DataFrame
    drift: pd.DataFrame
    info: dict[str, Any]


def first_catalogue(path: str, *, psf_sigma_px: float) -> FirstCatalogue | None:
    """Return the nanocrystals that a part of a movie's frames shows.

    None if the movie is unusable, or so short that it can be read twice.
    """
    try:
        with open_movie(path) as movie:
            every = bursts_apart(movie.shape)
            if every == 1:
                return None
            projections = project(movie, every=every)
            catalogue = find_nanocrystals(projections, psf_sigma_px=psf_sigma_px)
            catalogue = time_jumps(movie, catalogue)
    except InputError:
        return None
    return FirstCatalogue(
        catalogues.nanocrystals_table(catalogue),
        catalogues.drift_table(catalogue),
        {"status": "ok", "shape": movie.shape, **catalogues.describe(catalogue, projections)},
    )


@dataclass(frozen=True)
class OnePassSettings:
    """The files and settings on which the places to measure depend.

    Attributes
    ----------
    brightfields : sequence of two str
        Paths of the images of pre and post.
    diameter_px : float
        Of a microsphere.
    landmarks : str
        The user's file of common points, or ''.
    registration, pairing, photometry : mapping
        Settings.
    """

    brightfields: Sequence[str]
    diameter_px: float
    landmarks: str
    registration: dict[str, Any]
    pairing: dict[str, Any]
    photometry: dict[str, Any]


class Places(NamedTuple):
    """Where counts are taken in one movie.

    Attributes
    ----------
    xy, neighbours_xy : (n, 2) and (m, 2) float
        Places at the first frame, and those of all known nanocrystals.
    drift : DataFrame
        From `catalogues.drift_table`.
    photometry : PhotometrySettings
    """

    xy: FloatArray
    neighbours_xy: FloatArray
    drift: pd.DataFrame
    photometry: PhotometrySettings


def places_to_measure(
    first: Sequence[FirstCatalogue | None], settings: OnePassSettings
) -> tuple[Places | None, Places | None]:
    """Return the places in the movies pre and post; both None where there is nothing to measure.

    That is where a movie has no first catalogue, or the field is refused, or has no pair.
    """
    pre, post = first
    if pre is None or post is None:
        return None, None
    read = functools.cache(read_image)
    found = [microspheres_of(read, path, settings.diameter_px) for path in settings.brightfields]
    _, paired = register_and_pair(
        *(
            EpochTables(*microspheres, one.nanocrystals, one.info, one.drift)
            for microspheres, one in zip(found, (pre, post), strict=True)
        ),
        brightfields=lambda: (
            read(settings.brightfields[0])[0],
            read(settings.brightfields[1])[0],
        ),
        diameter_px=settings.diameter_px,
        landmarks=settings.landmarks,
        registration=RegistrationSettings(**settings.registration),
        pairing=PairingSettings(**settings.pairing),
    )
    if not len(paired.table):
        return None, None
    photometry = PhotometrySettings(**settings.photometry)
    return (
        _places(paired.table, "pre", pre, photometry),
        _places(paired.table, "post", post, photometry),
    )


def _places(
    table: pd.DataFrame, epoch: str, first: FirstCatalogue, photometry: PhotometrySettings
) -> Places:
    """Return the places whose aperture is on the sensor, some after a small step inwards."""
    position = [f"x_{epoch}", f"y_{epoch}"]
    xy = table[position].to_numpy(float)
    frames, *shape = first.info["shape"]
    drift = catalogues.read_drift(first.drift).per_frame(frames)
    inside = moved_inside(xy, drift, (shape[0], shape[1]), aperture_px=photometry.aperture_px)
    near = np.hypot(*(inside - xy).T) <= SAME_PX / 2
    return Places(inside[near], xy, first.drift, photometry)


def project_and_measure(movie: Movie, places: Places) -> tuple[Projections, FirstCounts]:
    """Read a movie once and return its projections and the counts at the places.

    Raises
    ------
    InputError
        If a frame holds values that are not finite.
    """
    from concurrent.futures import ThreadPoolExecutor

    frames = movie.shape[0]
    drift = catalogues.read_drift(places.drift).per_frame(frames)
    projector = Projector(movie.shape, movie.dtype)
    measurement = Measurement(
        movie,
        places.xy,
        drift,
        settings=places.photometry,
        neighbours_xy=places.neighbours_xy,
        empty=True,
    )
    with ThreadPoolExecutor(usable_cores(2)) as pool:
        start = frames
        for block in movie.blocks(BURSTS_A_READ * BURST_FRAMES, last_pass=True):
            start -= len(block)
            for burst, first in bursts_of(block, start):
                projector.add(pool, burst, first)
            measurement.add(pool, block, start)
        projections = without_odd_frames(movie, projector.result(pool, movie.name))
    counts = FirstCounts(places.xy, drift, measurement.result(), places.photometry)
    return projections, counts


def drop_unmeasured(
    catalogue: Catalogue, counts: FirstCounts, projections: Projections
) -> tuple[Catalogue, int]:
    """Return the catalogue without nanocrystals that are rarely on, and the number left out.

    A nanocrystal is dropped if it was not measured (only all frames together show it) and is on for
    less than `RARELY_ON` of the time: its mean counts are below that share of the weakest on level,
    which is `ON_NOISES` times the noise of an aperture. If one that may be on more often was not
    measured, it stays, and the movie is read again.
    """
    from scipy.spatial import KDTree

    table = catalogue.table
    if not len(table) or not len(counts.xy):
        return catalogue, 0
    noise = counts.settings.aperture_px * np.sqrt(float(np.median(projections.variance)))
    away, _ = KDTree(counts.xy).query(catalogues.positions(table))
    rare = table["counts"].to_numpy(float) < RARELY_ON * ON_NOISES * noise
    dropped = (away > NEAR_PX) & rare
    kept = table[~dropped].reset_index(drop=True)
    return replace(catalogue, table=kept), int(dropped.sum())
