"""One simulated field through the whole library, without Snakemake and files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from blinkpair.arrays import FloatArray
from blinkpair.blinking.field import BlinkingSettings, analyse_nanocrystals
from blinkpair.brightfield.microspheres import find_microspheres
from blinkpair.brightfield.seen import common_offset_px
from blinkpair.epochs import EPOCHS
from blinkpair.inputs.settings import load_settings
from blinkpair.movie.movie import from_array
from blinkpair.nanocrystals.catalogues import drift_table, positions, read_focus
from blinkpair.nanocrystals.finding import Catalogue, find_nanocrystals
from blinkpair.nanocrystals.projections import project
from blinkpair.pairing.places import pair_nanocrystals
from blinkpair.photometry.apertures import OUT_OF_VIEW, light_course
from blinkpair.photometry.counts import measure
from blinkpair.registration.fields import register_field
from blinkpair.registration.images.images import register_images
from blinkpair.registration.nanocrystal_pattern import NanocrystalDetails
from blinkpair.registration.result import FieldRegistration
from blinkpair.simulate import SimulatedField


@dataclass
class Registered:
    """A field up to its registration."""

    registration: FieldRegistration
    microspheres: list[pd.DataFrame]
    catalogues: dict[str, Catalogue]
    movies: dict[str, np.ndarray]


@dataclass
class Analysed:
    """What came out of a field, and the movies it came from."""

    registration: FieldRegistration
    catalogues: dict[str, Catalogue]
    table: pd.DataFrame
    movies: dict[str, np.ndarray]
    without_focus: pd.DataFrame | None = None  # the same table of counts as they were read


def register(field: SimulatedField) -> Registered:
    """Register a simulated field with the default settings."""
    settings = load_settings({})
    design = field.design
    movies = {epoch: np.concatenate(list(field.film(epoch))) for epoch in EPOCHS}
    catalogues = {
        epoch: find_nanocrystals(
            project(from_array(movies[epoch])),
            psf_sigma_px=settings["nanocrystals"]["psf_sigma_px"],
        )
        for epoch in EPOCHS
    }
    diameter_px = settings["microspheres"]["diameter_um"] / design.camera.pixel_size_um
    microspheres = [
        find_microspheres(image, diameter_px)
        for image in (field.brightfield_pre, field.brightfield_post)
    ]
    registration = register_field(
        *(positions(table) for table in microspheres),
        *(positions(catalogues[epoch].table) for epoch in EPOCHS),
        shape=design.camera.shape,
        by_images=lambda: register_images(
            field.brightfield_pre, field.brightfield_post, diameter_px=diameter_px
        ),
        details=NanocrystalDetails(
            errors_px=tuple(catalogues[e].table["error_px"].to_numpy() for e in EPOCHS),
            counts=tuple(catalogues[e].table["counts"].to_numpy() for e in EPOCHS),
            start_error_px=float(np.hypot(*(catalogues[e].drift.start_error_px for e in EPOCHS))),
            camera_reach_px=sum(float(np.hypot(*catalogues[e].drift.xy.T).max()) for e in EPOCHS),
        ),
        light_offset_px=sum(common_offset_px(table, diameter_px) for table in microspheres),
    )
    return Registered(registration, microspheres, catalogues, movies)


def light_in(catalogue: Catalogue, frames: int) -> FloatArray:
    """Return the relative share of the light in the aperture in each frame."""
    return light_course(read_focus(drift_table(catalogue), frames), aperture_px=3)


def analyse(field: SimulatedField, *, without_focus: bool = False) -> Analysed:
    """Analyse a simulated field with the default settings.

    With `without_focus` the first table follows the focus in the paper's recipe, too, and the
    second in none.
    """
    settings = load_settings({})
    settings["threshold"]["fixed_follows_focus"] = without_focus
    design = field.design
    frames, shape = design.frames, design.camera.shape
    begun = register(field)
    registration, catalogues, movies = begun.registration, begun.catalogues, begun.movies
    if registration.final.status != "ok":
        return Analysed(registration, catalogues, pd.DataFrame(), movies)
    drifts = {epoch: catalogues[epoch].drift.per_frame(frames) for epoch in EPOCHS}
    places = pair_nanocrystals(
        catalogues["pre"].table,
        catalogues["post"].table,
        registration.final,
        drift_pre=drifts["pre"],
        drift_post=drifts["post"],
        shape=shape,
        hot_pixels=(catalogues["pre"].hot_pixels, catalogues["post"].hot_pixels),
    ).table
    inside = places[~places["excluded_because"].isin(OUT_OF_VIEW)]
    measured = {
        epoch: measure(
            from_array(movies[epoch]),
            inside[[f"x_{epoch}", f"y_{epoch}"]].to_numpy(),
            drifts[epoch],
            neighbours_xy=places[[f"x_{epoch}", f"y_{epoch}"]].to_numpy(),
            empty=True,
        )
        for epoch in EPOCHS
    }
    light = {epoch: light_in(catalogues[epoch], frames) for epoch in EPOCHS}
    tables = [
        analyse_nanocrystals(
            places,
            inside["nc_id"].to_numpy(),
            {epoch: measured[epoch].counts for epoch in EPOCHS},
            {epoch: measured[epoch].empty for epoch in EPOCHS},
            exposure_s=design.camera.exposure_s,
            settings=BlinkingSettings.of(settings),
            light=share,
        ).table
        for share in ([light, None] if without_focus else [light])
    ]
    return Analysed(registration, catalogues, tables[0], movies, *tables[1:])
