"""The forward model obeys the physics it stands for."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.spatial import cKDTree

from blinkpair.brightfield.microspheres import find_microspheres
from blinkpair.registration.points import register_points
from blinkpair.registration.rigid import apply_matrix, fit_transform
from blinkpair.simulate import Camera, DwellLaw, FieldDesign, demo_designs, simulate_field
from blinkpair.simulate.blinking import on_time_per_frame, trajectory_with_on_fraction
from blinkpair.simulate.brightfield import Illumination
from blinkpair.simulate.camera import _film, film_block
from blinkpair.simulate.dirt import Dirt


def dark_frames(camera: Camera, counts: float, frames: int, first: int = 0) -> np.ndarray:
    return film_block(
        camera,
        np.full(camera.shape, counts, np.float32),
        np.zeros((0, 2)),
        np.zeros((0, first + frames), np.float32),
        np.zeros((first + frames, 2)),
        psf_sigma_px=0.9,
        first_frame=first,
        frames=frames,
        seed=1,
    )


def test_emccd_variance_is_twice_gain_times_signal():
    camera = Camera(shape=(100, 100), gain=5.0, read_noise_counts=2.0)
    block = dark_frames(camera, 15.0, 20).astype(float)
    # 2 x 5 x 15 + 2^2, and 1/12 for whole counts; 200,000 values know it to 0.5 %, and the
    # gamma's tails triple that.
    assert block.mean() == pytest.approx(115.0, abs=0.1)
    assert block.var() == pytest.approx(2 * 5 * 15 + 4 + 1 / 12, rel=0.03)


@pytest.mark.parametrize("counts", [0.0, 5.0, 15.3, 140.0, 200.0])
def test_tables_and_photon_by_photon_draws_have_the_moments_of_the_register(counts):
    """Above 150 counts electrons are drawn one by one, below from tables: the same law."""
    camera = Camera(shape=(100, 100), gain=5.0, read_noise_counts=2.0)
    signal = dark_frames(camera, counts, 40).astype(float) - 100.0
    n = signal.size
    variance = 2 * 5 * counts + 4 + 1 / 12
    assert signal.mean() == pytest.approx(counts, abs=4 * np.sqrt(variance / n))
    # Kurtosis at most 6 + 3: the variance of the variance is 8 / n of its square.
    assert signal.var() == pytest.approx(variance, rel=4 * np.sqrt(8 / n))
    # Third central moment of a compound Poisson of exponentials: (m / g) 6 g^3.
    third = np.mean((signal - counts) ** 3)
    assert third == pytest.approx(6 * 25 * counts, rel=0.1, abs=2.0)


def test_a_frame_does_not_depend_on_the_block_it_is_filmed_in():
    camera = Camera(shape=(20, 30))
    whole = dark_frames(camera, 15.0, 12)
    assert np.array_equal(dark_frames(camera, 15.0, 5, first=4), whole[4:9])


def test_a_nanocrystal_has_its_counts_and_its_place_under_drift():
    camera = Camera(shape=(31, 31), offset_counts=0.0, read_noise_counts=0.0)
    drift = np.column_stack([np.linspace(0, 4, 400), np.linspace(0, -2, 400)])
    block = film_block(
        camera,
        np.zeros(camera.shape, np.float32),
        np.array([[12.3, 16.8]]),
        np.full((1, 400), 500.0, np.float32),
        drift,
        psf_sigma_px=0.9,
        first_frame=0,
        frames=400,
        seed=2,
    ).astype(float)
    total = block.sum(axis=(1, 2))
    # 100 electrons a frame, excess noise 2: the mean of 400 frames is known to 0.7 %.
    assert total.mean() == pytest.approx(500.0, rel=0.03)
    y, x = np.mgrid[:31, :31]
    last = block[300:].sum(axis=0)
    assert (last * x).sum() / last.sum() == pytest.approx(12.3 + drift[300:, 0].mean(), abs=0.05)
    assert (last * y).sum() / last.sum() == pytest.approx(16.8 + drift[300:, 1].mean(), abs=0.05)


def test_dwell_times_follow_the_power_law():
    rng = np.random.default_rng(5)
    law = DwellLaw(alpha=1.6, t_min_s=0.02, t_max_s=1e6)
    t = law.draw(rng, 20_000)
    # Maximum likelihood of an unbounded law; its standard error is (alpha - 1) / sqrt n.
    assert 1 + t.size / np.log(t / 0.02).sum() == pytest.approx(1.6, abs=4 * 0.6 / np.sqrt(t.size))


def test_truncation_removes_the_long_dwell_times():
    rng = np.random.default_rng(6)
    law = DwellLaw(alpha=1.5, t_min_s=0.02, t_max_s=100.0, tau_s=0.22)
    t = law.draw(rng, 20_000)
    assert t.mean() == pytest.approx(law.mean_s(), rel=0.05)
    assert t.max() < 20 * 0.22


def test_on_time_is_a_fraction_of_each_frame_and_cuts_through_events():
    rng = np.random.default_rng(7)
    law = DwellLaw(1.5, 0.005, 2.0)
    trace = on_time_per_frame(rng, law, law, frames=5000, exposure_s=0.02)
    assert trace.min() >= 0
    assert trace.max() <= 1 + 1e-6
    assert np.mean((trace > 0.01) & (trace < 0.99)) > 0.1


@pytest.mark.parametrize("wanted", [0.0, 0.03, 0.5, 0.9, 1.0])
def test_a_trajectory_comes_close_to_the_on_fraction_asked_for(wanted):
    rng = np.random.default_rng(8)
    trace = trajectory_with_on_fraction(
        rng, wanted, DwellLaw(t_max_s=4.0), frames=2000, exposure_s=0.02
    )
    assert trace.mean() == pytest.approx(wanted, abs=0.03)


def test_the_truth_of_a_field_is_consistent(small_field):
    truth = small_field.truth
    pre = np.column_stack([truth["x_pre"], truth["y_pre"], np.ones(len(truth))])
    assert np.allclose(pre @ small_field.matrix.T[:, :2], truth[["x_post", "y_post"]])
    assert np.allclose(small_field.on_time_pre.mean(axis=1), truth["on_fraction_pre"], atol=1e-6)
    assert np.hypot(*small_field.drift_pre.T).max() == pytest.approx(small_field.design.drift_px)
    assert np.all(small_field.drift_pre[0] == 0)


def test_the_truth_of_the_microspheres_is_where_they_are_drawn():
    design = FieldDesign(
        camera=Camera(shape=(256, 256)),
        frames=10,
        n_nanocrystals=0,
        n_microspheres=20,
        touching_microspheres=0.5,
        moved_microspheres=0.2,
        lost_microspheres=0.2,
        n_dust=0,
    )
    field = simulate_field(design, seed=4)
    spheres = field.microspheres
    assert 0.05 < spheres["x_post"].isna().mean() < 0.4
    for epoch, image in (("pre", field.brightfield_pre), ("post", field.brightfield_post)):
        xy = spheres[[f"x_{epoch}", f"y_{epoch}"]].dropna().to_numpy()
        inside = xy[((xy > 8) & (xy < 247)).all(axis=1)]
        found = find_microspheres(image, 6.25)[["x", "y"]].to_numpy()
        assert (cKDTree(found).query(inside)[0] < 0.5).mean() > 0.9
    kept = spheres[~spheres["moved"]].dropna()
    before, after = kept[["x_pre", "y_pre"]].to_numpy(), kept[["x_post", "y_post"]].to_numpy()
    # The same spheres: turned and shifted, with the channel's offset and the stage's creep.
    matrix = fit_transform(before, after)
    assert np.allclose(matrix[:2, :2], field.matrix[:2, :2])
    assert np.hypot(*(apply_matrix(matrix, before) - after).T).max() < 1e-9
    pre = spheres[["x_pre", "y_pre"]].dropna().to_numpy()
    touching = cKDTree(pre).query(pre, k=2)[0][:, 1] < 1.05 * 6.25
    assert 0.3 < touching.mean() < 0.7


SMALL = FieldDesign(camera=Camera(shape=(160, 192)), frames=2, n_nanocrystals=5, n_microspheres=12)
OTHER_IMAGE = replace(
    SMALL,
    microsphere_family="rings",
    microsphere_contrast=0.3,
    touching_microspheres=0.5,
    n_debris=6,
    rotation_deg=-97,
    defocus=(-0.7, 1.2),
)


@pytest.mark.parametrize(
    ("design", "images"),
    [(SMALL, (978130141, 3278498941)), (OTHER_IMAGE, (1467839730, 3721409549))],
)
def test_images_without_what_is_off_by_default_are_those_from_before_it_to_the_bit(design, images):
    """Checksums from before light from one side, aggregates, heights, dirt and JPEG were added."""
    field = simulate_field(design, seed=7)
    assert zlib.crc32(field.brightfield_pre.tobytes()) == images[0]
    assert zlib.crc32(field.brightfield_post.tobytes()) == images[1]


ADDED = {
    "light from one side": {"illumination": Illumination(one_sided=0.7)},
    "aggregates": {"aggregated_share": 0.5},
    "two heights": {"second_height_share": 0.5},
    "patches": {"remount_patch_px": 40.0},
    "dirt of the sample": {"sample_dirt": Dirt(fibres=2, flakes=2, bands=1)},
    "dirt of the camera": {"camera_dirt": Dirt(fibres=2, flakes=2, bands=1)},
    "JPEG": {"jpeg_quality": 80},
}


@pytest.mark.parametrize("name", ADDED)
def test_what_is_added_to_the_brightfield_changes_nothing_else(name):
    plain = simulate_field(SMALL, seed=7)
    added = simulate_field(replace(SMALL, **ADDED[name]), seed=7)
    pd.testing.assert_frame_equal(added.truth, plain.truth)
    np.testing.assert_array_equal(next(added.film("post")), next(plain.film("post")))
    assert (added.brightfield_pre != plain.brightfield_pre).any()
    assert (added.brightfield_post != plain.brightfield_post).any()
    if name not in ("aggregates", "patches"):
        same = ["x_pre", "y_pre", "diameter_pre_px", "diameter_post_px"]
        pd.testing.assert_frame_equal(added.microspheres[same], plain.microspheres[same])
        # The creep of the stage before the second image follows the noise of the first.
        after = ["x_post", "y_post"]
        creep = (added.microspheres[after] - plain.microspheres[after]).dropna()
        assert np.ptp(creep, axis=0).max() < 1e-9
        assert np.abs(creep).max(axis=None) < 2 * SMALL.settling_px


@pytest.mark.parametrize("family", ["diffraction", "rings"])
def test_light_from_one_side_stays_with_the_camera_while_the_sample_turns(family):
    design = FieldDesign(
        camera=Camera(shape=(256, 256)),
        frames=2,
        n_nanocrystals=0,
        n_microspheres=25,
        rotation_deg=-97.0,
        defocus=(0.2, 0.2),
        microsphere_family=family,
        illumination=Illumination(one_sided=0.8, one_sided_angle_deg=40.0),
        n_dust=0,
        remount_patch_px=1.0,  # without overlap
    )
    field = simulate_field(design, seed=5)
    y, x = np.indices(field.brightfield_pre.shape)
    for epoch, image in (("pre", field.brightfield_pre), ("post", field.brightfield_post)):
        xy = field.microspheres[[f"x_{epoch}", f"y_{epoch}"]].dropna().to_numpy()
        alone = cKDTree(xy).query(xy, k=2)[0][:, 1] > 20
        inside = ((xy > 10) & (xy < 245)).all(axis=1)
        directions = []
        for x0, y0 in xy[alone & inside]:
            near = np.hypot(x - x0, y - y0) < 7
            contrast = image[near] - np.median(image[near])
            directions.append(
                [((x[near] - x0) * contrast).sum(), ((y[near] - y0) * contrast).sum()]
            )
        angles = np.rad2deg(np.arctan2(*np.array(directions).T[::-1]))
        assert len(angles) > 8
        # Noise and the uneven light under a sphere turn single ones by a few degrees.
        assert np.abs(angles - 40).max() < 15
        assert np.median(angles) == pytest.approx(40, abs=3)


def test_dirt_of_the_camera_is_in_both_images_and_that_of_the_sample_turns():
    dark = replace(SMALL, n_microspheres=0, n_dust=0, channel_offset_px=(0, 0), settling_px=0.0)
    dirt = Dirt(fibres=2, flakes=3, bands=1, depth=0.4)
    clean = simulate_field(dark, seed=7)
    # The light of the clean image takes the unevenness out; the noise is 1 %.
    on_camera = simulate_field(replace(dark, camera_dirt=dirt), seed=7)
    pre, post = (
        on_camera.brightfield_pre / clean.brightfield_pre,
        on_camera.brightfield_post / clean.brightfield_post,
    )
    assert pre.min() < 0.75
    assert np.corrcoef(pre.ravel(), post.ravel())[0, 1] > 0.9
    half = replace(dark, sample_dirt=dirt, rotation_deg=180.0, shift_px=(0.0, 0.0))
    on_sample = simulate_field(half, seed=7)
    pre, post = (
        on_sample.brightfield_pre / clean.brightfield_pre,
        on_sample.brightfield_post / clean.brightfield_post,
    )
    assert np.corrcoef(pre.ravel(), post[::-1, ::-1].ravel())[0, 1] > 0.9
    assert np.corrcoef(pre.ravel(), post.ravel())[0, 1] < 0.7


@pytest.mark.parametrize("name", list(demo_designs())[::4])
def test_the_fields_of_the_demo_are_registered_by_their_microspheres(name):
    _, design, seed = demo_designs(frames=2)[name]
    field = simulate_field(design, seed)
    spheres = field.microspheres
    found = []
    for epoch, image in (("pre", field.brightfield_pre), ("post", field.brightfield_post)):
        found.append(find_microspheres(image, 6.25)[["x", "y"]].to_numpy())
        xy = spheres[[f"x_{epoch}", f"y_{epoch}"]].dropna().to_numpy()
        alone = cKDTree(xy).query(xy, k=2)[0][:, 1] > 1.5 * 6.25
        inside = ((xy > 8) & (xy < np.array(image.shape) - 9)).all(axis=1)
        missed = cKDTree(found[-1]).query(xy[alone & inside])[0] > 1.5
        assert missed.mean() <= 1 / 3  # behind the sample's dirt
    share = (spheres["aggregate"] >= 0)[spheres["x_pre"].notna()].mean()
    assert share == pytest.approx(1 / 3, abs=0.04)  # of some 20, as whole aggregates
    result = register_points(*found, field_shape=design.camera.shape)
    assert result.status == "ok"
    kept = spheres[~spheres["moved"]].dropna()
    there = apply_matrix(result.matrix, kept[["x_pre", "y_pre"]].to_numpy())
    # The offset that light from one side gives all centres of an image turns with the sample.
    assert np.hypot(*(there - kept[["x_post", "y_post"]]).to_numpy().T).max() < 1


def test_arrays_that_may_not_be_written_are_filmed_by_the_same_kernel():
    # numba takes them for another type: the kernel was compiled twice in the demo, 2 s each.
    xy, drift, sigma = np.full((1, 2), 8.0), np.zeros((3, 2)), np.full(3, 0.8)
    frames, kernels = [], []
    for _ in range(2):
        frames.append(
            film_block(
                Camera(shape=(16, 16)), np.full((16, 16), 20, np.float32), xy,
                np.full((1, 3), 500, np.float32), drift, psf_sigma_px=sigma,
                first_frame=0, frames=3, seed=1,
            )
        )  # fmt: skip
        kernels.append(len(_film.signatures))
        for array in (xy, drift, sigma):
            array.flags.writeable = False
    assert kernels[1] == kernels[0]
    np.testing.assert_array_equal(*frames)
