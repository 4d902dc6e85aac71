"""The decay of a bleach in transient absorption.

Input: a matrix, the probe's energy. Output: the trace there, its fit, and what other choices of the
fixed time constant, the start and the number of components would give.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.ensemble.fitting import Fit, fit
from blinkpair.ensemble.models import TraceModel
from blinkpair.ensemble.readers.matrix import Matrix
from blinkpair.errors import InputError

# The paper's: from 4 ps on the carriers are at the band edge; the longest constant is about the
# radiative lifetime, which a window of 7 ns does not determine.
START_PS = 4.0
FIXED_TAU_PS = 7500.0
N_FREE = 2
BEFORE_PS = 0.5
OTHER_FIXED_PS = (5000.0, 6000.0, 7000.0, 8000.0, 9000.0)
OTHER_STARTS = (0.5, 2.0, 5.0)  # times the start


@dataclass(frozen=True)
class Trace:
    """A bleach against the delay.

    Attributes
    ----------
    delay_ps : (n,) array
    value : (n,) array
        Change in absorbance, sign kept.
    probe_ev : float
        The energy of the matrix that was taken.
    """

    delay_ps: FloatArray
    value: FloatArray
    probe_ev: float

    def sign(self) -> float:
        """Return -1 for a bleach, 1 for an induced absorption: the sign at early delays."""
        after = self.value[self.delay_ps > 0]
        return -1.0 if np.median(after[: max(after.size // 2, 1)]) < 0 else 1.0


def trace_at(matrix: Matrix, probe_ev: float | None, place: str = "") -> Trace:
    """Return the trace at the energy next to the wanted one, or at the strongest bleach.

    Raises
    ------
    InputError
        If the matrix does not reach the energy, or no energy is given and nothing is bleached.
    """
    at = np.flatnonzero(matrix.delay_ps >= START_PS)
    if probe_ev is None:
        k, depth = _strongest_bleach(matrix.change[at[: max(at.size // 4, 1)]])
        if depth >= 0:
            raise InputError(
                "no probe shows a bleach, a negative change in absorbance",
                "give probe_ev or probe_nm in the ensemble sheet",
                place,
            )
    else:
        k = int(np.argmin(np.abs(matrix.probe_ev - probe_ev)))
        step = float(np.median(np.diff(matrix.probe_ev))) if matrix.probe_ev.size > 1 else 0.05
        if abs(matrix.probe_ev[k] - probe_ev) > max(step, 0.005):
            low, high = matrix.probe_ev[0], matrix.probe_ev[-1]
            raise InputError(
                f"the matrix reaches from {low:.3f} to {high:.3f} eV, not to {probe_ev:g} eV",
                "correct probe_ev or probe_nm in the ensemble sheet",
                place,
            )
    good = np.isfinite(matrix.change[:, k])
    return Trace(matrix.delay_ps[good], matrix.change[good, k], float(matrix.probe_ev[k]))


def _strongest_bleach(early: FloatArray) -> tuple[int, float]:
    """Return the probe with the strongest bleach in early delays (n, m), and its depth.

    The depth is the median over delays, so that single spikes do not count, less three times its
    standard error, so that noise at the ends of a spectrum does not. A probe of one value, as of a
    pixel that does not work, is none.
    """
    depths = np.zeros(early.shape[1])
    for k, column in enumerate(early.T):
        values = column[np.isfinite(column)]
        if values.size > 2 and np.ptp(values) > 0:
            # Steps between delays are free of the decay; their median is 0.95 times the scatter.
            scatter = np.median(np.abs(np.diff(values))) / 0.95
            depths[k] = np.median(values) + 3 * 1.25 * scatter / np.sqrt(values.size)
    k = int(np.argmin(depths))
    return k, float(depths[k])


def level_before_zero(trace: Trace) -> float:
    """Return the mean before time zero as a share of the largest value, 0 where it may be 0.

    Of delays at least `BEFORE_PS` before zero, where neither the response nor what is left of the
    chirp counts.
    """
    before = trace.value[trace.delay_ps < -BEFORE_PS]
    if before.size < 4:
        return 0.0
    mean = float(before.mean())
    if abs(mean) < 4 * float(before.std(ddof=1)) / np.sqrt(before.size):
        return 0.0
    after = trace.sign() * trace.value[trace.delay_ps >= START_PS]
    return trace.sign() * mean / float(after.max())


def fit_trace(
    trace: Trace,
    *,
    start_ps: float = START_PS,
    fixed_tau_ps: float | None = FIXED_TAU_PS,
    n_free: int = N_FREE,
    place: str = "",
) -> Fit:
    """Fit exponentials to a trace from a delay on; times in ps.

    Amplitudes are positive for a bleach, and those at time zero. The components that are free come
    by ascending time constant, the fixed one last.

    Raises
    ------
    InputError
        If too few delays are left.
    """
    used = trace.delay_ps >= start_ps
    n_parameters = 2 * n_free + (fixed_tau_ps is not None)
    if used.sum() < n_parameters + 3:
        raise InputError(
            f"{used.sum()} delays from {start_ps:g} ps on are too few for a fit",
            "check the unit of the delays: a column time_unit of the ensemble sheet gives it",
            place,
        )
    values = trace.sign() * trace.value[used]
    fixed = () if fixed_tau_ps is None else (fixed_tau_ps,)
    model = TraceModel(trace.delay_ps[used], n_free, fixed)
    found = fit(model, values, starts(trace, start_ps, fixed_tau_ps, n_free), is_poisson=False)
    return sort_free(found, n_free)


def starts(
    trace: Trace, start_ps: float, fixed_tau_ps: float | None, n_free: int
) -> list[FloatArray]:
    """Return three starts: time constants spread over the window, and their best amplitudes."""
    used = trace.delay_ps >= start_ps
    times, values = trace.delay_ps[used], trace.sign() * trace.value[used]
    fixed = () if fixed_tau_ps is None else (fixed_tau_ps,)
    span = fixed_tau_ps or 2 * float(times[-1])
    low = max(2 * start_ps, float(times[0]))
    out = []
    for first, last in ((1.5, 0.1), (6.0, 0.15), (20.0, 0.3)):
        if n_free == 1:
            taus = np.array([np.sqrt(first * low * last * span)])
        else:
            taus = np.geomspace(first * low, max(last * span, 2 * first * low), n_free)
        shapes = np.exp(-times[:, None] / np.concatenate([taus, fixed]))
        amplitudes = np.linalg.lstsq(shapes, values, rcond=None)[0]
        out.append(np.concatenate([np.log(taus), amplitudes]))
    return out


def sort_free(one: Fit, n_free: int) -> Fit:
    """Return a fit with the free components by ascending time constant, the fixed one last."""
    order = np.argsort(one.parameters[:n_free], kind="stable")
    rest = np.arange(2 * n_free, one.parameters.size)
    places = np.concatenate([order, n_free + order, rest])
    return replace(
        one,
        parameters=one.parameters[places],
        information=one.information[np.ix_(places, places)],
    )


def variations(
    start_ps: float, fixed_tau_ps: float | None
) -> list[tuple[str, str, dict[str, float | int | None]]]:
    """Return what is varied, its value as text, and the arguments of `fit_trace`."""
    base: dict[str, float | int | None] = {"start_ps": start_ps, "fixed_tau_ps": fixed_tau_ps}
    out: list[tuple[str, str, dict[str, float | int | None]]] = [
        ("fixed_tau_ps", f"{tau:g}", base | {"fixed_tau_ps": tau}) for tau in OTHER_FIXED_PS
    ]
    out.append(("fixed_tau_ps", "free", base | {"fixed_tau_ps": None, "n_free": N_FREE + 1}))
    out += [
        ("start_ps", f"{f * start_ps:g}", base | {"start_ps": f * start_ps}) for f in OTHER_STARTS
    ]
    held = 0 if fixed_tau_ps is None else 1
    out += [("n_components", str(n + held), base | {"n_free": n}) for n in (1, 2, 3)]
    return out


def short_share(one: Fit) -> float:
    """Return the share of the shortest component in the sum of the amplitudes."""
    amplitudes = one.amplitudes()
    return float(amplitudes[0] / amplitudes.sum())
