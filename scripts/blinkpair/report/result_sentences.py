"""The tables in sentences.

A sentence states no more than its interval allows, and has no test that could contradict it: p is
that of the distribution whose quantiles are the interval.

Input: rows of the result tables. Output: plain text, which the page sets as it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from blinkpair.blinking.equal_length import SAME_LENGTH
from blinkpair.labels import (
    CONTROL,
    after_treatment,
    temperature_label,
)
from blinkpair.populations.table import (
    BY_ASSUMPTION,
    BY_FIELDS,
    BY_OTHER_FIELDS,
    BY_OTHER_SAMPLES,
    BY_SAMPLES,
)
from blinkpair.report.cells import (
    ACCIDENTAL,
    p_value,
    percent,
    percent_end,
    signed_points,
    upper_limit,
)
from blinkpair.report.language import (
    as_set,
    capitalised,
    counted,
    grouped,
    known,
    per_cent,
    plain,
    spread,
    verb,
)
from blinkpair.report.verdicts import left_out
from blinkpair.statistics.intervals import MOST_MORE_FIELDS

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
    sentences = [_populations(row, where, confidence, dark_cutoff), *_change(row)]
    if control is not None:
        sentences += _against_control(row, control)
    elif is_control(row) and _sign(row, "mean_delta"):
        sentences.append("Re-mounting alone changed it: read the other results against this.")
    return " ".join([*sentences, *refused])


def caveats(row: Row) -> str:
    """Return what is left out by hand, the basis of the intervals, and what may be wrong."""
    parts = [left_out(row), *_basis(row), *_more_fields(row), *_unequal(row)]
    parts += [*_near_limit(row), *_accidental(row)]
    return " ".join(part for part in parts if part) if row["n"] else left_out(row)


def other_recipe(rows: Sequence[Row], method: str, threshold_counts: float) -> str:
    """Return the results of a treatment by the recipe that the answer does not use.

    `rows` are its two in `methods.csv`, `fixed` and `best`; `method` is the run's, `fixed` or
    `hmm`; the counts are those of `fixed`.
    """
    paper, best = rows
    if not all(known(row["mean_delta"]) for row in rows):
        return ""
    row, name = best, "the hidden Markov model"
    if method == "hmm":
        row, name = paper, f"the fixed threshold of {as_set(threshold_counts)} counts"
    emissive, dark = (percent(row[f"fraction_became_{kind}"]) for kind in ("emissive", "dark"))
    text = (
        f"By {name} instead, of {_counted_rows(row)} {emissive} became emissive and {dark} "
        f"dark, and the mean change was {change_of(row, ' points')}"
    )
    name = "mean_delta_minus_fixed"
    difference = f"{signed_points(best[name])} {_unit(best[name])}"
    if _sign(best, name) is not None:
        difference += f" ({_points(best, name)})"
    return f"{text}; the difference (model minus threshold) is {difference}."


def rows_of(rows: list[Row], thing: str) -> str:
    """Write `393 nanocrystals`, or, where fields share a movie, `86 rows of 44 nanocrystals`."""
    n = sum(int(row["n"]) for row in rows)
    single = sum(int(row["n_nanocrystals"]) - int(row["n_also_in_rows_above"]) for row in rows)
    return counted(n, thing) if n == single else f"{counted(n, 'row')} of {counted(single, thing)}"


def _counted_rows(row: Row) -> str:
    """Write the n of one treatment in the same way."""
    return rows_of([{**row, "n_also_in_rows_above": 0}], "nanocrystal")


def change_of(row: Row, unit: str) -> str:
    """Write `−7.3 points (−11.9 to −2.6)`; the unit stands with the first of several alone."""
    ends = _points(row, "mean_delta") if _sign(row, "mean_delta") is not None else TOO_FEW
    return f"{signed_points(row['mean_delta'])}{unit} ({ends})"


def is_control(row: Row) -> bool:
    """Return whether a row is the control's."""
    return temperature_label(row["temperature_c"]) == CONTROL


def _where(row: Row, word: str) -> str:
    where = after_treatment(row["temperature_c"])
    return f"{where}, which was re-mounted without {word}" if is_control(row) else where


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
    of = _counted_rows(row)
    if n != row["n_nanocrystals"]:
        of += ", whose fields share movies,"
    return (
        f"{capitalised(where)}, of {of} that {verb(n, 'was', 'were')} "
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


def _change(row: Row) -> list[str]:
    if not known(row["mean_delta"]):
        return []
    change = signed_points(row["mean_delta"])
    text = f"On average the on-fraction changed by {change} {_unit(row['mean_delta'])}"
    sign = _sign(row, "mean_delta")
    if sign is None:
        return [f"{text} ({TOO_FEW})."]
    verdict = "more than chance explains" if sign else "which chance could explain"
    text += f" ({_points(row, 'mean_delta')}), {verdict}"
    if known(row["p_mean_delta"]):
        text += f" (p {_equals(row['p_mean_delta'])})"
    return [f"{text}{_median(row, sign)}."]


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
    text = f"The control changed by {signed_points(own)} {_unit(own)}; the difference"
    text += f"{_compared_over(row, control)} is {signed_points(row[name])}"
    sign = _sign(row, name)
    if sign is None:
        text += f" ({TOO_FEW})"
    else:
        text += f" ({_points(row, name)}), an interval that {'excludes' if sign else 'includes'} 0"
    return [f"{text}{_shares_against_control(row)}."]


def _compared_over(row: Row, control: Row) -> str:
    """Return over which part of the movies two rows are compared, where they differ in length."""
    ends = [own[f"{which}_movie_s"] for own in (row, control) for which in ("shortest", "longest")]
    if known(row["compared_s"]):
        return f" over the first {plain(row['compared_s'])} s of every movie"
    if all(map(known, ends)) and max(ends) > SAME_LENGTH * min(ends):
        return f", of movies of unequal length ({spread(ends)} s),"
    return ""


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
        return f"; of the differences of the two shares only that of ‘{differ[0]}’ excludes 0"
    return f"; the differences of both shares {'exclude' if differ else 'include'} 0"


def _basis(row: Row) -> list[str]:
    n_fields = counted(row["n_fields"], "field")
    sentences = {
        BY_FIELDS: "The intervals allow for fields that differ, by as much as fields of one "
        f"treatment are seen to differ, {n_fields} here",
        BY_OTHER_FIELDS: "The intervals allow for fields that differ as they do at the other "
        "treatments: there is one field here",
        BY_ASSUMPTION: "No treatment has two fields, which would show how much fields differ: the "
        "intervals rest on an assumption about it (a weak prior)",
        BY_SAMPLES: "The intervals allow for samples that differ, by as much as samples of one "
        "treatment are seen to differ",
        BY_OTHER_SAMPLES: "The intervals allow for samples that differ as they do at the other "
        "treatments: there is one sample here",
    }
    method = row["interval_method"]
    if method not in sentences:
        return []
    independent = ""
    if _sign(row, "mean_delta_independent") is not None:
        ends = _points(row, "mean_delta_independent")
        independent = f"; if nanocrystals were independent, that of the mean would be {ends} points"
        if method == BY_ASSUMPTION:
            wide, narrow = (
                row[f"mean_delta{of}_high"] - row[f"mean_delta{of}_low"]
                for of in ("", "_independent")
            )
            independent = (
                f", by which that of the mean is {plain(wide / narrow, 2)} times as wide as if "
                f"nanocrystals were independent ({ends} points)"
                if narrow > 0
                else ""
            )
    return [f"{sentences[method]}{independent}."]


def _more_fields(row: Row) -> list[str]:
    """Return how many more fields would halve the interval of the mean change."""
    more = float(row["n_more_fields_to_halve"])
    unit = "sample" if row["interval_method"] in (BY_SAMPLES, BY_OTHER_SAMPLES) else "field"
    if _sign(row, "mean_delta") is None or math.isnan(more):
        return []
    if more == math.inf:
        return [f"More than {MOST_MORE_FIELDS} more {unit}s would be needed to halve them."]
    return [f"{capitalised(counted(more, f'more {unit}'))} here would about halve them."]


def _unequal(row: Row) -> list[str]:
    """Return the lengths of the movies of a treatment, where they differ."""
    ends = [row["shortest_movie_s"], row["longest_movie_s"]]
    if not all(map(known, ends)) or ends[1] <= SAME_LENGTH * ends[0]:
        return []
    return [f"The movies here are {spread(ends)} s long, and the short ones scatter more."]


def _refused(row: Row) -> list[str]:
    failed = row["n_fields_failed"]
    if not known(failed) or not failed:
        return []
    return [
        f"{counted(failed, 'field')} {verb(failed, 'was', 'were')} refused and "
        f"{verb(failed, 'is', 'are')} in no number."
    ]


def _near_limit(row: Row) -> list[str]:
    expected = row["expected_other_population"]
    if not known(expected):
        return []
    some = f"{expected:.0f}" if expected >= 1 else "fewer than one"
    return [
        "By the standard errors of the on-fractions, the number of nanocrystals in a wrong "
        f"population is expected to be {some}."
    ]


def _accidental(row: Row) -> list[str]:
    expected = row["expected_chance_pairs"]
    if not known(expected):
        return []
    shown = f"at most {upper_limit(expected)}" if expected >= 1 else "less than one"
    if expected == 0:
        shown = "none"
    return [f"Accidental pairs: {shown}; {ACCIDENTAL}."]
