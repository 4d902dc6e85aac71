"""The paper's method: on where counts exceed one number for all nanocrystals.

Input: counts. Output: states.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from blinkpair.blinking.states.result import AssignedStates
from blinkpair.blinking.states.settings import ThresholdSettings

if TYPE_CHECKING:
    from blinkpair.blinking.off_levels import OffLevels


def assign(
    counts: NDArray[np.float32], settings: ThresholdSettings, off: OffLevels | None
) -> AssignedStates:
    """Return the states by `settings.counts`; the off levels are not used."""
    unknown = np.full(len(counts), np.nan)
    return AssignedStates(
        states=counts > settings.counts,
        thresholds_counts=np.full(len(counts), float(settings.counts)),
        off_level_counts=unknown,
        off_noise_counts=unknown.copy(),
        source=np.full(len(counts), "fixed"),
    )
