"""All measurements of the ensemble sheet -> the tables of decays.

Input: the rows of the sheet. Output: `decays.csv`, one row a measurement and component.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from blinkpair.ensemble import bleach, decays
from blinkpair.ensemble.common import Common, fit_common
from blinkpair.ensemble.fitting import Fit
from blinkpair.ensemble.goodness import goodness
from blinkpair.ensemble.intervals import (
    bounded_exp,
    difference_of,
    fraction_of,
    is_resolved,
    mean_of,
    profile_interval,
    share_interval,
    tau_interval,
    tau_of,
)
from blinkpair.ensemble.notes import of_bleach, of_decay, of_fit, of_pulses
from blinkpair.ensemble.readers.decay import read_decay
from blinkpair.ensemble.readers.matrix import EV_NM, Matrix, read_matrix

log = logging.getLogger(__name__)

Row = Mapping[str, Any]

DECAY, BLEACH = "tcspc", "ta"
UNANNEALED = "unannealed"
RECONVOLUTION = "behind the response"
TAIL = "tail, amplitudes at its start"
FROM_DELAY = "from a delay on"
POISSON, SCALED = "Poisson likelihood", "least squares scaled by the residuals"


_SAME_WINDOW = 1.05  # the longest over the shortest of a group
_WINDOW = "constants and shares depend on it"
NOT_RESOLVED, RESOLVED, FIXED = "not resolved", "resolved", "fixed"


@dataclass(frozen=True)
class Measured:
    """A measurement and its fit.

    Attributes
    ----------
    row : mapping
        Of the ensemble sheet.
    fit : Fit
        Times in ns for decays, in ps for bleaches.
    prepared : decays.Prepared or None
    trace : bleach.Trace or None
    matrix : Matrix or None
    n_by_bic : int
        Number of exponentials with the smallest BIC, 0 where it was not chosen.
    notes : str
    """

    row: Row
    fit: Fit
    prepared: decays.Prepared | None = None
    trace: bleach.Trace | None = None
    matrix: Matrix | None = None
    n_by_bic: int = 0
    notes: str = ""

    @property
    def unit_ns(self) -> float:
        """The unit of the fit's times in ns."""
        return 1.0 if self.trace is None else 1e-3

    @property
    def span_ns(self) -> float:
        """The time from the start of the fit to its last value."""
        if self.prepared is not None:
            first, end = self.prepared.window
            return float((end - first) * self.prepared.decay.bin_ns)
        assert self.trace is not None
        return float(self.unit_ns * (self.trace.delay_ps[-1] - bleach_choices(self.row)[0]))


def measure(rows: Sequence[Row]) -> list[list[Measured]]:
    """Read and fit all measurements, by group.

    Decays of a group are fitted with the same number of exponentials, that with the smallest sum of
    BIC unless the sheet gives one; only then can their amplitudes be compared.

    Parameters
    ----------
    rows : sequence of mapping
        As from `inputs.ensemble_sheet`.

    Raises
    ------
    InputError
        Naming the file that cannot be read or fitted.
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["technique"], row["group"]), []).append(row)
    return [
        [_bleach(row) for row in of_group] if technique == BLEACH else _decays(of_group)
        for (technique, _), of_group in groups.items()
    ]


def _decays(rows: Sequence[Row]) -> list[Measured]:
    prepared, notes = [], []
    for row in rows:
        given = _given(row["bin_ps"]), row["time_unit"], _given(row["rate_mhz"])
        decay = read_decay(row["file"], *given)
        response = read_decay(row["irf"], *given) if row["irf"] else None
        prepared.append(decays.prepare(decay, response, row["file"]))
        notes.append("; ".join(of_decay(prepared[-1])))
    wanted = _given(rows[0]["components"])
    if wanted:
        fits = [decays.fit_components(one, int(wanted)) for one in prepared]
        chosen = [0] * len(rows)
    else:
        tried = [decays.choose_components(one) for one in prepared]
        chosen = [decays.smallest_bic(all_n) for all_n in tried]
        n = int(np.argmin(np.sum([[f.bic for f in all_n] for all_n in tried], axis=0)))
        fits = [all_n[n] for all_n in tried]
    return [
        Measured(row, one, prepared=p, n_by_bic=n, notes=text)
        for row, one, p, n, text in zip(rows, fits, prepared, chosen, notes, strict=True)
    ]


def _bleach(row: Row) -> Measured:
    matrix = read_matrix(row["file"], row["time_unit"], row["first_row"])
    probe = _given(row["probe_ev"]) or (
        EV_NM / row["probe_nm"] if _given(row["probe_nm"]) else None
    )
    trace = bleach.trace_at(matrix, probe, row["file"])
    n = int(_given(row["components"]) or bleach.N_FREE + 1)
    start_ps, fixed_tau_ps = bleach_choices(row)
    one = bleach.fit_trace(
        trace, start_ps=start_ps, fixed_tau_ps=fixed_tau_ps, n_free=n - 1, place=row["file"]
    )
    return Measured(row, one, trace=trace, matrix=matrix, notes="; ".join(of_bleach(trace)))


def bleach_choices(row: Row) -> tuple[float, float]:
    """Return the first delay that is fitted and the time constant that is held, ps."""
    start_ps, fixed_tau_ps = _given(row["start_ps"]), _given(row["fixed_tau_ps"])
    return start_ps or bleach.START_PS, fixed_tau_ps or bleach.FIXED_TAU_PS


def _given(value: Any) -> float | None:
    """Return a number of the sheet, None for an empty cell."""
    return None if value is None or not np.isfinite(float(value)) else float(value)


def decay_rows(group: Sequence[Measured], confidence: float) -> list[dict[str, Any]]:
    """Return the rows of `decays.csv` of one group.

    Parameters
    ----------
    group : sequence of Measured
    confidence : float
        Coverage of the intervals, 0 to 1.
    """
    common = None
    if len({one.fit.is_poisson for one in group}) > 1:
        log.warning("counts and other values in a group: no time constants in common")
    elif len(group) > 1:
        common = fit_common([one.fit for one in group])
    else:
        log.info("one measurement alone: no time constants in common")
    spans = [one.span_ns for one in group]
    differing = max(spans) > _SAME_WINDOW * min(spans)
    untreated = [i for i, one in enumerate(group) if one.row["temperature_c"] == UNANNEALED]
    # Intervals of the time constants in common are those of all measurements.
    ends: list[tuple[float, float]] = []
    if common is not None:
        member = common.members[0]
        free = range(member.n_tau)
        ends = [profile_interval(common.fit, tau_of(member, k), confidence) for k in free]
    if differing:
        unlike = f"the windows of the group last {min(spans):.4g} to {max(spans):.4g} ns: {_WINDOW}"
        group = [replace(one, notes="; ".join(filter(None, (one.notes, unlike)))) for one in group]
    return [
        row
        for i, one in enumerate(group)
        for row in _rows_of(one, i, common, ends, untreated, confidence)
    ]


def _rows_of(
    one: Measured,
    index: int,
    common: Common | None,
    ends: Sequence[tuple[float, float]],
    untreated: Sequence[int],
    confidence: float,
) -> list[dict[str, Any]]:
    model, parameters = one.fit.model, one.fit.parameters
    taus, amplitudes = one.fit.taus(), one.fit.amplitudes()
    photons = taus * amplitudes
    # What decays within a channel, or before the first delay, is not seen.
    shortest = one.prepared.decay.bin_ns if one.prepared else bleach_choices(one.row)[0]
    p_fit = goodness(one.fit)
    notes = [one.notes] if one.notes else []
    notes += of_fit(one.fit, p_fit)
    rows = []
    for k in range(taus.size):
        is_fixed = k >= model.n_tau
        low, high = tau_interval(one.fit, k, confidence)
        share = share_interval(one.fit, model, k, confidence)
        # A bleach is no emission: its components have no share of the light.
        light, of_light = (np.nan, np.nan), np.nan
        if one.trace is None:
            light = share_interval(one.fit, model, k, confidence, of_intensity=True)
            of_light = photons[k] / photons.sum()
        row: dict[str, Any] = {
            "measurement": one.row["measurement"],
            "technique": one.row["technique"],
            "temperature_c": one.row["temperature_c"],
            "sample": one.row["sample"],
            "group": one.row["group"],
            "component": k + 1,
            "n_components": taus.size,
            "n_components_bic": one.n_by_bic or pd.NA,
            "tau_ns": one.unit_ns * taus[k],
            "tau_low_ns": one.unit_ns * low,
            "tau_high_ns": one.unit_ns * high,
            "amplitude": amplitudes[k],
            **named("amplitude_fraction", amplitudes[k] / amplitudes.sum(), share),
            **named("intensity_fraction", of_light, light),
            "resolved": FIXED
            if is_fixed
            else RESOLVED
            if is_resolved(one.fit, (taus[k], low, high), share, shortest)
            else NOT_RESOLVED,
        }
        own_ends = ends[k] if common and not is_fixed else None
        row |= _common_columns(common, index, own_ends, untreated, k, one.unit_ns, confidence)
        row |= {
            "fit": FROM_DELAY
            if one.trace
            else TAIL
            if one.prepared and one.prepared.response is None
            else RECONVOLUTION,
            "method": POISSON if one.fit.is_poisson else SCALED,
            "n_counts": one.fit.data.sum() if one.fit.is_poisson else np.nan,
            "shift_ps": one.prepared.shift_ps(parameters) if one.prepared else np.nan,
            "probe_ev": one.trace.probe_ev if one.trace else np.nan,
            "p_fit": p_fit,
        }
        rows.append(row)
    if one.prepared:
        notes += of_pulses(one.prepared, taus)
    lost = [str(row["component"]) for row in rows if row["resolved"] == NOT_RESOLVED]
    if lost and len(lost) < len(rows):
        which = f"component{'s' * (len(lost) > 1)} {' and '.join(lost)}"
        notes.append(f"{which} not resolved: the others may be those of fewer exponentials")
    return [row | {"notes": "; ".join(notes)} for row in rows]


def named(name: str, value: float, interval: tuple[float, float]) -> dict[str, float]:
    """Return a value and its interval under a column's name, `_low` and `_high`."""
    return {name: value, f"{name}_low": interval[0], f"{name}_high": interval[1]}


def _common_columns(
    common: Common | None,
    index: int,
    ends: tuple[float, float] | None,
    untreated: Sequence[int],
    k: int,
    unit_ns: float,
    confidence: float,
) -> dict[str, Any]:
    taus = ("tau_common_ns", "tau_common_low_ns", "tau_common_high_ns")
    names = ("amplitude_fraction_common", "change_common")
    if common is None:
        shares = [f"{n}{end}" for n in names for end in ("", "_low", "_high")]
        return dict.fromkeys([*taus, *shares, "p_common"], np.nan)
    member = common.members[index]
    parameters = common.fit.parameters
    tau = float(member.taus(parameters)[0][k])
    ends = ends or (np.log(tau), np.log(tau))
    amplitudes = member.amplitudes(parameters)[0]
    share = share_interval(common.fit, member, k, confidence)
    change: tuple[float, tuple[float, float]] = (np.nan, (np.nan, np.nan))
    if untreated and index not in untreated:
        # Time constants in common move both shares alike: the interval is of the difference.
        before = mean_of([fraction_of(common.members[i], k) for i in untreated])
        quantity = difference_of(fraction_of(member, k), before)
        change = (
            quantity(parameters)[0],
            profile_interval(common.fit, quantity, confidence),
        )
    return {
        **dict(zip(taus, (unit_ns * v for v in (tau, *map(bounded_exp, ends))), strict=True)),
        **named(names[0], float(amplitudes[k] / amplitudes.sum()), share),
        **named(names[1], *change),
        "p_common": common.p_value,
    }
