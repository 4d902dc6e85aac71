"""Fields that show the same nanocrystals, because they overlap in space."""

import re

import numpy as np
import pandas as pd
import pytest

from blinkpair.populations.overlaps import find_overlaps, remarks

SIZE = 512


def fields_of(names, **columns):
    table = pd.DataFrame({"field": names, "temperature_c": "70", "sample": "a"})
    return table.assign(**{"same_nanocrystals_as": "", **columns})


def seen(rng, name, xy, share=0.9):
    """Places as a movie shows them: with errors, and without those that are hardly ever on."""
    xy = xy[rng.random(len(xy)) < share]
    x, y = (xy + rng.normal(0, 0.2, xy.shape)).T
    columns = {"field": name, "analysed": True, "excluded_because": "", "x_pre": x, "y_pre": y}
    return pd.DataFrame(columns)


def filmed(rng, corners, density=200, share=0.9):
    """Fields of one coverslip with `density` nanocrystals each, by their corners in px."""
    reach = max(max(corner) for corner in corners) + SIZE
    slip = rng.uniform(0, reach, (rng.poisson(density * (reach / SIZE) ** 2), 2))
    parts = []
    for k, corner in enumerate(corners):
        xy = slip - corner
        parts.append(seen(rng, f"f{k}", xy[((xy > 0) & (xy < SIZE)).all(axis=1)], share))
    return pd.concat(parts, ignore_index=True)


def test_fields_that_overlap_are_named_with_the_nanocrystals_that_count_twice():
    rng = np.random.default_rng(1)
    rows = filmed(rng, [(0, 0), (412, 90), (0, 700)])
    (overlap,) = find_overlaps(rows, fields_of(["f0", "f1", "f2"]))
    # A strip of 100 x 422 px has 32 nanocrystals, of which both movies show 0.9^2.
    assert {overlap.field, overlap.other} == {"f0", "f1"}
    assert abs(overlap.n - 200 * 100 * 422 / SIZE**2 * 0.81) < 3 * np.sqrt(26)
    np.testing.assert_allclose(overlap.shift_px, [-412, -90], atol=0.3)
    assert overlap.n_twice == overlap.n
    found = remarks(rows, fields_of(["f0", "f1", "f2"]))
    assert set(found) == {"f0", "f1"}
    assert re.findall(r"(\d+) of its .* in field (f\d)", found["f1"]) == [
        (str(overlap.n_twice), "f0")
    ]
    assert "+412, +90 px" in found["f1"]
    for field in ("f0", "f1"):  # what is excluded in one of them counts once
        out = rows.assign(analysed=rows["field"] != field)
        assert find_overlaps(out, fields_of(["f0", "f1"]))[0].n_twice == 0
        assert remarks(out, fields_of(["f0", "f1"])) == {}


@pytest.mark.parametrize(
    ("density", "strip_px", "least"), [(200, 60, 8), (200, 200, 9), (40, 300, 9)]
)
def test_most_overlaps_are_found(density, strip_px, least):
    # With 19, 61 and 19 shared nanocrystals on average: 52, 60 and 60 of 60 were found.
    found = 0
    for seed in range(10):
        rows = filmed(
            np.random.default_rng([seed, density]), [(0, 0), (SIZE - strip_px, 17)], density
        )
        found += len(find_overlaps(rows, fields_of(["f0", "f1"])))
    assert found >= least


@pytest.mark.parametrize("spread_px", [None, 12.0])
def test_unrelated_fields_do_not_overlap(spread_px):
    # 40 fields of one sample are 780 pairs; nanocrystals anywhere, or in clusters.
    rng = np.random.default_rng(2)
    names = [f"f{k}" for k in range(40)]
    parts = []
    for name in names:
        xy = rng.uniform(0, SIZE, (150, 2))
        if spread_px:
            xy = xy[rng.integers(0, 25, 150)] + rng.normal(0, spread_px, (150, 2))
        parts.append(seen(rng, name, xy))
    assert find_overlaps(pd.concat(parts), fields_of(names)) == []


def test_spots_of_the_camera_are_in_all_fields_and_no_overlap():
    rng = np.random.default_rng(3)
    dust = rng.uniform(0, SIZE, (40, 2))
    parts = [
        seen(rng, name, np.concatenate([dust, rng.uniform(0, SIZE, (60, 2))])) for name in "abc"
    ]
    assert find_overlaps(pd.concat(parts), fields_of(list("abc"))) == []


def test_only_fields_that_are_counted_together_are_compared():
    rows = filmed(np.random.default_rng(4), [(0, 0), (200, 0)])
    names = ["f0", "f1"]
    assert len(find_overlaps(rows, fields_of(names))) == 1
    # Two coverslips, two treatments, and fields that are known to share a movie.
    assert find_overlaps(rows, fields_of(names, sample=["a", "b"])) == []
    assert find_overlaps(rows, fields_of(names, temperature_c=["70", "100"])) == []
    assert find_overlaps(rows, fields_of(names, same_nanocrystals_as="f0")) == []
    # A refused field has no nanocrystals, and one of a few has no pattern.
    assert find_overlaps(rows[rows["field"] == "f0"], fields_of(names)) == []
    assert find_overlaps(rows.groupby("field").head(4), fields_of(names)) == []
    assert find_overlaps(rows[:0], fields_of(names)) == []
