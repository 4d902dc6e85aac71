"""The paper's method: on where counts exceed one number for all nanocrystals.

Input: counts. Output: states.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from blinkpair.blinking.on_fractions import on_fraction
from blinkpair.blinking.states.result import AssignedStates
from blinkpair.blinking.states.settings import ThresholdSettings

if TYPE_CHECKING:
    from blinkpair.blinking.off_levels import OffLevels


def assign(
    counts: NDArray[np.float32], settings: ThresholdSettings, off: OffLevels
) -> AssignedStates:
    """Return the states by `settings.counts`; the off levels are not used."""
    n = len(counts)
    states = counts > settings.counts
    return AssignedStates(
        states,
        np.full(n, float(settings.counts)),
        np.full(n, "fixed"),
        on_fraction(states, counts),
        np.full(n, np.nan),
        np.zeros(n, bool),
    )
