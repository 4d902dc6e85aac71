"""Light that varies severalfold is divided out; an image of even or unknown light is kept."""

from __future__ import annotations

import numpy as np
import pytest

from blinkpair.brightfield.uneven_light import without_uneven_light

Y, X = np.indices((256, 320)) / 256


def texture(seed=0):
    """An image of noise: 2 % of an even light."""
    return 1000 * (1 + 0.02 * np.random.default_rng(seed).normal(size=X.shape))


@pytest.mark.parametrize("light", [0.2 + 1.6 * X, 100**X, 1.1 - 0.7 * ((X - 0.6) ** 2 + Y**2)])
@pytest.mark.parametrize("dark", [0, 60])
def test_contrast_is_even_again_whatever_dark_object_there_is(light, dark):
    """The mean within 5 %, and no more left of the light than 3 % beside the texture's 2 %."""
    image = texture() * light
    image[:dark, 100 : 100 + dark] *= 0.1
    parts = np.array_split(without_uneven_light(image)[60:], 4, axis=1)
    means = [part.mean() for part in parts]
    assert max(means) < 1.05 * min(means)
    spreads = [part.std() / part.mean() for part in parts]
    assert min(spreads) > 0.017
    assert max(spreads) < np.hypot(0.02, 0.03)


def test_other_images_are_kept():
    framed = texture() * (0.2 + 1.6 * X)
    framed[:24] = framed[-24:] = 0
    dark_band = texture()
    dark_band[:, 100:200] *= 0.2
    for image in (
        texture(),
        texture() * (1 + 0.5 * X),
        texture() * (0.2 + 1.6 * X) - 1000,
        framed,
        dark_band,
        np.zeros((256, 256)),
        texture()[:40, :40] * 100 ** X[:40, :40],
    ):
        assert without_uneven_light(image) is image
