"""Microspheres first, nanocrystals for the rest; contradictions are refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from blinkpair import files
from blinkpair.registration.fields import register_field
from blinkpair.registration.images.decision import BY_CHANCE, ImageRegistration
from blinkpair.registration.images.images import register_images
from blinkpair.registration.nanocrystal_pattern import NanocrystalDetails
from blinkpair.registration.result import describe, describe_failed, from_description
from blinkpair.registration.rigid import apply_matrix
from blinkpair.simulate import rigid_matrix

SHAPE = (512, 512)


def pattern(rng, matrix, n, *, offset=(0.0, 0.0), noise=0.1, common=1.0):
    """Points seen before and after; the rest of them in one epoch only."""
    pre = rng.random((n, 2)) * 512
    post = apply_matrix(matrix, pre) + offset
    seen = rng.random((n, 2)) < common
    inside = (post > 0).all(axis=1) & (post < 512).all(axis=1)
    jitter = rng.normal(0, noise, (2, n, 2))
    return (pre + offset + jitter[0])[seen[:, 0]], (post + jitter[1])[seen[:, 1] & inside]


@pytest.fixture
def matrix():
    return rigid_matrix(140.0, (35.0, -50.0), SHAPE)


def worst_error(found, true):
    grid = np.stack(np.meshgrid(*[np.linspace(0, 511, 9)] * 2), -1).reshape(-1, 2)
    return np.hypot(*(apply_matrix(found, grid) - apply_matrix(true, grid)).T).max()


def test_the_channel_offset_is_taken_out_by_the_nanocrystals(matrix):
    rng = np.random.default_rng(1)
    spheres = pattern(rng, matrix, 25, offset=np.array([1.6, -1.1]), common=0.9)
    spots = pattern(rng, matrix, 200, common=0.7)
    result = register_field(*spheres, *spots, shape=SHAPE)
    assert result.final.status == "ok"
    assert result.evidence == "microspheres and nanocrystals"
    # d - R d is 2 |d| sin(70 degrees) = 3.6 px here: the microspheres alone are that far off.
    assert worst_error(result.microspheres.matrix, matrix) > 3
    # 0.14 px over 80 pairs or more: 0.02 px at the centre, twice that in the corners.
    assert worst_error(result.final.matrix, matrix) < 0.15


@pytest.mark.parametrize("seed", [2, 86])
def test_a_mirror_image_is_refused_by_both_patterns_together(seed):
    # Both match it under the same rotation near a line: in 5 of 120 fields together beyond chance.
    rng = np.random.default_rng(seed)
    turned = rigid_matrix(rng.uniform(-180, 180), tuple(rng.uniform(-60, 60, 2)), SHAPE)
    spheres = pattern(rng, turned, 30, common=0.75)
    spots = pattern(rng, turned, 200, common=0.7)
    flipped = [post * [-1, 1] + [511, 0] for _, post in (spheres, spots)]
    result = register_field(spheres[0], flipped[0], spots[0], flipped[1], shape=SHAPE)
    assert result.final.status == "failed"
    assert result.final.reason.count("mirror") == 2


@pytest.mark.parametrize("mirrored", [True, False])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_nanocrystals_show_that_brightfield_is_mirrored_against_the_movie(seed, mirrored):
    """By a camera of its own, before and after: the microspheres turn the other way."""
    rng = np.random.default_rng(seed)
    turned = rigid_matrix(rng.uniform(5, 20), (9.0, -6.0), SHAPE)
    spheres = pattern(rng, turned, 25, common=0.9)
    spots = 512 * rng.uniform(0.3, 0.7, (2, 2))
    after = np.vstack([apply_matrix(turned, spots), 512 * rng.random((2, 2))])
    if mirrored:
        spheres = tuple(xy * [-1, 1] + [511, 0] for xy in spheres)
    result = register_field(*spheres, spots, after, shape=SHAPE)
    assert result.microspheres.status == "ok"
    assert result.final.status == ("failed" if mirrored else "ok")
    assert ("mirrored against the movie" in result.final.reason) == mirrored


def test_an_offset_by_light_from_one_side_is_searched_for_and_stated(matrix):
    """Far out of focus the image of a sphere lies beside it, in either epoch elsewhere."""
    rng = np.random.default_rng(4)
    offset = np.array([14.0, -9.0])
    spheres = pattern(rng, matrix, 25, common=0.9)
    spheres = (spheres[0], spheres[1] + offset)
    spots = pattern(rng, matrix, 200, common=0.7)
    refused = register_field(*spheres, *spots, shape=SHAPE)
    assert refused.final.reason.startswith("microspheres and nanocrystals contradict")
    found = register_field(*spheres, *spots, shape=SHAPE, light_offset_px=20.0)
    assert found.evidence == "microspheres and nanocrystals"
    assert worst_error(found.final.matrix, matrix) < 0.15
    # Without nanocrystals the offset remains, within the stated 95 %.
    nothing = np.empty((0, 2))
    alone = register_field(*spheres, nothing, nothing, shape=SHAPE, light_offset_px=20.0)
    assert worst_error(alone.final.matrix, matrix) > 15
    assert alone.final.tre(np.array([[255.0, 255.0]]), 0.95)[0] > 0.8 * np.hypot(*offset)


def test_without_microspheres_the_nanocrystals_pattern_decides(matrix):
    rng = np.random.default_rng(2)
    spots = pattern(rng, matrix, 150, common=0.7)
    result = register_field(np.empty((0, 2)), np.empty((0, 2)), *spots, shape=SHAPE)
    assert result.evidence == "nanocrystals"
    assert worst_error(result.final.matrix, matrix) < 0.15


def test_few_nanocrystals_refine_where_their_own_pattern_would_not_be_found(matrix):
    rng = np.random.default_rng(7)
    spheres = pattern(rng, matrix, 25, offset=np.array([1.6, -1.1]), common=0.9)
    middle = rng.uniform(150, 360, (5, 2))
    spots = [
        np.vstack([xy + rng.normal(0, 0.05, xy.shape), rng.uniform(0, 511, (150, 2))])
        for xy in (middle, apply_matrix(matrix, middle))
    ]
    alone = register_field(np.empty((0, 2)), np.empty((0, 2)), *spots, shape=SHAPE)
    assert alone.final.status == "failed"
    result = register_field(*spheres, *spots, shape=SHAPE)
    assert result.evidence == "microspheres and nanocrystals"
    assert worst_error(result.final.matrix, matrix) < 1


def test_nanocrystals_of_small_errors_weigh_more(matrix):
    plain, weighted = [], []
    for seed in range(10):
        rng = np.random.default_rng([8, seed])
        spheres = pattern(rng, matrix, 25, common=0.9)
        spots = rng.uniform(100, 400, (40, 2))
        error_px = rng.choice([0.02, 0.4], 40)
        noisy = [xy + rng.normal(0, error_px[:, None], xy.shape)
                 for xy in (spots, apply_matrix(matrix, spots))]  # fmt: skip
        for errors, into in ((None, plain), ((error_px, error_px), weighted)):
            result = register_field(
                *spheres, *noisy, shape=SHAPE, details=NanocrystalDetails(errors_px=errors)
            )
            into.append(worst_error(result.final.matrix, matrix) ** 2)
    # 20 of 0.02 px against 40 of 0.28 px on average: ten times less.
    assert np.mean(weighted) < np.mean(plain) / 25


def test_a_bright_chance_neighbour_does_not_bend_the_fit(matrix):
    rng = np.random.default_rng(9)
    spheres = pattern(rng, matrix, 25, common=0.9)
    spots = rng.uniform(100, 400, (40, 2))
    errors = np.r_[np.full(3, 0.01), np.full(37, 0.1)]
    post = apply_matrix(matrix, spots) + rng.normal(0, 0.1, spots.shape)
    # Three bright spots have another one 0.4 px beside their place in the other epoch: with weights
    # of 67 to 1 they would shift all by 0.4 x 201 / 238 = 0.3 px.
    post[:3] = apply_matrix(matrix, spots[:3]) + np.array([0.4, 0.0])
    result = register_field(
        *spheres, spots, post, shape=SHAPE, details=NanocrystalDetails(errors_px=(errors, errors))
    )
    assert worst_error(result.final.matrix, matrix) < 0.2
    assert not np.isin(result.final.pairs[:, 0], [0, 1, 2]).any()


def test_the_error_of_the_drifts_zero_is_that_of_the_whole_field(matrix):
    rng = np.random.default_rng(10)
    spheres = pattern(rng, matrix, 25, common=0.9)
    spots = pattern(rng, matrix, 200, common=0.8)
    sure = register_field(*spheres, *spots, shape=SHAPE).final
    unsure = register_field(
        *spheres, *spots, shape=SHAPE, details=NanocrystalDetails(start_error_px=0.3)
    ).final
    place = np.array([[256.0, 256.0]])
    assert unsure.tre(place)[0] == pytest.approx(np.hypot(sure.tre(place)[0], 0.3 * np.sqrt(2)))
    # A known spread is normal: 95 % lie within 2.45 standard deviations.
    assert unsure.tre(place, 0.95)[0] == pytest.approx(2.45 * 0.3, rel=0.02)


def test_microspheres_alone_carry_the_channel_offset_in_their_error(matrix):
    rng = np.random.default_rng(3)
    spheres = pattern(rng, matrix, 25, common=0.9)
    result = register_field(*spheres, np.empty((0, 2)), np.empty((0, 2)), shape=SHAPE)
    assert result.final.status == "ok"
    assert result.evidence == "microspheres"
    centre = np.array([[256.0, 256.0]])
    assert result.microspheres.tre(centre)[0] < 0.2
    # 2 x 1.5 px x sin(70 degrees), both axes: 4 px.
    assert 3.5 < result.final.tre(centre)[0] < 4.5


def test_unrelated_fields_are_refused():
    rng = np.random.default_rng(4)
    points = [rng.random((n, 2)) * 512 for n in (25, 25, 150, 150)]
    result = register_field(*points, shape=SHAPE)
    assert result.final.status == "failed"
    assert "microspheres" in result.final.reason
    assert "nanocrystals" in result.final.reason


@pytest.mark.parametrize(("images", "hint"), [(BY_CHANCE, True), ("no contrast", False)])
def test_a_field_in_which_nothing_matches_names_what_to_check(images, hint):
    nothing = np.empty((0, 2))
    found = ImageRegistration.failed(f"{images}: 2 of 4 tiles agree", 1.0)
    result = register_field(*[nothing] * 4, shape=(200, 200), by_images=lambda: found)
    reason = result.final.reason
    assert ("files after are of the same place" in reason) == hint


def test_a_contradiction_is_refused(matrix):
    rng = np.random.default_rng(5)
    spheres = pattern(rng, rigid_matrix(-20.0, (0.0, 10.0), SHAPE), 25)
    spots = pattern(rng, matrix, 150)
    result = register_field(*spheres, *spots, shape=SHAPE)
    assert result.final.status == "failed"
    assert "contradict" in result.final.reason


def test_registration_survives_its_file(matrix, tmp_path):
    rng = np.random.default_rng(6)
    spots = pattern(rng, matrix, 150, common=0.7)
    spheres = pattern(rng, matrix, 20)
    result = register_field(*spheres, *spots, shape=SHAPE)
    content = describe(result, nanocrystals_pre=spots[0], n_microspheres=(20, 20), shape=SHAPE)
    files.write_json(content, tmp_path / "registration.json")
    again = from_description(files.read_json(tmp_path / "registration.json"))
    assert np.allclose(again.matrix, result.final.matrix)
    assert np.allclose(again.tre(spots[0]), result.final.tre(spots[0]))


def test_a_refused_field_is_valid_json_without_a_matrix(tmp_path):
    files.write_json(describe_failed("the movie is cut off"), tmp_path / "registration.json")
    text = (tmp_path / "registration.json").read_text()
    content = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert content["status"] == "failed"
    assert content["matrix"] is None
    assert from_description(content).status == "failed"


def test_whole_images_are_compared_only_where_the_microspheres_do_not_decide(matrix):
    rng = np.random.default_rng(5)
    sample = gaussian_filter(rng.normal(size=(300, 300)), 2.5)
    pre, post = sample[:200, :200], np.rot90(sample[40:240, 60:260])
    calls = []

    def by_images():
        calls.append(1)
        return register_images(pre, post, diameter_px=7)

    nothing = np.empty((0, 2))
    result = register_field(
        nothing, nothing, nothing, nothing, shape=(200, 200), by_images=by_images
    )
    assert result.evidence == "brightfield images"
    assert result.final.status == "ok"
    # (x, y) of the sample at (x - 60, y - 40) is turned to (y - 40, 199 - (x - 60)).
    mapped = apply_matrix(result.final.matrix, np.array([[100.0, 80.0], [190.0, 150.0]]))
    assert np.abs(mapped - [[40, 159], [110, 69]]).max() < 0.5
    spheres, spots = pattern(rng, matrix, 25), pattern(rng, matrix, 200)
    register_field(*spheres, *spots, shape=SHAPE, by_images=by_images)
    assert len(calls) == 1
