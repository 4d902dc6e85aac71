"""States by a method's name, with the off levels of the same traces."""

from __future__ import annotations

import numpy as np

from blinkpair.blinking.off_levels import estimate_off_levels
from blinkpair.blinking.states.registry import assign_states
from blinkpair.blinking.states.result import AssignedStates
from blinkpair.blinking.states.settings import ThresholdSettings


def states_by(method: str, traces: np.ndarray, **settings: float) -> AssignedStates:
    """Return the states of (n, frames) counts as the workflow assigns them."""
    own = ThresholdSettings(method, **settings)
    return assign_states(traces, own, estimate_off_levels(traces))
