"""Settings of the state assignment.

Input: the configuration's section `threshold`. Output: the same, frozen.
"""

from __future__ import annotations

from dataclasses import dataclass

PAPER_THRESHOLD_COUNTS = 100.0


@dataclass(frozen=True)
class ThresholdSettings:
    """The configuration's `threshold`.

    `method` is a name of `registry.METHODS`. `counts` is the threshold of 'fixed'; 'hmm' uses it
    only where a field has no empty place, so that nothing is known of the off level.
    `fixed_follows_focus` is whether 'fixed', too, takes the counts corrected for a changing focus.
    """

    method: str = "fixed"
    counts: float = PAPER_THRESHOLD_COUNTS
    fixed_follows_focus: bool = False
