"""The first sentences of the report: what the run measured, and the outcome of all treatments.

Input: the tables of populations and fields. Output: plain text.
"""

from __future__ import annotations

import pandas as pd

from blinkpair.labels import (
    CONFIRMED,
    after_treatment,
    is_annealing,
    rows_by_temperature,
    treatment_word,
)
from blinkpair.populations.field_remarks import MANY_OTHERWISE, MANY_UNDETERMINED
from blinkpair.populations.table import BY_ASSUMPTION
from blinkpair.report.language import counted, grouped, known, listed, per_cent, verb
from blinkpair.report.result_sentences import Row, change_of, is_control, rows_of


def headline(populations: pd.DataFrame, fields: pd.DataFrame, dark_cutoff: float) -> str:
    """Return a few sentences on what the run measured, and on the outcome.

    Parameters
    ----------
    populations, fields : DataFrame
        `populations.csv` and `fields.csv`.
    dark_cutoff : float
        On-fraction below which a nanocrystal is dark, 0 to 1.
    """
    rows: list[Row] = list(rows_by_temperature(populations).values())
    annealed = [row for row in rows if not is_control(row)]
    control = next((row for row in rows if is_control(row)), None)
    word = treatment_word(row["temperature_c"] for row in rows)
    changes = [
        f"{change_of(row, '' if i else ' points')} {after_treatment(row['temperature_c'])}"
        for i, row in enumerate(row for row in annealed if known(row["mean_delta"]))
    ]
    sentences = [f"{_measured(annealed, control, fields, dark_cutoff)}."]
    if changes:
        sentences.append(f"The on-fraction changed on average by {listed(changes)}.")
    sentences.append(_control_alone(control, "it" if changes else "the on-fraction", word))
    sentences += _many_undetermined(fields) + _many_otherwise(fields) + _to_check(fields)
    by_hand = sum(int(row.get("n_left_out", 0)) for row in rows)
    if by_hand:
        sentences.append(
            f"{counted(by_hand, 'nanocrystal')} {verb(by_hand, 'is', 'are')} left out by hand."
        )
    if any(row["interval_method"] == BY_ASSUMPTION for row in rows):
        sentences.append(
            "How much fields differ is assumed in the intervals, because no treatment has two."
        )
    unknown = int((fields["epoch_order"] != CONFIRMED).sum()) if "epoch_order" in fields else 0
    if unknown:
        which = "" if unknown == len(fields) else f" of {unknown} of {len(fields)} fields"
        sentences.append(
            f"The order of the epochs{which} could not be checked, because the files hold no "
            "dates: exchanged files would mirror the result."
        )
    return " ".join(sentences)


def _measured(
    annealed: list[Row], control: Row | None, fields: pd.DataFrame, dark_cutoff: float
) -> str:
    """Return the numbers of nanocrystals and fields, the treated and the control's apart."""
    groups = []
    treated = "annealed" if is_annealing(row["temperature_c"] for row in annealed) else "treated"
    if annealed or control is None or not control["n_fields"]:
        n_fields = sum(int(row["n_fields"]) for row in annealed)
        own = rows_of(annealed, f"{treated} nanocrystal")
        groups.append(f"{own} in {counted(n_fields, 'field')}")
    if control is not None and control["n_fields"]:
        n = int(control["n"])
        alike = n == control["n_nanocrystals"]
        own = grouped(n) if groups and alike else rows_of([control], "nanocrystal")
        groups.append(f"{own} in {counted(control['n_fields'], 'control field')}")
    total = sum(int(row["n"]) for row in [*annealed, *([control] if control else [])])
    text = (
        f"{listed(groups)} {verb(total, 'was', 'were')} emissive (on in at least "
        f"{per_cent(dark_cutoff)} of the frames) before or after"
    )
    refused = int((fields["status"] != "ok").sum())
    if refused:
        text += f"; {counted(refused, 'field')} {verb(refused, 'was', 'were')} refused"
    return text


def _to_check(fields: pd.DataFrame) -> list[str]:
    """Return how many fields in the numbers have a remark, where some have."""
    n = int(((fields["status"] == "ok") & (fields["reason"].fillna("") != "")).sum())
    have = verb(n, "has a remark", "have remarks")
    return [f"{counted(n, 'field')} in these numbers {have}: see ‘Fields to check’."] if n else []


def _many_undetermined(fields: pd.DataFrame) -> list[str]:
    """Return that what is counted is a selection, where it is one."""
    n, of = _fields_above(fields, "undetermined_share", MANY_UNDETERMINED)
    if not n:
        return []
    return [
        f"In {n} of {counted(len(fields), 'field')} on and off cannot be distinguished "
        f"for {of} % of the nanocrystals: those counted there may differ from the others."
    ]


def _many_otherwise(fields: pd.DataFrame) -> list[str]:
    """Return that the threshold does not fit the movies, where it does not."""
    n, of = _fields_above(fields, "otherwise_by_best_share", MANY_OTHERWISE)
    if not n:
        return []
    return [
        f"In {n} of {counted(len(fields), 'field')} the threshold does not fit gain, exposure or "
        f"light: {of} % of the nanocrystals are in another population by the hidden Markov model "
        "(threshold: method: hmm)."
    ]


def _fields_above(fields: pd.DataFrame, column: str, limit: float) -> tuple[int, str]:
    """Return how many fields have a larger share, and these shares in percent, as a range."""
    if column not in fields:
        return 0, ""
    shares = fields.loc[fields[column] > limit, column]
    several = (
        [f"{100 * share:.0f}" for share in (shares.min(), shares.max())] if len(shares) else []
    )
    return len(shares), " to ".join(dict.fromkeys(several))


def _control_alone(control: Row | None, it: str, word: str) -> str:
    """Return the change of the control, or why it has none."""
    if control is None:
        return f"There is no control that was re-mounted without {word}."
    if not control["n_fields"]:
        return "The control was refused."
    if not known(control["mean_delta"]):
        return "In the control no nanocrystal was emissive."
    change = change_of(control, " points")
    return f"Re-mounting without {word}, the control, changed {it} by {change}."
