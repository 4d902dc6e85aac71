"""The grounds for refusing a field, in the order in which they act.

Each would give a row of numbers that looks like any other and means something else. Those with a
check are decided here; the others by the module that is named, when it reads an image or a movie or
searches for the transform. Input: what was found in both epochs, and the pairing. Output: nothing,
or the error that becomes the field's reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from blinkpair.brightfield.limits import MIN_DIAMETER_PX
from blinkpair.errors import InputError
from blinkpair.nanocrystals.frame_quality import (
    MAX_CONSTANT_SHARE,
    MAX_ODD_SHARE,
    MAX_SATURATED_SHARE,
)
from blinkpair.pairing.places import MAX_PLACE_ERROR_PX, Pairing, no_nanocrystals
from blinkpair.registration.acceptance import IDENTITY_PX

# Of randomly scattered nanocrystals a third has a neighbour within 4 px at 0.008 a pixel, 2,100 in
# a field of 512 x 512. One in ten has one within 2 px there, and both are found as one.
MAX_CROWDED_SHARE = 1 / 3
FEW_CROWDED = 10  # fewer can be so many by chance
# Of nanocrystals with an uncertain place only those found in both epochs could be counted: exactly
# those that annealing changed would be missing.
MAX_UNCERTAIN_SHARE, FEW_UNCERTAIN = 0.1, 2


@dataclass(frozen=True)
class Found:
    """What is known of a field when a check acts.

    Attributes
    ----------
    movies, images : two mappings
        Before and after: `status`, `reason` and, of a movie, what `catalogues.describe` returns.
    pairing : Pairing
        Empty before the nanocrystals are paired.
    """

    movies: tuple[Mapping[str, Any], Mapping[str, Any]]
    images: tuple[Mapping[str, Any], Mapping[str, Any]]
    pairing: Pairing = field(default_factory=no_nanocrystals)

    def count(self, *reasons: str) -> int:
        """Return the number of nanocrystals excluded for these reasons."""
        return int(self.pairing.table["excluded_because"].isin(reasons).sum())

    @property
    def in_view(self) -> int:
        """Number of nanocrystals whose aperture the sensor shows in both epochs."""
        return len(self.pairing.table) - self.count("outside", "edge")


def _unusable(found: Found) -> InputError | None:
    reasons = [i["reason"] for i in (*found.movies, *found.images) if i["status"] != "ok"]
    return InputError("; ".join(reasons)) if reasons else None


def _same_movie(found: Found) -> InputError | None:
    pre, post = found.movies
    if pre["frames_digest"] != post["frames_digest"]:
        return None
    return InputError(
        "the movies before and after annealing hold the same frames: one is a copy of the other",
        "look for the right file",
    )


def _no_nanocrystals(found: Found) -> InputError | None:
    epochs = zip(("before annealing", "after annealing"), found.movies, strict=True)
    without = [when for when, movie in epochs if movie["n_nanocrystals"] == 0]
    if not without:
        return None
    return InputError(
        f"no nanocrystal was found in the movie {' nor in the one '.join(without)}: all may be "
        "dark, the light may have been off, or the focus lost",
        "look at the movie; where it shows nanocrystals, nanocrystals.psf_sigma_px may be far off",
    )


def _all_uncertain(found: Found) -> InputError | None:
    uncertain = found.count("registration_uncertain")
    if not uncertain or uncertain + found.count("crowded", "hot_pixel") != found.in_view:
        return None
    return InputError(
        "the microspheres match, the nanocrystals do not: the shift between brightfield and PL "
        "remains unknown, and none can be found again to within its aperture",
        "were both movies taken at the places of their brightfield images?",
    )


def _many_uncertain(found: Found) -> InputError | None:
    uncertain, in_view = found.count("registration_uncertain"), found.in_view
    if uncertain <= max(FEW_UNCERTAIN, MAX_UNCERTAIN_SHARE * in_view):
        return None
    return InputError(
        f"the places of {uncertain} of {in_view} nanocrystals in view are uncertain by more than "
        f"{MAX_PLACE_ERROR_PX:g} px: without them the annealed populations would be counted too "
        "small",
        "few nanocrystals or microspheres are common to both epochs, or the drift could not be "
        "followed; landmarks in the sheet may help",
    )


def _crowded(found: Found) -> InputError | None:
    crowded, in_view = found.count("crowded"), found.in_view
    if crowded <= max(FEW_CROWDED, MAX_CROWDED_SHARE * in_view):
        return None
    return InputError(
        f"{crowded} of {in_view} nanocrystals in view have a neighbour closer than "
        "nanocrystals.min_separation_px: at this density many of the others are two that are found "
        "as one",
        "dilute the sample",
    )


class Ground(NamedTuple):
    """A ground for refusing a field: when it acts, what is refused, and where it is decided."""

    stage: str
    refused: str
    module: str
    check: Callable[[Found], InputError | None] | None = None


IMAGES, FILES, REGISTRATION = "each image and movie", "both epochs", "registration"
REGISTERED, PAIRED = "after the registration", "after the pairing"
GROUNDS = (
    Ground(IMAGES, "a file is damaged, cut off or of a format that is not known", "movie.reader"),
    Ground(IMAGES, "a pixel is NaN or infinite", "movie.reader, nanocrystals.projections"),
    Ground(
        IMAGES,
        f"microspheres are less than {MIN_DIAMETER_PX:g} px across, or larger than a third of the "
        "image",
        "brightfield.microspheres",
    ),
    Ground(
        IMAGES,
        f"more than {100 * MAX_SATURATED_SHARE:g} % of a movie's pixel values are saturated",
        "nanocrystals.frame_quality",
    ),
    Ground(
        IMAGES,
        "all frames are the same, or each is there several times in a row",
        "nanocrystals.frame_quality",
    ),
    Ground(
        IMAGES,
        f"more than {100 * MAX_CONSTANT_SHARE:g} % of the pixels never change",
        "nanocrystals.frame_quality",
    ),
    Ground(
        IMAGES,
        f"more than {100 * MAX_ODD_SHARE:g} % of the frames do not show the sample",
        "nanocrystals.frame_quality",
    ),
    Ground(FILES, "an image or a movie was refused", "pairing.checks", _unusable),
    Ground(FILES, "both movies hold the same frames", "pairing.checks", _same_movie),
    Ground(
        REGISTRATION,
        "fewer points than `min_microspheres` in one epoch, or left without camera dust",
        "registration.points",
    ),
    Ground(
        REGISTRATION,
        "more than `max_chance_alignments` alignments as good are expected by chance",
        "registration.acceptance",
    ),
    Ground(REGISTRATION, "a different alignment is about as good", "registration.acceptance"),
    Ground(REGISTRATION, "all points lie on a line", "registration.acceptance"),
    Ground(
        REGISTRATION, "the matches fit another magnification (`rigid`)", "registration.acceptance"
    ),
    Ground(
        REGISTRATION,
        "the transform may be off by more than 3 px in parts of the field",
        "registration.acceptance",
    ),
    Ground(REGISTRATION, "the mirror image matches better", "registration.points"),
    Ground(
        REGISTRATION,
        f"the alignment leaves everything in place, within {IDENTITY_PX:g} px, as dust on the "
        "camera does",
        "registration.points",
    ),
    Ground(
        REGISTRATION,
        "microspheres and nanocrystals contradict each other, or neither they nor both together "
        "decide",
        "registration.fields",
    ),
    Ground(REGISTERED, "no nanocrystal was found in one epoch", "pairing.checks", _no_nanocrystals),
    Ground(
        PAIRED, "the places of all nanocrystals are uncertain", "pairing.checks", _all_uncertain
    ),
    Ground(
        PAIRED,
        f"more than {100 * MAX_UNCERTAIN_SHARE:g} % of the places, and more than {FEW_UNCERTAIN}, "
        f"are uncertain by more than {MAX_PLACE_ERROR_PX:g} px",
        "pairing.checks",
        _many_uncertain,
    ),
    Ground(
        PAIRED,
        f"more than a third of the nanocrystals, and more than {FEW_CROWDED}, are crowded",
        "pairing.checks",
        _crowded,
    ),
)


def refuse(stage: str, found: Found) -> None:
    """Raise the first error of the checks of a stage.

    Raises
    ------
    InputError
    """
    for ground in GROUNDS:
        if ground.stage == stage and ground.check and (error := ground.check(found)):
            raise error


def grounds_table() -> str:
    """Return the grounds as a table for the page of methods."""
    rows = [f"| {g.stage} | {g.refused} | `{g.module}` |" for g in GROUNDS]
    return "\n".join(["| checked | refused if | decided in |", "| --- | --- | --- |", *rows]) + "\n"
