"""Return frame by frame whether a nanocrystal is on, by one of several methods.

'fixed' is the paper's. 'hmm' assigns every frame together with its neighbours, in a hidden Markov
model that has partly lit frames; gain, exposure and background do not matter. It is the method for
dwell times, too: where the on level is only a few noises above off no threshold is good, and far
above it a low threshold calls frames on that were off for most of their time, which distorts the
law of the short events.

Input: background-subtracted counts (nanocrystal, frame). Output: boolean states of the same shape
and the thresholds behind them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from blinkpair.blinking.states import fixed
from blinkpair.blinking.states.result import AssignedStates
from blinkpair.blinking.states.settings import ThresholdSettings
from blinkpair.errors import InputError

if TYPE_CHECKING:
    from blinkpair.blinking.off_levels import OffLevels


def _hmm(counts: Any, settings: ThresholdSettings, off: OffLevels) -> AssignedStates:
    from blinkpair.blinking.states import hmm  # compiled: loaded only where it is used

    return hmm.assign(counts, settings, off)


# Each takes counts, settings and off levels; 'fixed' does not use the latter.
METHODS: dict[str, Callable[..., AssignedStates]] = {
    "fixed": fixed.assign,
    "hmm": _hmm,
}
BEST_METHOD = "hmm"


def assign_states(
    traces: NDArray[np.float32], settings: ThresholdSettings, off: OffLevels
) -> AssignedStates:
    """Return for every frame whether the nanocrystal is on.

    Parameters
    ----------
    traces : (n, frames) array
        Background-subtracted counts of the nanocrystals of one field and epoch. A frame that is not
        finite is off.
    settings : ThresholdSettings
    off : OffLevels
        From `off_levels.estimate_off_levels`, of the same field and epoch.

    Raises
    ------
    InputError
        If the method is unknown.
    """
    if settings.method not in METHODS:
        raise InputError(f"unknown method {settings.method!r}", f"use one of {', '.join(METHODS)}")
    return METHODS[settings.method](traces, settings, off)
