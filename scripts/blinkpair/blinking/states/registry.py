"""Return frame by frame whether a nanocrystal is on, by one of several methods.

'fixed' is the paper's. With 'noise' gain, exposure and background do not matter. 'hmm' assigns
every frame together with its neighbours, in a hidden Markov model that has partly lit frames. It is
the method for dwell times: where the on level is only a few noises above off no threshold is good,
and far above it a low threshold calls frames on that were off for most of their time, which
distorts the law of the short events.

Input: background-subtracted counts (nanocrystal, frame). Output: boolean states of the same shape
and the thresholds behind them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from blinkpair.blinking.states import fixed, noise
from blinkpair.blinking.states.result import AssignedStates
from blinkpair.blinking.states.settings import ThresholdSettings
from blinkpair.errors import InputError

if TYPE_CHECKING:
    from blinkpair.blinking.off_levels import OffLevels


def _hmm(counts: Any, settings: ThresholdSettings, off: OffLevels) -> AssignedStates:
    from blinkpair.blinking.states import hmm  # compiled: loaded only where it is used

    return hmm.assign(counts, settings, off)


class StateMethod(NamedTuple):
    """A method: its function of counts, settings and off levels, and whether it needs those."""

    assign: Callable[..., AssignedStates]
    needs_off_levels: bool


METHODS = {
    "fixed": StateMethod(fixed.assign, needs_off_levels=False),
    "noise": StateMethod(noise.assign, needs_off_levels=True),
    "hmm": StateMethod(_hmm, needs_off_levels=True),
}


def assign_states(
    traces: ArrayLike,
    settings: ThresholdSettings | str = "fixed",
    off_levels: OffLevels | None = None,
) -> AssignedStates:
    """Return for every frame whether the nanocrystal is on.

    Parameters
    ----------
    traces : (n, frames) array
        Background-subtracted counts of the nanocrystals of one field and epoch. A frame that is not
        finite is off.
    settings : ThresholdSettings or str
        Or the name of a method, with the other settings' defaults.
    off_levels : OffLevels, optional
        From `off_levels.estimate_off_levels`, where the caller has it already.

    Raises
    ------
    InputError
        If the method is unknown or the traces are not a table.
    """
    counts = np.asarray(traces)
    if counts.ndim != 2:
        raise InputError(
            f"traces has {counts.ndim} dimensions", "pass counts of shape (nanocrystals, frames)"
        )
    if isinstance(settings, str):
        settings = ThresholdSettings(settings)
    if settings.method not in METHODS:
        raise InputError(f"unknown method {settings.method!r}", f"use one of {', '.join(METHODS)}")
    method = METHODS[settings.method]
    if method.needs_off_levels and off_levels is None:
        from blinkpair.blinking.off_levels import estimate_off_levels

        off_levels = estimate_off_levels(counts)
    return method.assign(counts, settings, off_levels)
