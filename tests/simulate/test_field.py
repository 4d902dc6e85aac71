"""The forward model obeys the physics it stands for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from blinkpair.brightfield.microspheres import find_microspheres
from blinkpair.registration.rigid import apply_matrix, fit_transform
from blinkpair.simulate import Camera, DwellLaw, FieldDesign, simulate_field
from blinkpair.simulate.blinking import on_time_per_frame, trajectory_with_on_fraction
from blinkpair.simulate.camera import film_block


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
    beads = field.microspheres
    assert 0.05 < beads["x_post"].isna().mean() < 0.4
    for epoch, image in (("pre", field.brightfield_pre), ("post", field.brightfield_post)):
        xy = beads[[f"x_{epoch}", f"y_{epoch}"]].dropna().to_numpy()
        inside = xy[((xy > 8) & (xy < 247)).all(axis=1)]
        found = find_microspheres(image, 6.25)[["x", "y"]].to_numpy()
        assert (cKDTree(found).query(inside)[0] < 0.5).mean() > 0.9
    kept = beads[~beads["moved"]].dropna()
    before, after = kept[["x_pre", "y_pre"]].to_numpy(), kept[["x_post", "y_post"]].to_numpy()
    # The same beads: turned and shifted, with the channel's offset and the stage's creep.
    matrix = fit_transform(before, after)
    assert np.allclose(matrix[:2, :2], field.matrix[:2, :2])
    assert np.hypot(*(apply_matrix(matrix, before) - after).T).max() < 1e-9
    pre = beads[["x_pre", "y_pre"]].dropna().to_numpy()
    touching = cKDTree(pre).query(pre, k=2)[0][:, 1] < 1.05 * 6.25
    assert 0.3 < touching.mean() < 0.7
