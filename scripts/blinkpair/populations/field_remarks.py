"""Problems of a movie as a whole that its nanocrystals show: columns of `fields.csv`.

Input: the nanocrystal table. Output: a value a field.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from blinkpair.blinking.on_fractions import POPULATIONS
from blinkpair.epochs import EPOCHS
from blinkpair.labels import as_bool

UNDETERMINED, NOISY = "undetermined", "noisy"  # in `excluded_because`
MANY_UNDETERMINED = 0.25  # of the nanocrystals of a field: what is left may be no fair sample
ALL_OFF = tuple(f"n_frames_all_off_{epoch}" for epoch in EPOCHS)
LIGHT = tuple(f"common_light_change_{epoch}" for epoch in EPOCHS)
THRESHOLD_FROM = tuple(f"threshold_from_{epoch}" for epoch in EPOCHS)
ANSWER, BEST = "population", "population_best"
# By the answer's recipe and by the best estimate.
ON_FRACTIONS = tuple((f"on_fraction_{epoch}", f"on_fraction_{epoch}_best") for epoch in EPOCHS)
COLUMNS = (
    *("field", "analysed", "excluded_because", ANSWER, BEST),
    *(name for names in ON_FRACTIONS for name in names),
    *ALL_OFF,
    *LIGHT,
    *THRESHOLD_FROM,
)
# From 10 % on (`photostability.min_change`) every nanocrystal of such a field is dimming or
# brightening; with a fifth less light a threshold at 0.29 of an on level is at 0.37 of it.
MUCH_LIGHT = 0.1
# Of the nanocrystals: by a threshold that fits the light the share is 0 to 3 % in simulated fields.
# Frames that are lit in part add 0.03 to 0.05 to on-fractions by such a threshold: up to 29 % of a
# field, those near the cutoff, are in another population by as little. They are not counted.
MANY_OTHERWISE, MUCH_OTHERWISE = 0.1, 0.1
# The mean change of a field by a threshold that fits is within 0.02 and 1.5 errors of that by the
# best estimate in 18 simulated fields; it is 0.06 (5 errors) off where the spots are 0.6 px wide
# before and 1.4 px after.
MUCH_CHANGE, SURE_ERRORS, LEAST_ROWS = 0.03, 3.0, 5
REMEDY = "(use threshold: method: hmm)"
# The end of remarks on what a fixed threshold, and not the hidden Markov model, is misled by.
TURNED = f", which a fixed threshold turns into changes of on-fractions {REMEDY}"
MANY_BELOW = 0.1  # of the nanocrystals: 0 to 9 % in fields of one brightness


def by_fixed_threshold(nanocrystals: pd.DataFrame) -> set[str]:
    """Return the fields in which a fixed threshold decides between on and off in an epoch.

    Parameters
    ----------
    nanocrystals : pandas.DataFrame
        `field`, and the columns `THRESHOLD_FROM`.
    """
    fixed = (nanocrystals[list(THRESHOLD_FROM)].astype(object) == "fixed").any(axis=1)
    return set(nanocrystals.loc[fixed, "field"].astype(str))


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


def changes_by_threshold(nanocrystals: pd.DataFrame) -> pd.DataFrame:
    """Return by how much the answer's changes differ from those of the best estimate, by field.

    Parameters
    ----------
    nanocrystals : pandas.DataFrame
        `field`, `population`, and the columns `ON_FRACTIONS`.

    Returns
    -------
    pandas.DataFrame
        Of the nanocrystals that have a population, also where the best estimate has no verdict
        (a threshold is worst where on is dim): `points` (mean difference, -2..2),
        `errors` (that over its standard error), `n`, and `below` (share whose on-fraction by
        the answer is more than `MUCH_OTHERWISE` lower in an epoch). Fields with fewer than
        `LEAST_ROWS` are left out.
    """
    rows = nanocrystals[nanocrystals[ANSWER].isin(POPULATIONS)]
    (pre, pre_best), (post, post_best) = ([rows[name] for name in own] for own in ON_FRACTIONS)
    of_rows = pd.DataFrame(
        {
            "points": (post - pre) - (post_best - pre_best),
            "below": (np.minimum(pre - pre_best, post - post_best) < -MUCH_OTHERWISE) * 1.0,
        }
    )
    groups = of_rows.groupby(rows["field"].astype(str))
    points, n = groups["points"].mean(), groups["points"].count()
    error = np.maximum(groups["points"].std() / np.sqrt(n), 1e-12)
    found = pd.DataFrame(
        {
            "points": points,
            "errors": points / error,
            "n": n,
            "below": groups["below"].mean(),
        }
    )
    return found[found["n"] >= LEAST_ROWS]


def remarks(nanocrystals: pd.DataFrame) -> dict[str, str]:
    """Return for each field what its nanocrystals show to be wrong with a movie as a whole.

    Parameters
    ----------
    nanocrystals : pandas.DataFrame
        `field`, `excluded_because`, `population`, `population_best`, and of both epochs
        `n_frames_all_off_`, `common_light_change_` and the columns `ON_FRACTIONS`.
    """
    found: dict[str, list[str]] = {}
    for field, remark in (*_of_movies(nanocrystals), *_of_threshold(nanocrystals)):
        found.setdefault(field, []).append(remark)
    return {field: "; ".join(parts) for field, parts in found.items()}


def _of_movies(nanocrystals: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Yield fields and remarks on frames that are dark and on the course of the light."""
    field_of = nanocrystals["field"].astype(str)
    of_fields = nanocrystals.groupby(field_of)[[*ALL_OFF, *LIGHT]].max()
    excluded = set(field_of[nanocrystals["excluded_because"].astype(str) == "all_off"])
    for epoch, frames, light in zip(EPOCHS, ALL_OFF, LIGHT, strict=True):
        for field, n in of_fields.loc[of_fields[frames] > 0, frames].items():
            then = "so none is analysed" if field in excluded else "which were left out"
            yield (
                str(field),
                f"{epoch} movie: all nanocrystals are off together in {n:.0f} frames (light off, "
                f"shutter closed, out of focus or out of place), {then}",
            )
        for field, change in of_fields.loc[of_fields[light] > MUCH_LIGHT, light].items():
            yield (
                str(field),
                f"{epoch} movie: the counts of all nanocrystals when on change together, by "
                f"{100 * change:.0f} % between two tenths of the movie (lamp, or all bleach): the "
                "hidden Markov model follows this, a fixed threshold does not, and 'dimming' and "
                "'brightening' include it",
            )


def _of_threshold(nanocrystals: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Yield fields and remarks on a threshold that does not fit their counts."""
    noisy = nanocrystals.loc[nanocrystals["excluded_because"].astype(str) == NOISY, "field"]
    for field, n in noisy.astype(str).value_counts().items():
        yield (
            str(field),
            f"the noise reaches the threshold: its {n} nanocrystals are excluded as {NOISY} "
            f"{REMEDY}",
        )
    otherwise = otherwise_by_best(nanocrystals)
    otherwise = otherwise[otherwise > MANY_OTHERWISE]
    for field, share in otherwise.items():
        yield (
            str(field),
            f"{100 * share:.0f} % of the nanocrystals are in another population by the hidden "
            f"Markov model, their on-fractions more than {100 * MUCH_OTHERWISE:.0f} points apart: "
            f"the threshold does not fit gain, exposure or light of these movies {REMEDY}",
        )
    changes = changes_by_threshold(nanocrystals)
    changes = changes[~changes.index.isin(otherwise.index)]
    large = (changes["points"].abs() > MUCH_CHANGE) & (changes["errors"].abs() > SURE_ERRORS)
    for field, share in changes.loc[~large & (changes["below"] > MANY_BELOW), "below"].items():
        yield (
            str(field),
            f"{100 * share:.0f} % of the nanocrystals have on-fractions more than "
            f"{100 * MUCH_OTHERWISE:.0f} points below those by the hidden Markov model: they are "
            f"so dim that the threshold misses on frames {REMEDY}",
        )
    for field, row in changes[large].iterrows():
        yield (
            str(field),
            f"the threshold makes the mean change {100 * row['points']:+.0f} points different from "
            "that by the hidden Markov model: it turns another focus, light or gain, and events "
            f"shorter than a few frames, into changes of on-fractions {REMEDY}",
        )
