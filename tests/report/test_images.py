"""Cut-outs and images of a field: the camera's pixels, at the right place, on one scale."""

import base64
import io
import json
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from blinkpair.epochs import EPOCHS
from blinkpair.figures.overlay import map_back, residuals, warped_back
from blinkpair.registration.rigid import apply_matrix
from blinkpair.report.cutouts import (
    OUTSIDE,
    cut_out,
    cutouts_content,
    nearest_pixel,
    pack_cutouts,
    sub_pixel_offsets,
)
from blinkpair.report.field_images import LONGEST_SIDE_PX, field_images, picture


def unpack(text, n, size):
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(n, size, size)


def open_uri(uri):
    head, _, text = uri.partition(",")
    assert head == "data:image/webp;base64"
    return Image.open(io.BytesIO(base64.b64decode(text)))


def grey(uri):
    return np.asarray(open_uri(uri).convert("L"), float)


def turned(angle_deg, shift):
    a = np.deg2rad(angle_deg)
    return np.array(
        [[np.cos(a), -np.sin(a), shift[0]], [np.sin(a), np.cos(a), shift[1]], [0, 0, 1]]
    )


def gaussians(shape, xy, height=100.0, sigma=1.5):
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = np.zeros(shape)
    for cx, cy in xy:
        image += height * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * sigma**2))
    return image


@given(x=st.floats(-40, 90), y=st.floats(-40, 90), size=st.sampled_from([1, 5, 27]))
def test_every_pixel_of_a_cut_out_is_that_of_the_camera(x, y, size):
    image = np.arange(50 * 60, dtype=float).reshape(50, 60)
    cut = cut_out(image, [[x, y]], size)[0]
    column, row = nearest_pixel([[x, y]])[0]
    assert abs(column - x) <= 0.5
    assert abs(row - y) <= 0.5
    half = size // 2
    for i in range(size):
        for j in range(size):
            there = 0 <= row - half + i < 50 and 0 <= column - half + j < 60
            if there:
                assert cut[i, j] == image[row - half + i, column - half + j]
            else:
                assert np.isnan(cut[i, j])


def test_where_a_nanocrystal_lies_in_its_pixel_is_reported():
    assert sub_pixel_offsets([[10.004, 3.74], [-0.6, 5.5]]) == [[0, -0.26], [0.4, -0.5]]


def test_both_epochs_are_on_one_scale_from_background_to_nanocrystal():
    rng = np.random.default_rng(1)
    pre = 100 + rng.normal(0, 5, (60, 60)) + gaussians((60, 60), [(30, 30)], 400)
    post = 100 + rng.normal(0, 5, (60, 60)) + gaussians((60, 60), [(30, 30)], 200)
    content = cutouts_content(pre, [[30, 30]], post, [[30, 30]])
    low, step, white = (content[name][0] for name in ("low", "step", "white"))
    for epoch, image in (("pre", pre), ("post", post)):
        codes = unpack(content[epoch], 1, 27)[0]
        told = low + step * codes.astype(float)
        seen = image[17:44, 17:44]
        inside = (seen > low) & (seen < low + 254 * step)
        assert np.abs(told - seen)[inside].max() <= 0.5 * step + 0.02  # float32 counts
        assert inside.mean() > 0.9  # 5 % of the background are below it
    # White is the nanocrystal where it is brighter, and background is within noise of black.
    assert low + step * white == pytest.approx(pre[30, 30], abs=step)
    assert low == pytest.approx(100 - 1.64 * 5, abs=2)


def test_a_bright_neighbour_does_not_make_the_nanocrystal_black():
    image = gaussians((60, 60), [(30, 30)], 50) + gaussians((60, 60), [(40, 30)], 5000)
    content = cutouts_content(image, [[30, 30]], image, [[30, 30]])
    low, step, white = (content[name][0] for name in ("low", "step", "white"))
    assert low + step * white < 100
    assert unpack(content["pre"], 1, 27)[0][13, 23] == 254


def test_outside_the_sensor_is_marked_even_if_all_of_it_is():
    image = np.full((40, 40), 7.0)
    content = cutouts_content(image, [[0, 20], [-500, 3]], np.empty((0, 0)), [[5, 5], [5, 5]])
    pre = unpack(content["pre"], 2, 27)
    assert (pre[0, :, :13] == OUTSIDE).all()
    assert not (pre[0, :, 13:] == OUTSIDE).any()
    assert (pre[1] == OUTSIDE).all()
    assert (unpack(content["post"], 2, 27) == OUTSIDE).all()
    json.dumps(content, allow_nan=False)


def test_without_nanocrystals_there_are_no_cut_outs():
    nothing = np.empty((0, 27, 27), np.float32)
    content = pack_cutouts(nothing, nothing)
    assert content["low"] == content["step"] == content["white"] == []


def test_an_image_after_lies_on_the_one_before():
    matrix = turned(100, (50, 3))
    here = np.array([[20.0, 30.0], [45.25, 12.5], [30.0, 44.0]])
    after = gaussians((70, 90), apply_matrix(matrix, here))
    back, seen = warped_back(after, matrix, (60, 64))
    # Linear interpolation: at most 1/8 of the curvature of a Gaussian, h / sigma^2, per axis.
    away = np.abs(back - gaussians((60, 64), here))[seen].max()
    assert away <= 2 * 100 / 1.5**2 / 8
    y, x = np.mgrid[:60, :64]
    there = apply_matrix(matrix, np.column_stack([x.ravel(), y.ravel()]))
    inside = ((there >= 0) & (there <= [89, 69])).all(axis=1).reshape(60, 64)
    assert (seen == inside).all()
    assert not back[~seen].any()


def test_residuals_are_by_how_much_after_lies_off_before():
    rng = np.random.default_rng(2)
    matrix = turned(-33, (9, -4))
    here = rng.uniform(0, 100, (6, 2))
    off = rng.normal(0, 0.1, (6, 2))
    order = rng.permutation(6)
    there = apply_matrix(matrix, here + off)[order]
    pairs = np.column_stack([order, np.arange(6)])
    before, residual = residuals(here, there, pairs, matrix)
    assert before == pytest.approx(here[order])
    assert residual == pytest.approx(off[order])
    assert map_back(there, matrix) == pytest.approx((here + off)[order])


@pytest.fixture(scope="module")
def field():
    rng = np.random.default_rng(3)
    matrix = turned(12, (14, -9))
    sphere_xy, nc_xy = rng.uniform(15, 105, (2, 12, 2))
    noise = lambda scale: rng.normal(0, scale, (120, 120))  # noqa: E731
    return {
        "brightfield_pre": 8000 + noise(30) + gaussians((120, 120), sphere_xy, 2000, 3),
        "brightfield_post": 9000
        + noise(30)
        - gaussians((120, 120), apply_matrix(matrix, sphere_xy), 2000, 3),
        "pl_pre": 100 + noise(5) + gaussians((120, 120), nc_xy, 300, 1),
        "pl_post": 160 + noise(5) + gaussians((120, 120), apply_matrix(matrix, nc_xy), 150, 1),
        "matrix_brightfield": matrix,
        "matrix": matrix,
    }, nc_xy


def test_before_and_after_show_the_same_at_the_same_place(field):
    images, _ = field
    content = field_images(**images)
    assert content["registered"]
    assert content["inverted"]  # spheres bright before, dark after
    assert (content["width"], content["height"]) == (120, 120)
    alpha = np.asarray(open_uri(content["bf_post"]).convert("RGBA"))[..., 3]
    seen = alpha == 255
    # Turned by 12 degrees about a corner and shifted by 14 and 9 px, a part of it is out of sight.
    assert 0.5 < seen.mean() < 0.95
    both = np.corrcoef(grey(content["bf_pre"])[seen], grey(content["bf_post"])[seen])[0, 1]
    assert both > 0.9
    # Without the transform the spheres meet by chance only, or not at all.
    astray = field_images(**images | {"matrix": None, "matrix_brightfield": None})
    assert not astray["registered"]
    apart = np.corrcoef(grey(astray["bf_pre"])[seen], grey(astray["bf_post"])[seen])[0, 1]
    assert apart < 0.5


def test_pl_is_on_one_scale_above_each_epochs_own_background(field):
    images, nc_xy = field
    content = field_images(**images)
    pre, post = grey(content["pl_pre"]), grey(content["pl_post"])
    alpha = np.asarray(open_uri(content["pl_post"]).convert("RGBA"))[..., 3]
    assert np.median(pre) == pytest.approx(np.median(post[alpha == 255]), abs=4)
    x, y = np.rint(nc_xy).astype(int).T
    inside = alpha[y, x] == 255
    assert inside.sum() >= 6
    assert (pre[y, x] > post[y, x])[inside].mean() > 0.8  # half as bright after
    same = field_images(**images | {"pl_post": images["pl_pre"] + 60, "matrix": np.eye(3)})
    assert np.abs(grey(same["pl_post"]) - pre).max() <= 1


def test_what_is_lost_in_compression_is_small():
    rng = np.random.default_rng(5)
    nc_xy = rng.uniform(5, 195, (60, 2))
    drawn = 0.08 + rng.normal(0, 0.02, (200, 200)) + gaussians((200, 200), nc_xy, 0.4, 1)
    wanted = 255 * drawn.clip(0, 1)
    x, y = np.rint(nc_xy).astype(int).T
    off = (grey(picture(drawn)) - wanted)[y, x]
    # Measured: 8 grey values, of nanocrystals of 100 above the background; 12 at a quality of 50.
    assert np.sqrt(np.mean(off**2)) < 10


def test_an_unreadable_image_is_null_and_the_others_stay(field):
    images, _ = field
    content = field_images(**images | {"brightfield_pre": None, "pl_post": np.zeros((1, 1))})
    assert content["bf_pre"] is None
    assert content["pl_post"] is None
    assert content["bf_post"].startswith("data:")
    assert (content["width"], content["pl_width"]) == (120, 120)
    nothing = field_images(None, None, None, None, matrix_brightfield=None, matrix=None)
    assert nothing["width"] is None
    assert not any(nothing[f"{name}_{epoch}"] for name in ("bf", "pl") for epoch in EPOCHS)


def test_one_transform_stands_in_for_the_other(field):
    images, _ = field
    both = field_images(**images)
    for missing in ("matrix", "matrix_brightfield"):
        assert field_images(**images | {missing: None}) == both


def test_large_images_are_reduced_and_positions_keep_their_pixels():
    large = np.random.default_rng(4).normal(0, 1, (900, 1200))
    content = field_images(large, None, None, None, matrix_brightfield=None, matrix=None)
    assert (content["width"], content["height"]) == (1200, 900)
    assert open_uri(content["bf_pre"]).size == (LONGEST_SIDE_PX, LONGEST_SIDE_PX * 900 // 1200)


def test_the_same_images_give_the_same_bytes(field):
    images, _ = field
    assert field_images(**images) == field_images(**images)


def test_images_without_contrast_and_with_unknown_pixels_are_no_error():
    flat = np.full((40, 50), 3.0)
    hole = flat.copy()
    hole[:, :4] = np.nan
    content = field_images(flat, flat, hole, flat, matrix_brightfield=np.eye(3), matrix=np.eye(3))
    json.dumps(content, allow_nan=False)
    assert content["pl_pre"] is not None
