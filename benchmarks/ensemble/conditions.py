"""Decays away from the ordinary one: alike components, few photons of the response, pile-up.

Input: a pool of processes and the share of the trials. Output: a table.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.ensemble.trials import trials
from benchmarks.page import text_of
from blinkpair.arrays import FloatArray
from blinkpair.ensemble import decays
from blinkpair.ensemble.intervals import (
    fraction_of,
    is_resolved,
    share_interval,
    tau_interval,
)
from blinkpair.ensemble.readers.decay import Decay
from blinkpair.simulate.ensemble import RESPONSE_FWHM_NS, expected_decay


class Case(NamedTuple):
    """A decay and its response; `wider` is how many times as wide the decay's response is."""

    photons: float = 1e5
    of_response: float = 1e6
    amplitudes: tuple[float, ...] = (0.6, 0.3, 0.1)
    taus: tuple[float, ...] = (1.0, 5.0, 30.0)
    bin_ns: float = 0.05
    n_channels: int = 4096
    wider: float = 1.0
    pile_up: float = 0.0


ALIKE = Case(amplitudes=(0.4, 0.4, 0.2), taus=(4.0, 7.0, 30.0))
CASES = {
    "1e5 photons, response of 1e4": Case(of_response=1e4),
    "1e6 photons, response of 1e4": Case(1e6, of_response=1e4),
    "1e5 photons, 16,384 channels of 4 ps": Case(bin_ns=0.004, n_channels=16384),
    "1e5 photons, 4, 7, 30 ns": ALIKE,
    "1e6 photons, 4, 7, 30 ns": ALIKE._replace(photons=1e6),
    "1e5 photons, response 1.1 times as wide as measured": Case(wider=1.1),
    "1e5 photons, response 1.3 times as wide as measured": Case(wider=1.3),
    "1e5 photons, 5 in 100 pulses (pile-up)": Case(pile_up=0.05),
    "1e5 photons, 10 in 100 pulses (pile-up)": Case(pile_up=0.1),
}


def first_photons(expected: FloatArray, per_pulse: float) -> FloatArray:
    """Return the expected counts if the first photon of a pulse alone is counted.

    Parameters
    ----------
    expected : (n,) array
        Counts, were all counted.
    per_pulse : float
        Photons a pulse, were all counted; 0 for next to none.
    """
    if not per_pulse:
        return expected
    each = per_pulse * expected / expected.sum()
    before = np.cumsum(each) - each
    return np.asarray(expected.sum() / per_pulse * np.exp(-before) * -np.expm1(-each))


def one_of_case(name: str, seed: int) -> dict[str, Any]:
    """Return time constants and shares, which intervals hold, and whether all are resolved."""
    case, rng = CASES[name], np.random.default_rng(seed)
    expected = partial(expected_decay, n_channels=case.n_channels, bin_ns=case.bin_ns)
    light = expected(
        case.photons, case.amplitudes, case.taus, background=case.photons * 5e-6,
        at_ns=10.0 + rng.uniform(-0.1, 0.1), fwhm_ns=RESPONSE_FWHM_NS * case.wider,
    )  # fmt: skip
    # A decay far shorter than a channel is the response.
    flash = expected(case.of_response, [1.0], [1e-6], background=1e-6 * case.of_response)
    seen = Decay(rng.poisson(first_photons(light, case.pile_up)).astype(float), case.bin_ns)
    irf = Decay(rng.poisson(flash).astype(float), case.bin_ns)
    prepared = decays.prepare(seen, irf)
    two, three = (decays.fit_components(prepared, n) for n in (2, 3))
    taus, model = three.taus(), three.model
    shares = [fraction_of(model, k)(three.parameters)[0] for k in range(3)]
    truth = [*case.taus, *case.amplitudes]
    of_tau = [tau_interval(three, k, 0.95) for k in range(3)]
    of_share = [share_interval(three, model, k, 0.95) for k in range(3)]
    return {
        "values": [*map(float, taus), *shares],
        "truth": truth,
        "holds": [
            bool(low <= true <= high)
            for (low, high), true in zip([*of_tau, *of_share], truth, strict=True)
        ],
        "resolved": all(
            is_resolved(three, (taus[k], *of_tau[k]), of_share[k], case.bin_ns) for k in range(3)
        ),
        "three": bool(three.bic < two.bic),
    }


def conditions(pool: Executor, share: float) -> Iterable[str]:
    """Bias and coverage of decays that are not ordinary."""
    yield "## Decays: alike components, weak or wrong responses, pile-up"
    n = max(round(100 * share), 4)
    yield (
        f"{n} decays a row; where a row names nothing else, amplitudes 0.6, 0.3, 0.1 at 1, 5, 30 "
        "ns, 4,096 channels of 50 ps, a response of 1e6 photons at another delay. The decay with "
        "4 and 7 ns has amplitudes 0.4, 0.4, 0.2. Bias of the median: of time constants in per "
        "cent, of shares of amplitude in points. `holds` is the per cent of 95 % intervals with "
        "the truth, lowest and highest of three. `resolved`: per cent in which all three are. "
        "`three`: per cent in which the information criterion prefers three exponentials to two."
    )
    rows = []
    for name in CASES:
        found = trials(pool, one_of_case, [(name, 4000 + i) for i in range(n)])
        values, truth = (np.array([one[key] for one in found]) for key in ("values", "truth"))
        bias = 100 * np.median(values - truth, axis=0)
        bias[:3] /= truth[0, :3]
        holds = 100 * np.mean([one["holds"] for one in found], axis=0)
        rows.append(
            {
                "decay": name,
                "tau_1, tau_2, tau_3": ", ".join(f"{b:+.1f}" for b in bias[:3]),
                "A_1, A_2, A_3": ", ".join(f"{b:+.1f}" for b in bias[3:]),
                "holds, tau": f"{holds[:3].min():.0f} to {holds[:3].max():.0f}",
                "holds, A": f"{holds[3:].min():.0f} to {holds[3:].max():.0f}",
                "resolved": f"{100 * np.mean([one['resolved'] for one in found]):.0f}",
                "three": f"{100 * np.mean([one['three'] for one in found]):.0f}",
            }
        )
    yield text_of(pd.DataFrame(rows))
