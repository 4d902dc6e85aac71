"""The predicted registration error is the error one gets."""

import numpy as np
import pytest

from blinkpair.chance import clumping
from blinkpair.errors import InputError
from blinkpair.rigid import apply_matrix, fit_transform
from blinkpair.target_error import target_error


@pytest.mark.parametrize("free_scale", [False, True])
@pytest.mark.parametrize(
    ("n", "jitter"), [(3, 0.2), (4, 0.2), (10, 0.2), (40, 0.2), (40, 0.1), (40, 0.4)]
)
def test_radii_hold_the_share_they_promise(n, jitter, free_scale):
    rng = np.random.default_rng([n, free_scale])
    inside, squares = [], []
    for _ in range(300):
        pre = rng.uniform(0, 511, (n, 2))
        seen = pre + rng.normal(0, jitter, (n, 2)), pre + rng.normal(0, jitter, (n, 2))
        matrix = fit_transform(*seen, model="similarity" if free_scale else "rigid")
        model = target_error(*seen, matrix, free_scale=free_scale, localisation_error_px=0.2)
        x = rng.uniform(0, 511, (10, 2))
        error = np.hypot(*(apply_matrix(matrix, x) - x).T)
        inside.append([(error <= model.at(x, c)).mean() for c in (0.68, 0.95)])
        squares.append([(model.at(x) ** 2).mean(), (error**2).mean()])
    # Five points of a hundred, two more for 300 draws. Three or four fiducials rely on the
    # expected error of 0.2 px; with 40 the residuals know better, whatever was expected.
    np.testing.assert_allclose(np.mean(inside, axis=0), [0.68, 0.95], atol=0.07)
    predicted, true = np.sqrt(np.mean(squares, axis=0))
    if n >= 10:
        assert predicted / true == pytest.approx(1, abs=0.12)


def test_the_error_grows_away_from_the_fiducials():
    pre = np.array([[100.0, 100.0], [140, 100], [100, 140], [140, 140]])
    model = target_error(pre, pre, np.eye(3), free_scale=False, localisation_error_px=0.2)
    near, far = model.at([[120, 120], [500, 500]])
    # sqrt(2 v / n) at the centroid; v is 4 / 9 of the prior's, as the residuals are nil.
    assert near == pytest.approx(np.sqrt(2 * 0.08 * 4 / 9 / 4))
    assert far > 5 * near
    with pytest.raises(InputError):
        model.at([[0, 0]], 1.5)


def test_clumps_are_noticed_and_even_spread_is_not():
    rng = np.random.default_rng(1)
    clumps = rng.uniform(50, 460, (6, 2))[rng.integers(0, 6, 30)] + rng.normal(0, 20, (30, 2))
    excess, witness = clumping(clumps, 512**2)
    assert excess > 2
    assert witness == 20
    results = [clumping(rng.uniform(0, 511, (30, 2)), 512**2) for _ in range(200)]
    assert np.mean([e for e, _ in results]) < 1.05
    assert np.mean([w == 20 for _, w in results]) < 0.05
