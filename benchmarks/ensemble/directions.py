"""Directions of changes between two films, and decays whose background was subtracted.

Input: a pool of processes and the share of the trials. Output: sections of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.ensemble.trials import trials
from benchmarks.page import text_of
from blinkpair.arrays import FloatArray
from blinkpair.ensemble import bleach, decays, tables
from blinkpair.ensemble.beside import beside_table, difference
from blinkpair.ensemble.intervals import fraction_of, profile_interval, share_interval, tau_of
from blinkpair.ensemble.matrix_fit import fit_matrix
from blinkpair.ensemble.readers.decay import Decay
from blinkpair.ensemble.readers.matrix import Matrix
from blinkpair.simulate.ensemble import expected_decay, response

BIN_NS = 0.05
EQUAL, FEWER = (0.22, 0.35, 0.43), (0.05, 0.43, 0.52)
TAUS_PS = (200.0, 830.0, 7500.0)
ALIKE, LESS = (0.60, 0.30, 0.10), (0.63, 0.30, 0.07)
TAUS_NS, LONGER_NS = (1.0, 5.0, 30.0), (1.15, 5.6, 27.0)
# Shares and time constants of two films.
BLEACHES = {
    "equal shares, equal constants": ((EQUAL, TAUS_PS), (EQUAL, TAUS_PS)),
    "equal shares, tau_1 250 and 150 ps": (
        (EQUAL, (250.0, 830.0, 7500.0)),
        (EQUAL, (150.0, 830.0, 7500.0)),
    ),
    "22 to 5 %, equal constants": ((EQUAL, TAUS_PS), (FEWER, TAUS_PS)),
    "22 to 5 %, tau_1 250 and 150 ps": (
        (EQUAL, (250.0, 830.0, 7500.0)),
        (FEWER, (150.0, 830.0, 7500.0)),
    ),
}
DECAYS = {
    "equal shares, equal constants": ((ALIKE, TAUS_NS), (ALIKE, TAUS_NS)),
    "equal shares, constants differ by 10 to 15 %": ((ALIKE, TAUS_NS), (ALIKE, LONGER_NS)),
    "10 to 7 %, equal constants": ((ALIKE, TAUS_NS), (LESS, TAUS_NS)),
}
ABOUT = {"sample": "", "group": "films", "start_ps": None, "fixed_tau_ps": None}
SUBTRACTED: dict[str, Callable[[FloatArray, np.random.Generator], FloatArray]] = {
    "counts": lambda seen, rng: seen,
    "less the mean before the pulse": lambda seen, rng: seen - seen[:150].mean(),
    "the same, normalised": lambda seen, rng: (seen - seen[:150].mean()) / seen.max(),
    "less a measured background": lambda seen, rng: seen - rng.poisson(20.0, seen.size),
}


def _bleach(
    name: str, shares: Sequence[float], taus: Sequence[float], top: float, together_od: float,
    rng: np.random.Generator,
) -> tables.Measured:  # fmt: skip
    """A matrix whose components have lines 6 meV apart, and noise of 5.5e-5 OD a value."""
    delays = np.concatenate([np.arange(-3.0, 4.0, 0.25), np.geomspace(4.2, 7000.0, 100)])
    probes = np.linspace(2.30, 2.58, 41)
    change = np.zeros((delays.size, probes.size))
    for k, (share, tau) in enumerate(zip(shares, taus, strict=True)):
        line = np.exp(-0.5 * ((probes - 2.44 - 0.006 * (1 - k)) / 0.045) ** 2)
        decay = np.exp(-np.maximum(delays, 0.0) / tau) * (delays > 0)
        change -= top * share * np.outer(decay, line / np.interp(2.44, probes, line))
    change += rng.normal(0.0, 5.5e-5, change.shape)
    change += rng.normal(0.0, together_od, (delays.size, 1))
    matrix = Matrix(delays, probes, change)
    trace = bleach.trace_at(matrix, 2.44)
    row = ABOUT | {"measurement": name, "technique": "ta", "temperature_c": name}
    return tables.Measured(row, bleach.fit_trace(trace), trace=trace, matrix=matrix)


def _decay(
    name: str, amplitudes: Sequence[float], taus: Sequence[float], rng: np.random.Generator
) -> tables.Measured:
    expected = expected_decay(1e4, amplitudes, taus, background=0.2)
    prepared = _behind_response(rng.poisson(expected).astype(float), rng)
    row = ABOUT | {"measurement": name, "technique": "tcspc", "temperature_c": name}
    return tables.Measured(row, decays.fit_components(prepared, 3), prepared=prepared)


def _behind_response(seen: FloatArray, rng: np.random.Generator) -> decays.Prepared:
    irf = rng.poisson(response(1e6) + 0.5).astype(float)
    return decays.prepare(Decay(seen, BIN_NS), Decay(irf, BIN_NS))


def _of_probes(one: tables.Measured) -> dict[str, Any]:
    assert one.matrix is not None
    assert one.trace is not None
    found = fit_matrix(one.matrix, one.trace)
    shares = found.amplitudes() / found.amplitudes().sum()
    interval = share_interval(found, found.model, 0, 0.95)
    about = {"measurement": one.row["measurement"], "varied": "probes", "component": 1}
    return about | tables.named("amplitude_fraction", shares[0], interval)


def directions(technique: str, case: str, together_od: float, seed: int) -> list[Any]:
    """Return what `beside.csv` has, what constants in common and those of a trace alone show."""
    rng = np.random.default_rng(seed)
    if technique == "ta":
        both = zip(("unannealed", "100"), BLEACHES[case], (2.4e-3, 3.8e-3), strict=True)
        group = [_bleach(name, *film, top, together_od, rng) for name, film, top in both]
        sensitivity = pd.DataFrame([_of_probes(one) for one in group])
    else:
        films = zip(("unannealed", "100"), DECAYS[case], strict=True)
        group = [_decay(name, *film, rng) for name, film in films]
    rows = pd.DataFrame(tables.decay_rows(group, 0.95))
    if technique != "ta":
        sensitivity = rows.assign(varied="")
    row = beside_table(rows, sensitivity, pd.DataFrame({"temperature_c": []})).iloc[1]
    part = rows[rows["component"] == (1 if technique == "ta" else 3)]
    columns = ["amplitude_fraction", "amplitude_fraction_low", "amplitude_fraction_high"]
    before, after = part[columns].astype(float).to_numpy().tolist()
    alone = difference(after, before)
    is_common = row["time_constants"] == "common"
    old = [row["change_low"], row["change_high"]] if is_common else alone[1:]
    truth = BLEACHES[case] if technique == "ta" else DECAYS[case]
    k = 0 if technique == "ta" else 2
    true = truth[1][0][k] - truth[0][0][k]
    holds = row["change_free_low"] <= true <= row["change_free_high"]
    return [str(row["direction"]), _of(old), _of(alone[1:]), bool(holds)]


def _of(ends: Sequence[float]) -> str:
    return "up" if ends[0] > 0 else "down" if ends[1] < 0 else "not shown"


def subtracted(how: str, seed: int) -> list[bool]:
    """Return which intervals hold: of the three time constants and the three shares."""
    rng = np.random.default_rng(seed)
    expected = expected_decay(1e5, ALIKE, TAUS_NS, background=20.0)
    seen = SUBTRACTED[how](rng.poisson(expected).astype(float), rng)
    found = decays.fit_components(_behind_response(seen, rng), 3)
    quantities = [tau_of(found.model, k) for k in range(3)]
    quantities += [fraction_of(found.model, k) for k in range(3)]
    truth = [*np.log(TAUS_NS), *ALIKE]
    intervals = [profile_interval(found, q) for q in quantities]
    return [bool(a <= x <= b) for (a, b), x in zip(intervals, truth, strict=True)]


def changes(pool: Executor, share: float) -> Iterable[str]:
    """How often a direction is right, and what is left of decays less a background."""
    yield "## Directions of changes between two films"
    n = max(round(100 * share), 4)
    yield (
        f"Per cent of {n} simulated pairs with `up`, `down` and `depends` in `beside.csv`; "
        "`common` is `up` and `down` by constants in common where the test does not reject them, "
        "`trace` by free constants of the trace alone. Bleaches have 41 probes, 5.5e-5 OD noise a "
        "value and some that all probes of a delay share, decays 10,000 photons. `holds` is the "
        "per cent of 95 % intervals `change_free` with the truth."
    )
    rows = []
    cases = [("ta", name, together) for together in (0.0, 2e-5) for name in BLEACHES]
    cases += [("tcspc", name, 0.0) for name in DECAYS]
    for technique, name, together in cases:
        found = trials(pool, directions, [(technique, name, together, 100 + i) for i in range(n)])
        new, old, alone, holds = zip(*found, strict=True)
        shares = [
            ", ".join(f"{100 * np.mean(np.array(of) == word):.0f}" for word in ("up", "down"))
            for of in (new, old, alone)
        ]
        rows.append(
            {
                "films": f"{name}; {together:g} OD shared" if technique == "ta" else name,
                "of": "bleaches" if technique == "ta" else "decays",
                "up, down": shares[0],
                "depends": f"{100 * np.mean(np.array(new) == 'depends'):.0f}",
                "common: up, down": shares[1],
                "trace: up, down": shares[2] if technique == "ta" else "",
                "holds": f"{100 * np.mean(holds):.0f}",
            }
        )
    yield text_of(pd.DataFrame(rows))
    yield "## Decays less a background"
    n = max(round(100 * share), 4)
    yield (
        f"Per cent of 95 % intervals that hold, of {n} decays of 1e5 photons, 20 a channel as "
        "background: lowest and highest of the three time constants and three shares."
    )
    rows = []
    for how in SUBTRACTED:
        found = trials(pool, subtracted, [(how, 300 + i) for i in range(n)])
        holds = 100 * np.mean(found, axis=0)
        rows.append({"values": how, "holds": f"{holds.min():.0f} to {holds.max():.0f}"})
    yield text_of(pd.DataFrame(rows))
