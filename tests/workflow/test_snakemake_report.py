"""What `snakemake --report` makes of the tiny experiment, without a network."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.helpers.tiny_experiment import ROOT

CATEGORIES = {
    "Populations",
    "Blinking",
    "Photostability",
    "Registration",
    "Tables",
    "How it was made",
}


def make_report(folder: Path, report: Path) -> None:
    """Run Snakemake in a network of its own where the system allows it, else behind no proxy."""
    alone = ["unshare", "--map-root-user", "--net"]
    if (
        not shutil.which("unshare")
        or subprocess.run([*alone, "true"], capture_output=True).returncode
    ):
        alone = []
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile")]
    result = subprocess.run(
        [*alone, *command, "--report", str(report)],
        cwd=folder,
        env=os.environ | nowhere,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr[-4000:]


def said(html: str, name: str):
    """Return a value that the page holds for its scripts."""
    script = re.search(rf'<script id="[a-z-]+">\s*var {name} = (.*);$', html, re.MULTILINE)
    return json.loads(script[1])


@pytest.fixture(scope="module")
def unpacked(experiment, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    make_report(experiment, folder / "report.zip")
    with ZipFile(folder / "report.zip") as archive:
        archive.extractall(folder)
    return folder / "report"


@pytest.fixture(scope="module")
def html(unpacked) -> str:
    return (unpacked / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def results(html) -> dict:
    return said(html, "results")


def test_each_result_is_in_the_report_once_and_as_it_is(experiment, unpacked, results):
    figures = {
        path.with_suffix(".png") for path in (experiment / "results").rglob("figures/**/*.svg")
    }
    tables = set((experiment / "results").glob("*.csv"))
    expected = figures | tables | {experiment / "results" / "provenance.json"}
    shown = {path for path in results if path != "results/report.html"}
    assert shown == {str(path.relative_to(experiment)) for path in expected}
    for path in shown:
        copy = unpacked / results[path]["data_uri"]
        assert copy.read_bytes() == (experiment / path).read_bytes()


def test_each_result_has_a_caption_a_category_and_one_name(html, results):
    of_category = said(html, "categories")
    assert set(of_category) == CATEGORIES
    placed = [path for parts in of_category.values() for part in parts.values() for path in part]
    assert sorted(placed) == sorted(results)
    assert set(of_category["Registration"]) == {"120 °C", "control"}
    for parts in of_category.values():
        for part in parts.values():
            names = [tuple(results[path]["labels"].values()) for path in part]
            assert len(set(names)) == len(names)
            # Of two labels the page may make a switch that hides results, or fails.
            assert all(len(name) == 1 and name[0] for name in names)
    for path, result in results.items():
        assert len(result["caption"]) > 100, path
        assert "system-message" not in result["caption"], path  # what docutils cannot read
        assert "{" not in result["caption"], path


def test_simulated_data_are_called_simulated(html, results):
    assert "The data of this report are simulated." in said(html, "workflow_desc")
    for path, result in results.items():
        if path.endswith(".png"):
            assert "Simulated data." in result["caption"], path


def test_measured_data_are_not_called_simulated(experiment, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(experiment, folder)
    sheet = (folder / "sheet.tsv").read_text()
    (folder / "sheet.tsv").write_text(sheet.replace("\tsimulated", "\tslip 3"))
    make_report(folder, tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "simulated" not in said(html, "workflow_desc")
    for result in said(html, "results").values():
        assert "imulated" not in result["caption"]


def test_the_report_opens_without_an_error_and_requests_nothing_from_the_net(browser, unpacked):
    page = browser.new_page()
    errors, requests = [], []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto((unpacked / "report.html").as_uri())
    for category in sorted(CATEGORIES):
        page.locator("nav").get_by_text(category, exact=True).click()
        if category == "Registration":
            page.locator("nav").get_by_text("control", exact=True).click()
        page.locator("nav table a").first.wait_for()
        page.locator("nav table a").nth(1).click()  # what is said of the first result
        page.get_by_text("Description").wait_for()
        page.locator("nav a").nth(1).click()  # back to the categories
    assert errors == []
    assert not [url for url in requests if not url.startswith(("file:", "data:", "blob:"))]
