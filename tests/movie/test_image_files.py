"""Brightfield images: the mean of their frames, PNG and JPEG, grey saved as colours."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from blinkpair.errors import InputError
from blinkpair.movie.reader import open_movie, read_image

SHAPE = (30, 12, 20)


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(2).integers(0, 4000, SHAPE).astype(np.uint16)


def test_image_is_the_mean_over_the_frames(tmp_path, frames):
    path = tmp_path / "bf.tif"
    tifffile.imwrite(path, frames)
    image, movie = read_image(path)
    assert image.dtype == np.float64
    np.testing.assert_allclose(image, frames.mean(axis=0), rtol=1e-12)
    assert movie.shape == SHAPE


def test_image_that_is_not_finite(tmp_path):
    image = np.ones((8, 9), np.float32)
    image[2, 3] = np.nan
    path = tmp_path / "bf.tif"
    tifffile.imwrite(path, image)
    with pytest.raises(InputError, match=r"bf\.tif: 1 pixels are not finite"):
        read_image(path)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png(tmp_path, frames, dtype):
    for k in range(12):
        Image.fromarray(frames[k].astype(dtype)).save(tmp_path / f"bf_{k}.png")
    image, movie = read_image(tmp_path / "bf_3.png")
    np.testing.assert_array_equal(image, frames[3].astype(dtype))
    assert (movie.format, movie.dtype, movie.exposure_s) == ("PNG", dtype, None)
    split = open_movie(tmp_path / "bf_*.png")
    np.testing.assert_array_equal(np.concatenate(list(split.blocks(5))), frames[:12].astype(dtype))


def test_jpeg_comes_with_a_warning(tmp_path):
    grey = np.full((16, 24), 90, np.uint8)
    Image.fromarray(grey).save(tmp_path / "bf.jpg")
    image, movie = read_image(tmp_path / "bf.jpg")
    np.testing.assert_allclose(image, 90, atol=1)
    assert "JPEG compression" in movie.notes[0]


@pytest.mark.parametrize(("mode", "suffix"), [("LA", "png"), ("RGBA", "png"), ("RGBA", "tif")])
def test_an_opacity_that_is_the_same_everywhere_changes_nothing(tmp_path, frames, mode, suffix):
    grey = frames[0].astype(np.uint8)
    path = tmp_path / f"bf.{suffix}"
    shown = Image.fromarray(grey).convert(mode)
    shown.save(path)
    np.testing.assert_array_equal(read_image(path)[0], grey)
    shown.putpixel((3, 4), tuple(255 if k < len(mode) - 1 else 9 for k in range(len(mode))))
    shown.save(path)
    with pytest.raises(InputError, match=r"bf\."):
        read_image(path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_grey_saved_as_rgb_is_read_and_colour_is_refused(tmp_path, frames, suffix):
    grey = frames[0].astype(np.uint8)
    path = tmp_path / f"bf.{suffix}"
    Image.fromarray(np.stack([grey] * 3, axis=2)).save(path)
    image, movie = read_image(path)
    np.testing.assert_allclose(image, grey, atol=40 if suffix == "jpg" else 0)
    assert any("saved as colours (RGB)" in note for note in movie.notes)
    colour = np.stack([grey, grey, 255 - grey], axis=2)
    Image.fromarray(colour).save(path)
    with pytest.raises(InputError, match=r"colour.*16-bit"):
        read_image(path)
