"""What the page gets of a field: from its files, registered or refused."""

import base64
import json
import zlib

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from blinkpair import files
from blinkpair.blinking.photostability import integrated_pl
from blinkpair.photometry.traces import epoch_dataset, join_epochs
from blinkpair.registration.rigid import apply_matrix
from blinkpair.report.fields import AFTER_ONLY, BEFORE_ONLY, MATCHED, read_field

N, FRAMES = 7, {"pre": 400, "post": 380}
SHAPE, EXPOSURE_S = (64, 80), 0.02
MATRIX = np.array([[0.0, -1.0, 70.0], [1.0, 0.0, -5.0], [0.0, 0.0, 1.0]])
PAIRS = [[0, 2], [3, 1]]


def unpack(text, dtype=np.uint8):
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype)


@pytest.fixture
def folder(tmp_path):
    """Files of a field as the steps write them; movies of different length."""
    rng = np.random.default_rng(1)
    xy = rng.uniform(5, 60, (N, 2))
    xy[0] = (-3.0, 30.0)
    sphere_xy = rng.uniform(5, 60, (4, 2))
    places = {"pre": xy, "post": apply_matrix(MATRIX, xy)}
    spheres = {"pre": sphere_xy, "post": apply_matrix(MATRIX, sphere_xy[[1, 3, 0]])}
    spheres["post"][2] = apply_matrix(MATRIX, [[33.0, 44.0]])[0]
    spheres["post"][1] += (0.0, 0.25)
    table = pd.DataFrame({"nc_id": np.arange(N) * 3 + 1})
    parts, states, light = [], {}, []
    for epoch, frames in FRAMES.items():
        table[[f"x_{epoch}", f"y_{epoch}"]] = places[epoch]
        states[epoch] = rng.random((N, frames)) < 0.3
        counts = (500 * states[epoch] + rng.normal(0, 45, (N, frames))).astype("f4")
        parts.append(epoch_dataset(counts, table, epoch=epoch, exposure_s=EXPOSURE_S))
        light.append(integrated_pl(counts, exposure_s=EXPOSURE_S).assign(epoch=epoch))
        projection = rng.normal(100, 5, SHAPE).astype("f4")
        images = {
            "mean": (("y", "x"), projection),
            "burst": (("y", "x"), projection),
            "frame_mean": ("frame", np.ones(frames, "f4")),
        }
        files.write_netcdf(xr.Dataset(images), tmp_path / f"images_{epoch}.nc")
        drift = {"frame": [9.5, 29.5], "x_px": [0.0, 0.12345], "y_px": [0.0, -1.0]}
        files.write_csv(pd.DataFrame(drift | {"measured": True}), tmp_path / f"drift_{epoch}.csv")
        for name, found in (("microspheres", spheres), ("nanocrystals", places)):
            own = pd.DataFrame(found[epoch], columns=["x", "y"])
            files.write_csv(own, tmp_path / f"{name}_{epoch}.csv")
    files.write_netcdf(join_epochs(*parts, states, "f"), tmp_path / "traces.nc")
    files.write_csv(pd.concat(light), tmp_path / "integrated_pl.csv")
    registration = {
        "status": "ok",
        "reason": "",
        "evidence": "microspheres and nanocrystals",
        "matrix": MATRIX,
        "matrix_brightfield": MATRIX,
        "rotation_deg": 90.00049,
        "scale": 1.0,
        "microsphere_pairs": [[1, 0], [3, 1]],
        "nanocrystal_pairs": [[5, 5]],
    }
    files.write_json(registration, tmp_path / "registration.json")
    for epoch in FRAMES:
        (tmp_path / f"bf_{epoch}.tif").write_bytes(b"no image")
    return tmp_path, states


ROW = {"temperature_c": "70.0", "sample": "Simulated", "pixel_size_um": 0.16}


def read(folder, row=ROW, bins=100):
    paths = {name: str(folder / f"{name}.csv") for name in ("integrated_pl",)}
    paths |= {"traces": str(folder / "traces.nc")}
    paths |= {"registration": str(folder / "registration.json")}
    for epoch in FRAMES:
        paths[f"brightfield_{epoch}"] = str(folder / f"bf_{epoch}.tif")
        paths[f"images_{epoch}"] = str(folder / f"images_{epoch}.nc")
        for name in ("microspheres", "nanocrystals", "drift"):
            paths[f"{name}_{epoch}"] = str(folder / f"{name}_{epoch}.csv")
    content = read_field("f", row, paths, bins)
    json.dumps(content, allow_nan=False)
    return content


def test_each_epoch_keeps_its_own_frames(folder):
    path, states = folder
    content = read(path)
    assert content["frames"] == FRAMES
    assert content["nc_ids"] == [1, 4, 7, 10, 13, 16, 19]
    for epoch, width in (("pre", 4), ("post", 4)):
        own = content["traces"][epoch]
        assert own["frames_per_bin"] == width
        assert own["bins"] == FRAMES[epoch] / width
        assert (unpack(own["low"]) != 255).all()
        # Runs: all below 128 frames here, so that a byte is a number.
        numbers = iter(unpack(content["runs"][epoch]).tolist())
        for row in states[epoch]:
            runs, state = next(numbers), next(numbers)
            if runs & 128:  # the count of runs takes two bytes
                runs, state = (runs & 127) + 128 * state, next(numbers)
            lengths = [next(numbers) for _ in range(runs)]
            assert state == row[0]
            assert sum(lengths) == FRAMES[epoch]


def test_names_are_those_of_the_sheet(folder):
    content = read(folder[0])
    assert content["temperature_c"] == "70"
    assert content["pixel_size_um"] == 0.16
    assert content["rotation_deg"] == 90.0
    control = read(folder[0], {"temperature_c": "Control", "sample": "chip 3"})
    assert (control["temperature_c"], control["sample"]) == ("control", "chip 3")
    assert control["pixel_size_um"] is None


def test_microspheres_are_marked_by_the_epochs_they_were_found_in(folder):
    marks = read(folder[0])["microspheres"]
    before = files.read_csv(folder[0] / "microspheres_pre.csv")[["x", "y"]].to_numpy()
    kinds = [which for *_, which in marks]
    assert kinds == [MATCHED, MATCHED, BEFORE_ONLY, BEFORE_ONLY, AFTER_ONLY]
    expected = [*before[[1, 3, 0, 2]], [33.0, 44.0]]
    assert np.array(marks)[:, :2] == pytest.approx(np.array(expected), abs=0.006)


def test_residuals_are_in_the_pixels_before(folder):
    residuals = read(folder[0])["residuals"]
    arrows = np.array(residuals["microspheres"])
    # After was moved by 0.25 px along y, which a turn by 90 degrees makes x before.
    assert arrows[:, 2:] == pytest.approx(np.array([[0, 0], [0.25, 0]]), abs=0.002)
    assert np.array(residuals["nanocrystals"])[:, 2:] == pytest.approx(np.zeros((1, 2)), abs=0.002)


def test_drift_and_light_have_times_in_seconds(folder):
    content = read(folder[0])
    assert content["drift"]["pre"] == {
        "time_s": [0.2, 0.6],
        "x_px": [0, 0.123],
        "y_px": [0, -1],
        "measured": [True, True],
    }
    light = files.read_csv(folder[0] / "integrated_pl.csv")
    own = light.loc[light["epoch"] == "post", "integrated_pl"].to_numpy()
    assert content["integrated_pl"]["post"]["counts"] == pytest.approx(own, rel=5e-4)


def test_what_cannot_be_read_is_null(folder):
    images = read(folder[0])["images"]
    assert images["bf_pre"] is None
    assert images["pl_post"].startswith("data:image/webp")
    assert (images["pl_width"], images["pl_height"]) == (80, 64)


def test_a_refused_field_has_no_nanocrystals_and_states_why(folder):
    path, _ = folder
    nowhere = {"status": "failed", "reason": "too few", "evidence": "none", "matrix": None}
    nowhere |= {"matrix_brightfield": MATRIX, "rotation_deg": None, "scale": None}
    nowhere |= {"microsphere_pairs": [[0, 0]], "nanocrystal_pairs": []}
    files.write_json(nowhere, path / "registration.json")
    none = pd.DataFrame({name: [] for name in ("nc_id", "x_pre", "y_pre", "x_post", "y_post")})
    parts = [
        epoch_dataset(np.empty((0, 0), "f4"), none, epoch=epoch, exposure_s=EXPOSURE_S)
        for epoch in FRAMES
    ]
    states = {epoch: np.empty((0, 0), bool) for epoch in FRAMES}
    files.write_netcdf(join_epochs(*parts, states, "f"), path / "traces.nc")
    light = [
        integrated_pl(np.empty((0, 0), "f4"), exposure_s=EXPOSURE_S).assign(epoch=e) for e in FRAMES
    ]
    files.write_csv(pd.concat(light), path / "integrated_pl.csv")
    content = read(path, ROW | {"reason": "too few"})
    assert (content["status"], content["reason"]) == ("failed", "too few")
    assert content["nc_ids"] == []
    assert content["frames"] == FRAMES
    assert content["rotation_deg"] is content["matrix"] is None
    assert not content["images"]["registered"]
    assert content["images"]["pl_post"] is not None
    assert {which for *_, which in content["microspheres"]} == {BEFORE_ONLY, AFTER_ONLY}
    assert content["residuals"] == {"microspheres": [], "nanocrystals": []}
    # An unreadable movie leaves one pixel.
    blank = xr.Dataset(
        {"burst": (("y", "x"), np.zeros((1, 1), "f4")), "frame_mean": ("frame", [0.0])}
    )
    files.write_netcdf(blank, path / "images_post.nc")
    content = read(path)
    assert content["frames"]["post"] == 0
    assert content["images"]["pl_post"] is None
