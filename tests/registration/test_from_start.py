"""Registration from a start: refined on nanocrystals, or from landmarks by hand."""

import numpy as np
import pytest

from blinkpair.errors import InputError
from blinkpair.registration.from_start import refine_on_points, register_from_landmarks
from blinkpair.registration.points import register_points
from blinkpair.registration.rigid import apply_matrix
from tests.helpers.point_patterns import SHAPE, largest_error, motion, views


@pytest.mark.parametrize(("common", "jitter"), [(0.3, 0.2), (0.7, 0.1)])
def test_nanocrystals_refine_a_start_that_is_ten_pixels_off(common, jitter):
    rng = np.random.default_rng(14)
    for _ in range(10):
        pre, post, truth, _ = views(rng, 200, 1 - np.sqrt(common), jitter=jitter)
        phase = rng.uniform(0, 2 * np.pi)
        off = np.eye(3)
        off[:2, 2] = 10 * np.cos(phase), 10 * np.sin(phase)
        turn = motion(rng.uniform(-0.3, 0.3))
        result = refine_on_points(off @ truth @ turn, pre, post, field_shape=SHAPE)
        assert result.status == "ok"
        # Measured: median 0.05 to 0.11 px, largest of 400 trials 0.28 px.
        assert largest_error(result.matrix, truth) < 0.4


def test_unrelated_nanocrystals_do_not_refine_anything():
    rng = np.random.default_rng(15)
    for _ in range(30):
        pre, post = rng.uniform(0, 511, (2, 200, 2))
        assert refine_on_points(motion(50), pre, post, field_shape=SHAPE).status == "failed"


def test_a_failed_registration_cannot_be_refined():
    failed = register_points([], [])
    with pytest.raises(InputError, match="finite"):
        refine_on_points(failed.matrix, np.ones((9, 2)), np.ones((9, 2)))


def test_landmarks_by_hand():
    truth = motion(-140, (30, 8))
    pre = np.array([[20.0, 30.0], [400.0, 90.0], [250.0, 480.0]])
    pairs = np.hstack([pre, apply_matrix(truth, pre)])
    result = register_from_landmarks(pairs)
    assert largest_error(result.matrix, truth) < 1e-6
    assert largest_error(register_from_landmarks(pairs[:2]).matrix, truth) < 1e-6
    assert result.rotation_deg == pytest.approx(-140)
    # Three clicks good to a pixel an axis: no better than a pixel anywhere.
    assert result.tre([[250, 250]])[0] > 0.5
    with pytest.raises(InputError):
        register_from_landmarks(pairs[:1])
