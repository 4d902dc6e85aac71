"""Counts of apertures against sums worked out by hand and against the simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st

from blinkpair.errors import InputError
from blinkpair.movie.movie import from_array
from blinkpair.photometry.apertures import EMPTY_FROM_PX, aperture_stays_inside, empty_places
from blinkpair.photometry.counts import extract_traces, measure


def flat_movie(frames=6, size=41, level=100):
    return np.full((frames, size, size), level, np.uint16)


def test_a_centred_aperture_is_the_sum_of_nine_pixels():
    rng = np.random.default_rng(1)
    movie = rng.integers(0, 500, (4, 41, 41), dtype=np.uint16)
    traces = extract_traces(from_array(movie), [[20, 18]], background="none")
    assert np.allclose(traces[0], movie[:, 17:20, 19:22].sum(axis=(1, 2)))


def test_an_aperture_between_pixels_counts_them_by_area():
    movie = flat_movie(level=0)
    movie[:, 20, 18] = 100  # half of this column lies inside 18.5 .. 21.5 around x = 20.0 - 0.5
    traces = extract_traces(from_array(movie), [[19.5, 20.0]], background="none")
    assert np.allclose(traces[0], 50.0 + 0.0)


def test_apertures_follow_the_drift():
    movie = flat_movie(frames=5, level=100)
    drift = np.column_stack([np.arange(5) * 2.0, np.zeros(5)])
    for frame in range(5):
        movie[frame, 20, 14 + 2 * frame] = 1000
    moving = extract_traces(from_array(movie), [[14, 20]], drift)
    still = extract_traces(from_array(movie), [[14, 20]])
    assert np.allclose(moving[0], 900.0, atol=1)
    assert still[0, 0] > 800
    assert np.all(still[0, 2:] < 100)


def test_background_is_local_and_per_frame():
    movie = np.stack([flat_movie(1, level=100 + 10 * f)[0] for f in range(6)])
    assert np.allclose(extract_traces(from_array(movie), [[20, 20]]), 0.0)


def test_a_neighbour_in_the_ring_does_not_count():
    movie = flat_movie()
    movie[:, 19:22, 25:28] = 2000
    both = np.array([[20.0, 20.0], [26.0, 20.0]])
    assert np.allclose(extract_traces(from_array(movie), both)[0], 0.0, atol=1e-3)


def test_the_off_level_is_zero_under_skewed_noise(small_field, small_movies):
    """The median of EMCCD noise lies 2 counts below its mean: 20 counts in nine pixels."""
    truth = small_field.truth[small_field.truth["analysable"]]
    off = small_field.on_time_pre[truth.index] == 0
    traces = extract_traces(
        from_array(small_movies["pre"]),
        truth[["x_pre", "y_pre"]].to_numpy(),
        small_field.drift_pre,
        neighbours_xy=small_field.truth[["x_pre", "y_pre"]].to_numpy(),
    )
    level = np.array([t[o].mean() for t, o in zip(traces, off, strict=True) if o.sum() > 200])
    # Noise of 37 counts over 200 frames or more: 2.6 counts each.
    assert len(level) >= 5
    assert abs(level.mean()) < 2.5
    assert np.abs(level).max() < 12


# Same examples every time, and no limit on their duration: a busy machine is no failure.
STEADY = trials(derandomize=True, deadline=None, max_examples=30)


def drawn(seed, frames=9, n=5):
    """Movie of noise with skewed counts, a drift, and positions whose rings the edges cut."""
    rng = np.random.default_rng(seed)
    movie = rng.gamma(2, 50, (frames, 37, 41)).astype(np.uint16)
    drift = np.cumsum(rng.normal(0, 0.3, (frames, 2)), axis=0)
    return movie, rng.uniform(6, 30, (n, 2)), drift


@STEADY
@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(0, 20_000))
def test_counts_scale_with_the_light_and_do_not_depend_on_the_offset(seed, gain, offset):
    """The skew of the ring is a difference of counts, and scales as they do."""
    movie, xy, drift = drawn(seed)
    one = extract_traces(from_array(movie), xy, drift)
    other = extract_traces(from_array(movie.astype(np.int32) * gain + offset), xy, drift)
    # Sums of nine pixels in double precision, differences in single: 2^-24 of each.
    scale = 9 * (gain * int(movie.max()) + offset)
    np.testing.assert_allclose(other, gain * one.astype(float), rtol=0, atol=3 * 2**-24 * scale)


@STEADY
@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 3), st.randoms())
def test_blocks_cores_and_the_order_of_nanocrystals_change_no_bit(seed, size, cores, shuffler):
    movie, xy, drift = drawn(seed)
    order = list(range(len(xy)))
    shuffler.shuffle(order)
    one = extract_traces(from_array(movie), xy, drift)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", str(cores))
        other = extract_traces(from_array(movie), xy[order], drift, frames_per_block=size)
    np.testing.assert_array_equal(other, one[order])


@STEADY
@given(st.integers(0, 10**6), st.integers(0, 7), st.integers(0, 7))
def test_a_movie_shifted_by_whole_pixels_or_transposed_has_the_same_counts(seed, dx, dy):
    movie, xy, drift = drawn(seed)
    xy = 13 + (xy - 6) / 2  # where no ring is cut: at the old edges it no longer would be
    wide = np.pad(movie, ((0, 0), (dy, 0), (dx, 0)))
    one = extract_traces(from_array(movie), xy, drift)
    shifted = extract_traces(from_array(wide), np.add(xy, (dx, dy)), drift)
    turned = np.ascontiguousarray(movie.transpose(0, 2, 1))
    transposed = extract_traces(from_array(turned), xy[:, ::-1], drift[:, ::-1])
    # Edges of apertures are rounded to 2^-48 of a pixel, counts to 2^-24 of their sum.
    np.testing.assert_allclose(shifted, one, rtol=0, atol=3 * 2**-24 * 9 * movie.max())
    np.testing.assert_allclose(transposed, one, rtol=0, atol=3 * 2**-24 * 9 * movie.max())


def test_an_aperture_that_leaves_the_sensor_at_some_drift_is_noticed():
    drift = np.array([[0.0, 0.0], [3.0, -1.0]])
    xy = np.array([[10.0, 10.0], [1.2, 10.0], [34.9, 10.0], [10.0, 1.9], [10.0, 38.0]])
    inside = aperture_stays_inside(xy, drift, (40, 40), aperture_px=3)
    assert inside.tolist() == [True, True, True, False, True]
    assert not aperture_stays_inside(np.array([[35.1, 10.0]]), drift, (40, 40), aperture_px=3)[0]


@pytest.mark.parametrize("background", ["annulus_median", "none"])
def test_an_aperture_that_is_not_all_on_the_sensor_has_no_counts(background):
    """What is left of it, less nine pixels of background, would be hundreds of counts below 0."""
    drift = np.column_stack([[0.0, -1.0, -1.1, 38.0, 38.1], np.zeros(5)])
    traces = extract_traces(
        from_array(flat_movie(5)), [[2, 20], [20, 1.1]], drift, background=background
    )
    assert np.isnan(traces[0]).tolist() == [False, False, True, True, True]
    assert np.isnan(traces[1]).tolist() == [False, False, False, True, True]
    expected = 0 if background == "annulus_median" else 900
    assert np.allclose(traces[np.isfinite(traces)], expected, atol=1e-3)


@pytest.mark.parametrize("aperture_px", [0, -1, np.nan, np.inf])
def test_an_aperture_without_a_width_is_refused(aperture_px):
    with pytest.raises(InputError, match="aperture_px"):
        extract_traces(from_array(flat_movie()), [[20, 20]], aperture_px=aperture_px)


def test_a_drift_that_is_not_known_is_refused():
    drift = np.zeros((6, 2))
    drift[3] = np.nan
    with pytest.raises(InputError, match="drift"):
        extract_traces(from_array(flat_movie()), [[20, 20]], drift)


def test_a_drift_of_the_wrong_length_is_refused():
    with pytest.raises(InputError, match=r"\(5, 2\)"):
        extract_traces(from_array(flat_movie(5)), [[20, 20]], np.zeros((4, 2)))


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "u4", "f4", "f8"])
@pytest.mark.parametrize("edge", [False, True])
def test_the_background_is_the_rings_median_to_the_bit(dtype, edge):
    rng = np.random.default_rng(4)
    low, high = (-30, 30) if dtype[0] in "if" else (0, 250)
    frames = rng.integers(low, high, (7, 41, 41)).astype(dtype)
    x, y = (5, 20) if edge else (20, 20)
    # A neighbour takes pixels out of the ring, so that their number is odd in one of the two.
    for others in ([[x, y]], [[x, y], [x + 6, y + 1]]):
        trace = extract_traces(from_array(frames), [[x, y]], neighbours_xy=others)[0]
        dy, dx = np.mgrid[-8:9, -8:9]
        radius = np.hypot(dx, dy)
        ring = (radius >= 4.5) & (radius <= 7.3)
        if len(others) > 1:
            ring &= np.hypot(dx - 6, dy - 1) > 3.0
        columns, rows = dx[ring] + x, dy[ring] + y
        inside = columns >= 0
        values = frames[:, rows[inside], columns[inside]].astype(float)
        median, mean = np.median(values, axis=1), values.mean(axis=1)
        aperture = frames[:, y - 1 : y + 2, x - 1 : x + 2].astype(float).sum(axis=(1, 2))
        expected = (aperture - 9 * median).astype(np.float32)
        expected -= np.float32(9 * (mean - median).sum() / 7)
        # The mean's last bit may hang on the order of its sum; the median's may not.
        np.testing.assert_allclose(trace, expected, rtol=1e-6, atol=1e-3)


@pytest.mark.parametrize("dtype", ["i2", "u2", "f4"])
def test_every_ring_is_its_own_whatever_the_edges_and_neighbours_leave_of_it(dtype):
    """Forty places are more than a group, and reach into all corners; drift moves their pixels."""
    rng = np.random.default_rng(8)
    low = -90 if dtype[0] in "if" else 5
    frames = rng.integers(low, 120, (6, 48, 52)).astype(dtype)
    xy = np.vstack([rng.uniform(-4, 52, (36, 2)), [[0, 0], [51, 0], [0, 47], [51, 47]]])
    drift = np.cumsum(rng.normal(0, 0.7, (6, 2)), axis=0)
    counts = extract_traces(from_array(frames), xy, drift, frames_per_block=4)
    plain = extract_traces(from_array(frames), xy, drift, background="none")
    rows, columns = np.mgrid[:48, :52]
    for k, place in enumerate(xy):
        x, y = np.floor(place + drift + 0.5).T[:, :, None, None]
        near = [*xy[:k], *xy[k + 1 :]]
        # Pixels of neighbours are those around the place at the first frame.
        apart = [np.hypot(columns - x - dx, rows - y - dy) for dx, dy in np.array(near) - place]
        radius = np.hypot(columns - x, rows - y)
        ring = (radius >= 4.5) & (radius <= 7.3)
        dy, dx = np.mgrid[-8:9, -8:9]
        whole = (np.hypot(dx, dy) >= 4.5) & (np.hypot(dx, dy) <= 7.3)
        free = np.min([np.hypot(dx - a, dy - b) for a, b in np.array(near) - place], axis=0) > 3
        if (whole & free).sum() >= 20:
            ring &= np.min(apart, axis=0) > 3.0
        values = [frame[inside].astype(float) for frame, inside in zip(frames, ring, strict=True)]
        median = np.array([np.median(v) if v.size else np.nan for v in values])
        skew = np.nanmean([v.mean() - np.median(v) for v in values if v.size] or [0.0])
        # Single precision of sums of nine values up to 120, three times.
        np.testing.assert_allclose(counts[k], plain[k] - 9 * (median + skew), atol=3 * 2**-13)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.uint32])
def test_a_background_may_jump_anywhere_from_frame_to_frame(dtype):
    """The medians are looked for near those of the frames before, and found wherever they are."""
    rng = np.random.default_rng(6)
    top, bottom = np.iinfo(dtype).max, np.iinfo(dtype).min
    levels = [bottom, bottom + 9, bottom + 9, top, top - 40, bottom, *rng.integers(40, 90, 40)]
    noise = rng.integers(-9, 10, (len(levels), 33, 33)) * (rng.random((len(levels), 1, 1)) < 0.8)
    frames = np.clip(np.array(levels)[:, None, None] + noise, bottom, top).astype(dtype)
    xy = [[16, 16], [20, 3]]
    ring = np.hypot(*np.mgrid[-8:9, -8:9])
    ring = (ring >= 4.5) & (ring <= 7.3)
    values = frames[:, 8:25, 8:25][:, ring].astype(float)
    median, mean = np.median(values, axis=1), values.mean(axis=1)
    expected = frames[:, 15:18, 15:18].astype(float).sum(axis=(1, 2)) - 9 * median
    expected -= 9 * (mean - median).mean()
    for size in (1, 5, 50):
        counts = extract_traces(from_array(frames), xy, neighbours_xy=[], frames_per_block=size)
        # Single precision of sums of up to nine times the largest value.
        np.testing.assert_allclose(counts[0], expected, atol=9 * float(top) * 2**-23)


# ---- empty places ----------------------------------------------------------------------


def test_empty_places_are_clear_and_cut_the_pixels_alike():
    rng = np.random.default_rng(12)
    xy = rng.uniform(4, 96, (40, 2))
    others = np.vstack([xy, rng.uniform(4, 96, (20, 2))])
    drift = np.column_stack([np.linspace(0, 3, 50), np.zeros(50)])
    places = empty_places(xy, others, drift, (100, 100), aperture_px=3)
    found = np.isfinite(places[:, 0])
    assert found.sum() >= 38
    shift = places[found] - xy[found]
    np.testing.assert_allclose(shift, shift.round(), atol=1e-9)
    apart = np.hypot(*(places[found][:, None] - others[None]).transpose(2, 0, 1))
    assert apart.min() >= EMPTY_FROM_PX
    assert aperture_stays_inside(places[found], drift, (100, 100), aperture_px=3).all()
    crowd = np.stack(np.meshgrid(np.arange(0, 100, 5.0), np.arange(0, 100, 5.0)), -1).reshape(-1, 2)
    assert np.isnan(empty_places(crowd, crowd, drift, (100, 100), aperture_px=3)).all()


def test_counts_at_an_empty_place_are_those_of_a_nanocrystal_that_is_off():
    rng = np.random.default_rng(13)
    frames = rng.poisson(60.0, (4500, 60, 60)).astype(np.uint16)
    spot = np.exp(-((np.mgrid[:60, :60] - np.array([[[30.3]], [[20.6]]])) ** 2).sum(axis=0) / 1.3)
    on = np.repeat(rng.random(450) < 0.4, 10)
    frames[on] += rng.poisson(np.broadcast_to(200 * spot, (on.sum(), 60, 60))).astype(np.uint16)
    found = measure(from_array(frames), [[20.6, 30.3]], empty=True)
    off = found.counts[0, ~on]
    # Every second frame is measured at the empty place. The noise of 2,250 frames is known to 1.5
    # %, the level to noise / sqrt(2250); four times both errors.
    assert found.empty.shape == (1, 2250)
    assert found.empty.std() == pytest.approx(off.std(), rel=0.09)
    assert abs(found.empty.mean() - off.mean()) < 4 * off.std() * np.sqrt(2 / 2250)
    # At another part of a pixel the noise is another: an aperture on whole pixels has 9 of them,
    # one that cuts them has weights whose squares sum to (2 + 2 x 0.25)^2 = 6.25 at worst.
    whole = measure(from_array(frames), [[20.0, 30.0]], empty=True).empty.std()
    half = measure(from_array(frames), [[20.5, 30.5]], empty=True).empty.std()
    assert half < 0.92 * whole


def test_what_is_measured_at_empty_places_does_not_change_the_counts():
    frames = np.random.default_rng(14).poisson(40.0, (30, 50, 50)).astype(np.uint16)
    xy = [[20.2, 25.7], [33.0, 12.5]]
    alone = extract_traces(from_array(frames), xy)
    found = measure(from_array(frames), xy, empty=True, frames_per_block=7)
    np.testing.assert_array_equal(found.counts, alone)
    again = measure(from_array(frames), xy, empty=True, frames_per_block=30)
    np.testing.assert_array_equal(found.empty, again.empty)
