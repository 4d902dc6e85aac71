"""Simulated bleaches of films in transient absorption."""

import numpy as np

from blinkpair.ensemble import bleach

# Amplitudes as in the paper, of films before and after annealing at 100 C.
BEFORE, AFTER = (0.70e-3, 1.20e-3, 1.28e-3), (0.20e-3, 1.90e-3, 1.91e-3)
DELAYS = np.concatenate([np.linspace(-2.0, 4.0, 20), np.geomspace(4.2, 7000.0, 102)])


def trace(amplitudes, noise, rng, tau_1=200):
    """Return a bleach of three exponentials, time constants in ps."""
    taus = (tau_1, 830, 7500)
    decay = sum(a * np.exp(-DELAYS / t) for a, t in zip(amplitudes, taus, strict=True))
    return bleach.Trace(DELAYS, -decay * (DELAYS > 0) + rng.normal(0, noise, DELAYS.size), 2.441)
