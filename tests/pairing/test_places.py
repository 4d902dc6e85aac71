"""Union of both catalogues, forced places, flags and chance pairs."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from blinkpair.labels import EXCLUSIONS
from blinkpair.pairing import places
from blinkpair.pairing.matching import expected_chance_pairs, match_points
from blinkpair.pairing.places import motion_remarks, no_nanocrystals, pair_nanocrystals
from blinkpair.registration.result import Registration
from blinkpair.registration.rigid import apply_matrix
from blinkpair.registration.target_error import TargetError
from blinkpair.simulate import rigid_matrix

SHAPE = (200, 200)
MATRIX = rigid_matrix(30.0, (4.0, -7.0), SHAPE)
STILL = np.zeros((10, 2))


def registration(error_px: float = 0.02) -> Registration:
    model = TargetError(np.array([100.0, 100.0]), 2e5, 100, 100 * error_px**2, 200.0, False)
    return Registration(MATRIX, "ok", "", 0.0, np.empty((0, 2), np.int64), 0.05, 0, model)


def catalogue(xy) -> pd.DataFrame:
    xy = np.asarray(xy, float).reshape(-1, 2)
    return pd.DataFrame({"x": xy[:, 0], "y": xy[:, 1], "error_px": 0.05, "wide": False})


def paired(pre, post, **options):
    options = {"drift_pre": STILL, "drift_post": STILL, "shape": SHAPE} | options
    return pair_nanocrystals(
        catalogue(pre), catalogue(post), options.pop("registration", registration()), **options
    )


def test_a_nanocrystal_seen_in_one_epoch_gets_its_mapped_place_in_the_other():
    both, only_pre, only_post = [90.0, 110.0], [120.0, 80.0], [70.0, 70.0]
    post = apply_matrix(MATRIX, np.array([both, only_post]))
    table = paired([both, only_pre], post).table.sort_values("y_pre", ignore_index=True)
    assert table["detected_pre"].tolist() == [False, True, True]
    assert table["detected_post"].tolist() == [True, False, True]
    assert np.allclose(table[["x_pre", "y_pre"]], [only_post, only_pre, both])
    mapped = apply_matrix(MATRIX, table[["x_pre", "y_pre"]].to_numpy())
    assert np.allclose(table[["x_post", "y_post"]], mapped)
    assert table["analysed"].all()


def test_forced_places_are_corrected_for_a_known_magnification_left_in_the_residuals():
    # 0.4 % about the centroid, certain: 0.4 px at 100 px from it.
    plain = registration()
    model = plain.error_model
    length = np.sqrt(model.spread_px2 / model.n)
    scale = np.eye(13)[3]
    model = replace(
        model,
        pattern_px=0.004 * length * scale,
        pattern_covariance_px2=np.diag(1e-12 * scale),
    )
    centre = np.array([100.0, 100.0])
    only_pre, sample = np.array([100.0, 180.0]), np.array([60.0, 90.0])
    only_post = apply_matrix(MATRIX, (centre + 1.004 * (sample - centre))[None])
    known = replace(plain, error_model=model)
    table = paired([only_pre], only_post, registration=known).table
    moved = apply_matrix(MATRIX, (centre + 1.004 * (only_pre - centre))[None])
    assert np.allclose(table.loc[table["detected_pre"], ["x_post", "y_post"]], moved, atol=1e-3)
    assert np.allclose(table.loc[table["detected_post"], ["x_pre", "y_pre"]], sample, atol=1e-3)


def test_pairs_are_one_to_one_and_minimise_the_total_distance():
    mapped = np.array([[0.0, 0.0], [1.0, 0.0]])
    post = np.array([[0.9, 0.0], [1.4, 0.0]])
    # The nearest neighbour of both is the first; one to one, each gets its own.
    assert match_points(mapped, post, np.full(2, 1.2)).tolist() == [[0, 0], [1, 1]]


def test_nanocrystals_that_moved_on_the_glass_are_still_pairs():
    """Unpaired ones are two rows, crowded or changed: 5 % of 100 are farther than 2.4 px."""
    rng = np.random.default_rng(2)
    grid = np.array([(x, y) for x in range(20, 190, 15) for y in range(20, 190, 15)], float)
    matches = np.repeat(np.arange(50)[:, None], 2, axis=1)
    for sd_px, remarked in ((0.05, False), (1.0, True)):
        post = apply_matrix(MATRIX, grid) + rng.normal(0, sd_px, grid.shape)
        inside = ((post > 5) & (post < 195)).all(axis=1)
        pre, post = grid[inside], post[inside]
        plain = registration()
        model = replace(plain.error_model, variance_px2=sd_px**2)
        moved = replace(plain, pairs=matches, error_model=model)
        table = paired(pre, post, registration=moved).table
        assert len(table) == len(pre)
        assert bool(motion_remarks(catalogue(pre), catalogue(post), moved)) == remarked


def test_nothing_farther_than_the_tolerance_is_paired():
    assert len(match_points(np.zeros((1, 2)), np.array([[1.51, 0.0]]), np.array([1.5]))) == 0


@pytest.mark.parametrize(
    ("pre", "reason"),
    [
        ([100.0, 100.0], ""),
        ([2.0, 100.0], "outside"),  # turned out of the second field of view
        ([100.0, 0.8], "edge"),
    ],
)
def test_a_place_the_sensor_does_not_see_is_not_analysed(pre, reason):
    matrix = rigid_matrix(0.0, (-20.0, 0.0), SHAPE) if reason else MATRIX
    transform = registration()
    transform = Registration(matrix, "ok", "", 0.0, transform.pairs, 0.05, 0, transform.error_model)
    table = paired([pre], [], registration=transform).table
    assert table["excluded_because"].tolist() == [reason]


def test_drift_can_take_an_aperture_over_the_edge():
    drift = np.column_stack([np.zeros(10), np.linspace(0, -6, 10)])
    inside = [100.0, 5.0]
    still = rigid_matrix(0.0, (0.0, 5.0), SHAPE)
    transform = Registration(
        still, "ok", "", 0.0, registration().pairs, 0.05, 0, registration().error_model
    )
    assert paired([inside], [], registration=transform).table["analysed"].all()
    moved = paired([inside], [], registration=transform, drift_pre=drift).table
    assert moved["excluded_because"].tolist() == ["edge"]


def test_neighbours_closer_than_the_separation_are_crowded_in_either_epoch():
    pre = [[100.0, 100.0], [60.0, 120.0]]
    post = apply_matrix(MATRIX, np.array([[103.0, 100.0], [60.0, 120.0]]))
    table = paired(pre, post).table.sort_values("y_pre")
    assert table["excluded_because"].tolist() == ["crowded", "crowded", ""]
    assert table["neighbour_distance_px"].min() == pytest.approx(3.0)


@pytest.mark.parametrize(("matched", "because"), [(5, ""), (0, "registration_uncertain")])
def test_a_place_known_too_poorly_is_not_measured_in_the_dark(matched, because):
    # A pair of an unrefined transform is not measured either: it may be one by chance.
    pairs = np.zeros((matched, 2), np.int64)
    poor = replace(registration(error_px=2.0), pairs=pairs)
    post = apply_matrix(MATRIX, np.array([[100.0, 100.0]]))
    table = paired([[100.0, 100.0], [60.0, 120.0]], post, registration=poor).table
    reasons = table.sort_values("y_pre")["excluded_because"].tolist()
    assert reasons == [because, "registration_uncertain"]


@pytest.mark.parametrize("epoch", [0, 1])
def test_what_is_wide_in_one_epoch_is_not_analysed(epoch):
    xy = np.array([[100.0, 100.0], [60.0, 120.0]])
    catalogues = [catalogue(xy), catalogue(apply_matrix(MATRIX, xy))]
    catalogues[epoch]["wide"] = [True, False]
    table = pair_nanocrystals(
        *catalogues, registration(), drift_pre=STILL, drift_post=STILL, shape=SHAPE
    ).table
    assert table.sort_values("y_pre")["excluded_because"].tolist() == ["wide", ""]


def test_every_reason_has_its_words():
    reasons = re.findall(r'reason\[.+\] = "(\w+)"', inspect.getsource(places))
    assert len(reasons) == 6
    assert set(reasons) < EXCLUSIONS.keys()


def test_accidental_pairs_are_what_unrelated_patterns_show():
    rng = np.random.default_rng(4)
    counts, expected = [], []
    tolerance = np.full(200, 3.0)
    for _ in range(20):
        mapped, post = rng.random((2, 200, 2)) * 200
        counts.append(len(match_points(mapped, post, tolerance)))
        expected.append(expected_chance_pairs(mapped, post, tolerance, displacement_px=12.0))
    # About 200 x 200 x 9 pi / 40,000 = 28 coincidences, fewer one to one and at the edges.
    assert np.mean(counts) == pytest.approx(np.mean(expected), rel=0.12)
    assert 15 < np.mean(counts) < 28


def test_a_refused_field_has_the_same_columns_and_no_rows():
    table = no_nanocrystals().table
    full = paired([[100.0, 100.0]], []).table
    assert list(table.columns) == list(full.columns) or set(table.columns) == set(full.columns)
    assert len(table) == 0


@pytest.mark.parametrize(
    ("pixel", "drift_px", "because"),
    [
        ([101, 100], 0.0, "hot_pixel"),
        ([102, 101], 0.0, "hot_pixel"),  # by a corner: 1.5 px of aperture and half a pixel
        ([103, 100], 0.0, ""),
        ([103, 100], 1.5, "hot_pixel"),  # as the sample drifts
        ([100, 103], 1.5, ""),
    ],
)
def test_an_aperture_that_a_hot_pixel_touches_is_not_analysed(pixel, drift_px, because):
    drift = np.linspace([0, 0], [drift_px, 0], len(STILL))
    at = np.array([[100.2, 100.2]])
    hot = ([pixel], [])
    table = paired(at, apply_matrix(MATRIX, at), drift_pre=drift, hot_pixels=hot).table
    assert table["excluded_because"].tolist() == [because]


@pytest.mark.parametrize(("pixel", "because"), [([106, 94], "hot_pixel"), ([110, 98], "")])
def test_a_drift_along_a_diagonal_does_not_touch_what_lies_beside_it(pixel, because):
    drift = np.linspace([0, 0], [12, -12], len(STILL))
    at = np.array([[100.2, 100.2]])
    hot = ([pixel], [])
    table = paired(at, apply_matrix(MATRIX, at), drift_pre=drift, hot_pixels=hot).table
    assert table["excluded_because"].tolist() == [because]


def test_what_is_at_one_pixel_in_both_epochs_of_a_moved_sample_is_the_cameras():
    centre = np.linalg.solve(np.eye(2) - MATRIX[:2, :2], MATRIX[:2, 2])  # turns about itself
    pre = np.array([[60.0, 140.0], [150.0, 60.0], centre])
    post = np.vstack([pre[0] + [0.2, -0.1], apply_matrix(MATRIX, pre[1:])])
    table = paired(pre, post).table
    # The pixel as seen before, with its mapped place, and as seen after, with that one's.
    assert sorted(table["excluded_because"]) == ["", "", "hot_pixel", "hot_pixel"]
    kept = table.loc[table["analysed"], ["x_pre", "y_pre"]].to_numpy()
    assert np.allclose(kept[np.argsort(kept[:, 0])], pre[1:][np.argsort(pre[1:, 0])])


def test_a_hot_pixel_of_one_movie_counts_in_both():
    pre = np.array([[60.0, 140.0], [150.0, 60.0]])
    post = apply_matrix(MATRIX, pre)
    table = paired(pre, post, hot_pixels=(np.rint(post[:1]), ())).table
    assert sorted(table["excluded_because"]) == ["", "hot_pixel"]


def test_two_nanocrystals_at_one_pixel_of_a_moved_sample_are_not_the_cameras():
    # The second is where the first one was; both are seen at their own places in both epochs.
    first = np.array([[60.0, 140.0]])
    beside = first + np.array([0.2, -0.1])
    pre = np.vstack([first, apply_matrix(np.linalg.inv(MATRIX), beside)])
    table = paired(pre, apply_matrix(MATRIX, pre)).table
    assert table["excluded_because"].tolist() == ["", ""]
