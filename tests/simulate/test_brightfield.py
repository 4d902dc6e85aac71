"""The forward model of the brightfield image: what it draws, and where."""

import numpy as np
import pytest

from blinkpair.errors import InputError
from blinkpair.simulate.brightfield import Illumination, render_brightfield
from blinkpair.simulate.sphere_images import microsphere_profile

EVEN = Illumination(gradient=0, vignetting=0, fringe_amplitude=0)
FAMILIES = ("diffraction", "rings")


def render(xy, *, seed=0, shape=(64, 64), **settings):
    settings = {"illumination": EVEN, "polydispersity": 0.0} | settings
    return render_brightfield(shape, xy, rng=np.random.default_rng(seed), **settings)


def quiet(xy, **settings):
    """Next to no noise: fractions of a percent of a contrast of a tenth of the light."""
    return render(
        xy,
        light_counts=20000,
        gain_counts_per_electron=0.001,
        read_noise_counts=0,
        **settings,
    ).astype(float)


@pytest.mark.parametrize("family", FAMILIES)
def test_centre_of_symmetry_is_where_the_sphere_was_put(family):
    # Moments of the squared contrast of a radial image have their centre at the sphere's.
    true = np.array([31.3, 30.8])
    image = quiet([true], family=family, contrast=0.1)
    weight = (image - np.median(image)) ** 2
    y, x = np.indices(image.shape)
    centre = np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()
    np.testing.assert_allclose(centre, true, atol=0.02)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("defocus", [0.5, 1.0])
def test_contrast_of_the_centre_flips_with_defocus(family, defocus):
    above = microsphere_profile(0.0, diameter_px=6.25, defocus=defocus, family=family)
    below = microsphere_profile(0.0, diameter_px=6.25, defocus=-defocus, family=family)
    assert above > 0.1
    assert below < -0.1


@pytest.mark.parametrize("family", FAMILIES)
def test_in_focus_a_sphere_shows_least(family):
    radius = np.linspace(0, 10, 200)

    def structure(defocus):
        profile = microsphere_profile(radius, diameter_px=6.25, defocus=defocus, family=family)
        return np.sum(radius * profile**2)

    assert structure(0) < 0.2 * min(structure(-1), structure(1))


def test_ring_widens_with_defocus():
    radius = np.linspace(0, 15, 600)
    rings = [
        radius[np.argmin(microsphere_profile(radius, diameter_px=6.25, defocus=z, family="rings"))]
        for z in (0.5, 1, 2)
    ]
    assert rings[0] < rings[1] < rings[2]


def test_shot_noise_has_the_variance_gain_times_light_plus_read_noise():
    image = render([], shape=(256, 256), light_counts=4000, gain_counts_per_electron=2)
    # 65,536 pixels: the variance is known to 2 / sqrt(2 n) = 0.6 %; four times that.
    assert np.var(image) == pytest.approx(2 * 4000 + 10**2, rel=0.025)
    assert np.mean(image) == pytest.approx(4200, abs=2)


def test_dust_and_hot_pixels_stay_on_the_camera_and_debris_turns_with_the_sample():
    camera = {"dust_xy": [[20, 20], [45, 40]], "hot_pixels": 5}
    first, second = quiet([], **camera), quiet([], seed=1, **camera)
    # Two draws of noise of sqrt(0.001 x 20000) = 4.5 counts.
    assert np.abs(first - second).max() < 60
    assert first.max() - first.min() > 500

    upright = quiet([], debris_xy=[[32, 32]], debris_seed=3)
    turned = quiet([], debris_xy=[[32, 32]], debris_seed=3, sample_rotation_deg=90)
    core = slice(12, 53)  # symmetric about pixel 32: turning by 90 degrees is exact
    back = np.rot90(turned[core, core], 1)
    assert np.abs(back - upright[core, core]).max() < 60
    assert np.abs(turned - upright).max() > 500


def test_a_sphere_outside_reaches_into_the_image():
    empty, near = quiet([]), quiet([[-2.0, 32.0]], contrast=0.2)
    difference = np.abs(near - empty)
    assert difference[:, 0].max() > 500
    assert difference[:, 40:].max() < 60


def test_same_seeds_same_image():
    settings = {"dust_xy": [[9, 9]], "debris_xy": [[40, 40]], "hot_pixels": 3, "seed": 5}
    first, second = render([[20, 30]], **settings), render([[20, 30]], **settings)
    assert first.dtype == np.uint16
    np.testing.assert_array_equal(first, second)


def test_input_is_checked():
    with pytest.raises(InputError, match="diameter_px"):
        render([[1, 2]], diameter_px=0)
    with pytest.raises(InputError, match="microspheres_xy"):
        render([[1, 2, 3]])
    with pytest.raises(InputError, match="family"):
        render([[1, 2]], family="square")
