"""States of one epoch by the method of the answer, by the paper's recipe and by the model.

Input: counts of one epoch and its off levels. Output: states by each, and the standard errors of
the answer's on-fractions.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray
from blinkpair.blinking.off_levels import OffLevels
from blinkpair.blinking.on_fractions import threshold_error
from blinkpair.blinking.states.registry import BEST_METHOD, assign_states
from blinkpair.blinking.states.result import AssignedStates
from blinkpair.blinking.states.settings import ThresholdSettings


class Recipes(NamedTuple):
    """States of one epoch by the method of the answer, by the paper's and by the model.

    `se` (n,) are the standard errors of the answer's on-fractions.
    """

    answer: AssignedStates
    fixed: AssignedStates
    best: AssignedStates
    se: FloatArray

    @classmethod
    def of(
        cls,
        intensity: NDArray[np.float32],
        by_fixed: NDArray[np.float32],
        off: OffLevels,
        threshold: ThresholdSettings,
    ) -> Recipes:
        """Assign the states; the best estimate does not depend on the method of the answer.

        The paper's recipe takes the counts `by_fixed`.
        """
        found = {
            method: assign_states(
                by_fixed if method == "fixed" else intensity,
                replace(threshold, method=method),
                off,
            )
            for method in dict.fromkeys(("fixed", BEST_METHOD, threshold.method))
        }
        answer, best = found[threshold.method], found[BEST_METHOD]
        se = best.on_fractions_se
        if answer is not best:
            se = threshold_error(answer.on_fractions, best.on_fractions, se)
        return cls(answer, found["fixed"], best, se)
