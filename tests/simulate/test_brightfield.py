"""The forward model of the brightfield image: what it draws, and where."""

import numpy as np
import pytest

from blinkpair.errors import InputError
from blinkpair.simulate.brightfield import Illumination, render_brightfield
from blinkpair.simulate.dirt import Dirt, Piece, add_pieces, draw_dirt
from blinkpair.simulate.field import rigid_matrix
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


def one_sided(angle_deg, share=0.8):
    return Illumination(
        gradient=0, vignetting=0, fringe_amplitude=0,
        one_sided=share, one_sided_angle_deg=angle_deg,
    )  # fmt: skip


def dipole(image, centre):
    """First moment of the contrast around a centre: from the dark to the bright half."""
    contrast = image - np.median(image)
    y, x = np.indices(image.shape)
    near = np.hypot(x - centre[0], y - centre[1]) < 8
    return np.array([((x - centre[0]) * contrast)[near].sum(),
                     ((y - centre[1]) * contrast)[near].sum()])  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("angle_deg", [0.0, 75.0, -140.0])
def test_light_from_one_side_makes_one_half_bright_and_the_other_dark(family, angle_deg):
    settings = {"family": family, "contrast": 0.2, "defocus": 0.1}
    image = quiet([[32, 32]], illumination=one_sided(angle_deg), **settings)
    x, y = dipole(image, (32, 32))
    assert np.rad2deg(np.arctan2(y, x)) == pytest.approx(angle_deg, abs=3)
    # The brightest and the darkest pixel are both near half of the peak contrast or more.
    assert image.max() - np.median(image) > 0.5 * 0.2 * 20000
    assert np.median(image) - image.min() > 0.5 * 0.2 * 20000
    lit = np.hypot(x, y)
    assert lit > 20 * np.hypot(*dipole(quiet([[32, 32]], **settings), (32, 32)))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_peak_contrast_is_the_one_asked_for_whatever_the_light(family):
    for share in (0.0, 0.5, 1.0):
        light = one_sided(30.0, share)
        image = quiet([[32, 32]], family=family, contrast=0.2, illumination=light)
        # The peak lies between pixels, and is a mean over one.
        assert 0.15 < np.abs(image / np.median(image) - 1).max() < 0.205


def test_each_microsphere_has_its_own_focus_and_size():
    xy = [[16, 32], [48, 32]]
    image = quiet(xy, defocus=[1.0, -1.0], sizes=[1.0, 1.2])
    for centre, other, defocus, size in zip(xy, xy[::-1], (1.0, -1.0), (1.0, 1.2), strict=True):
        alone = quiet([centre], defocus=defocus, sizes=[size])
        y, x = np.indices(image.shape)
        own = np.hypot(x - centre[0], y - centre[1]) < 4
        far = np.hypot(x - other[0], y - other[1]) > 26
        assert np.abs(image - alone)[own & far].max() < 60


def test_jpeg_has_256_levels_and_keeps_the_counts():
    xy = [[20, 30], [44, 30]]
    plain = render(xy, contrast=0.2).astype(float)
    errors = []
    for quality in (95, 50):
        image = render(xy, contrast=0.2, jpeg_quality=quality)
        assert image.dtype == np.uint16
        assert len(np.unique(image)) <= 256
        errors.append(np.sqrt(np.mean((image - plain) ** 2)))
    # Steps of 1/255 of the range at the best, about the noise of the pixels at the worst.
    assert np.ptp(plain) / 255 / np.sqrt(12) < errors[0] < errors[1] < 1.5 * np.hypot(89, 10)


SHAPES = [
    Piece("fibre", np.array([[12.0, 20.0], [30.0, 26.0], [50.0, 50.0]]), 1.5, 0.2),
    Piece("flake", np.array([[20.0, 20.0], [40.0, 26.0], [30.0, 44.0]]), 1.0, 0.2),
    Piece("band", np.array([[32.0, 10.0], [40.0, 50.0]]), 12.0, 0.2),
]


@pytest.mark.parametrize("piece", SHAPES, ids=lambda piece: piece.shape)
def test_dirt_is_where_it_was_put_as_deep_as_asked_for_and_turns(piece):
    light = np.ones((65, 65))
    add_pieces(light, [piece])
    middle = {"fibre": (30, 26), "flake": (30, 30), "band": (36, 30)}[piece.shape]
    assert light[middle[::-1]] == pytest.approx({"flake": 0.9}.get(piece.shape, 0.8), abs=0.02)
    for far in ((60, 5), (44, 14)):
        assert light[far] == pytest.approx(1, abs=1e-3)
    turned = np.ones((65, 65))
    add_pieces(turned, [piece.moved(rigid_matrix(90, (0, 0), turned.shape), np.zeros(2))])
    np.testing.assert_allclose(np.rot90(turned, 1), light, atol=1e-9)


def test_dirt_has_the_numbers_of_a_field():
    dirt = Dirt(fibres=4, flakes=6, bands=1)
    corners = np.zeros(2), np.array([200.0, 100.0])
    pieces = draw_dirt(np.random.default_rng(1), dirt, *corners, fields=2.0)
    shapes = [piece.shape for piece in pieces]
    assert [shapes.count(shape) for shape in ("fibre", "flake", "band")] == [8, 12, 2]
    middles = np.array([piece.xy.mean(axis=0) for piece in pieces])
    # A curved fibre's mean is off its place by less than half its length.
    assert ((middles > -120) & (middles < corners[1] + 120)).all()


def test_input_is_checked():
    with pytest.raises(InputError, match="diameter_px"):
        render([[1, 2]], diameter_px=0)
    with pytest.raises(InputError, match="microspheres_xy"):
        render([[1, 2, 3]])
    with pytest.raises(InputError, match="family"):
        render([[1, 2]], family="square")
    with pytest.raises(InputError, match="one_sided"):
        Illumination(one_sided=40)
