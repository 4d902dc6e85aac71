"""What the tables say, in sentences.

In: rows of the result tables. Out: plain text, which the page sets as it is. A sentence says no
more than its interval allows, and the wording changes with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from blinkpair.populations import BY_FIELDS, BY_NANOCRYSTALS, BY_OTHER_FIELDS
from blinkpair.report.language import (
    capitalised,
    counted,
    grouped,
    known,
    listed,
    per_cent,
    verb,
)
from blinkpair.report.methods_text import methods
from blinkpair.report.tables import by_temperature, p_value, percent, signed_points, temperature
from blinkpair.table_labels import CONTROL, temperature_label

__all__ = ["answer", "caveats", "citation", "headline", "methods"]

Row = Mapping[Any, Any]


def answer(row: Row, control: Row | None, confidence: float) -> str:
    """Say what happened to the nanocrystals of a temperature.

    Parameters
    ----------
    row : mapping
        A row of `populations.csv`.
    control : mapping, optional
        The control's row, where there is one and `row` is another.
    confidence : float
        Coverage of the intervals, 0 to 1.
    """
    where = _where(row)
    refused = _refused(row)
    if not row["n"]:
        return " ".join([_nothing(row, where), *refused])
    sentences = [_populations(row, where, confidence), *_change(row, confidence)]
    if control is not None:
        sentences += _against_control(row, control)
    return " ".join([*sentences, *refused])


def caveats(row: Row) -> str:
    """Say how the intervals of a temperature were made, and how many pairs may be chance."""
    return " ".join([*_basis(row), *_chance(row)]) if row["n"] else ""


def headline(populations: pd.DataFrame, fields: pd.DataFrame) -> str:
    """Say in two sentences what the run measured, and what came out.

    Parameters
    ----------
    populations, fields : DataFrame
        `populations.csv` and `fields.csv`.
    """
    n_fields = len(fields)
    refused = int((fields["status"] != "ok").sum())
    rows = [part.iloc[0].to_dict() for part in by_temperature(populations)]
    n = sum(int(row["n"]) for row in rows)
    first = (
        f"{counted(n, 'nanocrystal')} in {counted(n_fields - refused, 'field')} "
        f"{verb(n, 'was', 'were')} emissive before or after"
    )
    if refused:
        first += f"; {counted(refused, 'field')} {verb(refused, 'was', 'were')} refused"
    is_control = [temperature_label(row["temperature_c"]) == CONTROL for row in rows]
    told = [(row, c) for row, c in zip(rows, is_control, strict=True) if known(row["mean_delta"])]
    changes = [
        f"{signed_points(row['mean_delta'])} points at {temperature(row['temperature_c'])}"
        for row, c in told
        if not c
    ]
    alone = [f"{signed_points(row['mean_delta'])} points" for row, c in told if c]
    sentences = [f"{first}."]
    if changes:
        sentences.append(f"The on-fraction changed on average by {listed(changes)}.")
    if alone:
        sentences.append(f"Re-mounting without annealing, the control, changed it by {alone[0]}.")
    elif not any(is_control):
        sentences.append("There is no control that was re-mounted without annealing.")
    return " ".join(sentences)


def _where(row: Row) -> str:
    label = temperature_label(row["temperature_c"])
    if label == CONTROL:
        return "in the control, which was re-mounted without annealing"
    return f"at {temperature(label)}"


def _nothing(row: Row, where: str) -> str:
    start = capitalised(where)
    if not row["n_fields"]:
        return f"{start}, no field could be used: nothing can be said."
    dark = row["n_dark"]
    both = f" ({grouped(dark)} {verb(dark, 'was', 'were')} dark in both)" if dark else ""
    return f"{start}, no nanocrystal was emissive before or after{both}: nothing can be said."


def _populations(row: Row, where: str, confidence: float) -> str:
    n = row["n"]
    gained = _share(row, "became_emissive", f"{per_cent(confidence)} interval ")
    lost = _share(row, "became_dark", "")
    return (
        f"{capitalised(where)}, of {counted(n, 'nanocrystal')} that {verb(n, 'was', 'were')} "
        f"emissive before or after, {gained} had been dark and became emissive, and {lost} "
        "became dark."
    )


def _share(row: Row, population: str, introduction: str) -> str:
    """Write `69 (18 %, 95 % interval 14 to 22 %)`."""
    inside = percent(row[f"fraction_{population}"])
    low, high = (row[f"fraction_{population}_{end}"] for end in ("low", "high"))
    if known(low) and known(high):
        inside += f", {introduction}{100 * low:.0f} to {100 * high:.0f} %"
    return f"{grouped(row[f'n_{population}'])} ({inside})"


def _excludes_zero(row: Row, name: str) -> bool | None:
    """Whether an interval excludes 0; None where there is none."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return (low > 0 or high < 0) if known(low) and known(high) else None


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
    clear = _excludes_zero(row, "mean_delta")
    if clear is None:
        few = "too few for an interval"
        return [f"{text} ({', '.join(part for part in (few, test) if part)})."]
    text += f" ({_points(row, 'mean_delta')})"
    if not test:
        verdict = "more than chance alone explains" if clear else "which chance alone could explain"
        return [f"{text}, {verdict}."]
    rejected = p < 1 - confidence
    if clear and rejected:
        return [f"{text}, more than chance alone explains ({test})."]
    if not clear and not rejected:
        return [f"{text}, which chance alone could explain ({test})."]
    if clear:
        return [f"{text}; the interval excludes no change, but the ranks do not ({test})."]
    return [
        f"{text}; the interval includes no change, although the ranks, with nanocrystals taken as "
        f"independent, speak against it ({test})."
    ]


def _unit(value: float) -> str:
    return "point" if f"{abs(100 * value):.1f}" == "1.0" else "points"


def _equals(p: float) -> str:
    text = p_value(p)
    return text if text.startswith("<") else f"= {text}"


def _against_control(row: Row, control: Row) -> list[str]:
    name = "mean_delta_minus_control"
    difference = row[name]
    if not known(difference):
        return ["The control has no nanocrystal to compare with."] if not control["n"] else []
    size = f"{abs(100 * difference):.1f}"
    than = "the control, which was re-mounted without annealing"
    if size == "0.0":
        text = f"That is the same as in {than}"
    else:
        side = "more" if difference > 0 else "less"
        text = f"That is {size} {_unit(difference)} {side} than in {than}"
    clear = _excludes_zero(row, name)
    if clear is None:
        return [f"{text}."]
    verdict = "a clear difference" if clear else "no clear difference"
    return [f"{text}: {verdict} ({_points(row, name)})."]


def _basis(row: Row) -> list[str]:
    n_fields = int(row["n_fields"])
    sentences = {
        BY_FIELDS: f"The intervals resample {counted(n_fields, 'field')}.",
        BY_OTHER_FIELDS: "With one field, the intervals are widened by how much fields differ at "
        "the other temperatures.",
        BY_NANOCRYSTALS: "The intervals take nanocrystals as independent: too narrow if fields "
        "differ.",
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


def _chance(row: Row) -> list[str]:
    expected = row["expected_chance_pairs"]
    if not known(expected):
        return []
    if expected < 1:
        return ["Fewer than one pair of before and after is expected by chance."]
    return [f"About {grouped(expected)} of the pairs of before and after may be chance."]


def citation(content: Mapping[str, Any], version: str) -> list[str]:
    """Say what to cite: the software, then the works it follows.

    Parameters
    ----------
    content : mapping
        Of `CITATION.cff`.
    version : str
        Of blinkpair, as the run used it.
    """
    return [
        _work(dict(content) | {"version": version}),
        *(_work(reference) for reference in content.get("references", [])),
    ]


def _work(work: Mapping[str, Any]) -> str:
    """Write a work as CITATION.cff describes it: authors, title, where, year, link."""
    released = str(work.get("date-released", ""))
    year = str(work.get("year", "")) or released[:4]
    pages = "–".join(str(work[end]) for end in ("start", "end") if work.get(end))
    volume = str(work.get("volume", ""))
    place = [str(work.get("journal", "")), ", ".join(part for part in (volume, pages) if part)]
    software = work.get("type") == "software"
    parts = [
        listed(_author(author) for author in work.get("authors", [])),
        _stopped(" ".join(str(work["title"]).split())),
        " ".join(part for part in place if part),
        f"Version {work['version']}" if software and work.get("version") else "",
    ]
    text = " ".join(_stopped(part) for part in parts if part)
    if year:
        text = f"{text[:-1]} ({year})."
    link = f"https://doi.org/{work['doi']}" if work.get("doi") else work.get("url")
    link = link or work.get("repository-code")
    return f"{text} {link}" if link else text


def _stopped(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _author(author: Mapping[str, Any]) -> str:
    if "family-names" not in author:
        return str(author.get("name", author.get("alias", "")))
    given = str(author.get("given-names", "")).replace("-", " -").split()
    initials = " ".join(f"{'-' if n[0] == '-' else ''}{n.lstrip('-')[:1]}." for n in given)
    family = " ".join(str(author[k]) for k in ("name-particle", "family-names") if author.get(k))
    return f"{initials.replace(' -', '-')} {family}".strip()
