"""Finding microspheres: centres to a tenth of a pixel, whatever the focus, and little else."""

from pathlib import Path

import numpy as np
import pytest

from blinkpair.brightfield.measured import COLUMNS
from blinkpair.brightfield.microspheres import find_microspheres
from blinkpair.errors import InputError
from blinkpair.registration.points import register_points
from blinkpair.registration.rigid import apply_matrix
from blinkpair.simulate import rigid_matrix
from blinkpair.simulate.brightfield import Illumination, render_brightfield

DIAMETER_UM, DIAMETER_PX = 1.0, 6.25
LIGHT_COUNTS = 8000.0
NOISE_COUNTS = np.hypot(np.sqrt(LIGHT_COUNTS), 10.0)
REAL = Path(__file__).parents[3] / "shared" / "realdata"


def grid(shape, spacing, rng):
    """Isolated positions, each at a random place within its pixel."""
    ys, xs = np.mgrid[spacing / 2 : shape[0] - 10 : spacing, spacing / 2 : shape[1] - 10 : spacing]
    points = np.stack([xs.ravel(), ys.ravel()], axis=1)
    return points + rng.uniform(-2, 2, points.shape)


def picture(xy, *, seed=0, snr=10.0, shape=(160, 160), **settings):
    return render_brightfield(
        shape, xy, contrast=snr * NOISE_COUNTS / LIGHT_COUNTS, light_counts=LIGHT_COUNTS,
        rng=np.random.default_rng(seed), **({"diameter_px": DIAMETER_PX} | settings),
    )  # fmt: skip


def positions(table):
    return table[["x", "y"]].to_numpy()


def matched(table, true, within_px=1.5):
    """Error of each true position that has a detection, and the number of detections left."""
    found = positions(table)
    nearest = np.array([np.hypot(*(found - p).T).argmin() for p in true])
    error = found[nearest] - true
    hit = np.hypot(*error.T) < within_px
    assert len(set(nearest[hit])) == hit.sum(), "one detection for two spheres"
    return error[hit], len(found) - hit.sum()


@pytest.mark.parametrize("family", ["diffraction", "rings"])
@pytest.mark.parametrize("defocus", [-1.0, -0.5, 0.5, 1.0, 2.0])
def test_isolated_centres_to_a_tenth_of_a_pixel_at_any_focus(family, defocus):
    # Cramer-Rao at SNR 10: 0.03 to 0.066 px per axis for these profiles; 36 spheres know an RMS
    # of 72 coordinates to 8 %.
    xy = grid((160, 160), 25, np.random.default_rng(1))
    table = find_microspheres(picture(xy, family=family, defocus=defocus), DIAMETER_PX)
    error, extra = matched(table, xy)
    assert len(error) == len(xy)
    assert extra == 0
    assert np.sqrt(np.mean(error**2)) < 0.085
    assert (np.sign(table.contrast) == np.sign(defocus)).all()


def test_the_error_given_is_the_error_made():
    xy = grid((256, 256), 25, np.random.default_rng(2))
    table = find_microspheres(picture(xy, shape=(256, 256), family="rings"), DIAMETER_PX)
    found = positions(table)
    error = np.array([p - xy[np.hypot(*(xy - p).T).argmin()] for p in found])
    # About 200 coordinates: their RMS is known to 5 %; the noise is not quite even.
    ratio = np.sqrt(np.mean(error**2)) / np.sqrt(np.mean(table.sigma_px**2))
    assert 0.75 < ratio < 1.3


@pytest.mark.parametrize("given", [0.7, 1.3])
def test_a_rough_diameter_is_enough(given):
    xy = grid((160, 160), 25, np.random.default_rng(3))
    for family in ("diffraction", "rings"):
        table = find_microspheres(picture(xy, family=family), given * DIAMETER_PX)
        error, extra = matched(table, xy)
        assert len(error) == len(xy)
        assert extra == 0
        assert np.sqrt(np.mean(error**2)) < 0.085


@pytest.mark.parametrize("defocus", [-0.5, 0.5, 1.0])
@pytest.mark.parametrize("family", ["diffraction", "rings"])
def test_pairs_and_triplets_in_touch_are_told_apart(family, defocus):
    rng = np.random.default_rng(4)
    xy = []
    for i, centre in enumerate(grid((200, 200), 48, rng)):
        size = 1 + i % 3
        turn = rng.uniform(0, 6.3) + 2 * np.pi * np.arange(size) / size
        reach = (0, 0.5, 1 / np.sqrt(3))[size - 1] * 1.02 * DIAMETER_PX
        xy.append(centre + reach * np.stack([np.cos(turn), np.sin(turn)], axis=1))
    xy = np.vstack(xy)
    table = find_microspheres(
        picture(xy, shape=(200, 200), family=family, defocus=defocus), DIAMETER_PX
    )
    error, extra = matched(table, xy)
    assert len(error) >= 0.9 * len(xy)
    assert extra <= 1
    # Measured 0.04 to 0.12: overlapping rings do not add up exactly.
    assert np.sqrt(np.mean(error**2)) < 0.2


@pytest.mark.parametrize("family", ["diffraction", "rings"])
@pytest.mark.parametrize("defocus", [(1.0, -0.5), (-0.5, -2.0)])
def test_spheres_at_a_second_height_are_found_where_their_contrast_is_another(family, defocus):
    # A third of them have down to a seventh of the power of the others, or the others have.
    rng = np.random.default_rng([1, 9])
    xy = grid((256, 256), 36, rng)
    focus = np.where(rng.random(len(xy)) < 0.3, *defocus[::-1])
    image = picture(xy, shape=(256, 256), snr=20, family=family, defocus=focus)
    error, extra = matched(find_microspheres(image, DIAMETER_PX), xy)
    assert len(error) >= len(xy) - 1
    assert extra == 0


def test_noise_holds_no_microspheres():
    # Expected 0.1 an image at most, 0.6 in all: four or more have a chance of 0.3 %.
    rng = np.random.default_rng(5)
    found = [len(find_microspheres(rng.normal(500, 10, (256, 256)), 6.25)) for _ in range(6)]
    assert sum(found) <= 3


def test_hot_pixels_and_point_sources_are_not_microspheres():
    rng = np.random.default_rng(6)
    image = rng.normal(500, 10, (256, 256))
    image[tuple(rng.integers(0, 256, (2, 60)))] += rng.uniform(50, 5000, 60)
    assert len(find_microspheres(image, 6.25)) == 0
    # Nanocrystals: a Gaussian of 0.8 px, 20 times the noise. None of 60, but for overlaps.
    y, x = np.indices(image.shape)
    image = rng.normal(500, 10, (256, 256))
    for cx, cy in rng.uniform(0, 256, (60, 2)):
        image += 200 * np.exp(-0.5 * ((x - cx) ** 2 + (y - cy) ** 2) / 0.8**2)
    assert len(find_microspheres(image, 6.25)) <= 3


def test_debris_is_mostly_left_out_and_spheres_among_it_are_found():
    rng = np.random.default_rng(7)
    shape = (256, 256)
    debris = rng.uniform(0, 256, (15, 2))
    # Irregular pieces cannot all be told from spheres; measured 0 to 4 of 10 to 20.
    assert len(find_microspheres(picture([], shape=shape, debris_xy=debris), 6.25)) <= 5
    xy = grid(shape, 40, rng)
    clear = np.hypot(*(xy[:, None] - debris).transpose(2, 0, 1)).min(1) > 20
    image = picture(xy, shape=shape, debris_xy=debris, family="rings", hot_pixels=30)
    error, extra = matched(find_microspheres(image, 6.25), xy[clear])
    assert len(error) == clear.sum()
    assert extra <= (~clear).sum() + 2


def test_a_field_of_debris_is_not_registered():
    # Debris turns with the sample: taken for spheres, it would be registered, and rightly so; but
    # nothing says that it stays where it is when the sample is heated.
    for seed in range(4):
        rng = np.random.default_rng([31, seed])
        matrix = rigid_matrix(rng.uniform(-180, 180), tuple(rng.uniform(-40, 40, 2)), (320, 320))
        turn = np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0]))
        debris = rng.uniform(-160, 480, (100, 2))
        found = [
            find_microspheres(
                picture([], shape=(320, 320), snr=10, debris_xy=xy, debris_seed=seed,
                        sample_rotation_deg=angle, seed=seed), 6.25)
            for xy, angle in ((debris, 0.0), (apply_matrix(matrix, debris), turn))
        ]  # fmt: skip
        result = register_points(*(positions(table) for table in found), field_shape=(320, 320))
        assert result.status == "failed"


def test_debris_with_more_evidence_than_the_spheres_does_not_hide_them():
    found = []
    for seed in range(6):
        rng = np.random.default_rng([seed, 6, 40])
        xy = rng.uniform(12, 372, (5, 2))
        image = picture(
            xy, shape=(384, 384), snr=15, seed=seed, debris_xy=rng.uniform(0, 384, (20, 2)),
            debris_seed=seed, microsphere_seed=seed, defocus=[-1.0, 1.0][seed // 2 % 2],
            family=["diffraction", "rings"][seed % 2],
        )  # fmt: skip
        table = find_microspheres(image, 6.25)
        seen = np.hypot(*(matched(table, xy)[0]).T) < 1.5 if len(table) else np.zeros(5)
        found.append(seen.sum() >= 4)
    # Measured: in 14 of 16 images.
    assert sum(found) >= 5


def diffracted(xy, dust, defocus_um, rng, shape=(256, 256)):
    """Spheres of 1 um in pixels of 0.16 um as a wave that passed them shows them, and round dust.

    A thin phase object (index 0.44 above its surroundings, 0.55 um), its spectrum within NA 1,
    propagated to the focus; dust lies near the camera and is a blob without rings.
    """
    px_um, wave_um = DIAMETER_UM / DIAMETER_PX, 0.55
    y, x = np.indices(shape)
    thickness = np.zeros(shape)
    for cx, cy in xy:
        height = 0.25 * DIAMETER_UM**2 - ((x - cx) ** 2 + (y - cy) ** 2) * px_um**2
        thickness += 2 * np.sqrt(np.maximum(height, 0))
    field = np.fft.fft2(np.exp(2j * np.pi / wave_um * 0.44 * thickness - 0.06 * (thickness > 0)))
    frequency = np.hypot(*np.meshgrid(*(np.fft.fftfreq(n, px_um) for n in shape[::-1])))
    along = np.sqrt(np.maximum(wave_um**-2 - frequency**2, 0))
    passed = (along > 0) * np.exp(2j * np.pi * defocus_um * along)
    light = np.abs(np.fft.ifft2(field * passed)) ** 2
    for cx, cy in dust:
        light *= 1 - rng.uniform(0.1, 0.4) * np.exp(
            -0.5 * ((x - cx) ** 2 + (y - cy) ** 2) / rng.uniform(2, 4) ** 2
        )
    return rng.poisson(light * LIGHT_COUNTS)


@pytest.mark.parametrize("defocus_um", [-1.5, 0.8, 1.5])
def test_few_strong_spheres_are_found_among_round_dust(defocus_um):
    # At 1.5 um the discs are 11 px across where 6.25 are given, and dust is the rounder. Measured
    # all, and none false.
    found = false = 0
    for seed in range(2):
        rng = np.random.default_rng([71, seed])
        xy = grid((256, 256), 85, rng)[rng.permutation(9)]
        xy, dust = xy[:6], np.vstack([xy[6:], grid((200, 200), 100, rng) + 32])
        table = find_microspheres(diffracted(xy, dust, defocus_um, rng), DIAMETER_PX)
        error, extra = matched(table, xy) if len(table) else ([], 0)
        found, false = found + len(error), false + extra
    assert found >= 11
    assert false <= 1


def test_spheres_cut_by_the_border_count_when_their_centre_is_inside():
    edge = [[0.4, 60.0], [158.2, 100.0], [60.0, 1.5], [100.0, 157.5]]
    outside = [[-3.0, 30.0], [30.0, 162.0], [163.0, 50.0]]
    xy = np.vstack([grid((160, 160), 40, np.random.default_rng(8)), edge])
    table = find_microspheres(picture(np.vstack([xy, outside]), snr=20, family="rings"), 6.25)
    error, extra = matched(table, xy)
    assert len(error) == len(xy)
    assert extra == 0
    assert np.hypot(*error.T).max() < 0.3
    assert table.x.between(-0.5, 159.5).all()


@pytest.mark.parametrize("diameter_px", [4.0, 12.0, 20.0])
def test_spheres_of_other_sizes(diameter_px):
    # Measured: 63 of 64 at four pixels, where a ring is a pixel wide; all of the larger ones.
    xy = grid((250, 250), max(30, 4 * diameter_px), np.random.default_rng(9))
    image = picture(xy, shape=(250, 250), diameter_px=diameter_px, family="rings")
    error, extra = matched(find_microspheres(image, diameter_px), xy)
    assert len(error) >= 0.95 * len(xy)
    assert extra == 0
    assert np.sqrt(np.mean(error**2)) < 0.1


def test_unit_and_offset_do_not_matter():
    xy = grid((160, 160), 30, np.random.default_rng(10))
    image = picture(xy)
    table = find_microspheres(image, 6.25)
    other = find_microspheres(image * 1e-4 - 3, 6.25)
    np.testing.assert_allclose(positions(other), positions(table), atol=1e-6)
    np.testing.assert_allclose(other.contrast, table.contrast * 1e-4, rtol=1e-6)
    again = find_microspheres(image, 6.25)
    assert again.equals(table)


@pytest.mark.parametrize(
    "light", [lambda u: 0.2 + 1.8 * u, lambda u: 10 ** (2 * u - 1), lambda u: 1 / (1 + 9 * u**2)]
)
def test_light_that_varies_ten_or_a_hundredfold_changes_nothing(light):
    xy = grid((240, 240), 30, np.random.default_rng(3))
    image = picture(xy, shape=(240, 240)) * light(np.arange(240) / 239)
    error, extra = matched(find_microspheres(image, DIAMETER_PX), xy)
    assert len(error) == len(xy)
    assert extra == 0
    assert np.sqrt(np.mean(error**2)) < 0.085


@pytest.mark.parametrize("share", [0.5, 0.9, 0.98])
def test_saturated_images_are_used_while_they_show_the_spheres(share):
    xy = grid((160, 160), 25, np.random.default_rng(1))
    even = Illumination(gradient=0, vignetting=0, fringe_amplitude=0)
    image = picture(xy, defocus=-1.0, illumination=even)
    image = np.minimum(image, np.quantile(image, 1 - share, method="lower"))
    if share > 0.95:
        with pytest.raises(InputError, match=r"98.* % of the pixels") as e:
            find_microspheres(image, DIAMETER_PX)
        assert "expose shorter" in e.value.hint
        return
    error, extra = matched(find_microspheres(image, DIAMETER_PX), xy)
    assert len(error) == len(xy)
    assert extra == 0
    assert np.sqrt(np.mean(error**2)) < 0.1


def test_a_frame_of_one_value_around_noise_holds_no_spheres():
    # As a camera or an editor writes it: the patches at its inner edge are of one value.
    image = np.zeros((256, 256))
    image[28:228, 28:228] = 1000 + np.random.default_rng(0).normal(0, 3, (200, 200))
    assert len(find_microspheres(image, 6.25)) == 0


def test_input_is_checked():
    image = np.zeros((64, 64))
    empty = find_microspheres(image, 6.25)
    assert list(empty.columns) == COLUMNS
    assert len(empty) == 0
    with pytest.raises(InputError, match="2-D"):
        find_microspheres(np.zeros((2, 64, 64)), 6.25)
    with pytest.raises(InputError, match="diameter_um"):
        find_microspheres(image, 1.0)
    with pytest.raises(InputError, match="less than three"):
        find_microspheres(image, 30)
    image[3, 4] = np.nan
    with pytest.raises(InputError, match="not numbers"):
        find_microspheres(image, 6.25)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real data is not part of the repository")
@pytest.mark.parametrize("diameter_px", [15.0, 21.0])
def test_five_real_spheres_in_every_frame(diameter_px):
    imagecodecs = pytest.importorskip("imagecodecs")
    frames = sorted((REAL / "trackpy_brightfield").glob("bf_*.png"))[::10]
    assert frames
    for frame in frames:
        image = imagecodecs.imread(frame)
        image = image if image.ndim == 2 else image[..., :3].mean(axis=-1)
        assert len(find_microspheres(image, diameter_px)) == 5, frame.name


@pytest.mark.skipif(not REAL.is_dir(), reason="the real data is not part of the repository")
@pytest.mark.parametrize(("epoch", "spheres"), [("pre", 14), ("post", 13)])
def test_sample_field(epoch, spheres):
    # Counted by eye, the touching pair in the corner of the second image included.
    nd2 = pytest.importorskip("nd2")
    with nd2.ND2File(REAL / "sample_field" / f"{epoch}_bf.nd2") as file:
        image = file.asarray()
    assert len(find_microspheres(image, 1.0 / 0.16)) == spheres
