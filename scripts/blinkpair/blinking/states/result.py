"""States of every frame, with the thresholds they rest on.

Input: what a method of this package found. Output: one form for all methods.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray


@dataclass(frozen=True)
class AssignedStates:
    """States with what they rest on; unpacks as `states, thresholds = assign_states(...)`.

    `states` is (n, frames) bool, the rest (n,). `thresholds_counts` is where off turns to on (for
    'hmm' the counts above which a single frame between two off ones is on). `off_level_counts` and
    `off_noise_counts` (mean and standard deviation of off frames) are nan where no off state was
    estimated or found; `off_skewness` is one number for the field. `source` names the origin of a
    threshold: 'fixed', 'own', 'field' (no off state of its own: the median of the field), and for
    the model 'hmm', or 'own'/'field' where the trace has no second state and the threshold decides.
    """

    states: BoolArray
    thresholds_counts: FloatArray
    off_level_counts: FloatArray
    off_noise_counts: FloatArray
    source: NDArray[np.str_]
    off_skewness: float = 0.0

    def __iter__(self) -> Iterator[NDArray[np.generic]]:
        """Yield states and thresholds."""
        yield self.states
        yield self.thresholds_counts
