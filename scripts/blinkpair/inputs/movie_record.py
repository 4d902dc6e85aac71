"""What is used of each field's movies and where it is from, for a person to see before the run.

Input: the headers of a field's movies. Output: columns of `fields.csv`, and lines for the start
of a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from blinkpair.epochs import EPOCHS
from blinkpair.inputs.headers import Header
from blinkpair.labels import (
    CONFIRMED,
    CONTROL,
    NOT_CHECKED,
    after_treatment,
    sort_temperatures,
    temperature_labels,
)
from blinkpair.treatments import TEMPERATURE, TREATMENT

EPOCH_COLUMNS = tuple(
    column
    for epoch in EPOCHS
    for column in (
        f"n_files_{epoch}",
        f"n_frames_{epoch}",
        f"acquired_{epoch}",
        f"camera_exposure_{epoch}_s",
    )
)
RECORD_COLUMNS = (
    "exposure_s",
    "exposure_from",
    "pixel_size_um",
    "pixel_size_from",
    *EPOCH_COLUMNS,
    "epoch_order",
)
SAME_FRAME_TIME = 1e-3  # measured from stamps, one time differs in the fourth digit
MOST_LINES = 20  # more fields than that are shown in groups


def of_epochs(headers: Mapping[str, Header]) -> dict[str, str]:
    """Return the columns of both epochs, empty for a movie that could not be opened.

    Parameters
    ----------
    headers : mapping
        Column of the sheet -> header.

    Returns
    -------
    dict of str
        `n_files_pre`, `n_frames_pre`, `acquired_pre` (by the microscope's clock, empty where the
        file holds no date), `camera_exposure_pre_s` (empty where it holds none), and the same after
        annealing; `epoch_order`, whether both dates are
        known, and with them the order of the epochs.
    """
    row = dict.fromkeys((*EPOCH_COLUMNS, "epoch_order"), "")
    for epoch in EPOCHS:
        if movie := headers.get(f"{epoch}_pl"):
            row[f"n_files_{epoch}"] = str(len(movie.files))
            row[f"n_frames_{epoch}"] = str(movie.frames)
            row[f"acquired_{epoch}"] = written_date(movie.acquired_s)
            if movie.camera_exposure_s is not None:
                row[f"camera_exposure_{epoch}_s"] = f"{movie.camera_exposure_s:.6g}"
    in_order = "" < row["acquired_pre"] < row["acquired_post"]  # else an error, if both are known
    row["epoch_order"] = CONFIRMED if in_order else NOT_CHECKED
    return row


def lengths_s(fields: pd.DataFrame) -> pd.Series[float]:
    """Return the length of each field's shorter movie in seconds; NaN where it is not known."""
    frames = fields[[f"n_frames_{epoch}" for epoch in EPOCHS]].apply(pd.to_numeric).min(axis=1)
    return frames * fields["exposure_s"].astype(float)


def equal_length_s(fields: pd.DataFrame) -> float | None:
    """Return the length of the shortest movie in seconds; None if none is longer by 2 %.

    Parameters
    ----------
    fields : DataFrame
        With the columns RECORD_COLUMNS.
    """
    own = lengths_s(fields)
    shortest, longest = float(own.min()), float(own.max())
    return shortest if longest > 1.02 * shortest else None


def describe_lengths(fields: pd.DataFrame, *, cut: bool) -> list[str]:
    """Return a note where movies differ in length and there is a control to compare with."""
    shortest = equal_length_s(fields)
    if shortest is None or CONTROL not in set(fields["temperature_c"].astype(str)):
        return []
    text = f"The movies are {shortest:.4g} to {lengths_s(fields).max():.4g} s long: "
    if cut:
        return [f"{text}treatments are compared with the control over the first {shortest:.4g} s."]
    return [f"{text}on-fractions of short movies scatter more (statistics.equal_length: false)."]


def describe_frame_times(fields: pd.DataFrame) -> list[str]:
    """Return a note where the times per frame of fields differ, with the fields of the rarer ones.

    Times within 0.1 % of the next shorter one are alike, as where dwell times are pooled.
    """
    known = fields[["field", "exposure_s"]].dropna().sort_values("exposure_s", kind="stable")
    clearly_longer = known["exposure_s"].pct_change() > SAME_FRAME_TIME
    groups = [group for _, group in known.groupby(clearly_longer.cumsum())]
    if len(groups) < 2:
        return []
    commonest = max(groups, key=len)
    rarer = [
        f"{group['exposure_s'].median():.4g} s: {_names(list(group['field']))}"
        for group in groups
        if group is not commonest
    ]
    return [
        f"Frames of {commonest['exposure_s'].median():.4g} s in {_names(list(commonest['field']))} "
        f"and of {'; '.join(rarer)}. A fixed threshold in counts a frame means another brightness "
        "in each, and events shorter than a frame are not seen: compare treatments at equal times "
        "per frame. Dwell times are pooled only where the time per frame is the same."
    ]


def written_date(seconds: float | None) -> str:
    """Write a time in seconds since 1970; '' for none."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}" if seconds else ""


def describe(fields: pd.DataFrame, *, to_come: bool = False) -> list[str]:
    """Return lines on what is used: one a field, or one for all fields alike where there are many.

    Parameters
    ----------
    fields : DataFrame
        With the columns `field` and RECORD_COLUMNS.
    to_come : bool
        Whether other rules make the movies.
    """
    head = "Used of the movies (also in fields.csv):"
    if to_come:
        head = "Used of the movies, which other rules make:"
    rows = [{str(name): value for name, value in row.items()} for row in fields.to_dict("records")]
    if len(rows) <= MOST_LINES:
        return [
            head,
            *(f"  {row['field']}: {_line(row, with_date=True, to_come=to_come)}" for row in rows),
        ]
    alike: dict[str, list[str]] = {}
    for row in rows:
        alike.setdefault(_line(row, with_date=False, to_come=to_come), []).append(str(row["field"]))
    groups = sorted(alike.items(), key=lambda group: len(group[1]))
    lines = [f"  {_names(names)}: {line}" for line, names in groups[:MOST_LINES]]
    if hidden := sum(len(names) for _, names in groups[MOST_LINES:]):
        lines.append(f"  and {hidden} more fields")
    return [head, *lines]


def summarise_fields(fields: pd.DataFrame) -> str:
    """Return how many fields there are of which treatment: '3 fields: 2 at 70 °C, 1 control'."""
    groups = temperature_labels(fields.get(TREATMENT, fields[TEMPERATURE]))
    counts = groups.value_counts()
    parts = [
        f"{counts[label]} {label if label == CONTROL else after_treatment(label)}"
        for label in sort_temperatures(groups)
    ]
    return f"{len(fields)} field{'s' if len(fields) != 1 else ''}: {', '.join(parts)}."


def too_short(fields: pd.DataFrame, settings: Mapping[str, Any]) -> list[str]:
    """Return for what movies are too short by the settings, with the fields concerned.

    Parameters
    ----------
    fields : DataFrame
        With the columns `field` and RECORD_COLUMNS.
    settings : mapping
        Every setting.
    """
    fewest = settings["dwell_times"]["min_events"]
    reference_s = settings["photostability"]["reference_s"]
    frames = fields[[f"n_frames_{e}" for e in EPOCHS]].apply(pd.to_numeric, errors="coerce")
    frames = frames.min(axis=1)
    no_fits = fields["field"][(frames < 2 * fewest).to_numpy()]
    no_ends = fields["field"][(frames * fields["exposure_s"] < 3 * reference_s).to_numpy()]
    lines = []
    if len(no_fits):
        lines.append(
            f"Too short for dwell times: {_names(list(no_fits))}: fewer than {2 * fewest} frames, "
            f"so no nanocrystal has {fewest} events (dwell_times: min_events)."
        )
    if len(no_ends):
        lines.append(
            f"Movies below {3 * reference_s:g} s: {_names(list(no_ends))}. The share of the PL "
            f"kept compares their first and last tenth, not {reference_s:g} s (photostability: "
            "reference_s)."
        )
    return lines


def _line(row: Mapping[str, Any], *, with_date: bool, to_come: bool) -> str:
    parts = [
        f"{row[name]:.4g} {unit} ({row[source]})" if row[source] else f"no {name}"
        for name, source, unit in (
            ("exposure_s", "exposure_from", "s a frame"),
            ("pixel_size_um", "pixel_size_from", "um a pixel"),
        )
    ]
    for epoch in EPOCHS:
        files = row[f"n_files_{epoch}"]
        held = f"{row[f'n_frames_{epoch}']} frames in {files} file{'s' if files != '1' else ''}"
        date = f", {row[f'acquired_{epoch}'] or 'no date'}" if with_date else ""
        missing = "to be made" if to_come else "not readable"
        parts.append(f"{epoch} {held}{date}" if files else f"{epoch} {missing}")
    return "; ".join(parts)


def _names(names: list[str]) -> str:
    return ", ".join(names) if len(names) < 4 else f"{len(names)} fields ({names[0]}, ...)"
