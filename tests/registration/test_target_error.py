"""The predicted registration error is the error one gets."""

from dataclasses import replace

import numpy as np
import pytest

from blinkpair.errors import InputError
from blinkpair.registration.rigid import apply_matrix, fit_transform
from blinkpair.registration.target_error import target_error


@pytest.mark.parametrize("free_scale", [False, True])
@pytest.mark.parametrize(("n", "jitter"), [(3, 0.2), (4, 1.0), (10, 0.02), (40, 0.2)])
def test_radii_hold_the_share_they_promise_whatever_the_localisation_error(n, jitter, free_scale):
    rng = np.random.default_rng([n, free_scale, int(100 * jitter)])
    inside, squares = [], []
    for _ in range(400):
        pre = rng.uniform(0, 511, (n, 2))
        seen = pre + rng.normal(0, jitter, (n, 2)), pre + rng.normal(0, jitter, (n, 2))
        matrix = fit_transform(*seen, model="similarity" if free_scale else "rigid")
        model = target_error(*seen, matrix, free_scale=free_scale)
        x = rng.uniform(0, 511, (10, 2))
        error = np.hypot(*(apply_matrix(matrix, x) - x).T)
        inside.append([(error <= model.at(x, c)).mean() for c in (0.68, 0.95)])
        squares.append([(model.at(x) ** 2).mean(), (error**2).mean()])
    # Student's t is exact; the 10 positions of a draw fall together, so that 400 draws leave a
    # standard error of at most 2.3 and 1.1 points.
    np.testing.assert_allclose(np.mean(inside, axis=0)[0], 0.68, atol=0.07)
    np.testing.assert_allclose(np.mean(inside, axis=0)[1], 0.95, atol=0.035)
    predicted, true = np.sqrt(np.mean(squares, axis=0))
    if n >= 10:
        assert predicted / true == pytest.approx(1, abs=0.12)


def test_well_known_places_weigh_more_and_the_radii_still_hold():
    rng = np.random.default_rng(8)
    inside, gain = [], []
    for _ in range(400):
        pre = rng.uniform(0, 511, (20, 2))
        error_px = rng.choice([0.02, 0.4], 20)
        seen = pre + rng.normal(0, error_px[:, None], (20, 2))
        weights = 1 / error_px**2
        matrix = fit_transform(pre, seen, weights=weights)
        model = target_error(pre, seen, matrix, free_scale=False, weights=weights)
        x = rng.uniform(0, 511, (10, 2))
        error = np.hypot(*(apply_matrix(matrix, x) - x).T)
        plain = np.hypot(*(apply_matrix(fit_transform(pre, seen), x) - x).T)
        inside.append([(error <= model.at(x, c)).mean() for c in (0.68, 0.95)])
        gain.append([(error**2).mean(), (plain**2).mean()])
    np.testing.assert_allclose(np.mean(inside, axis=0), [0.68, 0.95], atol=0.06)
    # Half the points at 0.02 px, half at 0.4: variances 1 / sum(w) against mean(error^2) / n differ
    # by a factor of 100.
    weighted, plain = np.sqrt(np.mean(gain, axis=0))
    assert plain / weighted == pytest.approx(10, rel=0.25)


def test_a_displacement_that_fiducials_do_not_show_widens_the_radii():
    rng = np.random.default_rng(9)
    inside = []
    for _ in range(400):
        pre = rng.uniform(0, 511, (6, 2))
        seen = pre + rng.normal(0, 0.2, (6, 2))
        matrix = fit_transform(pre, seen)
        model = replace(
            target_error(pre, seen, matrix, free_scale=False), shift_variance_px2=0.3**2
        )
        x = rng.uniform(0, 511, (10, 2))
        error = np.hypot(*(apply_matrix(matrix, x) - x + rng.normal(0, 0.3, 2)).T)
        inside.append([(error <= model.at(x, c)).mean() for c in (0.68, 0.95)])
    np.testing.assert_allclose(np.mean(inside, axis=0), [0.68, 0.95], atol=0.06)


def test_the_error_grows_away_from_the_fiducials():
    pre = np.array([[100.0, 100.0], [140, 100], [100, 140], [140, 140]])
    post = pre + np.array([[0.1, 0], [-0.1, 0], [-0.1, 0], [0.1, 0]])
    model = target_error(pre, post, np.eye(3), free_scale=False)
    near, far = model.at([[120, 120], [500, 500]])
    # sqrt(2 v / n) at the centroid, with 0.04 px^2 of residuals and 5 degrees of freedom.
    assert near == pytest.approx(np.sqrt(2 * 0.04 / 5 / 4))
    assert far > 5 * near
    with pytest.raises(InputError):
        model.at([[0, 0]], 1.5)


def test_two_landmarks_need_a_prior_for_their_error():
    pre = np.array([[100.0, 100.0], [300, 100]])
    with pytest.raises(InputError, match="three or more"):
        target_error(pre, pre, np.eye(3), free_scale=True)
    model = target_error(pre, pre, np.eye(3), free_scale=True, prior_error_px=1.0, prior_dof=4.0)
    # Two landmarks good to a pixel in either image: sqrt(2 v / n), v = 2.
    assert model.at([[200, 100]])[0] == pytest.approx(np.sqrt(2))
