"""The laws of short events in a field: how often each is right, learnt from all traces.

One trace of a thousand frames rarely shows whether its off events go on below a frame. All traces
of a field do: how often each law is right is learnt from how well it agrees with every trace
(expectation maximisation of the weights of a mixture), and the weights are what is known of a trace
before it is looked at. Where the traces of a field differ, the weights stay spread; laws that none
of them can distinguish keep equal weights.

Input: the fits of all laws to the traces of a field. Output: the weight of each law for each trace.
"""

from __future__ import annotations

import numpy as np

from blinkpair.arrays import FloatArray

# Exponent and shortest duration in frames. Events shorter than a fiftieth of a frame change a level
# rather than frames; where the shortest is a frame, the exponent hardly matters.
LAWS = (
    *((alpha, shortest) for alpha in (1.5, 2.0) for shortest in (0.02, 0.06, 0.12, 0.25, 0.5)),
    (1.5, 1.0),
)
_ITERATIONS = 50
_KNOWN_BEFORE = 2.0  # traces that an even distribution over the laws is worth


def law_weights(fit: FloatArray, use: FloatArray) -> FloatArray:
    """Return the probability of each law for each trace, (n, laws).

    Parameters
    ----------
    fit : (n, laws) array
        Logarithm of the probability of each trace's counts.
    use : (n,) array
        How much a trace counts for the field, 0..1.
    """
    likelihood = np.exp(fit - fit.max(axis=1, keepdims=True))
    laws = fit.shape[1]
    common = np.full(laws, 1.0 / laws)
    weight = likelihood / laws
    for _ in range(_ITERATIONS):
        weight = common * likelihood
        weight /= weight.sum(axis=1, keepdims=True)
        common = use @ weight + _KNOWN_BEFORE / laws
        common /= common.sum()
    return weight
