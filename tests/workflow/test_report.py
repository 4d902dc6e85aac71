"""The report in a real browser, of the tiny experiment."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from blinkpair.epochs import EPOCHS
from blinkpair.files import read_csv


@pytest.fixture(scope="module")
def table(experiment) -> pd.DataFrame:
    return read_csv(experiment / "results" / "nanocrystals.csv")


def test_the_page_starts_without_an_error_and_requests_nothing_from_the_net(report, experiment):
    report.page.wait_for_timeout(300)
    assert report.complaints == []
    own = (experiment / "results" / "report.html").as_uri()
    assert [url for url in report.requests if not url.startswith(("data:", "blob:"))] == [own]


# ---- as the page opens --------------------------------------------------------------


def test_the_page_may_not_load_anything(opened):
    failed = opened.page.evaluate(
        "() => fetch('https://example.org/').then(() => 'loaded', (error) => error.message)"
    )
    assert failed != "loaded"
    assert any("Content Security Policy" in text for text in opened.complaints)


def test_the_states_in_the_page_are_those_of_the_traces(opened, experiment):
    field = "re-mounted"  # its movies differ in length
    dataset = xr.load_dataset(experiment / "results/fields" / field / "traces.nc")
    shown = opened.page.evaluate(
        """async (name) => {
          const field = fieldOf(name);
          const arrays = await arraysOf(field);
          return field.nc_ids.map((id, row) => EPOCHS.map((epoch) => arrays[epoch].runs[row]));
        }""",
        field,
    )
    for row, runs in enumerate(shown):
        for epoch, run in zip(EPOCHS, runs, strict=True):
            states = [(run["first"] + i) % 2 for i in range(len(run["lengths"]))]
            frames = dataset[f"on_{epoch}"].to_numpy()[row]
            assert np.array_equal(np.repeat(states, run["lengths"]), frames[frames >= 0])


def test_the_trace_in_the_page_holds_every_event(opened, experiment):
    """The drawn envelope reaches as far as the counts do, in each stretch of frames."""
    dataset = xr.load_dataset(experiment / "results/fields/re-mounted/traces.nc")
    counts = dataset["intensity_pre"].to_numpy()[0]
    low, high, size = opened.page.evaluate(
        """async () => {
          const field = fieldOf('re-mounted');
          const arrays = await arraysOf(field);
          const { bins, frames_per_bin: size } = field.traces.pre;
          const counts = (codes) => [...rowOf(codes, bins, 0)].map(
            (code) => field.traces.offset[0] + field.traces.step[0] * code);
          return [counts(arrays.pre.low), counts(arrays.pre.high), size];
        }"""
    )
    starts = np.arange(0, counts.size, size)
    smallest, largest = (f.reduceat(counts, starts) for f in (np.minimum, np.maximum))
    step = opened.page.evaluate("() => fieldOf('re-mounted').traces.step[0]")
    for drawn, true, sign in ((low, smallest, -1), (high, largest, 1)):
        beyond = sign * (np.asarray(drawn) - true)
        assert beyond.min() > -1e-3 * step
        assert beyond.max() < 1.001 * step


def test_every_control_can_be_reached_by_tab(opened):
    reached = opened.page.evaluate(
        """() => [...document.querySelectorAll('button, select, input, a[href], summary')]
          .filter((node) => node.tabIndex < 0 && !node.closest('.modebar')).map((n) => n.id)"""
    )
    assert reached == []


@pytest.mark.parametrize(
    ("plot", "says"),
    [
        ("scatter", "On-fractions, all treatments together"),
        ("histogram-0", "Change in on-fraction, 120 °C, n = "),
        ("traces", "Traces of hot, nanocrystal "),
        ("dwell-off", "Off times of hot, nanocrystal "),
        ("residuals", "px, hot"),
        ("drift", "Drift, hot"),
        ("light", "Integrated PL of the analysed nanocrystals, hot"),
        ("sensitivity-1", "Populations against the threshold, control"),
    ],
)
def test_a_figure_comes_down_as_svg_and_states_what_it_is(opened, plot, says):
    opened.page.wait_for_function("() => byId('dwell-off').data && byId('traces').data")
    name, svg = opened.download(f'button[data-plot="{plot}"]')
    assert name.endswith("simulated.svg")
    assert svg.startswith(b"<svg")
    assert says in svg.decode()
    assert "; simulated" in svg.decode()
    assert opened.complaints == []


def test_no_button_uploads_anything(opened):
    titles = opened.page.evaluate(
        "() => [...document.querySelectorAll('.modebar-btn')].map((b) => b.dataset.title)"
    )
    assert {"Zoom", "Box Select"} <= set(titles)
    assert not [title for title in titles if re.search("share|cloud|upload|edit", title, re.I)]


def test_an_endless_cut_off_and_an_unknown_one_are_two_things(opened):
    assert opened.page.evaluate("() => [numeric('inf'), numeric('')].map(String)") == [
        "Infinity",
        "NaN",
    ]


# ---- what a reader does with it -----------------------------------------------------


def test_from_a_bar_to_a_nanocrystal_to_its_trace(report, table):
    index = report.page.evaluate(
        "() => DATA.answers.findIndex((answer) => answer.temperature_c === 'control')"
    )
    # The highest bar of those that stayed emissive, the first trace of the stack.
    bar, count = report.page.evaluate(
        """(i) => {
          const counts = DATA.histogram.control.emissive;
          const highest = counts.indexOf(Math.max(...counts));
          return [counts.slice(0, highest).length, counts[highest]];
        }""",
        index,
    )
    report.click_bar(index, bar, 0)
    control = table[table["temperature_c"] == "control"]
    points = np.round(100 * control["delta_on_fraction"], 6)
    counted = control["population"].isin(["emissive", "became_dark", "became_emissive"])
    low = -100 + 5 * bar
    expected = control[counted & (points >= low) & (points < low + 5)]
    assert len(expected) >= count > 0
    assert f"{len(expected)} selected" in report.status()
    rows = report.page.locator("#rows tbody tr")
    assert rows.count() == len(expected)
    rows.nth(0).locator("button").click()
    field, nc_id = expected.iloc[0][["field", "nc_id"]]
    assert report.page.inner_text("#detail-title") == f"{field}, nanocrystal {nc_id}"
    report.page.wait_for_function("() => byId('traces').data?.[0].x.length > 1000")
    drawn = report.page.evaluate("() => document.querySelector('#traces').layout.shapes[0].y0")
    assert drawn == expected.iloc[0]["threshold_counts_pre"]
    assert report.complaints == []


def test_a_point_of_the_scatter_is_the_row_of_the_table(report):
    index = report.page.evaluate(
        """() => {
          const gd = document.querySelector('#scatter');
          const trace = gd.data[0];
          gd.emit('plotly_click', { points: [{ customdata: trace.customdata[0] }] });
          return trace.customdata[0];
        }"""
    )
    current = report.page.locator("#rows tr.current")
    assert current.get_attribute("data-index") == str(index)


def test_a_filter_changes_the_counts(report, table):
    assert report.status().startswith(f"{len(table)} of {len(table)} ")
    report.page.select_option("#filter-population", "became_dark")
    n = int((table["population"] == "became_dark").sum())
    assert n > 0
    assert report.status().startswith(f"{n} of {len(table)} ")
    assert report.page.locator("#rows tbody tr").count() == n
    # Up to the change of one of them, itself included.
    deltas = table.loc[table["population"] == "became_dark", "delta_on_fraction"].sort_values()
    report.page.fill("#filter-to", f"{100 * deltas.iloc[1]:.6f}")
    report.page.press("#filter-to", "Tab")
    n = int((deltas <= deltas.iloc[1]).sum())
    assert 0 < n < len(deltas)
    assert report.status().startswith(f"{n} of {len(table)} ")


def test_the_csv_that_comes_down_is_the_file(report, experiment):
    file = (experiment / "results" / "nanocrystals.csv").read_bytes()
    assert report.download("#download-csv") == ("blinkpair_nanocrystals.csv", file)
    report.page.select_option("#filter-field", "hot")
    own = [line for line in file.splitlines(True) if line.startswith((b"field,", b"hot,"))]
    assert report.download("#download-csv")[1] == b"".join(own)


def test_keys_alone_lead_from_one_nanocrystal_to_the_next(report):
    page = report.page
    first = page.inner_text("#detail-title")
    page.keyboard.press("ArrowRight")
    second = page.inner_text("#detail-title")
    assert second != first
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#detail-title") == first
    page.keyboard.press("Escape")
    assert page.inner_text("#detail-title") == "No nanocrystal selected"
    page.focus("#rows tbody tr:nth-child(3) button")
    page.keyboard.press("Enter")
    assert (
        page.locator("#rows tbody tr:nth-child(3) button").get_attribute("aria-pressed") == "true"
    )
    page.focus("#swipe")
    page.keyboard.press("Home")
    assert page.evaluate("() => byId('stage').style.getPropertyValue('--cut')") == "0%"


def test_a_refused_field_is_in_plain_sight(report, experiment):
    reason = read_csv(experiment / "results/fields.csv").set_index("field").at["blank", "reason"]
    assert "REFUSED" in report.page.inner_text("#field-table")
    remarks = reason.split("; ")  # a line each in the report
    refused = report.page.inner_text("#refused-fields")
    assert [remark for remark in remarks if remark not in refused] == []
    report.page.select_option("#field-choice", "blank")
    shown = report.page.inner_text("#field-reason")
    assert [remark for remark in remarks if remark not in shown] == []
    assert report.complaints == []


def test_blink_turns_from_before_to_after(report):
    seen = report.page.evaluate(
        """async () => {
          const seen = [];
          const stage = byId('stage');
          const look = () => stage.style.getPropertyValue('--cut') + stage.dataset.seen;
          const end = performance.now() + 5000;
          byId('blink').click();
          while (seen.length < 4 && performance.now() < end) {
            if (look() !== seen.at(-1)) seen.push(look());
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
          return seen;
        }"""
    )
    assert seen == ["0%post", "100%pre", "0%post", "100%pre"]


def test_every_nanocrystal_is_drawn_with_numbers_on_its_axes(report):
    """Few durations of noise lie within a decade, and still need a scale."""
    bare = report.page.evaluate(
        """async () => {
          const bare = [];
          for (const nc of NCS.filter((one) => Number.isFinite(one.delta))) {
            state.current = nc.index;
            await showNanocrystal();
            for (const id of ['dwell-on', 'dwell-off']) {
              for (const axis of ['x', 'y']) {
                if (!byId(id).querySelector(`.${axis}tick text`)) bare.push([nc.index, id, axis]);
              }
            }
          }
          return bare;
        }"""
    )
    assert bare == []
    assert report.complaints == []


def test_the_box_goes_with_the_selection(report):
    page = report.page
    page.locator("#scatter").scroll_into_view_if_needed()
    box = page.locator("#scatter .nsewdrag").bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + box["height"] - 5, steps=5)
    page.mouse.up()
    page.wait_for_function("() => state.selection?.size > 5 && state.box")
    page.wait_for_function("() => byId('scatter').querySelector('.selectionlayer path')")
    assert " selected" in report.status()
    page.keyboard.press("Escape")
    page.wait_for_function("() => !byId('scatter').querySelector('.selectionlayer path')")
    assert "selected" not in report.status()


def test_blinking_states_which_image_is_seen_and_ends_by_hand(report):
    page = report.page
    page.click("#blink")
    page.wait_for_function("() => byId('stage').dataset.seen === 'pre'")
    assert (
        not page.locator("#stage .right").is_visible()
        or not page.locator("#stage .left").is_visible()
    )
    page.focus("#swipe")
    page.keyboard.press("Home")
    assert page.locator("#blink").get_attribute("aria-pressed") == "false"
    assert page.locator("#stage .right").is_visible()
