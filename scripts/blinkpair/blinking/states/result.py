"""States of every frame, with the thresholds used for them.

Input: what a method of this package found. Output: one form for all methods.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray, FloatArray


class AssignedStates(NamedTuple):
    """States with the thresholds used for them.

    `on_fractions` and `on_fractions_se` (n,) are the share of the time on and its standard error,
    nan where the method has none. `two_emitters` (n,) bool is where the counts show two emitters in
    the spot; none where the method does not look.

    `states` is (n, frames) bool, the rest (n,). `thresholds_counts` is where off turns to on (for
    'hmm' the counts above which a single frame between two off ones is on). `source` names the
    origin of a threshold: 'fixed', 'own', 'field' (no off state of its own: the median of the
    field), and for the model 'hmm', or 'own'/'field' where the trace has no second state and the
    threshold decides. `light_change` is how far the light fell within the movie or rose, 0..1, as
    the field's on levels show it together (`creep.light_change`); 0 where the method does not look.
    """

    states: BoolArray
    thresholds_counts: FloatArray
    source: NDArray[np.str_]
    on_fractions: FloatArray
    on_fractions_se: FloatArray
    two_emitters: BoolArray
    light_change: float = 0.0
