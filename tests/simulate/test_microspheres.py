"""Where simulated microspheres lie: aggregates, the re-mount in patches, two heights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist

from blinkpair.errors import InputError
from blinkpair.simulate import Camera, FieldDesign, simulate_field, write_field

DESIGN = FieldDesign(
    camera=Camera(shape=(256, 256)),
    frames=2,
    n_nanocrystals=0,
    n_microspheres=80,
    aggregated_share=0.5,
    n_dust=0,
)
MIXED = replace(DESIGN, lost_microspheres=0.2, moved_microspheres=0.2, new_microspheres=0.2)
IN_TOUCH_PX = 1e-6


def contacts(spheres, epoch):
    """Distances between the surfaces of all pairs; infinite on the diagonal."""
    xy = spheres[[f"x_{epoch}", f"y_{epoch}"]].to_numpy()
    diameter = spheres[f"diameter_{epoch}_px"].to_numpy()
    between = cdist(xy, xy) - 0.5 * (diameter[:, None] + diameter)
    np.fill_diagonal(between, np.inf)
    return between


@pytest.mark.parametrize("patch_px", [0.0, 60.0])
@pytest.mark.parametrize("epoch", ["pre", "post"])
def test_no_two_microspheres_overlap(epoch, patch_px):
    spheres = simulate_field(replace(MIXED, remount_patch_px=patch_px), seed=1).microspheres
    there = spheres.dropna(subset=[f"x_{epoch}"])
    assert spheres["moved"].any()
    assert there[f"diameter_{epoch}_px"].std() > 0.1
    assert contacts(there, epoch).min() > -IN_TOUCH_PX


@pytest.mark.parametrize("share", [0.0, 1 / 3, 0.5, 1.0])
def test_the_share_in_aggregates_is_the_one_asked_for_and_they_are_in_touch(share):
    design = replace(DESIGN, aggregated_share=share, remount_patch_px=1.0)
    pre = simulate_field(design, seed=2).microspheres.dropna(subset=["x_pre"])
    grouped = (pre["aggregate"] >= 0).to_numpy()
    assert abs(grouped.sum() - share * len(pre)) <= 1
    assert len(grouped) > 100
    between = contacts(pre, "pre")
    aggregate = pre["aggregate"].to_numpy()
    own = aggregate[:, None] == aggregate
    if grouped.any():
        assert np.where(own, between, np.inf)[grouped].min(axis=1).max() < IN_TOUCH_PX
    # Between aggregates, and around those alone, 0.15 of a mean diameter is free.
    apart = np.where(own & grouped, np.inf, between)
    assert apart.min() > 0.15 * design.microsphere_diameter_px - IN_TOUCH_PX


def test_pairs_chains_and_sheets_have_the_contacts_of_their_shape():
    """A pair has one contact, a chain of n has n - 1, a sheet up to 3 n."""
    for kind, share in (("pair", (1, 0, 0)), ("chain", (0, 1, 0)), ("sheet", (0, 0, 1))):
        design = replace(DESIGN, aggregate_kinds=share, aggregate_sizes=(8, 12))
        pre = simulate_field(design, seed=3).microspheres.dropna(subset=["x_pre"])
        groups = [g for number, g in pre.groupby("aggregate") if number >= 0]
        sizes = np.array([len(g) for g in groups])
        touch = np.array([(contacts(g, "pre") < IN_TOUCH_PX).sum() / 2 for g in groups])
        if kind == "pair":
            assert set(sizes[:-1]) == {2}
        # The last aggregate takes what is left: up to 13.
        assert sizes.max() <= {"pair": 3, "chain": 13, "sheet": 13}[kind]
        if kind == "sheet":
            # Most are placed in touch with two others.
            assert (touch >= 1.5 * (sizes - 1))[sizes > 7].all()
        else:
            np.testing.assert_array_equal(touch, sizes - 1)


def test_the_centres_of_both_epochs_are_of_the_same_microsphere():
    field = simulate_field(MIXED, seed=4)
    kept = field.microspheres.query("not moved").dropna()
    before = kept[["x_pre", "y_pre"]].to_numpy() @ field.matrix[:2, :2].T
    # Turned, and shifted as one: the transform, the channel's offset and the stage's creep.
    assert np.ptp(kept[["x_post", "y_post"]].to_numpy() - before, axis=0).max() < 1e-9
    np.testing.assert_array_equal(kept["diameter_pre_px"], kept["diameter_post_px"])
    assert len(kept) > 60


def test_the_remount_takes_neighbours_together_where_asked():
    lossy = replace(DESIGN, aggregated_share=0.0, lost_microspheres=0.3, moved_microspheres=0.0)
    spheres = simulate_field(replace(lossy, remount_patch_px=60.0), seed=5).microspheres
    pre = spheres.dropna(subset=["x_pre"])
    gone = pre["x_post"].isna().to_numpy()
    assert abs(gone.sum() - 0.3 * len(pre)) <= 1
    xy = pre[["x_pre", "y_pre"]].to_numpy()
    distance = cdist(xy, xy) + np.diag(np.full(len(xy), np.inf))
    # Of independent losses, 0.3 of the nearest neighbours of lost ones are lost, with a standard
    # error of 0.08 of the 40 or so; patches of 60 px hold ten and more.
    assert gone[distance.argmin(axis=1)][gone].mean() > 0.7


def test_a_moved_patch_moves_as_one_piece():
    design = replace(MIXED, lost_microspheres=0.0, moved_microspheres=0.1, remount_patch_px=200.0)
    spheres = simulate_field(design, seed=6).microspheres
    moved = spheres[spheres["moved"]]
    assert len(moved) == round(0.1 * spheres["x_pre"].notna().sum())
    before, after = moved[["x_pre", "y_pre"]], moved[["x_post", "y_post"]]
    np.testing.assert_allclose(pdist(before), pdist(after), atol=1e-9)


def test_two_heights_show_two_contrasts_and_an_aggregate_lies_at_one():
    design = replace(
        DESIGN, second_height_share=0.4, second_height_defocus=-1.6, defocus=(0.8, 0.8)
    )
    field = simulate_field(design, seed=7)
    spheres = field.microspheres
    # A hundred at 0.4, but aggregates count as one.
    assert 0.2 < spheres["second_height"].mean() < 0.6
    grouped = spheres[spheres["aggregate"] >= 0]
    assert (grouped.groupby("aggregate")["second_height"].nunique() == 1).all()
    alone = spheres[spheres["aggregate"] < 0].dropna()
    for epoch, image in (("pre", field.brightfield_pre), ("post", field.brightfield_post)):
        at = np.rint(alone[[f"x_{epoch}", f"y_{epoch}"]].to_numpy()).astype(int)
        seen = ((at > 3) & (at < 252)).all(axis=1)
        centre = image[at[seen, 1], at[seen, 0]] - float(np.median(image))
        np.testing.assert_array_equal(centre < 0, alone["second_height"][seen])


def test_too_many_microspheres_for_the_area_are_an_error():
    with pytest.raises(InputError, match="no room"):
        simulate_field(replace(DESIGN, n_microspheres=1500), seed=8)


def test_the_truth_on_disk_has_every_microsphere(tmp_path):
    import pandas as pd

    field = simulate_field(replace(MIXED, n_nanocrystals=5), seed=9)
    write_field(tmp_path, "f1", field)
    table = pd.read_csv(tmp_path / "f1_truth_microspheres.csv", index_col="microsphere")
    pd.testing.assert_frame_equal(table, field.microspheres, check_names=False, atol=1e-5)
