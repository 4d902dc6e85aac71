"""How often each duration occurred, summed over the fields of a temperature.

Of ten thousand fields the parts need not fit into memory together: what is kept is a count for
each duration, and a name and an exposure for each field.

Input: counts of durations, field by field, in one table or in parts of it. Output: the events of
each temperature, exposure, epoch and state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from blinkpair.arrays import IntArray
from blinkpair.blinking.run_lengths import N_SUBSETS
from blinkpair.dwell_fits.events import Events, merge_events
from blinkpair.epochs import EPOCHS
from blinkpair.errors import InputError
from blinkpair.labels import (
    Temperature,
    require_columns,
    sort_temperatures,
    temperature_labels,
    text_codes,
)

STATES = ("on", "off")
KEYS = ("temperature_c", "exposure_s", "epoch", "state")
COUNTS = ("duration_frames", "subset", "n_events", "n_cut_by_end", "window_frames")
COLUMNS = ("field", "temperature_c", "epoch", "state", "exposure_s", *COUNTS)
_FOLDS = 20

# Measured from the times of the frames, one exposure differs in the fourth digit.
_SAME_EXPOSURE = 1e-3


Group = tuple[int, int]


@dataclass(frozen=True)
class Pool:
    """The events of all fields of one temperature and exposure, one epoch and state.

    Attributes
    ----------
    temperature_c : float, int or str
        Degrees C or `control`.
    exposure_s : float
        Median of the fields.
    epoch, state : str
        One of `EPOCHS`, one of `STATES`.
    n_fields : int
        Fields that have such events.
    window_frames : int
        Frames of the longest movie.
    groups : dict of Events
        Their counts, by the number of the field or sample (modulo 20) and the subset of its
        nanocrystals. Both epochs have the same.
    """

    temperature_c: Temperature
    exposure_s: float
    epoch: str
    state: str
    n_fields: int
    window_frames: int
    groups: dict[Group, Events]

    @cached_property
    def events(self) -> Events:
        """Return the events of all groups."""
        return merge_events(list(self.groups.values()))

    def keys(self) -> dict[str, Any]:
        """Return what distinguishes it from other pools, by the names of the columns."""
        return {name: getattr(self, name) for name in KEYS}


@dataclass
class _Sums:
    """Counts of one epoch and state so far, as a table that is summed whenever it has doubled.

    A key is a duration, a fold (the number of the field or sample modulo 20) and a subset of its
    nanocrystals, as one number.
    """

    keys: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    counts: IntArray = field(default_factory=lambda: np.zeros((2, 0), np.int64))
    waiting: list[tuple[IntArray, IntArray]] = field(default_factory=list)
    n_waiting: int = 0
    fields: set[str] = field(default_factory=set)
    window_frames: int = 0

    def add(self, keys: IntArray, counts: IntArray) -> None:
        """Take in (n,) keys and (2, n) complete and cut events."""
        self.waiting.append((keys, counts))
        self.n_waiting += keys.size
        if self.n_waiting > max(self.keys.size, 2_000):
            self.sum()

    def sum(self) -> None:
        """Bring what waits into the table."""
        keys, counts = zip((self.keys, self.counts), *self.waiting, strict=True)
        self.keys, self.counts = _summed(np.concatenate(keys), np.concatenate(counts, axis=1))
        self.waiting, self.n_waiting = [], 0

    def merge(self, other: _Sums) -> None:
        """Take in another."""
        other.sum()
        self.add(other.keys, other.counts)
        self.fields |= other.fields
        self.window_frames = max(self.window_frames, other.window_frames)

    def groups(self) -> dict[Group, Events]:
        """Return the events of each fold and subset."""
        self.sum()
        durations, group = np.divmod(self.keys, _FOLDS * N_SUBSETS)
        of_groups = {}
        for name in np.unique(group).tolist():
            own = group == name
            of_groups[divmod(name, N_SUBSETS)] = Events(durations[own], *self.counts[:, own])
        return of_groups


def _summed(keys: IntArray, counts: IntArray) -> tuple[IntArray, IntArray]:
    """Return each key once, ascending, and the sums of its columns of counts."""
    unique, place = np.unique(keys, return_inverse=True)
    sums = np.zeros((len(counts), unique.size), np.int64)
    for total, numbers in zip(sums, counts, strict=True):
        np.add.at(total, place, numbers)
    return unique, sums


def pool_durations(
    parts: Iterable[pd.DataFrame], units: Mapping[str, str] | None = None
) -> list[Pool]:
    """Sum the counts of all fields.

    Parameters
    ----------
    parts : iterable of DataFrame
        One row a field, epoch (`pre`, `post`), state (`on`, `off`), subset of the nanocrystals and
        duration that occurred: `field, temperature_c, epoch, state, subset, duration_frames,
        n_events` (complete ones), `n_cut_by_end, exposure_s, window_frames`. Events cut by the
        start of a trace are not in it. Of more than 20 fields of a treatment, their order decides
        which are left out together for the errors.
    units : mapping of str to str, optional
        What a field counts for in the errors, its sample for example; itself by default.

    Returns
    -------
    list of Pool
        Temperatures ascend, the control comes last; exposures ascend, `pre` is before `post` and
        `on` before `off`.

    Raises
    ------
    InputError
        For a missing column or a count, duration, epoch or state that cannot be.
    """
    sums: dict[tuple[Temperature, int, str, str], _Sums] = {}
    exposures: dict[Temperature, dict[tuple[int, str], float]] = {}
    folds: dict[Temperature, dict[str, int]] = {}
    for part in parts:
        table = _checked(part)
        of_rows = [table[name].to_numpy(np.int64) for name in COUNTS]
        for (label, step, epoch, state, name), exposure_s, rows in _runs(table):
            exposures.setdefault(label, {}).setdefault((step, name), exposure_s)
            own = sums.setdefault((label, step, epoch, state), _Sums())
            frames, subset, complete, cut, windows = (values[rows] for values in of_rows)
            own.fields.add(name)
            numbers = folds.setdefault(label, {})
            unit = (units or {}).get(name, name)
            fold = numbers.setdefault(unit, len(numbers)) % _FOLDS
            own.add((frames * _FOLDS + fold) * N_SUBSETS + subset, np.stack([complete, cut]))
            own.window_frames = max(own.window_frames, int(windows.max()))
    return [
        pool
        for label in sort_temperatures(exposures)
        for steps, exposure_s in _exposures(exposures[label])
        for pool in _pooled_rows(sums, label, steps, exposure_s)
    ]


def _runs(
    table: pd.DataFrame,
) -> Iterator[tuple[tuple[Temperature, int, str, str, str], float, slice]]:
    """Yield runs of equal rows: temperature, step, epoch, state and field; exposure; place.

    A step of exposures is finer than what parts two of them, so that its fields stay together.
    """
    exposure_s = table["exposure_s"].to_numpy(float)
    steps = np.floor(np.log(exposure_s) / (_SAME_EXPOSURE / 2)).astype(np.int64)
    label_of, labels = pd.factorize(table["temperature_c"])
    coded = [text_codes(table[name]) for name in ("epoch", "state", "field")]
    keys = np.stack([label_of, steps, *(codes for codes, _ in coded)])
    changes = np.flatnonzero((keys[:, 1:] != keys[:, :-1]).any(axis=0)) + 1
    ends = [0, *changes.tolist(), len(table)] if len(table) else []
    for start, stop in pairwise(ends):
        label, step, *codes = keys[:, start].tolist()
        epoch, state, name = (
            str(names[code]) for code, (_, names) in zip(codes, coded, strict=True)
        )
        key = (labels[label], step, epoch, state, name)
        yield key, float(exposure_s[start]), slice(start, stop)


def _exposures(known: dict[tuple[int, str], float]) -> list[tuple[list[int], float]]:
    """Group the steps of exposures that are alike; the median over the fields of each group.

    A new group begins wherever the next longer exposure is clearly longer.
    """
    values, at = np.unique(list(known.values()), return_inverse=True)
    longer = np.diff(np.log(values)) > _SAME_EXPOSURE
    group_of = np.concatenate([[0], np.cumsum(longer)])[at]
    groups: list[tuple[list[int], float]] = []
    for group in range(int(group_of.max()) + 1):
        own = [key for key, other in zip(known, group_of, strict=True) if other == group]
        first: dict[str, float] = {}
        for step, name in own:
            first.setdefault(name, known[step, name])
        groups.append((sorted({step for step, _ in own}), float(np.median(list(first.values())))))
    return groups


def _pooled_rows(
    sums: dict[tuple[Temperature, int, str, str], _Sums],
    label: Temperature,
    steps: list[int],
    exposure_s: float,
) -> Iterator[Pool]:
    for epoch in EPOCHS:
        for state in STATES:
            total = _Sums()
            for step in steps:
                own = sums.get((label, step, epoch, state))
                if own is not None:
                    total.merge(own)
            if not total.fields:
                continue
            yield Pool(
                label,
                exposure_s,
                epoch,
                state,
                len(total.fields),
                total.window_frames,
                total.groups(),
            )


def _checked(durations: pd.DataFrame) -> pd.DataFrame:
    require_columns(durations, list(COLUMNS), "dwell-time")
    table = durations.assign(temperature_c=temperature_labels(durations["temperature_c"]))
    for name, known in (("epoch", EPOCHS), ("state", STATES)):
        unknown = sorted(set(map(str, table[name].unique())) - set(known))
        if unknown:
            raise InputError(
                f"The dwell-time table has {name} '{unknown[0]}'",
                f"it has to be one of {', '.join(known)}",
            )
    most = np.iinfo(np.int64).max
    ranges = {
        "duration_frames": (1, most),
        "subset": (0, N_SUBSETS - 1),
        "n_events": (0, most),
        "n_cut_by_end": (0, most),
        "window_frames": (1, most),
    }
    for name, (low, high) in ranges.items():
        values = table[name].to_numpy(float)
        bad = ~((values >= low) & (values <= high)) | (values != np.rint(values))
        if bad.any():
            row = table.iloc[int(np.flatnonzero(bad)[0])]
            raise InputError(
                f"The dwell-time table has {name} {row[name]} in field {row['field']}",
                f"it counts whole frames or events, at least {low}",
            )
    exposure_s = table["exposure_s"].to_numpy(float)
    if not np.all(np.isfinite(exposure_s) & (exposure_s > 0)):
        raise InputError(
            "The dwell-time table has an exposure_s that is no time", "seconds, e.g. 0.02"
        )
    return table
