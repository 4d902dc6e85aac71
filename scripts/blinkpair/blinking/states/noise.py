"""A threshold for each nanocrystal, `noise_sigmas` of its noise above its own off level.

Gain, exposure and background then do not matter.

Input: counts and off levels. Output: states.
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
    """Return the states by each nanocrystal's threshold.

    `settings.counts` is used where no nanocrystal of the field has an off state.
    """
    lost = off.source == "none"
    thresholds = off.upper_quantile(settings.noise_sigmas)
    thresholds[lost] = settings.counts
    source = np.where(lost, "fixed", off.source)
    states = counts > thresholds[:, None]
    fractions = on_fraction(states, counts)
    return AssignedStates(states, thresholds, source, fractions, np.full(len(counts), np.nan))
