"""Densities of counts stay those of the model at its limits."""

import numpy as np
import pytest

from blinkpair.blinking.states.emissions import NoiseCourse, densities


def test_a_grey_level_that_meets_the_on_level_is_that_level():
    """As where one frame of a lamp makes the on level wide: a division by zero ended the field."""
    x = np.linspace(-200.0, 1200.0, 300)
    steady = NoiseCourse.constant(len(x))
    none = (0.0, 0.0)
    apart = densities(x, np.array([0.0, 40.0, 600.0, 60.0, 599.9, 60.0]), none, *steady)
    met = densities(x, np.array([0.0, 40.0, 600.0, 60.0, 600.0, 60.0]), none, *steady)
    assert met == pytest.approx(apart, rel=2e-2, abs=1e-5)
