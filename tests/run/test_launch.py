"""What a run finds out once, and what its submitted jobs take from it."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pandas as pd
import pytest
import tifffile

from blinkpair.errors import InputError
from blinkpair.files import read_json
from blinkpair.inputs import header_cache, headers
from blinkpair.inputs.columns import PATH_COLUMNS
from blinkpair.inputs.headers import read_headers
from blinkpair.run import launch

CONFIG = {"fields": "fields.tsv", "exposure_s": 0.02, "pixel_size_um": 0.16}


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A folder with two fields and their sheet; the name of one looks like nothing."""
    monkeypatch.chdir(tmp_path)
    rows = []
    noise = np.random.default_rng(1)
    for name, frames in (("NA", 60), ("f2", 90)):
        row = {"field": name, "temperature_c": "70", "sample": "", "operator": "007"}
        for column in PATH_COLUMNS:
            shape = (frames, 40, 48) if column.endswith("pl") else (40, 48)
            row[column] = f"{name}_{column}.tif"
            image = noise.integers(0, 9, shape, np.uint16)
            tifffile.imwrite(row[column], image, photometric="minisblack")
        rows.append(row)
    pd.DataFrame(rows).to_csv("fields.tsv", sep="\t", index=False)
    return tmp_path


def test_a_submitted_job_takes_what_the_run_found_and_opens_nothing(lab):
    run = launch.prepare(CONFIG, [], submitted=False)
    launch.save_launch(run)
    for file in lab.glob("*.tif"):
        file.unlink()
    job = launch.prepare(CONFIG, [], submitted=True)
    assert job.settings == run.settings
    pd.testing.assert_frame_equal(job.fields, run.fields)
    pd.testing.assert_frame_equal(job.shapes, run.shapes)
    assert list(job.fields.index) == ["NA", "f2"]
    assert job.fields.at["NA", "operator"] == "007"
    assert job.shapes.loc["f2"].tolist() == [90, 40, 48]


def test_what_is_recorded_is_the_sheet_that_was_checked(lab):
    written = (lab / "fields.tsv").read_bytes()
    run = launch.prepare(CONFIG, [], submitted=False)
    (lab / "fields.tsv").write_bytes(written.replace(b"007", b"008"))  # by hand, meanwhile
    launch.save_launch(run)
    assert (launch.KEPT / launch.SHEET).read_bytes() == written
    job = launch.prepare(CONFIG, [], submitted=True)
    assert job.sheet_digest == run.sheet_digest
    assert launch.prepare(CONFIG, [], submitted=False).sheet_digest != run.sheet_digest


def test_a_run_keeps_its_command_without_folders_and_its_start(lab, monkeypatch):
    run = launch.prepare(CONFIG, [], submitted=False)
    for program in ("/somewhere/bin/snakemake", "/somewhere/snakemake/__main__.py"):
        monkeypatch.setattr("sys.argv", [program, "--config", "dark_cutoff=0.2 "])
        launch.save_launch(run)
        kept = read_json(launch.KEPT / launch.RUN)
        assert kept["command"] == "snakemake --config 'dark_cutoff=0.2 '"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", kept["started"])


def test_nothing_is_kept_before_the_run_starts(lab):
    launch.prepare(CONFIG, [], submitted=False)
    assert not (launch.KEPT / launch.RUN).exists()


def test_a_second_start_opens_no_movie_and_finds_the_same(lab, monkeypatch):
    monkeypatch.setattr(header_cache, "_SETTLED_NS", 0)
    first = launch.prepare(CONFIG, [], submitted=False)

    def opened(path: str, **_: object) -> None:
        raise AssertionError(path)

    monkeypatch.setattr(headers, "read_header", opened)
    second = launch.prepare(CONFIG, [], submitted=False)
    pd.testing.assert_frame_equal(second.fields, first.fields)
    pd.testing.assert_frame_equal(second.shapes, first.shapes)
    assert second.record == first.record
    # A job that was submitted before a run has kept what it found, checks for itself.
    assert launch.prepare(CONFIG, [], submitted=True).record == first.record


def test_a_job_of_a_run_with_other_settings_is_refused(lab):
    launch.save_launch(launch.prepare(CONFIG, [], submitted=False))
    with pytest.raises(InputError, match="other settings"):
        launch.prepare(CONFIG | {"dark_cutoff": 0.2}, [], submitted=True)


def test_a_job_far_from_the_runs_disk_checks_for_itself(lab):
    assert list(launch.prepare(CONFIG, [], submitted=True).fields.index) == ["NA", "f2"]
    shutil.move("f2_post_pl.tif", "elsewhere.tif")
    with pytest.raises(InputError, match=r"f2_post_pl\.tif"):
        launch.prepare(CONFIG, [], submitted=True)


def test_many_headers_are_read_in_processes_with_the_same_result(lab):
    paths = [*(str(path) for path in lab.glob("*.tif")), "missing.tif"]
    by_threads = read_headers(paths)
    assert read_headers(paths, many=2, part=3) == by_threads
    assert by_threads["missing.tif"].what.startswith("there is no file")


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        (None, False),
        ("", False),
        ("# a: 1\n\n  # b\n---\n", False),
        ("\ufeffa: 1", True),
        ("{}", True),
    ],
)
def test_a_configuration_of_comments_alone_is_none(tmp_path, text, settings):
    if text is not None:
        (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    assert launch.has_settings(tmp_path / "config.yaml") == settings


@pytest.mark.parametrize("name", ["config.yml", "Config.yaml", "config.yaml.txt", "config_.yaml"])
def test_a_configuration_under_another_name_is_not_passed_over(lab, name):
    (lab / "config").mkdir()
    (lab / "config" / "fields.tsv").write_text("")
    launch.check_unread_configuration([])
    (lab / "config" / name).write_text("dark_cutoff: 0.2\n")
    with pytest.raises(InputError, match=f"config/{name} is not read under its name"):
        launch.check_unread_configuration([])
    launch.check_unread_configuration(["mine.yaml"])


def test_a_field_that_is_not_in_the_sheet_is_named(lab):
    run = launch.prepare(CONFIG, [], submitted=False)
    rows = launch.ByField(run.fields.to_dict("index"))
    assert rows["NA"]["temperature_c"] == "70"
    with pytest.raises(InputError, match="there is no field 'f3' in the sample sheet"):
        rows["f3"]
