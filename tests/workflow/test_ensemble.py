"""Films beside the nanocrystals: with a sheet its rules, without one nothing at all."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pandas as pd
import pytest

from blinkpair.run.columns import columns_of
from blinkpair.simulate.ensemble import write_ensemble
from tests.helpers.plans import ROOT, run_fresh

RULES = {"fit_ensemble", "compare_ensemble", "plot_ensemble"}
TABLES = ("decays.csv", "decay_sensitivity.csv", "beside.csv")
# What a run with films writes anew: its record and its report.
TOLD = {"provenance.json", "report.html", "datapackage.json"}


@pytest.fixture(scope="module")
def folder(experiment, tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    for name in ("movies", "config", "sheet.tsv"):
        (folder / name).symlink_to(experiment / name)
    sheet = write_ensemble(folder / "films")
    sheet.to_csv(folder / "ensemble.tsv", sep="\t", index=False)
    return folder


def jobs(folder, *arguments):
    """Return the names of the rules of the planned jobs, by Snakemake's own summary."""
    text = run_fresh(folder, "--dry-run", *arguments).stdout
    table = text.split("Job stats:", 1)[1].split("total", 1)[0].splitlines()[3:]
    return {line.split()[0]: int(line.split()[1]) for line in table if line.strip()}


def test_a_sheet_adds_three_jobs_and_changes_no_other(folder):
    without = jobs(folder)
    with_films = jobs(folder, "--config", "ensemble=ensemble.tsv")
    assert RULES.isdisjoint(without)
    assert with_films == without | dict.fromkeys(RULES, 1)


def contents(folder):
    results = folder / "results"
    files = (path for path in results.rglob("*") if path.is_file())
    return {str(path.relative_to(results)): path.read_bytes() for path in files}


def test_films_change_no_byte_of_the_rest(experiment, folder, tmp_path):
    finished = tmp_path / "with films"
    shutil.copytree(experiment, finished)
    shutil.copytree(folder / "films", finished / "films")
    shutil.copy(folder / "ensemble.tsv", finished)
    run_fresh(finished, "--cores", "2", "--quiet", "all", "--config", "ensemble=ensemble.tsv")
    before, after = contents(experiment), contents(finished)
    assert {name for name in before if before[name] != after[name]} <= TOLD
    new = after.keys() - before.keys()
    assert set(TABLES) < new
    assert {name for name in new if "ensemble_" not in name} == {*TABLES, "decay_curves.nc"}
    for name in TABLES:
        table = pd.read_csv(finished / "results" / name)
        assert set(table.columns) <= set(columns_of(name))
        values = table.select_dtypes("number")
        for column in values:
            low, high = columns_of(name)[column].get("range", (-float("inf"), float("inf")))
            assert values[column].dropna().between(low, float(high)).all(), (name, column)


def test_slips_of_both_sheets_are_listed_together(folder):
    text = (folder / "ensemble.tsv").read_text().replace("TA_100\tta", "TA_100\ttransient")
    (folder / "wrong.tsv").write_text(text)
    ran = run_fresh(
        folder, "--dry-run", "--config", "ensemble=wrong.tsv", "dark_cutoff=2", check=False
    )
    assert ran.returncode
    text = ran.stdout + ran.stderr
    assert "2 problems were found" in text
    assert "wrong.tsv, line 7, column technique" in text


def test_nothing_of_it_is_imported_without_a_sheet(folder):
    code = (
        "import sys, json\n"
        "from blinkpair.inputs.checking import check_everything\n"
        "check_everything({'fields': 'sheet.tsv'})\n"
        "import blinkpair.report.page, blinkpair.run.launch, blinkpair.run.provenance\n"
        "print([m for m in sys.modules if 'ensemble' in m or m in ('sdtfile', 'ptufile')])\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT / "scripts")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == "[]"
