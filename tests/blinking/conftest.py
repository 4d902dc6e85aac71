"""A field of which the states are known, and what is found of it."""

import numpy as np
import pytest

from blinkpair.simulate.blinking import DwellLaw, on_time_per_frame
from tests.helpers.blinking_field import EXPOSURE_S, FRAMES, analyse
from tests.helpers.states import NOISE


@pytest.fixture(scope="session")
def field():
    """Two that blink (one not analysed), one that goes off for good, one dark, one always on."""
    rng = np.random.default_rng(1)
    law, off = DwellLaw(1.7, 0.02, 40.0), DwellLaw(1.7, 0.04, 20.0)
    lit = np.zeros((5, FRAMES))
    for row in (0, 1, 2):
        lit[row] = on_time_per_frame(rng, law, off, frames=FRAMES, exposure_s=EXPOSURE_S)
    lit[4] = 1.0
    after = lit.copy()
    after[2] = 0.0
    intensity = {}
    for epoch, part in (("pre", lit), ("post", after)):
        shot = np.sqrt(1000 * part) * rng.normal(size=part.shape)
        intensity[epoch] = (500 * part + NOISE * rng.normal(size=part.shape) + shot).astype("f4")
    return intensity, np.array([True, False, True, True, True])


@pytest.fixture(scope="session")
def found(field):
    return analyse(*field)


@pytest.fixture(scope="session")
def by_model(field):
    """By the hidden Markov model: noise makes no events."""
    return analyse(*field, threshold={"method": "hmm"})
