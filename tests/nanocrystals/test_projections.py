"""The one pass over a movie keeps what plain NumPy would, whatever the type of its pixels."""

import numpy as np
import pytest

from blinkpair.errors import InputError
from blinkpair.movie.movie import from_array
from blinkpair.nanocrystals.projections import BURST_FRAMES, project, stretch_length


def movie_of(dtype, frames=87, shape=(31, 23), seed=1):
    rng = np.random.default_rng(seed)
    values = rng.normal(100, 30, (frames, *shape))
    if np.dtype(dtype).kind == "u":
        values = np.clip(values, 0, np.iinfo(dtype).max)
    return values.astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "float32"])
def test_the_projections_are_those_of_numpy(dtype):
    frames = movie_of(dtype)
    found = project(from_array(frames))
    exact = frames.astype(float)
    # 87 frames: stretches of 20, the last 7 frames join the one before.
    starts = [0, 20, 40, 60]
    assert stretch_length(87) == 20
    assert found.n_frames.tolist() == [20, 20, 20, 27]
    for s, first in enumerate(starts):
        part = exact[first : first + found.n_frames[s]]
        # Sums of integers are exact: the mean is to the bit what rounding leaves.
        np.testing.assert_allclose(found.mean[s], part.mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(found.variance[s], part.var(axis=0), rtol=2e-5)
        whole = len(part) // BURST_FRAMES * BURST_FRAMES
        bursts = part[:whole].reshape(-1, BURST_FRAMES, *part.shape[1:]).mean(axis=1)
        np.testing.assert_allclose(found.burst[s], bursts.max(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found.frame_mean, exact.mean(axis=(1, 2)), rtol=1e-12)
    np.testing.assert_array_equal(found.centre_frame, [9.5, 29.5, 49.5, 73])


@pytest.mark.parametrize("every", [1, 3])
def test_frames_that_do_not_show_the_sample_are_not_in_the_projections(every):
    frames = movie_of("uint16", frames=1200)
    odd = [15, 16, 317]
    frames[odd] *= 3
    found = project(from_array(frames), every=every)
    read = found.frame
    assert len(read) == 1200 // every
    assert found.frame_mean.shape == found.odd.shape == read.shape
    assert read[found.odd].tolist() == [k for k in odd if k in read]
    exact, kept = frames.astype(float), np.setdiff1d(read, odd)
    for s, n in enumerate(found.n_frames):
        own = kept[found.n_frames[:s].sum() :][:n]
        np.testing.assert_allclose(found.mean[s], exact[own].mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(found.variance[s], exact[own].var(axis=0), rtol=2e-5)
        bursts = np.unique(own // BURST_FRAMES, return_counts=True)
        whole = bursts[0][bursts[1] == bursts[1].max()]
        brightest = max(exact[own[own // BURST_FRAMES == b]].mean(axis=0).max() for b in whole)
        assert found.burst[s].max() == pytest.approx(brightest, rel=1e-6)
        assert found.centre_frame[s] == own.mean()


def test_saturated_pixels_are_counted():
    frames = movie_of("uint16")
    frames[3, 4, :5] = 65535
    frames[80, 30, 22] = 65535
    found = project(from_array(frames))
    assert (found.largest, found.range_top) == (65535, 65535)
    assert found.saturated_fraction == 6 / frames.size


@pytest.mark.parametrize("dtype", ["uint16", "int16", "uint32", "float32", "float64"])
def test_values_at_the_largest_are_counted_wherever_they_come_first(dtype):
    frames = movie_of(dtype)
    top = frames.max() + 5
    frames[0, 0, 0] = frames[20, -1, -1] = top - 1
    assert project(from_array(frames)).saturated_fraction == 2 / frames.size
    frames[7, 2:9, 20] = frames[-1, -1, :2] = top
    found = project(from_array(frames))
    assert found.largest == top
    assert found.saturated_fraction == 9 / frames.size
    assert (found.range_top == np.inf) == dtype.startswith("float")


def test_the_largest_of_a_movie_below_zero():
    frames = -movie_of("int16") - 1
    found = project(from_array(frames))
    assert found.largest == frames.max()
    assert found.saturated_fraction == (frames == frames.max()).mean()


def test_a_frame_that_is_not_finite_is_named():
    frames = movie_of("float32")
    frames[45, 3, 3] = np.nan
    with pytest.raises(InputError, match="frame 45"):
        project(from_array(frames))


def test_a_movie_shorter_than_a_burst_is_one_stretch():
    found = project(from_array(movie_of("uint16", frames=7)))
    assert found.n_frames.tolist() == [7]
    assert np.isfinite(found.burst).all()
