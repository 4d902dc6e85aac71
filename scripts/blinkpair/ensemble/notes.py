"""What is unusual about a measurement or its fit, in words for the column `notes`.

Input: a decay, a bleach, a fit. Output: sentences, none where nothing is unusual.
"""

from __future__ import annotations

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.ensemble.bleach import Trace, level_before_zero
from blinkpair.ensemble.decays import Prepared
from blinkpair.ensemble.fitting import Fit
from blinkpair.ensemble.readers.decay import PILE_UP

MORE_THAN_ONE = 1.05  # periods within the channels
# Below this p of the fit its residuals are not those of photons: a wrong model, or scaled counts.
POOR_FIT = 1e-6
CORRELATED = 1e-3  # of neighbouring residuals of values that are no counts: drift, or a wrong model
OFFSET = 0.02  # share of the maximum: before time zero a bleach should be 0
EARLIER_PULSES = 0.01  # share of the slowest component, from which on its light counts


def of_decay(prepared: Prepared) -> list[str]:
    """Return what is unusual about a decay."""
    notes, decay = [], prepared.decay
    if decay.photons_per_pulse > PILE_UP:
        rate = f"{decay.photons_per_pulse:.2g} photons a pulse"
        notes.append(f"pile-up: {rate} shorten the decay; record fewer")
    window_ns = decay.bin_ns * decay.counts.size
    if window_ns > MORE_THAN_ONE * decay.period_ns:
        notes.append(
            f"the channels last {window_ns:.4g} ns and the file gives a pulse every "
            f"{decay.period_ns:.4g} ns: the fit takes all light to be of one pulse"
        )
    if decay.added:
        notes.append(
            f"a background was subtracted: {decay.added:.3g} photons a channel, as the values "
            "scatter, were added"
        )
    elif decay.is_scaled:
        notes.append("normalised: the number of photons is that by which the values scatter")
    if not decay.is_counts:
        notes.append("no counts (background subtracted): no Poisson likelihood, narrow intervals")
    if prepared.response is None:
        notes.append("no response: a tail fit, whose amplitudes are not those at time zero")
    return notes


def of_pulses(prepared: Prepared, taus: FloatArray) -> list[str]:
    """Return what is unknown of earlier pulses, where their light may count."""
    first, end = prepared.window
    late = float(np.exp(-(end - first) * prepared.decay.bin_ns / taus.max()))
    if np.isfinite(prepared.decay.period_ns) or late < EARLIER_PULSES:
        return []
    return [
        f"the file holds no rate of the pulses and the slowest component outlives the window by "
        f"{100 * late:.0f} %: light of earlier pulses makes it too short; give rate_mhz"
    ]


def of_bleach(trace: Trace) -> list[str]:
    """Return what is unusual about a bleach."""
    before = level_before_zero(trace)
    if abs(before) < OFFSET:
        return []
    return [
        f"before time zero the trace is at {100 * before:+.0f} % of its maximum, and the fit has "
        "no constant: subtract scattered light and background"
    ]


def of_fit(one: Fit, p_fit: float) -> list[str]:
    """Return what the residuals show."""
    if one.is_poisson and p_fit < POOR_FIT:
        return ["larger residuals than photons give (p_fit): intervals are too narrow"]
    if not one.is_poisson and p_fit < CORRELATED:
        return ["neighbouring residuals are alike (p_fit): intervals are too narrow"]
    return []
