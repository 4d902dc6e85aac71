"""Least-squares transforms, and how a registration applies its own."""

import numpy as np
import pytest
from skimage.transform import EuclideanTransform, SimilarityTransform

from blinkpair.errors import InputError
from blinkpair.registration.points import register_points
from blinkpair.registration.rigid import apply_matrix, fit_transform
from tests.helpers.point_patterns import motion, views


def test_least_squares_is_exact_and_never_a_mirror():
    rng = np.random.default_rng(16)
    pre = rng.uniform(0, 511, (6, 2))
    truth = motion(33, (5, 6), 1.2)
    np.testing.assert_allclose(
        fit_transform(pre, apply_matrix(truth, pre), model="similarity"), truth, atol=1e-9
    )
    mirrored = fit_transform(pre, pre * [-1, 1])
    assert np.linalg.det(mirrored[:2, :2]) == pytest.approx(1)
    # A pair of weight 0 does not act.
    bent = apply_matrix(motion(33), pre)
    bent[0] += 50
    weights = [0, 1, 1, 1, 1, 1]
    np.testing.assert_allclose(fit_transform(pre, bent, weights=weights), motion(33), atol=1e-9)
    with pytest.raises(InputError):
        fit_transform(np.ones((3, 2)), np.ones((3, 2)))


@pytest.mark.parametrize(
    ("model", "kind"), [("rigid", EuclideanTransform), ("similarity", SimilarityTransform)]
)
def test_equal_weights_give_the_fit_of_scikit_image(model, kind):
    rng = np.random.default_rng(19)
    for _ in range(20):
        pre = rng.uniform(0, 511, (20, 2))
        post = apply_matrix(motion(rng.uniform(-180, 180), (5, 6)), pre) + rng.normal(0, 1, (20, 2))
        fit = fit_transform(pre, post, model=model, weights=np.full(20, 7.0))
        np.testing.assert_allclose(fit, kind.from_estimate(pre, post).params, atol=1e-9)


def test_the_transform_of_a_registration_maps_as_its_matrix_does():
    rng = np.random.default_rng(21)
    pre, post, _, _ = views(rng, 25, 0.1)
    result = register_points(pre, post)
    inverse = np.linalg.inv(result.matrix)
    np.testing.assert_array_equal(result.transform(pre), apply_matrix(result.matrix, pre))
    np.testing.assert_array_equal(result.transform.inverse(post), apply_matrix(inverse, post))
    assert np.degrees(result.transform.rotation) == result.rotation_deg
