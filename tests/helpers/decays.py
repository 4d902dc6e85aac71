"""Simulated decays of three exponentials, with their response."""

import numpy as np

from blinkpair.ensemble.readers.decay import Decay
from blinkpair.simulate.ensemble import expected_decay, response

AMPLITUDES, TAUS = np.array([0.6, 0.3, 0.1]), np.array([1.0, 5.0, 30.0])
BIN_NS = 0.05


def draw(photons, seed, amplitudes=AMPLITUDES, taus=TAUS, **other):
    """Return a decay and its response, both with Poisson noise."""
    rng = np.random.default_rng(seed)
    expected = expected_decay(photons, amplitudes, taus, background=0.2, **other)
    seen = rng.poisson(expected).astype(float)
    return Decay(seen, BIN_NS), Decay(rng.poisson(response(1e6) + 0.5).astype(float), BIN_NS)
