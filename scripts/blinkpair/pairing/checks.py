"""What refuses a field whose files can all be read.

In: what was found in both movies, and the pairing. Out: nothing, or the error that becomes the
field's reason. Each of these would give a row of numbers that looks like any other and means
something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from blinkpair.errors import InputError
from blinkpair.pairing.places import MAX_PLACE_ERROR_PX

if TYPE_CHECKING:
    from blinkpair.pairing.places import Pairing

# Of randomly scattered nanocrystals a third has a neighbour within 4 px at 0.008 a pixel, 2,100 in
# a field of 512 x 512. One in ten has one within 2 px there and is seen as one with it.
MAX_CROWDED_SHARE = 1 / 3
FEW_CROWDED = 10  # fewer can be so many by chance
# Of those whose place is too uncertain only the ones seen in both epochs could be counted, which
# leaves out just what annealing changed.
MAX_UNCERTAIN_SHARE, FEW_UNCERTAIN = 0.1, 2


def check_files(*infos: Mapping[str, Any]) -> None:
    """Refuse a field whose images or movies could not be used.

    Parameters
    ----------
    *infos : mapping
        `status` of each, with the `reason` where it is not 'ok'.

    Raises
    ------
    InputError
        With every reason.
    """
    broken = [info["reason"] for info in infos if info["status"] != "ok"]
    if broken:
        raise InputError("; ".join(broken))


def check_movies(pre: Mapping[str, Any], post: Mapping[str, Any]) -> None:
    """Refuse a field both of whose movies are the same, whatever their files are called.

    Parameters
    ----------
    pre, post : mapping
        From `catalogues.describe`.

    Raises
    ------
    InputError
    """
    if pre["frames_digest"] == post["frames_digest"]:
        raise InputError(
            "the movies before and after annealing hold the same frames: one is a copy of the "
            "other",
            "look for the right file",
        )


def check_found(pre: Mapping[str, Any], post: Mapping[str, Any]) -> None:
    """Refuse a field that was registered, and shows no nanocrystal in one of the movies.

    Parameters
    ----------
    pre, post : mapping
        From `catalogues.describe`.

    Raises
    ------
    InputError
    """
    epochs = {"before annealing": pre, "after annealing": post}
    without = [when for when, info in epochs.items() if info["n_nanocrystals"] == 0]
    if without:
        raise InputError(
            f"no nanocrystal was found in the movie {' nor in the one '.join(without)}: whether "
            "all were dark, or the light was off, or the focus lost, cannot be told",
            "look at the movie; where it shows nanocrystals, nanocrystals.psf_sigma_px may be "
            "far off",
        )


def check_pairing(pairing: Pairing) -> None:
    """Refuse a field whose nanocrystals cannot be told apart, or found again.

    Raises
    ------
    InputError
        If the registration leaves too many places uncertain, or more than `MAX_CROWDED_SHARE` are
        crowded.
    """
    because = pairing.table["excluded_because"]
    in_view = int((~because.isin(["outside", "edge"])).sum())
    uncertain = int((because == "registration_uncertain").sum())
    crowded = int((because == "crowded").sum())
    if uncertain and uncertain + crowded + int((because == "hot_pixel").sum()) == in_view:
        raise InputError(
            "the microspheres match, the nanocrystals do not: the shift between brightfield "
            "and PL remains unknown, and none can be found again to within its aperture",
            "were both movies taken at the places of their brightfield images?",
        )
    if uncertain > max(FEW_UNCERTAIN, MAX_UNCERTAIN_SHARE * in_view):
        raise InputError(
            f"the places of {uncertain} of {in_view} nanocrystals in view are known to more "
            f"than {MAX_PLACE_ERROR_PX:g} px only: without them the annealed populations would "
            "be counted too small",
            "few nanocrystals or microspheres are common to both epochs, or the drift could "
            "not be followed; landmarks in the sheet may help",
        )
    if crowded > max(FEW_CROWDED, MAX_CROWDED_SHARE * in_view):
        raise InputError(
            f"{crowded} of {in_view} nanocrystals in view have a neighbour closer than "
            "nanocrystals.min_separation_px: at this density many of the others are two that "
            "are seen as one",
            "dilute the sample",
        )
