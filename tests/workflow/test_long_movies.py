"""Movies above 1 GB through the whole workflow: their frames are read once."""

from __future__ import annotations

import pandas as pd
import pytest
import tifffile

from blinkpair import files
from blinkpair.epochs import EPOCHS
from blinkpair.photometry.first_counts import read_first_counts
from blinkpair.simulate import simulate_field
from blinkpair.simulate.design import Camera, FieldDesign
from tests.helpers.tiny_experiment import snakemake

FRAMES, SIZE = 5000, 320  # 1.02 GB


@pytest.mark.slow
def test_frames_of_long_movies_are_read_once_and_settings_are_followed(tmp_path):
    design = FieldDesign(
        camera=Camera(shape=(SIZE, SIZE)), frames=FRAMES, n_nanocrystals=90, shift_px=(8.0, -12.0)
    )
    field = simulate_field(design, 8)
    row = {"field": "A", "temperature_c": "70", "exposure_s": 0.02, "pixel_size_um": 0.16}
    for epoch in EPOCHS:
        row |= {f"{epoch}_pl": f"{epoch}.tif", f"{epoch}_brightfield": f"bf_{epoch}.tif"}
        with tifffile.TiffWriter(tmp_path / row[f"{epoch}_pl"], bigtiff=True) as movie:
            movie.write(
                (frame for block in field.film(epoch) for frame in block),
                shape=(FRAMES, SIZE, SIZE),
                dtype="uint16",
                contiguous=True,
            )
        tifffile.imwrite(
            tmp_path / row[f"{epoch}_brightfield"], getattr(field, f"brightfield_{epoch}")
        )
    (tmp_path / "config").mkdir()
    pd.DataFrame([row]).to_csv(tmp_path / "config/fields.tsv", sep="\t", index=False)
    target = "results/fields/A/nanocrystals.csv"
    snakemake(tmp_path, "--cores", "2", target)

    found = pd.read_csv(tmp_path / target)
    counted = found[found["analysed"] & (found["population"] != "dark")]
    assert len(counted) > 40
    for epoch in EPOCHS:
        folder = tmp_path / "results/fields/A"
        first = read_first_counts(str(folder / f"images_{epoch}.nc"))
        assert first is not None
        traces = files.read_netcdf(folder / f"traces_{epoch}.nc")[f"intensity_{epoch}"].to_numpy()
        taken = {counts.tobytes() for counts in first.measured.counts}
        assert {counts.tobytes() for counts in traces} <= taken

    changed = snakemake(
        tmp_path, "-n", target, "--config", "photometry={aperture_px: 5}"
    )  # the counts of the first pass are of another aperture
    assert "find_nanocrystals" in changed.stdout + changed.stderr
