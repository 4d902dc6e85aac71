"""Which nanocrystals to show as examples, and their traces.

Input: the nanocrystal table and the trace files. Output: for each population and for each class of
photostability a nanocrystal, and its traces and states.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import bdtrc

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.blinking.on_fractions import COUNTED
from blinkpair.blinking.photostability import CLASSES
from blinkpair.epochs import EPOCHS
from blinkpair.labels import CLASS_NAMES, CONTROL, EPOCH_NAMES, by_temperature, temperature_labels

# What the examples are chosen by, and what is written beside their traces.
COLUMNS = (
    "field",
    "nc_id",
    "temperature_c",
    "population",
    "delta_on_fraction",
    *(
        f"{name}_{epoch}"
        for epoch in EPOCHS
        for name in (
            "photostability",
            "on_fraction",
            "p_on_level",
            "p_off_fraction",
            "on_level_change",
            "off_fraction_change",
            "threshold_counts",
        )
    ),
)


# Of the significance, what each class has without any trend: two tests, each two-sided.
_CHANCE = {"brightening": 1 / 2, "dimming": 1 / 4, "going_dark": 1 / 4}
_LEVEL = 0.05  # of all the tests whether chance explains the calls


class Examples(NamedTuple):
    """Traces of the chosen nanocrystals; n rows."""

    pre: NDArray[np.float32]
    post: NDArray[np.float32]
    thresholds: FloatArray
    on_fractions: FloatArray
    exposure_s: FloatArray
    labels: list[str]


class States(NamedTuple):
    """When one nanocrystal was on, of each epoch (frames,) bool."""

    on: dict[str, BoolArray]
    exposure_s: float


def choose(nanocrystals: pd.DataFrame) -> pd.DataFrame:
    """Return a typical nanocrystal of each population, the same for the same table.

    Parameters
    ----------
    nanocrystals : pandas.DataFrame
        All fields.

    Returns
    -------
    pandas.DataFrame
        Their rows, with a `label`; the one closest to the median change of its population, at the
        temperature with the most of them.
    """
    rows = []
    for population in COUNTED:
        at = np.flatnonzero((nanocrystals["population"] == population).to_numpy(bool))
        if not at.size:
            continue
        warm = nanocrystals["temperature_c"].iloc[at]
        annealed = (temperature_labels(warm) != CONTROL).to_numpy(bool)
        if annealed.any():
            at, warm = at[annealed], warm[annealed]
        most = warm.value_counts().sort_index().idxmax()
        at = at[(warm == most).to_numpy(bool)]
        change = nanocrystals["delta_on_fraction"].iloc[at]
        distance = (change - change.median()).abs().to_numpy(float)
        chosen = nanocrystals.iloc[at[np.argsort(distance, kind="stable")[:1]]]
        rows.append(_labelled(chosen, population.replace("_", " ")))
    return pd.concat(rows) if rows else _labelled(nanocrystals.head(0), "")


def choose_by_photostability(
    nanocrystals: pd.DataFrame, significance: float = 0.05
) -> tuple[pd.DataFrame, str]:
    """Return a clear nanocrystal of each class of photostability, the same for the same table.

    Parameters
    ----------
    nanocrystals : pandas.DataFrame
        All fields.
    significance : float
        At which trends were tested: the share of nanocrystals without one that may be called
        anything but stable.

    Returns
    -------
    rows : pandas.DataFrame
        Their rows, with a `label` that names the epoch, `trend_epoch`, `trend` (`on_level`,
        `off_fraction` or none) and a `remark` with its size and p. The stable one is the closest
        to the median on-fraction. Of another class there is one, that with the smallest p
        value, only where all together, or a temperature and epoch, have more of the class than
        chance explains: by one-sided binomial tests against the share that is called without any
        trend, at 5 % over all of them.
    left_out : str
        The other classes, with how many there are and how many chance makes; empty if none is
        left out.
    """
    rows, left_out = [], []
    groups = list(by_temperature(nanocrystals).values())
    level = _LEVEL / (len(_CHANCE) * (len(groups) * len(EPOCHS) + 1))
    for name in CLASSES:
        called = [_Called(g, name, e) for g in groups for e in EPOCHS]
        n, tested = sum(len(c.rows) for c in called), sum(c.n_tested for c in called)
        if name in _CHANCE:
            share = significance * _CHANCE[name]
            if bdtrc(n - 1, tested, share) >= level:  # not all of them together
                called = [c for c in called if bdtrc(len(c.rows) - 1, c.n_tested, share) < level]
            if tested and not called:
                most = _most_by_chance(tested, share, level)
                left_out.append(f"{CLASS_NAMES[name]} {n} of {tested} (chance: up to {most})")
        found = [(*c.clearest(), place) for place, c in enumerate(called) if len(c.rows)]
        if found:
            _, at, place = min(found, key=lambda item: (item[0], item[2]))
            rows.append(_with_trend(called[place].rows.iloc[[at]], name, called[place].epoch))
    text = "; ".join(left_out)
    if text:
        text = f"no example, because there are no more than chance explains: {text}"
    return (pd.concat(rows) if rows else _labelled(nanocrystals.head(0), "")), text


class _Called:
    """The nanocrystals of a temperature that have a class in one epoch."""

    def __init__(self, group: pd.DataFrame, name: str, epoch: str) -> None:
        classes = group[f"photostability_{epoch}"]
        self.name, self.epoch = name, epoch
        self.rows = group[(classes == name).to_numpy(bool)]
        self.n_tested = int(classes.isin(CLASSES).sum())

    def clearest(self) -> tuple[float, int]:
        """Return the smallest p, or distance from the median on-fraction, and its row."""
        if self.name in _CHANCE:
            of_tests = [f"p_on_level_{self.epoch}", f"p_off_fraction_{self.epoch}"]
            order = self.rows[of_tests].min(axis=1).to_numpy(float)
        else:
            fraction = self.rows[f"on_fraction_{self.epoch}"]
            order = (fraction - fraction.median()).abs().to_numpy(float)
        order = np.nan_to_num(order, nan=np.inf)  # those without an order come last
        at = int(np.argmin(order))
        return float(order[at]), at


def _most_by_chance(n: int, share: float, level: float) -> int:
    """Return how many of n, each called with a probability, are exceeded with less than a level."""
    counts = np.arange(n + 1)
    return int(counts[bdtrc(counts, n, share) < level][0])


def _with_trend(own: pd.DataFrame, name: str, epoch: str) -> pd.DataFrame:
    """Return a row with its trend: that of the smaller p, of the class's two tests."""
    row = own.iloc[0]
    trend, remark = "", ""
    if name in _CHANCE:
        p_of = {t: float(row[f"p_{t}_{epoch}"]) for t in ("on_level", "off_fraction")}
        trend = min(p_of, key=lambda t: (np.isnan(p_of[t]), p_of[t]))
        change = 100 * float(row[f"{trend}_change_{epoch}"])
        what = "on level {:+.0f} %" if trend == "on_level" else "off-fraction {:+.0f} points"
        p = p_of[trend]
        remark = what.format(change).replace(" -", " −")
        remark += ", p < 0.001" if p < 0.001 else f", p = {p:.2g}"
    when = EPOCH_NAMES[epoch]
    labelled = _labelled(own, f"{CLASS_NAMES[name]} {when}")
    return labelled.assign(trend_epoch=epoch, trend=trend, remark=remark)


def _labelled(rows: pd.DataFrame, what: str) -> pd.DataFrame:
    names = zip(rows["field"], rows["nc_id"], strict=True)
    return rows.assign(label=[f"{what}: {field}, {nc_id}" for field, nc_id in names])


def read_traces(chosen: pd.DataFrame, traces: Mapping[str, str]) -> Examples:
    """Read the traces of the chosen nanocrystals, padded with NaN where movies differ in length.

    Parameters
    ----------
    chosen : pandas.DataFrame
        Nanocrystals with a `label`.
    traces : mapping of str to path
        Field to its `traces.nc`.
    """
    pre, post = [], []
    exposure_s = []
    for row in chosen.itertuples():
        one, seconds = _rows(traces[str(row.field)], row.nc_id, "intensity")
        pre.append(one["pre"])
        post.append(one["post"])
        exposure_s.append(seconds)
    thresholds = chosen[["threshold_counts_pre", "threshold_counts_post"]].to_numpy(float)
    fractions = chosen[["on_fraction_pre", "on_fraction_post"]].to_numpy(float)
    labels = list(chosen["label"])
    times = np.array(exposure_s, np.float64)
    return Examples(_padded(pre), _padded(post), thresholds, fractions, times, labels)


def read_states(field: str, nc_id: int, traces: Mapping[str, str]) -> States:
    """Read when one nanocrystal was on.

    Parameters
    ----------
    field, nc_id : str, int
        Which one.
    traces : mapping of str to path
        Field to its `traces.nc`.
    """
    on, exposure_s = _rows(traces[field], nc_id, "on")
    return States({epoch: states[states >= 0] == 1 for epoch, states in on.items()}, exposure_s)


def _rows(path: str, nc_id: Any, kind: str) -> tuple[dict[str, NDArray[Any]], float]:
    """Return the `kind` of one nanocrystal in both epochs, and the exposure in seconds."""
    import h5py

    with h5py.File(path) as file:
        row = file["nanocrystal"][...].tolist().index(nc_id)
        return {e: file[f"{kind}_{e}"][row] for e in EPOCHS}, float(file.attrs["exposure_s"][0])


def _padded(traces: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    longest = max((len(trace) for trace in traces), default=0)
    padded = np.full((len(traces), longest), np.nan, np.float32)
    for row, trace in zip(padded, traces, strict=True):
        row[: len(trace)] = trace
    return padded
