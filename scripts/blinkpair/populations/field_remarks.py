"""Problems of a movie as a whole that its nanocrystals show: columns of `fields.csv`.

Input: the nanocrystal table. Output: a value a field.
"""

from __future__ import annotations

import pandas as pd

from blinkpair.blinking.on_fractions import POPULATIONS
from blinkpair.epochs import EPOCHS
from blinkpair.labels import as_bool

UNDETERMINED = "undetermined"  # in `excluded_because`
MANY_UNDETERMINED = 0.25  # of the nanocrystals of a field: what is left may be no fair sample
ALL_OFF = tuple(f"n_frames_all_off_{epoch}" for epoch in EPOCHS)
LIGHT = tuple(f"common_light_change_{epoch}" for epoch in EPOCHS)
ANSWER, BEST = "population", "population_best"
# By the answer's recipe and by the best estimate.
ON_FRACTIONS = tuple((f"on_fraction_{epoch}", f"on_fraction_{epoch}_best") for epoch in EPOCHS)
COLUMNS = (
    *("field", "analysed", "excluded_because", ANSWER, BEST),
    *(name for names in ON_FRACTIONS for name in names),
    *ALL_OFF,
    *LIGHT,
)
# From 10 % on (`photostability.min_change`) every nanocrystal of such a field is dimming or
# brightening; with a fifth less light a threshold at 0.29 of an on level is at 0.37 of it.
MUCH_LIGHT = 0.1
# Of the nanocrystals: by a threshold that fits the light the share is 0 to 3 % in simulated fields.
# Frames that are lit in part add 0.03 to 0.05 to on-fractions by such a threshold: up to 29 % of a
# field, those near the cutoff, are in another population by as little. They are not counted.
MANY_OTHERWISE, MUCH_OTHERWISE = 0.1, 0.1


def undetermined_share(nanocrystals: pd.DataFrame) -> pd.Series[float]:
    """Return for each field the share of nanocrystals whose states cannot be determined, 0..1.

    It is the share of those that are analysed or would be. Fields without one are left out.

    Parameters
    ----------
    nanocrystals : pandas.DataFrame
        `field`, `analysed`, `excluded_because`.
    """
    undetermined = (nanocrystals["excluded_because"].astype(str) == UNDETERMINED).to_numpy(bool)
    candidates = as_bool(nanocrystals["analysed"]) | undetermined
    shares = pd.Series(undetermined[candidates]).groupby(
        nanocrystals["field"].astype(str).to_numpy()[candidates]
    )
    return shares.mean()


def otherwise_by_best(nanocrystals: pd.DataFrame) -> pd.Series[float]:
    """Return for each field the share of nanocrystals that the best estimate contradicts, 0..1.

    By it they are in another population, with an on-fraction that differs by more than
    `MUCH_OTHERWISE`. The share is of those that have a population by both; fields without one are
    left out.

    Parameters
    ----------
    nanocrystals : pandas.DataFrame
        `field`, `population` (the answer's), `population_best`, and the columns `ON_FRACTIONS`.
    """
    answer, best = (nanocrystals[name].astype(str) for name in (ANSWER, BEST))
    both = answer.isin(POPULATIONS) & best.isin(POPULATIONS)
    much = pd.Series(False, index=nanocrystals.index)
    for own, by_best in ON_FRACTIONS:
        much |= (nanocrystals[own] - nanocrystals[by_best]).abs() > MUCH_OTHERWISE
    differs = ((answer != best) & much)[both].astype(float)
    return differs.groupby(nanocrystals["field"].astype(str)[both]).mean()


def remarks(nanocrystals: pd.DataFrame) -> dict[str, str]:
    """Return for each field what its nanocrystals show to be wrong with a movie as a whole.

    Parameters
    ----------
    nanocrystals : pandas.DataFrame
        `field`, `excluded_because`, `population`, `population_best`, and of both epochs
        `n_frames_all_off_`, `common_light_change_` and the columns `ON_FRACTIONS`.
    """
    found: dict[str, list[str]] = {}
    field_of = nanocrystals["field"].astype(str)
    of_fields = nanocrystals.groupby(field_of)[[*ALL_OFF, *LIGHT]].max()
    excluded = set(field_of[nanocrystals["excluded_because"].astype(str) == "all_off"])
    for epoch, frames, light in zip(EPOCHS, ALL_OFF, LIGHT, strict=True):
        for field, n in of_fields.loc[of_fields[frames] > 0, frames].items():
            then = "so none is analysed" if field in excluded else "which were left out"
            found.setdefault(str(field), []).append(
                f"{epoch} movie: all nanocrystals are off together in {n:.0f} frames (light off, "
                f"shutter closed, out of focus or out of place), {then}"
            )
        for field, change in of_fields.loc[of_fields[light] > MUCH_LIGHT, light].items():
            found.setdefault(str(field), []).append(
                f"{epoch} movie: the counts of all nanocrystals when on change together, by "
                f"{100 * change:.0f} % between two tenths of the movie (lamp, or all bleach); the "
                "hidden Markov model follows this, a fixed threshold does not, and 'dimming' and "
                "'brightening' include it"
            )
    otherwise = otherwise_by_best(nanocrystals)
    for field, share in otherwise[otherwise > MANY_OTHERWISE].items():
        found.setdefault(str(field), []).append(
            f"{100 * share:.0f} % of the nanocrystals are in another population by the hidden "
            f"Markov model, their on-fractions more than {100 * MUCH_OTHERWISE:.0f} points apart: "
            "the threshold does not fit gain, exposure or light of these movies (use threshold: "
            "method: hmm)"
        )
    return {field: "; ".join(parts) for field, parts in found.items()}
