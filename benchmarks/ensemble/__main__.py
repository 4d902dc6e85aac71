"""How right are time constants and shares of films? Simulated decays and bleaches.

The simulator integrates exponentials behind a Gaussian response exactly and shares nothing with the
model of the fit. Other programs on the same data are in `peers.py`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import Executor

import numpy as np
import pandas as pd

from benchmarks.ensemble.conditions import conditions
from benchmarks.ensemble.directions import changes
from benchmarks.ensemble.trials import trials
from benchmarks.page import run, text_of
from blinkpair.ensemble import bleach, decays
from blinkpair.ensemble.common import fit_common
from blinkpair.ensemble.intervals import fraction_of, profile_interval, tau_of
from blinkpair.ensemble.matrix_fit import fit_matrix
from blinkpair.ensemble.readers.decay import Decay
from blinkpair.ensemble.readers.matrix import EV_NM, Matrix
from blinkpair.simulate.ensemble import BLEACHES, NOISE_OD, bleach_matrix, expected_decay, response

HEAD = """# Films beside the nanocrystals

**In short.** Fitted by Poisson likelihood, the mean bias of the time constants of three
exponentials is at most 2 % from 10,000 photons on, and their 95 % intervals hold the truth in 93
to 96 %; with weights of 1/sqrt(N) the bias reaches 28 %. For bleaches 95 to 96 % of the intervals
hold the truth, and time constants in common cut the scatter of the difference between two films
from 16 to 2 points. A whole matrix has the constants of pyglotaran in an eighth of its time.

Decays of the photoluminescence and of the bleach in transient absorption of films, fitted and put
beside what the single nanocrystals show. The measured sections are made by `make accuracy`; every
number in them is of simulated data.
"""
AMPLITUDES, TAUS, BIN_NS = np.array([0.6, 0.3, 0.1]), np.array([1.0, 5.0, 30.0]), 0.05
LIGHT = AMPLITUDES * TAUS / (AMPLITUDES @ TAUS)
PHOTONS = {1e4: 300, 1e5: 500, 1e6: 300}  # of a decay, and how many decays
BEFORE, AFTER = (0.70e-3, 1.20e-3, 1.28e-3), (0.20e-3, 1.90e-3, 1.91e-3)
BLEACH_TAUS = (200.0, 830.0, 7500.0)


def draw(photons: float, seed: int, at_ns: float = 10.0) -> decays.Prepared:
    rng = np.random.default_rng(seed)
    expected = expected_decay(photons, AMPLITUDES, TAUS, at_ns=at_ns, background=photons * 5e-6)
    irf = rng.poisson(response(1e6) + 1.0).astype(float)
    seen = Decay(rng.poisson(expected).astype(float), BIN_NS)
    return decays.prepare(seen, Decay(irf, BIN_NS))


def one_decay(photons: float, seed: int) -> dict[str, object]:
    prepared = draw(photons, seed)
    clock = time.process_time()
    found = decays.fit_components(prepared, 3)
    fitted = time.process_time() - clock
    model = found.model
    quantities = [tau_of(model, k) for k in range(3)]
    quantities += [fraction_of(model, k) for k in range(3)]
    quantities += [fraction_of(model, k, of_intensity=True) for k in range(3)]
    clock = time.process_time()
    intervals = [profile_interval(found, q) for q in quantities]
    profiled = time.process_time() - clock
    truth = np.concatenate([np.log(TAUS), AMPLITUDES, LIGHT])
    amplitudes = found.amplitudes()
    return {
        "values": [*found.taus(), *amplitudes / amplitudes.sum()],
        "holds": [
            bool(low <= true <= high) for (low, high), true in zip(intervals, truth, strict=True)
        ],
        "fit_ms": 1e3 * fitted,
        "profile_ms": 1e3 * profiled,
    }


def accuracy(pool: Executor, share: float) -> Iterable[str]:
    """Bias, coverage and cost, by the number of photons."""
    yield "## Decays: bias, intervals, cost"
    yield (
        "Amplitudes 0.6, 0.3, 0.1; 1, 5, 30 ns; 4,096 channels of 50 ps; a "
        "response of 200 ps with 1e6 photons; three starts. Bias of the mean with its standard "
        "error and of the median: of time constants in per cent, of the shares of amplitude in "
        "points (that of the three with the largest). `holds` is the per cent of 95 % intervals "
        "with the truth, lowest and highest of three; its standard error is 1.3 with 300 decays. "
        "CPU milliseconds are medians, on a shared machine."
    )
    truth = np.concatenate([TAUS, AMPLITUDES])
    rows = []
    for photons, most in PHOTONS.items():
        n = max(round(most * share), 4)
        found = trials(pool, one_decay, [(photons, 1000 + i) for i in range(n)])
        holds = 100 * np.mean([f["holds"] for f in found], axis=0)
        values = np.array([f["values"] for f in found])
        mean, median = values.mean(axis=0), np.median(values, axis=0)
        error = values.std(axis=0, ddof=1) / np.sqrt(n)
        row: dict[str, object] = {"photons": f"{photons:.0e}", "decays": n}
        for k in range(3):
            bias = [100 * (v[k] / truth[k] - 1) for v in (mean, median)]
            row[f"tau_{k + 1} mean, median"] = (
                f"{bias[0]:+.1f} ± {100 * error[k] / truth[k]:.1f}, {bias[1]:+.1f}"
            )
        off = 100 * (mean - truth)
        k = 3 + int(np.argmax(np.abs(off[3:])))
        row["shares"] = f"{off[k]:+.2f} ± {100 * error[k]:.2f}"
        for label, part in (("tau", slice(0, 3)), ("A", slice(3, 6)), ("light", slice(6, 9))):
            row[f"holds, {label}"] = f"{holds[part].min():.1f} to {holds[part].max():.1f}"
        for key in ("fit_ms", "profile_ms"):
            row[key] = f"{np.median([f[key] for f in found]):.0f}"
        rows.append(row)
    yield text_of(pd.DataFrame(rows))


def number(seed: int, photons: float) -> int:
    return decays.smallest_bic(decays.choose_components(draw(photons, seed)))


def p_common(seed: int) -> float:
    fits = [decays.fit_components(draw(1e5, 7 * seed + i), 3) for i in range(4)]
    return fit_common(fits).p_value


def shifted(seed: int, shift_ns: float) -> float:
    return float(decays.fit_components(draw(1e6, seed, 10.0 + shift_ns), 3).taus()[0])


def choices(pool: Executor, share: float) -> Iterable[str]:
    """The number of exponentials, time constants in common, a shifted response."""
    yield "## Decays: number of exponentials, constants in common, a shifted response"
    n = max(round(80 * share), 4)
    rows = []
    for photons in PHOTONS:
        found = trials(pool, number, [(seed, photons) for seed in range(5000, 5000 + n)])
        right = sum(k == 3 for k in found)
        rows.append({"quantity": f"three exponentials found by BIC, {photons:.0e} photons",
                     "measured": f"{right} of {n}"})  # fmt: skip
    many = max(round(300 * share), 4)
    p = np.array(trials(pool, p_common, [(seed,) for seed in range(9000, 9000 + many)]))
    rows.append({"quantity": "equal constants rejected at the 5 % level, four decays of 1e5",
                 "measured": f"{100 * np.mean(p < 0.05):.1f} % of {many}"})  # fmt: skip
    few = max(round(60 * share), 2)
    for shift_ps in (-100, -50, 50, 100):
        taus = trials(pool, shifted, [(seed, 1e-3 * shift_ps) for seed in range(7000, 7000 + few)])
        error = 100 * np.std(taus, ddof=1) / np.sqrt(few)
        bias = f"{100 * (np.mean(taus) - 1):+.1f} ± {error:.1f} % (mean of {few})"
        name = f"tau_1, response moved by {shift_ps} ps, 1e6 photons"
        rows.append({"quantity": name, "measured": bias})
    yield text_of(pd.DataFrame(rows))


def _trace(amplitudes: tuple[float, ...], noise: float, rng: np.random.Generator) -> bleach.Trace:
    t = np.concatenate([np.linspace(-2.0, 4.0, 20), np.geomspace(4.2, 7000.0, 102)])
    decay = sum(a * np.exp(-t / tau) for a, tau in zip(amplitudes, BLEACH_TAUS, strict=True))
    return bleach.Trace(t, -decay * (t > 0) + rng.normal(0.0, noise, t.size), 2.441)


def one_bleach(seed: int) -> list[bool]:
    """Return which intervals hold: tau_1, tau_2, the share of A_1, A_1 to A_3."""
    one = bleach.fit_trace(_trace(BEFORE, 1e-5, np.random.default_rng(seed)))

    def amplitude(k: int):  # type: ignore[no-untyped-def]
        return lambda p: (float(p[2 + k]), np.eye(5)[2 + k])

    quantities = [tau_of(one.model, 0), tau_of(one.model, 1), fraction_of(one.model, 0)]
    quantities += [amplitude(k) for k in range(3)]
    truth = [np.log(200), np.log(830), BEFORE[0] / sum(BEFORE), *BEFORE]
    intervals = [profile_interval(one, q) for q in quantities]
    return [bool(a <= x <= b) for (a, b), x in zip(intervals, truth, strict=True)]


def two_bleaches(seed: int) -> list[float]:
    """Return the difference of the short shares, constants in common and free, and p_common."""
    rng = np.random.default_rng(seed)
    fits = [bleach.fit_trace(_trace(a, NOISE_OD, rng)) for a in (BEFORE, AFTER)]
    joint = fit_common(fits)
    shares = [m.amplitudes(joint.fit.parameters)[0] for m in joint.members]
    common = shares[1][0] / shares[1].sum() - shares[0][0] / shares[0].sum()
    free = bleach.short_share(fits[1]) - bleach.short_share(fits[0])
    return [float(common), free, joint.p_value]


def one_matrix(seed: int, together_od: float) -> list[bool]:
    """Return which intervals of all probes hold: tau_1, tau_2, the share of A_1.

    Noise of 5.5e-5 OD a value, and noise that all probes of a delay have together.
    """
    rng = np.random.default_rng(seed)
    delays, wavelengths, change = bleach_matrix(*BLEACHES["unannealed"], rng)
    change = change + rng.normal(0.0, together_od, delays.size)
    order = np.argsort(EV_NM / wavelengths)
    matrix = Matrix(delays, EV_NM / wavelengths[order], change[order].T)
    one = fit_matrix(matrix, bleach.trace_at(matrix, 2.441))
    quantities = [tau_of(one.model, 0), tau_of(one.model, 1), fraction_of(one.model, 0)]
    truth = [np.log(200), np.log(830), BEFORE[0] / sum(BEFORE)]
    intervals = [profile_interval(one, q) for q in quantities]
    return [bool(a <= x <= b) for (a, b), x in zip(intervals, truth, strict=True)]


def bleaches(pool: Executor, share: float) -> Iterable[str]:
    """Coverage of a bleach's parameters, and what constants in common are worth."""
    yield "## Bleaches"
    n = max(round(1000 * share), 10)
    holds = np.sum(trials(pool, one_bleach, [(seed,) for seed in range(n)]), axis=0)
    found = trials(pool, two_bleaches, [(seed,) for seed in range(max(n // 2, 10))])
    common, free, p = np.transpose(found)
    names = ["tau_1", "tau_2", "share of A_1", "A_1", "A_2", "A_3"]
    rows = [
        {"quantity": f"95 % intervals of {name} that hold, {n} traces of 1e-5 OD noise",
         "measured": f"{100 * h / n:.1f} %"}
        for name, h in zip(names, holds, strict=True)
    ]  # fmt: skip
    difference = "sd of the difference of the short shares, 5.5e-5 OD"
    spread = np.subtract(*np.percentile(free, [84, 16])) / 2
    rows += [
        {"quantity": f"{difference}, constants in common",
         "measured": f"{100 * np.std(common):.1f} points"},
        {"quantity": f"{difference}, constants free",
         "measured": f"{100 * np.std(free):.1f} points (half of the central 68 %: "
         f"{100 * spread:.1f})"},
        {"quantity": "equal constants rejected at the 5 % level",
         "measured": f"{100 * np.mean(p < 0.05):.1f} % of {len(p)}"},
    ]  # fmt: skip
    many = max(round(300 * share), 10)
    for together, noise in ((0.0, "alone"), (5e-5, "and as much common to the probes of a delay")):
        held = np.mean(trials(pool, one_matrix, [(s, together) for s in range(many)]), axis=0)
        each = ", ".join(f"{100 * h:.1f}" for h in held)
        rows.append({"quantity": "the same from all probes of a matrix: tau_1, tau_2, the share; "
                     f"{many} matrices, noise of 5.5e-5 OD {noise}",
                     "measured": f"{each} %"})  # fmt: skip
    yield text_of(pd.DataFrame(rows))


PARTS = {
    "accuracy": accuracy,
    "choices": choices,
    "conditions": conditions,
    "bleaches": bleaches,
    "changes": changes,
}

if __name__ == "__main__":
    run(__doc__ or "", HEAD, PARTS)
