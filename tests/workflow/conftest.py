"""The report of the tiny experiment in a real browser, and a run with landmarks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.helpers.plans import run_fresh
from tests.workflow.browser import Report, chromium


@pytest.fixture(scope="session")
def browser():
    """Run one browser for all tests."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def tab(browser):
    """Keep one page for all reports: a new one of its own takes twice as long to open."""
    return Report(browser)


@pytest.fixture
def report(tab, experiment):
    """Open the report of the finished run anew."""
    tab.load(experiment / "results" / "report.html")
    return tab


@pytest.fixture
def opened(tab, experiment):
    """Return the report as it opens, for tests that only look; they share it."""
    if not tab.untouched:
        tab.load(experiment / "results" / "report.html")
    tab.complaints.clear()
    tab.untouched = False
    yield tab
    tab.untouched = True


@pytest.fixture(scope="session")
def landmarked(experiment, tmp_path_factory) -> Path:
    """Folder of a run in which landmarks named by hand register the field `hot`."""
    folder = tmp_path_factory.mktemp("landmarks") / "copy"
    shutil.copytree(experiment, folder)
    matrix = np.array(json.loads((folder / "movies/hot_truth.json").read_text())["matrix"])
    before = np.array([[20.0, 30.0], [100.0, 90.0]])
    after = before @ matrix[:2, :2].T + matrix[:2, 2]
    # Pointed at to a pixel or so.
    pairs = np.hstack([before, after]) + np.array([0.6, -0.4, -0.5, 0.7])
    columns = ["x_pre", "y_pre", "x_post", "y_post"]
    pd.DataFrame(pairs, columns=columns).to_csv(folder / "hot landmarks.csv", index=False)
    sheet = pd.read_csv(folder / "sheet.tsv", sep="\t")
    sheet["landmarks"] = np.where(sheet["field"] == "hot", "hot landmarks.csv", None)
    sheet.to_csv(folder / "sheet.tsv", sep="\t", index=False)
    targets = ["results/fields.csv", "results/figures/registration/hot.svg"]
    run_fresh(folder, "--cores", "2", "--", *targets)
    return folder
