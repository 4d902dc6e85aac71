"""Verdicts by eye and single tables, saved from the report in a real browser."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from blinkpair.export.__main__ import export_nanocrystal
from blinkpair.files import read_csv
from blinkpair.inputs.verdicts import examine_verdicts
from blinkpair.pairing.verdicts import leave_out


@pytest.fixture
def chosen(report):
    """Select an analysed nanocrystal of the control, and return its row of the table."""
    return report.page.evaluate(
        """() => {
          const nc = NCS.find((one) => one.field === 're-mounted' && one.population === 'emissive');
          select(nc.index);
          return { field: nc.field, nc_id: Number(nc.id) };
        }"""
    )


def test_what_the_page_saves_leaves_out_what_was_marked(report, chosen, experiment, tmp_path):
    page = report.page
    assert page.is_hidden("#verdicts")
    page.fill("#judge-by", "M. D.")
    page.click("[data-judge=cluster]")
    # Another reason has to be written; then by keyboard alone.
    page.keyboard.press("ArrowRight")
    page.focus("[data-judge=leave_out]")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "judge-why"
    page.keyboard.type('steps, "two" levels')
    page.focus("[data-judge=leave_out]")
    page.keyboard.press("Enter")
    assert page.get_attribute("[data-judge=leave_out]", "aria-pressed") == "true"
    assert page.inner_text("#verdicts-title") == "2 verdicts, not saved"
    name, content = report.download("#save-verdicts")
    assert name == "verdicts.csv"
    assert page.inner_text("#verdicts-title") == "2 verdicts"
    (tmp_path / name).write_bytes(content)
    rows, problems, _ = examine_verdicts(name, [chosen["field"], "hot", "blank"], tmp_path)
    assert problems == []
    assert [row["verdict"] for row in rows] == ["cluster", "leave_out"]
    assert rows[1]["why"] == 'steps, "two" levels'
    assert rows[0]["by"] == "M. D."
    places = read_csv(experiment / "results" / "fields" / chosen["field"] / "places.csv")
    own = [row for row in rows if row["field"] == chosen["field"]]
    out = leave_out(places, own)
    assert chosen["nc_id"] in out.loc[out["excluded_because"] == "by_hand", "nc_id"].tolist()
    assert report.complaints == []


def test_a_verdict_is_taken_back_by_the_same_button_and_from_the_list(report, chosen):
    page = report.page
    page.click("[data-judge=artefact]")
    page.click("[data-judge=artefact]")
    assert page.locator("#verdict-rows tbody tr").count() == 0
    page.click("[data-judge=artefact]")
    page.click("#verdict-rows tbody tr td button")
    assert page.get_attribute("[data-judge=artefact]", "aria-pressed") == "false"
    _, content = report.download("#save-verdicts")
    assert content.decode().splitlines() == ["field,nc_id,x_pre,y_pre,verdict,why,by,date"]


def test_the_verdicts_fit_the_screen(report, chosen):
    report.page.click("[data-judge=cluster]")
    for width in (1280, 390):
        report.page.set_viewport_size({"width": width, "height": 800})
        # Plots measure anew a tenth of a second later.
        report.page.wait_for_function(
            "(width) => document.documentElement.scrollWidth <= width", arg=width
        )
        assert report.page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_page_saves_the_tables_of_the_export(report, chosen, experiment):
    exported = dict(export_nanocrystal(experiment / "results", "re-mounted", chosen["nc_id"]))
    whole, own = {}, {}
    for kind in ("trace", "events", "p_of_t"):
        file = f"nanocrystal_{chosen['nc_id']:05d}_{kind}.csv"
        name, content = report.download(f"[data-single={kind}]")
        assert name == f"re-mounted_{file}"
        own[kind] = pd.read_csv(io.BytesIO(content))
        whole[kind] = pd.read_csv(io.BytesIO(exported[file]))
        if kind != "trace":
            # The page has the limits of counts with four decimals.
            pd.testing.assert_frame_equal(own[kind], whole[kind], check_dtype=False, rtol=1e-3)
    # 2,000 frames are in the page as stretches: states of every frame, counts between two ends.
    own, whole = own["trace"], whole["trace"]
    assert list(own) == [
        *("frame", "time_s", "counts_pre_low", "counts_pre_high", "on_pre"),
        *("counts_post_low", "counts_post_high", "on_post"),
    ]
    same = ["frame", "time_s", "on_pre", "on_post"]
    pd.testing.assert_frame_equal(own[same], whole[same], check_dtype=False)
    for epoch in ("pre", "post"):
        there = whole[f"counts_{epoch}"].notna()
        low, counts, high = (
            table.loc[there, column]
            for table, column in (
                (own, f"counts_{epoch}_low"),
                (whole, f"counts_{epoch}"),
                (own, f"counts_{epoch}_high"),
            )
        )
        assert (low <= counts + 0.01).all()
        assert (counts <= high + 0.01).all()
