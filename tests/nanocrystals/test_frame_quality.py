"""Frames that do not show the sample are found, and nothing else is taken for one."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from blinkpair.errors import InputError
from blinkpair.movie.movie import from_array
from blinkpair.movie.reader import open_movie
from blinkpair.nanocrystals.frame_quality import (
    MAX_SATURATED_SHARE,
    NOTED_SATURATED_SHARE,
    check_frames,
    frames_again,
    is_saturated,
    light_flicker,
)
from blinkpair.nanocrystals.odd_frames import MAX_ODD_SHARE
from blinkpair.nanocrystals.projections import project
from blinkpair.simulate import Camera, FieldDesign, simulate_field

FRAMES, SHAPE = 400, (64, 64)
READ_NOISE, OFFSET, GAIN = 2.0, 100, 5.0


def film(light, rng):
    """Frames of an EMCCD (variance 2 x gain x signal) under so many counts of light a pixel."""
    light = np.broadcast_to(light, FRAMES)[:, None, None]
    noise = np.sqrt(2 * GAIN * light + READ_NOISE**2)
    frames = OFFSET + light + noise * rng.standard_normal((FRAMES, *SHAPE))
    return frames.round().clip(0).astype(np.uint16)


def odd_of(frames):
    return np.flatnonzero(project(from_array(frames)).odd)


TIME = np.linspace(0, 1, FRAMES)


@pytest.mark.parametrize(
    "light",
    [
        15.0,
        15 * np.exp(-2 * TIME),  # a background that bleaches to an eighth
        15 * (1 + 0.05 * (TIME > 0.5)),  # the laser hops
        15 * (1 + 0.02 * np.sin(300 * TIME)),  # and flickers
        15 + 60 * np.exp(-40 * TIME),  # it is turned up as the movie begins
    ],
)
def test_light_that_changes_as_it_does_in_experiments_is_not_odd(light):
    frames = film(light, np.random.default_rng(1))
    assert odd_of(frames).size == 0
    assert check_frames(project(from_array(frames)), "movie") == []


@pytest.mark.parametrize("period_frames", [8.3, 37.3])
def test_light_that_swings_within_moments_is_reported(period_frames):
    """By 50 %: 35 % root mean square. The hidden Markov model read 0.59 as 0.35 in such a field."""
    light = 60 * (1 + 0.5 * np.sin(2 * np.pi * np.arange(FRAMES) / period_frames))
    projections = project(from_array(film(light, np.random.default_rng(1))))
    assert 0.25 < light_flicker(projections.roughness) < 0.45
    (note,) = check_frames(projections, "movie")
    assert "the light swings" in note


def test_cosmic_rays_are_not_odd_frames():
    rng = np.random.default_rng(2)
    frames = film(15.0, rng)
    for frame in range(0, FRAMES, 4):
        y, x = rng.integers(2, 60, 2)
        frames[frame, y : y + 3, x : x + 2] = 40_000
    assert odd_of(frames).size == 0


def test_a_frame_of_twice_the_variance_is_not_odd():
    frames = film(15.0, np.random.default_rng(10))
    extra = np.random.default_rng(11).normal(0, np.sqrt(2 * GAIN * 15 + READ_NOISE**2), SHAPE)
    frames[60] = (frames[60] + extra).round().clip(0)
    assert odd_of(frames).size == 0


@pytest.mark.parametrize(("first", "last"), [(0, 90), (150, 190), (200, 201), (310, 400)])
@pytest.mark.parametrize("light", [15.0, 15 * np.exp(-TIME)])
def test_a_closed_shutter_is_found_to_the_frame(first, last, light):
    closed = (np.arange(FRAMES) >= first) & (np.arange(FRAMES) < last)
    frames = film(np.where(closed, 0.0, light), np.random.default_rng(3))
    assert odd_of(frames).tolist() == list(range(first, last))


def test_a_flash_and_saturated_frames_are_found():
    frames = film(15.0, np.random.default_rng(4))
    frames[17] = film(900.0, np.random.default_rng(5))[0]
    frames[200:203] = 65535
    assert odd_of(frames).tolist() == [17, 200, 201, 202]


def test_a_frame_that_is_repeated_is_found():
    frames = film(15.0, np.random.default_rng(6))
    frames[51] = frames[50]
    frames[101:130] = frames[100]
    assert odd_of(frames).tolist() == [50, 51, *range(100, 130)]


def test_a_movie_stretched_to_twice_its_frames_is_refused():
    frames = np.repeat(film(15.0, np.random.default_rng(6)), 2, axis=0)
    with pytest.raises(InputError, match="several times in a row"):
        check_frames(project(from_array(frames)), "a.tif")


@pytest.mark.parametrize(("shared", "refused"), [(4, False), (40, True)])
def test_parts_of_a_movie_that_overlap_are_reported_or_refused(shared, refused):
    # Frames counted twice weigh twice in on-fractions, and begin and end events that are none.
    frames = film(15.0, np.random.default_rng(6))
    projections = project(from_array(np.concatenate([frames[:200], frames[200 - shared :]])))
    if refused:
        with pytest.raises(
            InputError, match=r"40 of 440 frames, the first of them frame 200,.*the"
        ):
            check_frames(projections, "a*.tif")
    else:
        assert check_frames(projections, "a*.tif") == []  # below FEWEST_AGAIN


@pytest.mark.parametrize("photons", [0.001, 0.02, 1.0])
def test_no_stretch_of_a_movie_of_few_photons_is_there_twice(photons):
    rng = np.random.default_rng(9)
    frames = rng.poisson(photons, (4000, 24, 24)).astype(np.uint16)
    projections = project(from_array(frames))
    assert not frames_again(projections.frame_mean, projections.roughness).any()


@pytest.mark.parametrize(("columns", "refused"), [(slice(10, 11), False), (slice(0, 20), True)])
def test_a_part_of_the_sensor_that_never_changes_is_refused(columns, refused):
    frames = np.pad(film(15.0, np.random.default_rng(6)), ((0, 0), (0, 0), (40, 40)), "reflect")
    frames[:, :, columns] = 0
    if refused:
        with pytest.raises(InputError, match="14 % of its pixels never change"):
            check_frames(project(from_array(frames)), "a.tif")
    else:
        assert check_frames(project(from_array(frames)), "a.tif") == []


def test_few_odd_frames_are_reported_and_more_are_refused():
    allowed = int(MAX_ODD_SHARE * FRAMES)
    frames = film(15.0, np.random.default_rng(7))
    frames[30 : 30 + allowed] = 50_000
    (note,) = check_frames(project(from_array(frames)), "a.tif")
    assert "4 of 400 frames, the first of them frame 30" in note
    frames[30 + allowed] = 50_000
    with pytest.raises(InputError, match=r"a.tif: 5 of 400 frames.*::frames=30"):
        check_frames(project(from_array(frames)), "a.tif")


def test_a_shutter_that_opened_late_names_the_frames_to_leave_out():
    frames = film(np.where(np.arange(FRAMES) < 12, 0.0, 15.0), np.random.default_rng(7))
    with pytest.raises(InputError, match=r"12 of 400 frames.*::skip=12"):
        check_frames(project(from_array(frames)), "a.tif")
    with pytest.raises(InputError, match="::skip=15'"):  # those skipped already count
        check_frames(project(from_array(frames)), "a.tif::skip=3")


def test_a_movie_of_one_image_is_refused():
    still = np.repeat(film(15.0, np.random.default_rng(8))[:1], FRAMES, axis=0)
    with pytest.raises(InputError, match="all the same"):
        check_frames(project(from_array(still)), "a.tif")


TOPS = [255, 4095, 16383, 32767, 65435, 65520, 65535]


def cut_off_at(top, share, dtype=np.uint16):
    """Return frames of which a share of the values is cut off at a value."""
    frames = film(15.0, np.random.default_rng(9)).astype(float)
    scale = top / np.quantile(frames, 1 - share)
    return np.minimum(np.rint(frames * scale), top).astype(dtype)


@pytest.mark.parametrize("top", TOPS)
@pytest.mark.parametrize("share", [0.02, 0.3])
def test_values_cut_off_at_any_top_are_refused(top, share):
    frames = cut_off_at(top, share)
    with pytest.raises(InputError, match=rf"% of its pixel values are saturated \(at {top},"):
        check_frames(project(from_array(frames)), "a.tif")


@pytest.mark.parametrize(("dtype", "offset"), [(np.float32, 0.3), (np.int16, -300), (np.uint32, 7)])
def test_values_cut_off_are_refused_whatever_the_type_and_the_offset(dtype, offset):
    frames = (cut_off_at(4095, 0.05).astype(float) + offset).astype(dtype)
    with pytest.raises(InputError, match="6 % of its pixel values are saturated"):
        check_frames(project(from_array(frames)), "a.tif")


@pytest.mark.parametrize("top", [4095, 65535])
def test_some_values_cut_off_get_a_note_and_hot_pixels_none(top):
    frames = film(15.0, np.random.default_rng(9))
    frames[:, 20:22, :8] = top  # 0.5 % of the pixels, always
    assert check_frames(project(from_array(frames)), "a.tif") == []
    frames[::2, 30, :10] = top
    (note,) = check_frames(project(from_array(frames)), "a.tif")
    assert re.match(rf"0\.\d+ % of its pixel values are at {top}, the largest of all", note)


@pytest.mark.parametrize("gain", [1.0, 5.0, 30.0, 300.0])
@pytest.mark.parametrize("read_noise", [0.4, 2.0])
def test_a_movie_without_saturation_is_none_at_any_gain(gain, read_noise):
    camera = Camera(shape=(96, 96), gain=gain, read_noise_counts=read_noise)
    design = FieldDesign(camera=camera, frames=100, n_nanocrystals=15, n_microspheres=5)
    frames = np.concatenate(list(simulate_field(design, 3).film("pre")))
    found = project(from_array(frames))
    assert found.saturated_fraction < NOTED_SATURATED_SHARE / 5
    assert check_frames(found, "a.tif") == []


@pytest.mark.parametrize("offset", [0, 5, 100])
def test_noise_that_was_cut_off_below_is_reported(offset):
    """A background of two noises above the cut has 2 % of its values there."""
    light, noise = 15.0, np.sqrt(2 * GAIN * 15.0 + READ_NOISE**2)
    frames = film(light, np.random.default_rng(3)).astype(float) - OFFSET + offset
    notes = check_frames(project(from_array(frames.clip(0).astype(np.uint16))), "movie")
    assert any("at 0, the smallest" in note for note in notes) == (light + offset < 2 * noise)


@pytest.mark.parametrize("photons", [0.02, 0.5])
def test_a_movie_of_single_photons_is_not_saturated(photons):
    frames = np.random.default_rng(5).poisson(photons, (400, 40, 40)).clip(0, 1).astype(np.uint16)
    found = project(from_array(frames))
    assert found.saturated_fraction > MAX_SATURATED_SHARE
    assert not is_saturated(found)


def test_a_movie_of_single_photons_is_not_cut_off_below():
    frames = np.random.default_rng(5).poisson(0.5, (400, 40, 40)).astype(np.uint16)
    assert check_frames(project(from_array(frames)), "movie") == []


REAL = Path(__file__).parents[3] / "shared" / "realdata"


@pytest.mark.skipif(not REAL.is_dir(), reason="the collection of real files is not beside this")
@pytest.mark.parametrize(
    "name",
    [
        "pims_stuck.tif",
        "arcadia-example-timelapse.nd2",
        "sif_spool_mono32",
        "trackpy_brightfield/*",
        # Another forward model, with cosmic rays and single frames of twice the noise's variance.
        "sample_field/pre_pl.nd2",
        "sample_field/post_pl.nd2",
    ],
)
def test_no_frame_of_a_movie_from_elsewhere_is_odd(name):
    notes = check_frames(project(open_movie(str(REAL / name))), name)
    # The colloids of one are white, at 255 of 8 bits.
    assert [note for note in notes if "pixel values are at 255" not in note] == []
