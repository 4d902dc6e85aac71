"""Results of a run for Fiji, Picasso and spreadsheets."""

from __future__ import annotations

import zipfile

import h5py
import numpy as np
import pandas as pd
import pytest
import tifffile
import yaml
from roifile import ROI_TYPE, ImagejRoi

from blinkpair.epochs import EPOCHS
from blinkpair.export.__main__ import main
from blinkpair.files import read_json


@pytest.fixture(scope="module")
def exported(experiment, tmp_path_factory):
    """The files of one field, by name, and the field's results."""
    folder = tmp_path_factory.mktemp("exported")
    assert main(["hot", "--results", str(experiment / "results"), "--to", str(folder)]) == 0
    return folder, experiment / "results" / "fields" / "hot"


def test_regions_are_points_half_a_pixel_from_the_places(exported):
    folder, results = exported
    table = pd.read_csv(results / "nanocrystals.csv").set_index("nc_id")
    with zipfile.ZipFile(folder / "nanocrystals_post.zip") as archive:
        regions = [ImagejRoi.frombytes(archive.read(name)) for name in archive.namelist()]
    assert len(regions) == len(table)
    for roi in regions:
        place = table.loc[[int(roi.name[:5])], ["x_post", "y_post"]].to_numpy(float)
        # ImageJ: (0, 0) is the corner of the first pixel, so that its centre is (0.5, 0.5).
        np.testing.assert_allclose(roi.coordinates() - 0.5, place, atol=1e-3)
        assert roi.roitype == ROI_TYPE.POINT
    named = {roi.name[6:] for roi in regions}
    assert "became_dark" in named


def test_the_image_after_lies_on_the_image_before(exported):
    folder, results = exported
    pre, onto = (tifffile.imread(folder / f"mean_{name}.tif") for name in ("pre", "post_onto_pre"))
    table = pd.read_csv(results / "nanocrystals.csv")
    both = table[table["analysed"] & (table["population"] == "emissive")]
    x, y = both[["x_pre", "y_pre"]].round().to_numpy(int).T
    assert len(both) > 3
    # What emits in both stands out of the image that was brought back, at its place before.
    assert np.nanmedian(onto[y, x]) > np.nanpercentile(onto, 90)
    seen = np.isfinite(pre) & np.isfinite(onto)
    assert np.corrcoef(pre[seen], onto[seen])[0, 1] > 0.3
    with tifffile.TiffFile(folder / "mean_pre.tif") as file:
        assert file.is_imagej


def test_a_localisation_for_every_frame_that_is_on(exported):
    folder, results = exported
    import xarray as xr

    with xr.open_dataset(results / "traces.nc") as traces:
        on = {epoch: traces[f"on_{epoch}"].to_numpy() == 1 for epoch in EPOCHS}
    for epoch in EPOCHS:
        with h5py.File(folder / f"picasso_{epoch}.hdf5") as file:
            found = file["locs"][:]
        info = yaml.safe_load((folder / f"picasso_{epoch}.yaml").read_text())
        shape = read_json(results / f"nanocrystals_{epoch}.json")["shape"]
        assert [info["Frames"], info["Height"], info["Width"]] == shape
        assert found.size == on[epoch].sum()
        assert (np.diff(found["frame"].astype(int)) >= 0).all()
        assert set(found.dtype.names) >= {"frame", "x", "y", "photons", "sx", "sy", "lpx", "lpy"}
        assert all(np.isfinite(found[name]).all() for name in found.dtype.names)


def test_the_tables_of_one_nanocrystal_add_up(experiment, tmp_path):
    results = experiment / "results"
    table = pd.read_csv(results / "fields" / "hot" / "nanocrystals.csv")
    row = table[table["analysed"]].iloc[0]
    number = int(row["nc_id"])
    arguments = ["hot", "--results", str(results), "--to", str(tmp_path), "-n", str(number)]
    assert main(arguments) == 0
    trace, events, density = (
        pd.read_csv(tmp_path / f"nanocrystal_{number:05d}_{name}.csv")
        for name in ("trace", "events", "p_of_t")
    )
    for epoch in EPOCHS:
        assert trace[f"on_{epoch}"].mean() == pytest.approx(row[f"on_fraction_{epoch}"], abs=1e-5)
        own = events[events["epoch"] == epoch]
        assert own["duration_frames"].sum() == len(trace)
        whole_on = own[(own["state"] == "on") & ~own["cut_off"]]
        binned = density[(density["epoch"] == epoch) & (density["state"] == "on")]
        assert binned["n_events"].sum() == len(whole_on)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["blank"], "was refused"),
        (["no_such_field"], "no results of a field"),
        (["hot", "-n", "99999"], "nc_id"),
    ],
)
def test_what_cannot_be_exported_is_named(experiment, tmp_path, capsys, arguments, message):
    results = ["--results", str(experiment / "results"), "--to", str(tmp_path / "out")]
    assert main([*arguments, *results]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_same_results_give_the_same_bytes(exported, experiment, tmp_path):
    folder, _ = exported
    assert main(["hot", "--results", str(experiment / "results"), "--to", str(tmp_path)]) == 0
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()
