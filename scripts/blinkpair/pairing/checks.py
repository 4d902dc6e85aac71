"""The grounds for refusing a field, in the order in which they act.

Without a refusal, each would give numbers that look like any others and are wrong. `GROUNDS` alone
states the order. Grounds with a check are decided here, the others in the module that is named,
when it reads an image or a movie or searches for the transform.

Input: what was found in both epochs, and the pairing. Output: nothing, or the error that becomes
the field's reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from blinkpair.brightfield.limits import MAX_SATURATED_SHARE as MAX_SATURATED_IMAGE
from blinkpair.brightfield.limits import MIN_DIAMETER_PX, MIN_DIAMETERS
from blinkpair.errors import InputError
from blinkpair.nanocrystals.altered_frames import MAX_MOVING_BORDER_SHARE
from blinkpair.nanocrystals.frame_quality import MAX_CONSTANT_SHARE, MAX_SATURATED_SHARE
from blinkpair.nanocrystals.odd_frames import MAX_ODD_SHARE
from blinkpair.pairing.places import MAX_PLACE_ERROR_PX, Pairing, no_nanocrystals
from blinkpair.photometry.apertures import OUT_OF_VIEW
from blinkpair.registration.acceptance import IDENTITY_PX, MAX_ERROR_PX, MAX_SCALE_PX
from blinkpair.registration.alignment.task import MAX_POINTS
from blinkpair.registration.from_start import (
    MAX_LANDMARK_RESIDUAL_PX,
    MIN_REFINING_MATCHES,
)

# Of randomly scattered nanocrystals a third has a neighbour within 4 px at 0.008 a pixel, 2,100 in
# a field of 512 x 512. One in ten has one within 2 px there, and both are found as one.
MAX_CROWDED_SHARE = 1 / 3
FEW_CROWDED = 10  # fewer can be so many by chance
# Of nanocrystals with an uncertain place only those found in both epochs could be counted: those
# that changed would be missing.
MAX_UNCERTAIN_SHARE, FEW_UNCERTAIN = 0.1, 2
# Of the epoch that shows fewer nanocrystals most are seen in the other one too: seven in ten where
# annealing made two thirds dark. By this rule 98.5 % of unrelated patterns are refused, and, of
# those with three in ten in common, 2 % where 20 are in view and none where 100 are.
LEAST_COMMON_SHARE, FEWEST_COMPARED = 0.1, 20


@dataclass(frozen=True)
class Found:
    """What was found in a field before a check acts.

    Attributes
    ----------
    movies, images : two mappings
        Before and after: `status`, `reason` and, of a movie, the result of `catalogues.describe`.
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
        return len(self.pairing.table) - self.count(*OUT_OF_VIEW)


def _unusable(found: Found) -> InputError | None:
    reasons = [i["reason"] for i in (*found.movies, *found.images) if i["status"] != "ok"]
    return InputError("; ".join(reasons)) if reasons else None


def _same_movie(found: Found) -> InputError | None:
    pre, post = found.movies
    if not set(pre["stretch_digests"]) & set(post["stretch_digests"]):
        return None
    return InputError(
        "the movies before and after hold the same frames: one is a copy of the other, or of a "
        "part of it",
        "name the right file in the sheet",
    )


def _no_nanocrystals(found: Found) -> InputError | None:
    epochs = zip(("before the treatment", "after the treatment"), found.movies, strict=True)
    without = [when for when, movie in epochs if movie["n_nanocrystals"] == 0]
    if not without:
        return None
    return InputError(
        f"no nanocrystal was found in the movie {' nor in the one '.join(without)}: all may be "
        "dark, the light may have been off, or the focus lost",
        "look at the movie; where it shows nanocrystals, check nanocrystals.psf_sigma_px",
    )


def _all_uncertain(found: Found) -> InputError | None:
    uncertain = found.count("registration_uncertain")
    if not uncertain or uncertain + found.count("crowded", "hot_pixel") != found.in_view:
        return None
    return InputError(
        "the microspheres match, the nanocrystals do not: the shift between brightfield and PL "
        "is unknown, and no nanocrystal has a place that is certain to within its aperture",
        "check that both movies were taken at the places of their brightfield images",
    )


def _many_uncertain(found: Found) -> InputError | None:
    uncertain, in_view = found.count("registration_uncertain"), found.in_view
    if uncertain <= max(FEW_UNCERTAIN, MAX_UNCERTAIN_SHARE * in_view):
        return None
    return InputError(
        f"the places of {uncertain} of {in_view} nanocrystals in view are uncertain by more than "
        f"{MAX_PLACE_ERROR_PX:g} px, as few nanocrystals or microspheres are common to both "
        "epochs, or the drift could not be followed: without them the changed populations would "
        "be counted too small",
        "name landmarks in the sheet",
    )


def _another_place(found: Found) -> InputError | None:
    seen = found.pairing.table
    seen = seen[~seen["excluded_because"].isin(OUT_OF_VIEW)]
    fewer = int(min(seen["detected_pre"].sum(), seen["detected_post"].sum()))
    common = int((seen["detected_pre"] & seen["detected_post"]).sum())
    by_chance = found.pairing.expected_chance_pairs
    if fewer < FEWEST_COMPARED or common - by_chance >= LEAST_COMMON_SHARE * fewer:
        return None
    return InputError(
        f"the microspheres match, the nanocrystals do not: of {fewer} in view {common} are seen at "
        f"the same place in both movies, and {by_chance:.1f} by chance. All would be counted as "
        "changed",
        "check that each movie is of the field of its brightfield image, not of another field",
    )


def _crowded(found: Found) -> InputError | None:
    crowded, in_view = found.count("crowded"), found.in_view
    if crowded <= max(FEW_CROWDED, MAX_CROWDED_SHARE * in_view):
        return None
    many = (
        f"{crowded} of {in_view} nanocrystals in view have a neighbour closer than "
        "nanocrystals.min_separation_px"
    )
    if moved := found.pairing.moved_remark:
        return InputError(f"{many}: {moved}", "fix the nanocrystals to the glass")
    return InputError(f"{many}: at this density two are often found as one", "dilute the sample")


class Ground(NamedTuple):
    """A ground for refusing a field: when it acts, what is refused, and where it is decided."""

    stage: str
    refused: str
    module: str
    check: Callable[[Found], InputError | None] | None = None


IMAGES, FILES, REGISTRATION = "each image and movie", "both epochs", "registration"
REGISTERED, PAIRED = "after the registration", "after the pairing"
HERE, FRAMES = "pairing.checks", "nanocrystals.frame_quality"
POINTS, FIT = "registration.points", "registration.acceptance"
GROUNDS = (
    Ground(IMAGES, "a file is damaged, cut off or of an unknown format", "movie.reader"),
    Ground(IMAGES, "a pixel is NaN or infinite", "movie.reader, nanocrystals.projections"),
    Ground(
        IMAGES,
        f"microspheres are less than {MIN_DIAMETER_PX:g} px across, or more than "
        f"1/{MIN_DIAMETERS} of the image",
        "brightfield.microspheres",
    ),
    Ground(
        IMAGES,
        f"more than {100 * MAX_SATURATED_IMAGE:g} % of the pixels of a brightfield image are the "
        "largest value: saturated",
        "brightfield.microspheres",
    ),
    Ground(
        IMAGES,
        f"more than {100 * MAX_SATURATED_SHARE:g} % of the pixel values are the largest one: "
        "saturated, at any top",
        FRAMES,
    ),
    Ground(IMAGES, "all frames are the same, or each is there several times in a row", FRAMES),
    Ground(IMAGES, f"more than {100 * MAX_CONSTANT_SHARE:g} % of the pixels never change", FRAMES),
    Ground(
        IMAGES,
        "text that changes is written into the frames, as the time of each",
        "nanocrystals.altered_frames",
    ),
    Ground(
        IMAGES,
        f"an empty border is of another width than usual in more than "
        f"{100 * MAX_MOVING_BORDER_SHARE:g} % of the frames: drift was corrected",
        "nanocrystals.altered_frames",
    ),
    Ground(
        IMAGES, f"more than {100 * MAX_ODD_SHARE:g} % of the frames do not show the sample", FRAMES
    ),
    Ground(IMAGES, f"more than {100 * MAX_ODD_SHARE:g} % of the frames are there twice", FRAMES),
    Ground(
        IMAGES,
        "the movie shows all nanocrystals twice, as with two colours side by side",
        "nanocrystals.reflections",
    ),
    Ground(FILES, "an image or a movie was refused", HERE, _unusable),
    Ground(FILES, "both movies hold the same frames, all or some", HERE, _same_movie),
    Ground(
        REGISTRATION, "landmarks: the table is not readable, or has one", "registration.landmarks"
    ),
    Ground(
        REGISTRATION,
        f"a landmark is more than {MAX_LANDMARK_RESIDUAL_PX:g} px from where the others put it",
        "registration.from_start",
    ),
    Ground(
        REGISTRATION, f"an epoch has more than {MAX_POINTS} points", "registration.alignment.task"
    ),
    Ground(
        REGISTRATION,
        "an epoch has fewer points than `min_microspheres`, camera dust not counted",
        POINTS,
    ),
    Ground(
        REGISTRATION,
        "more than `max_chance_alignments` alignments as good are expected by chance",
        FIT,
    ),
    Ground(REGISTRATION, "a different alignment is about as good", FIT),
    Ground(REGISTRATION, "fewer points than `min_microspheres` match", FIT),
    Ground(REGISTRATION, "all points lie on a line", FIT),
    Ground(
        REGISTRATION,
        "the matches fit another magnification, which displaces the corners by more than "
        f"{MAX_SCALE_PX:g} px (`rigid`)",
        FIT,
    ),
    Ground(
        REGISTRATION,
        f"the transform may be off by more than {MAX_ERROR_PX:g} px in parts of the field",
        FIT,
    ),
    Ground(REGISTRATION, "the mirror image matches better", POINTS),
    Ground(REGISTRATION, "brightfield is mirrored against the movie", "registration.mirrored"),
    Ground(
        REGISTRATION,
        f"the points move by less than {IDENTITY_PX:g} px (median), as dust on the camera does, "
        f"and fewer than {MIN_REFINING_MATCHES} nanocrystals show that the sample moved as little",
        "registration.points, registration.near_identity",
    ),
    Ground(
        REGISTRATION, "microspheres and nanocrystals contradict each other", "registration.fields"
    ),
    Ground(
        REGISTRATION,
        "neither microspheres nor brightfield images nor nanocrystals decide, nor all together",
        "registration.fields, registration.images, registration.both_patterns",
    ),
    Ground(REGISTERED, "no nanocrystal was found in one epoch", HERE, _no_nanocrystals),
    Ground(PAIRED, "the places of all nanocrystals are uncertain", HERE, _all_uncertain),
    Ground(
        PAIRED,
        f"more than {100 * MAX_UNCERTAIN_SHARE:g} % of the places, and more than {FEW_UNCERTAIN}, "
        f"are uncertain by more than {MAX_PLACE_ERROR_PX:g} px",
        HERE,
        _many_uncertain,
    ),
    Ground(
        PAIRED,
        f"of at least {FEWEST_COMPARED} nanocrystals in view less than "
        f"{100 * LEAST_COMMON_SHARE:g} % are seen in both epochs beyond chance, as in a movie of "
        "another field",
        HERE,
        _another_place,
    ),
    Ground(
        PAIRED,
        f"more than {100 * MAX_CROWDED_SHARE:.0f} % of the nanocrystals, and more than "
        f"{FEW_CROWDED}, are crowded",
        HERE,
        _crowded,
    ),
)
# The table in `docs/method.md` follows this line.
TABLE_MARK = "<!-- grounds for refusing a field: made from pairing/checks.py -->"


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
    """Return the grounds as the marked table of the page of methods."""
    rows = [f"| {g.stage} | {g.refused} | `{g.module}` |" for g in GROUNDS]
    head = [TABLE_MARK, "", "| checked | refused if | decided in |", "| --- | --- | --- |"]
    return "\n".join([*head, *rows, ""])
