"""Results by other choices of the analysis.

Input: a fitted measurement. Output: the rows of `decay_sensitivity.csv`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from blinkpair.ensemble import bleach, decays
from blinkpair.ensemble.fitting import Fit
from blinkpair.ensemble.intervals import share_interval, tau_interval
from blinkpair.ensemble.matrix_fit import fit_matrix
from blinkpair.ensemble.tables import Measured, bleach_choices, named
from blinkpair.errors import InputError

PARTS_OF_WINDOW = (0.5, 0.25)
PROBES = "probes"


def sensitivity_rows(one: Measured, confidence: float) -> list[dict[str, Any]]:
    """Return one row a choice and component.

    Parameters
    ----------
    one : Measured
    confidence : float
        Coverage of the intervals, 0 to 1.
    """
    tried = _other_bleaches(one) if one.trace is not None else _other_decays(one)
    rows: list[dict[str, Any]] = []
    for varied, value, other in tried:
        taus, amplitudes = other.taus(), other.amplitudes()
        # More components than the fit has are not determined, and their intervals cost seconds.
        is_more = one.trace is None and taus.size > one.fit.model.n_tau
        for k in range(taus.size):
            low, high = share = (np.nan, np.nan)
            if not is_more:
                low, high = tau_interval(other, k, confidence)
                share = share_interval(other, other.model, k, confidence)
            rows.append(
                {
                    "measurement": one.row["measurement"],
                    "technique": one.row["technique"],
                    "temperature_c": one.row["temperature_c"],
                    "varied": varied,
                    "value": value,
                    "component": k + 1,
                    "tau_ns": one.unit_ns * taus[k],
                    "tau_low_ns": one.unit_ns * low,
                    "tau_high_ns": one.unit_ns * high,
                    **named("amplitude_fraction", amplitudes[k] / amplitudes.sum(), share),
                    "bic": other.bic,
                }
            )
    return rows


def _other_bleaches(one: Measured) -> list[tuple[str, str, Fit]]:
    """Return fits with another fixed constant, start or number, and that of all probes."""
    assert one.trace is not None
    assert one.matrix is not None
    start_ps, fixed_tau_ps = bleach_choices(one.row)
    out = []
    for varied, value, arguments in bleach.variations(start_ps, fixed_tau_ps):
        try:
            out.append((varied, value, bleach.fit_trace(one.trace, **arguments)))  # type: ignore[arg-type]
        except InputError:  # fewer delays than such a fit needs
            continue
    if one.matrix.probe_ev.size > 1:
        n_free = one.fit.model.n_tau
        whole = fit_matrix(
            one.matrix, one.trace, start_ps=start_ps, fixed_tau_ps=fixed_tau_ps, n_free=n_free
        )
        out.append((PROBES, "all", whole))
    return out


def _other_decays(one: Measured) -> list[tuple[str, str, Fit]]:
    """Return fits of other numbers of exponentials and of shorter windows."""
    assert one.prepared is not None
    out = [
        ("n_components", str(n), decays.fit_components(one.prepared, n))
        for n in range(1, decays.MOST_COMPONENTS + 1)
    ]
    n = one.fit.model.n_tau
    return out + [
        ("window", f"{part:g}", decays.fit_components(_cut(one.prepared, part), n))
        for part in PARTS_OF_WINDOW
    ]


def _cut(prepared: decays.Prepared, part: float) -> decays.Prepared:
    """Return a decay that ends earlier: a part of the window behind the maximum."""
    first, end = prepared.window
    peak = int(np.argmax(prepared.decay.counts))
    end = min(end, max(peak + round(part * (end - peak)), first + 64))
    return decays.Prepared(prepared.decay, (first, end), prepared.response, prepared.moved)
