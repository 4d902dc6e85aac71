"""The report on other screens, on paper, and with data that try to break it."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from blinkpair.epochs import EPOCHS
from blinkpair.files import lines_of_fields, read_csv, read_json
from blinkpair.report.fields import read_field
from blinkpair.report.page import build_page


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_sticks_out_of_the_screen(tab, experiment, width):
    tab.load(experiment / "results" / "report.html", width=width, color_scheme="dark")
    assert tab.page.evaluate("() => document.documentElement.scrollWidth") <= width
    ground = tab.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert max(map(int, re.findall(r"\d+", ground))) < 40  # dark, as the system asks
    assert tab.complaints == []


def test_light_and_dark_at_a_click(report):
    paper = "() => byId('scatter').layout.paper_bgcolor"
    seen = [report.page.evaluate(paper)]
    for _ in range(2):
        report.page.click("#theme")
        seen.append(report.page.evaluate(paper))
    assert seen == ["#ffffff", "#171b20", "#ffffff"]


def test_paper_shows_whole_plots(tab, experiment):
    """Drawn for the screen they would be cut off at the paper's edge."""
    tab.load(experiment / "results" / "report.html", color_scheme="dark")
    page = tab.page
    page.wait_for_function("() => byId('dwell-off').data && byId('traces').data")
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 700, "height": 1000})
    cut_off = """() => [...document.querySelectorAll('.canvas')].filter((div) => div.clientWidth)
      .filter((div) => div.querySelector('.main-svg').clientWidth > div.clientWidth)
      .map((div) => div.id)"""
    page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".canvas").count() >= 10
    assert page.evaluate(cut_off) == []
    assert page.evaluate("() => byId('scatter').layout.paper_bgcolor") == "#ffffff"
    page.emulate_media(media="screen", color_scheme="dark")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
    page.wait_for_function("() => byId('scatter').layout.paper_bgcolor !== '#ffffff'")
    # Plotly measures anew a tenth of a second later.
    page.wait_for_function(f"() => ({cut_off})().length === 0")
    page.wait_for_function(
        "() => byId('light').querySelector('.main-svg').clientWidth === byId('light').clientWidth"
    )


def test_what_a_user_wrote_is_text(tab, experiment, tmp_path):
    """Names, reasons and settings that are markup or script are shown as they were written."""
    evil = "<img src=x onerror=window.hacked=1></script><script>window.hacked=1</script>"
    results = experiment / "results"
    names = ["nanocrystals", "fields", "populations", "methods", "sensitivity", "types"]
    names += ["type_transitions", "change_by_type", "alpha_by_change", "photostability", "verdicts"]
    tables = {name: read_csv(results / f"{name}.csv") for name in names}
    for table in tables.values():
        for column in table.columns.intersection(["field", "sample", "operator", "reason"]):
            table[column] = evil
        if "field" in table:
            table["field"] = evil
    folder = results / "fields" / "hot"
    files = {path.stem: str(path) for path in sorted(folder.iterdir()) if path.suffix != ".json"}
    files["registration"] = str(folder / "registration.json")
    files |= {f"brightfield_{e}": str(experiment / f"movies/hot_{e}_bf.tif") for e in EPOCHS}
    field = read_field("hot", {"temperature_c": "120", "sample": evil}, files, bins=200)
    provenance = read_json(results / "provenance.json")
    provenance["inputs"] = {evil: {"bytes": 1, "checksum": evil}}
    lines = tables["nanocrystals"].to_csv(index=False, lineterminator="\n")
    page = build_page(
        tables,
        lines,
        [{**field, "name": evil, "status": "failed", "reason": evil}],
        settings={**provenance["settings"], "fields": evil},
        provenance=provenance,
        citation={"title": evil, "authors": [{"name": evil}], "references": []},
        note=evil,
    )
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    tab.load(path)
    tab.page.wait_for_timeout(500)
    assert tab.page.evaluate("() => window.hacked") is None
    assert tab.page.locator("img:not(#stage-pre):not(#stage-post)").count() == 0
    assert tab.page.evaluate("() => document.scripts.length") == 3
    assert evil in tab.page.inner_text("#field-table")
    assert evil in tab.page.inner_text("#detail-title")
    assert tab.complaints == []


def test_a_temperature_without_nanocrystals_does_not_stop_the_page(tab, experiment, tmp_path):
    results = {path.stem: read_csv(path) for path in (experiment / "results").glob("*.csv")}
    provenance = read_json(experiment / "results" / "provenance.json")
    tables = {}
    for name in ("populations", "methods"):
        own = results[name]
        nothing = own[own["temperature_c"] == own["temperature_c"].iloc[0]].assign(
            temperature_c="70"
        )
        numbers = nothing.select_dtypes("number").columns.drop("temperature_c", errors="ignore")
        nothing[numbers] = nothing[numbers].astype(float) * np.nan
        nothing[[name for name in numbers if name.startswith("n")]] = 0
        tables[name] = pd.concat([nothing, own])
    page = build_page(
        {**results, **tables},
        lines_of_fields(experiment / "results" / "nanocrystals.csv", []),
        [],
        settings=provenance["settings"],
        provenance=provenance,
        citation={"title": "", "authors": [], "references": []},
    )
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    tab.load(path)
    assert tab.page.evaluate("() => byId('histogram-0').layout.annotations[0].text") == (
        "no nanocrystals"
    )
    assert tab.complaints == []
