"""The workflow as a module of another one, whose own rules make the movies."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pandas as pd
import pytest

from tests.helpers.plans import ROOT, dry_run

OUTER = """
rule all:
    input:
        "annealing/results/provenance.json",
        "annealing/results/figures/delta_histograms.png",


rule make_field:
    output:
        temp(expand("movies/{{field}}_{epoch}_pl.tif", epoch=["pre", "post"])),
        expand("movies/{{field}}_{epoch}_bf.tif", epoch=["pre", "post"]),
    shell:
        "{PYTHON} -m blinkpair.simulate field movies --name {wildcards.field} --frames 150"
        " --size 128 --density 24 --microspheres 10 --rotation 100 --shift 5 -6 --drift 1"
        " --exposure {EXPOSURE} --seed 71"


module blinkpair:
    snakefile:
        "{ROOT}/Snakefile"
    config:
        {"fields": "sheet.tsv", "made_by_rules": True, "statistics": {"resamples": 200}}
    PREFIX


use rule * from blinkpair as blinkpair_*


onsuccess:
    blinkpair.onsuccess()
"""
SHEET = {
    "field": "f1",
    "temperature_c": "100",
    "sample": "simulated",
    "exposure_s": 0.02,
    "pixel_size_um": 0.16,
} | {
    f"{epoch}_{column}": f"movies/f1_{epoch}_{kind}.tif"
    for epoch in ("pre", "post")
    for column, kind in (("brightfield", "bf"), ("pl", "pl"))
}


def write_outer(folder, *, prefix='prefix: "annealing"', exposure_s=0.02):
    text = OUTER.replace("{PYTHON}", sys.executable).replace("{ROOT}", str(ROOT))
    text = text.replace("{EXPOSURE}", str(exposure_s)).replace("PREFIX", prefix)
    (folder / "Snakefile").write_text(text)
    pd.DataFrame([SHEET]).to_csv(folder / "sheet.tsv", sep="\t", index=False)
    # Of the outer workflow, and no settings of blinkpair's.
    (folder / "config").mkdir()
    (folder / "config" / "config.yaml").write_text("threads_of_mine: 3\n")


def run(folder, *arguments):
    """Run the outer workflow; only the rule that simulates finds the library by PYTHONPATH."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_a_module_analyses_movies_that_other_rules_make(tmp_path):
    write_outer(tmp_path)
    finished = run(tmp_path, "--cores", "2")
    assert finished.returncode == 0, finished.stderr[-4000:]
    assert "1 of 1 fields registered." in finished.stderr
    results = tmp_path / "annealing" / "results"
    field = pd.read_csv(results / "fields.csv").iloc[0]
    assert (field["status"], field["n_frames_pre"]) == ("ok", 150)
    assert field["exposure_from"] == "sheet"
    record = json.loads((results / "provenance.json").read_text())
    assert record["sheet"][0]["pre_pl"] == "movies/f1_pre_pl.tif"
    assert (results / "figures" / "delta_histograms.png").stat().st_size > 10_000
    assert (tmp_path / "annealing" / "logs" / "summarise.log").exists()
    assert not (tmp_path / "results").exists()
    assert not (tmp_path / "logs").exists()
    # The movies were temporary, and what they became is up to date without them.
    assert not list(tmp_path.glob("movies/*_pl.tif"))
    assert "Nothing to be done" in dry_run(tmp_path, tmp_path / "Snakefile")


def test_a_movie_made_with_another_exposure_than_planned_stops_the_run(tmp_path):
    write_outer(tmp_path, exposure_s=0.03)
    sheet = pd.DataFrame([SHEET]).drop(columns="exposure_s")
    sheet.to_csv(tmp_path / "sheet.tsv", sep="\t", index=False)
    outer = (tmp_path / "Snakefile").read_text()
    outer = outer.replace('"made_by_rules"', '"exposure_s": 0.02, "made_by_rules"')
    (tmp_path / "Snakefile").write_text(outer)
    refused = run(tmp_path, "--cores", "2", "--", "annealing/results/fields/f1/inputs.json")
    assert refused.returncode == 1
    log = (tmp_path / "annealing" / "logs" / "f1" / "check_inputs.log").read_text()
    assert "the time per frame is 0.03 s in the movies and 0.02 s in the settings" in log


def test_without_prefix_results_are_where_they_always_are(tmp_path):
    write_outer(tmp_path, prefix="")
    planned = dry_run(tmp_path, tmp_path / "Snakefile", "--", "results/populations.csv")
    assert "make_field" in planned


@pytest.mark.parametrize(
    ("column", "text"),
    [("exposure_s", "the time per frame is not known"), ("pre_pl", "a pattern cannot be resolved")],
)
def test_what_cannot_be_known_before_the_movies_are_made_is_reported_at_the_start(
    tmp_path, column, text
):
    write_outer(tmp_path)
    row = dict(SHEET)
    if column == "pre_pl":
        row["pre_pl"] = "movies/f1_pre_*.tif"
    else:
        del row[column]
    pd.DataFrame([row]).to_csv(tmp_path / "sheet.tsv", sep="\t", index=False)
    assert text in dry_run(tmp_path, tmp_path / "Snakefile", refused=True)


def test_without_the_setting_missing_movies_are_reported_as_in_any_run(tmp_path):
    write_outer(tmp_path)
    outer = (tmp_path / "Snakefile").read_text().replace(', "made_by_rules": True', "")
    (tmp_path / "Snakefile").write_text(outer)
    refused = dry_run(tmp_path, tmp_path / "Snakefile", refused=True)
    assert "there is no file 'movies/f1_pre_pl.tif'" in refused
