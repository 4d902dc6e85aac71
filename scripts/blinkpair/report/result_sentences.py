"""The tables in sentences.

A sentence states no more than its interval allows. The wording depends on the interval and on its
basis: nanocrystals of one field do not show how much fields differ.

Input: rows of the result tables. Output: plain text, which the page sets as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from blinkpair.labels import (
    CONTROL,
    after_treatment,
    is_annealing,
    rows_by_temperature,
    temperature_label,
    treatment_word,
)
from blinkpair.populations.table import BY_FIELDS, BY_NANOCRYSTALS, BY_OTHER_FIELDS
from blinkpair.report.cells import (
    ACCIDENTAL,
    p_value,
    percent,
    percent_end,
    signed_points,
)
from blinkpair.report.language import (
    capitalised,
    counted,
    grouped,
    known,
    listed,
    per_cent,
    verb,
)

Row = Mapping[Any, Any]

TOO_FEW = "too few for an interval"


def answer(
    row: Row,
    control: Row | None,
    confidence: float,
    dark_cutoff: float,
    word: str = "annealing",
) -> str:
    """Return what happened to the nanocrystals of a treatment, in at most four sentences.

    Parameters
    ----------
    row : mapping
        A row of `populations.csv`.
    control : mapping, optional
        The control's row, where there is one and `row` is another.
    confidence : float
        Coverage of the intervals, 0 to 1.
    dark_cutoff : float
        On-fraction below which a nanocrystal is dark, 0 to 1.
    word : str
        From `labels.treatment_word`, of all fields.
    """
    where = _where(row, word)
    refused = _refused(row)
    if not row["n"]:
        return " ".join([_nothing(row, where, dark_cutoff), *refused])
    sentences = [_populations(row, where, confidence, dark_cutoff), *_change(row, confidence)]
    if control is not None:
        sentences += _against_control(row, control)
    elif _is_control(row) and _sign(row, "mean_delta"):
        sentences.append("Re-mounting alone changed it: read the other results against this.")
    return " ".join([*sentences, *refused])


def caveats(row: Row) -> str:
    """Return the method of the intervals of a treatment, and the number of accidental pairs."""
    return " ".join([*_basis(row), *_accidental(row)]) if row["n"] else ""


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
    annealed = [row for row in rows if not _is_control(row)]
    control = next((row for row in rows if _is_control(row)), None)
    word = treatment_word(row["temperature_c"] for row in rows)
    changes = [
        f"{_change_of(row, '' if i else ' points')} {after_treatment(row['temperature_c'])}"
        for i, row in enumerate(row for row in annealed if known(row["mean_delta"]))
    ]
    sentences = [f"{_measured(annealed, control, fields, dark_cutoff)}."]
    if changes:
        sentences.append(f"The on-fraction changed on average by {listed(changes)}.")
    sentences.append(_control_alone(control, "it" if changes else "the on-fraction", word))
    if any(row["interval_method"] == BY_NANOCRYSTALS for row in rows):
        sentences.append(
            "The intervals take nanocrystals as independent: no treatment has two fields to "
            "compare."
        )
    return " ".join(sentences)


def _measured(
    annealed: list[Row], control: Row | None, fields: pd.DataFrame, dark_cutoff: float
) -> str:
    """Return the numbers of nanocrystals and fields, the treated and the control's apart."""
    groups = []
    treated = "annealed" if is_annealing(row["temperature_c"] for row in annealed) else "treated"
    if annealed or control is None or not control["n_fields"]:
        n, n_fields = (sum(int(row[name]) for row in annealed) for name in ("n", "n_fields"))
        groups.append(f"{counted(n, f'{treated} nanocrystal')} in {counted(n_fields, 'field')}")
    if control is not None and control["n_fields"]:
        n = int(control["n"])
        own = grouped(n) if groups else counted(n, "nanocrystal")
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


def _control_alone(control: Row | None, it: str, word: str) -> str:
    """Return the change of the control, or why it has none."""
    if control is None:
        return f"There is no control that was re-mounted without {word}."
    if not control["n_fields"]:
        return "The control was refused."
    if not known(control["mean_delta"]):
        return "In the control no nanocrystal was emissive."
    change = _change_of(control, " points")
    return f"Re-mounting without {word}, the control, changed {it} by {change}."


def _change_of(row: Row, unit: str) -> str:
    """Write `−7.3 points (−11.9 to −2.6)`; the unit stands with the first of several alone."""
    ends = _points(row, "mean_delta") if _sign(row, "mean_delta") is not None else TOO_FEW
    return f"{signed_points(row['mean_delta'])}{unit} ({ends})"


def _is_control(row: Row) -> bool:
    return temperature_label(row["temperature_c"]) == CONTROL


def _where(row: Row, word: str) -> str:
    where = after_treatment(row["temperature_c"])
    return f"{where}, which was re-mounted without {word}" if _is_control(row) else where


def _nothing(row: Row, where: str, dark_cutoff: float) -> str:
    start = capitalised(where)
    if not row["n_fields"]:
        return f"{start}, no field could be used: there is no result."
    dark = row["n_dark"]
    both = f" ({grouped(dark)} {verb(dark, 'was', 'were')} dark in both)" if dark else ""
    return (
        f"{start}, no nanocrystal was emissive (on in at least {per_cent(dark_cutoff)} of the "
        f"frames) before or after{both}: there is no result."
    )


def _populations(row: Row, where: str, confidence: float, dark_cutoff: float) -> str:
    n = row["n"]
    gained = _share(row, "became_emissive", f"{per_cent(confidence)} interval ")
    lost = _share(row, "became_dark", "")
    return (
        f"{capitalised(where)}, of {counted(n, 'nanocrystal')} that {verb(n, 'was', 'were')} "
        f"emissive before or after, {gained} had been dark (on in less than "
        f"{per_cent(dark_cutoff)} of the frames) and became emissive, and {lost} became dark."
    )


def _share(row: Row, population: str, introduction: str) -> str:
    """Write `69 (18 %, 95 % interval 14 to 22 %)`."""
    inside = percent(row[f"fraction_{population}"])
    low, high = (row[f"fraction_{population}_{end}"] for end in ("low", "high"))
    if known(low) and known(high):
        inside += f", {introduction}{percent_end(low)} to {percent_end(high)} %"
    return f"{grouped(row[f'n_{population}'])} ({inside})"


def _sign(row: Row, name: str) -> int | None:
    """Return the sign of a change; 0 where its interval includes 0, None without an interval."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    if not (known(low) and known(high)):
        return None
    return 1 if low > 0 else -1 if high < 0 else 0


def _points(row: Row, name: str) -> str:
    """Write `−3.4 to +4.8`."""
    return " to ".join(signed_points(row[f"{name}_{end}"]) for end in ("low", "high"))


def _change(row: Row, confidence: float) -> list[str]:
    if not known(row["mean_delta"]):
        return []
    change = signed_points(row["mean_delta"])
    text = f"On average the on-fraction changed by {change} {_unit(row['mean_delta'])}"
    p = row["p_wilcoxon"]
    test = f"Wilcoxon p {_equals(p)}" if known(p) else ""
    sign = _sign(row, "mean_delta")
    if sign is None:
        return [f"{text} ({', '.join(part for part in (TOO_FEW, test) if part)})."]
    text += f" ({_points(row, 'mean_delta')})"
    rejected = p < 1 - confidence if test else bool(sign)
    if bool(sign) == rejected:
        text += f", {_verdict(row, bool(sign))}{f' ({test})' if test else ''}"
    elif sign:
        text += f"; the interval excludes no change, but the ranks do not ({test})"
    else:
        text += (
            "; the interval includes no change, although the ranks, with nanocrystals taken as "
            f"independent, contradict it ({test})"
        )
    text += _median(row, sign)
    if sign and _of_nanocrystals(row):
        text += "; one field does not show whether fields differ by as much"
    return [f"{text}."]


def _of_nanocrystals(row: Row) -> bool:
    return bool(row["interval_method"] == BY_NANOCRYSTALS)


def _verdict(row: Row, clear: bool) -> str:
    """Return what could explain a change: chance, or, with one field, the nanocrystals' scatter."""
    if _of_nanocrystals(row):
        what = "the scatter of single nanocrystals"
        return f"more than {what} explains" if clear else f"which {what} could explain"
    return "more than chance alone explains" if clear else "which chance alone could explain"


def _median(row: Row, sign_of_mean: int) -> str:
    """Add the median's change where it contradicts the mean's."""
    sign = _sign(row, "median_delta")
    if sign is None or sign == sign_of_mean:
        return ""
    verdict = "excludes no change" if sign else "includes no change"
    middle = f"{signed_points(row['median_delta'])} ({_points(row, 'median_delta')})"
    return f"; the median, {middle}, {verdict}"


def _unit(value: float) -> str:
    return "point" if f"{abs(100 * value):.1f}" == "1.0" else "points"


def _equals(p: float) -> str:
    text = p_value(p)
    return text if text.startswith("<") else f"= {text}"


def _against_control(row: Row, control: Row) -> list[str]:
    name = "mean_delta_minus_control"
    if not control["n"]:
        why = "was refused" if not control["n_fields"] else "has no emissive nanocrystal"
        return [f"The control {why}: there is nothing to compare with."]
    if not known(row[name]):
        return []
    own = control["mean_delta"]
    text = f"The control changed by {signed_points(own)} {_unit(own)}; the difference is "
    text += signed_points(row[name])
    sign = _sign(row, name)
    if sign is None:
        text += f" ({TOO_FEW})"
    else:
        text += f" ({_points(row, name)}), {_difference(row, bool(sign))}"
    return [f"{text}{_shares_against_control(row)}."]


def _difference(row: Row, clear: bool) -> str:
    if _of_nanocrystals(row):
        what = "the scatter of single nanocrystals"
        return f"more than {what}" if clear else f"within {what}"
    return "a clear one" if clear else "no clear one"


def _shares_against_control(row: Row) -> str:
    """Return whether the shares of both populations differ from the control's, by intervals."""
    signs = {
        name: _sign(row, f"fraction_{name.replace(' ', '_')}_minus_control")
        for name in ("became emissive", "became dark")
    }
    if None in signs.values():
        return ""
    differ = [name for name, sign in signs.items() if sign]
    if len(differ) == 1:
        return f"; of the shares’ differences only that of what {differ[0]} excludes 0"
    return f"; the intervals of both shares’ differences {'exclude' if differ else 'include'} 0"


def _basis(row: Row) -> list[str]:
    kinds = "Intervals are Wilson’s (shares), Student’s (mean) and of order statistics (median)"
    effect = (
        "with n divided by a design effect: the variance over resampled whole fields over that of "
        "as many independent nanocrystals"
    )
    sentences = {
        BY_FIELDS: f"{kinds}, {effect}, pooled over the treatments.",
        BY_OTHER_FIELDS: f"{kinds}, {effect}. It comes from the other treatments, because it "
        "cannot be measured with one field.",
        BY_NANOCRYSTALS: f"{kinds}. They take nanocrystals as independent, as no treatment has "
        "two fields to compare: too narrow if fields differ.",
    }
    return [sentences[method] for method in sentences if method == row["interval_method"]]


def _refused(row: Row) -> list[str]:
    failed = row["n_fields_failed"]
    if not known(failed) or not failed:
        return []
    return [
        f"{counted(failed, 'field')} {verb(failed, 'was', 'were')} refused and "
        f"{verb(failed, 'is', 'are')} in no number."
    ]


def _accidental(row: Row) -> list[str]:
    expected = row["expected_chance_pairs"]
    if not known(expected):
        return []
    shown = f"at most about {grouped(expected)}" if expected >= 1 else "less than one"
    if expected == 0:
        shown = "none"
    return [f"Accidental pairs: {shown}; {ACCIDENTAL}."]
