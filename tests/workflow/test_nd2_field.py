"""A whole field of ND2 files, from a forward model that is not the project's own."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.helpers.plans import run_fresh

FIELD = Path(__file__).parents[3] / "shared" / "realdata" / "sample_field"


@pytest.mark.skipif(
    not FIELD.exists(), reason="the independent ND2 field is not beside this checkout"
)
def test_an_independent_nd2_field_is_registered_and_analysed(tmp_path):
    columns = {
        "pre_brightfield": "pre_bf",
        "pre_pl": "pre_pl",
        "post_brightfield": "post_bf",
        "post_pl": "post_pl",
    }
    row = {"field": "sample", "temperature_c": "100"}
    row |= {column: str(FIELD / f"{name}.nd2") for column, name in columns.items()}
    pd.DataFrame([row]).to_csv(tmp_path / "sheet.tsv", sep="\t", index=False)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.yaml").write_text("fields: sheet.tsv\n")
    run_fresh(tmp_path, "--cores", "2", "--", "results/populations.csv")
    info = json.loads((tmp_path / "results/fields/sample/registration.json").read_text())
    assert info["status"] == "ok"
    assert info["chance_alignments"] < 1e-6
    # Both residuals are what localisation alone would leave: the two channels agree.
    assert info["rms_microspheres_px"] < 0.1
    assert info["rms_px"] < 0.2
    populations = pd.read_csv(tmp_path / "results" / "populations.csv")
    assert populations.loc[0, "n"] >= 25
