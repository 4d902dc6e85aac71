"""Settings of the state assignment.

Input: the configuration's section `threshold`. Output: the same, frozen.
"""

from __future__ import annotations

from dataclasses import dataclass

PAPER_THRESHOLD_COUNTS = 100.0


@dataclass(frozen=True)
class ThresholdSettings:
    """The configuration's `threshold`.

    `method` is a name of `registry.METHODS`. `counts` is the threshold of 'fixed'; 'noise' and
    'hmm' use it only where no nanocrystal of a field has an off state. `noise_sigmas` is the height
    of the threshold of 'noise', and of the start of 'hmm', above the off level, in its noise (for
    skewed noise, where a frame is as rarely above). At 4, that is one frame in 30,000.
    `fixed_follows_focus` is whether 'fixed', too, takes the counts corrected for a changing focus.
    """

    method: str = "fixed"
    counts: float = PAPER_THRESHOLD_COUNTS
    noise_sigmas: float = 4.0
    fixed_follows_focus: bool = False
