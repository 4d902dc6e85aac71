"""The record of a run, and the folder that is laid out from it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from blinkpair import files
from blinkpair.errors import InputError
from blinkpair.inputs.settings import load_settings
from blinkpair.inputs.verdicts import examine_verdicts
from blinkpair.run import reproduce
from blinkpair.run.provenance import input_files, made_with, provenance, sheet_paths, sheet_rows
from tests.helpers.set_files import ome_files

HEADER = "remark,field,temperature_c,pre_brightfield,pre_pl,post_brightfield,post_pl,exposure_s"
ROWS = [
    '"late, ""dim"" ",Gräser_1,70.0,data/bf.png,data/pre.tif::frames=60,data/bf2.png,spool,0.020',
    "007,f2,Control,data/bf3.png,data/part*.tif,data/bf4.png,data/a.ome.tif,",
]
HANDS = "data/hands.csv"
RUN = {"command": "snakemake --cores 2", "started": "2026-01-02T03:04:05Z"}


def record_of(folder, monkeypatch, sheet="sheet.csv", judged=(), **settings) -> Path:
    """Write the record of a run in a folder, as the step does."""
    monkeypatch.chdir(folder)
    complete = load_settings({"fields": sheet, "photometry": {"aperture_px": 4}, **settings})
    files.write_json(provenance(complete, sheet, RUN, "digest", judged), "results/provenance.json")
    return folder / "results" / "provenance.json"


@pytest.fixture
def lab(tmp_path) -> Path:
    """A sheet as somebody writes one, and files of every kind it can name."""
    folder = tmp_path / "lab"
    (folder / "data").mkdir(parents=True)
    (folder / "spool").mkdir()
    sheet = "\n".join([f"{HEADER},landmarks", f"{ROWS[0]},", f"{ROWS[1]},{HANDS}"])
    (folder / "sheet.csv").write_text(sheet, encoding="utf-8")
    names = [f"data/{name}" for name in ("bf.png", "bf2.png", "bf3.png", "bf4.png", "hands.csv")]
    names += ["data/pre.tif", "data/part2.tif", "data/part10.tif", "spool/x.sifx", "spool/0.dat"]
    for name in names:
        (folder / name).write_bytes(name.encode() * 3)
    for name, data in ome_files(np.ones((9, 16, 24), np.uint16), 5).items():
        (folder / "data" / name).write_bytes(data)
    return folder


def test_the_record_holds_the_sheet_as_it_was_written(lab, monkeypatch):
    made = files.read_json(record_of(lab, monkeypatch))
    assert [list(row) for row in made["sheet"]] == [[*HEADER.split(","), "landmarks"]] * 2
    assert made["sheet"][0]["remark"] == 'late, "dim" '
    assert made["sheet"][0]["exposure_s"] == "0.020"
    assert made["sheet"][0]["temperature_c"] == "70.0"
    assert made["sheet"][1]["remark"] == "007"
    assert made["sheet"][1]["landmarks"] == HANDS


def test_the_record_states_when_where_and_by_what(lab, monkeypatch):
    made = files.read_json(record_of(lab, monkeypatch))
    assert made["times"]["started"] == RUN["started"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", made["times"]["recorded"])
    assert made["command"] == RUN["command"]
    assert made["source"] == "digest"
    assert made["platform"].keys() == {"system", "machine", "processor"}


def test_every_file_is_an_input_also_those_that_a_header_names(lab, monkeypatch):
    made = files.read_json(record_of(lab, monkeypatch))
    assert {"data/a.ome.tif", "data/b.ome.tif"} <= made["inputs"].keys()
    assert {"spool/x.sifx", "spool/0.dat", "data/part10.tif", HANDS} <= made["inputs"].keys()
    assert len(made["inputs"]) == 12


def test_a_new_folder_has_the_settings_the_sheet_and_the_files_of_the_run(
    lab, tmp_path, monkeypatch
):
    record = record_of(lab, monkeypatch)
    made = files.read_json(record)
    new = tmp_path / "neu für alle"
    said = reproduce.reproduce(record, new)
    config = yaml.safe_load((new / "config" / "config.yaml").read_text(encoding="utf-8"))
    assert config == made["settings"] == load_settings(config)
    assert sheet_rows(new / "sheet.csv") == made["sheet"]
    monkeypatch.chdir(new)
    assert input_files(sheet_paths(made["sheet"])) == list(made["inputs"])
    for path in made["inputs"]:
        assert Path(path).read_bytes() == (lab / path).read_bytes()
    assert said.splitlines()[-1].startswith(f"  cd '{new}' && ")


def test_files_that_came_later_are_no_part_of_a_movie(lab, tmp_path, monkeypatch):
    record = record_of(lab, monkeypatch)
    (lab / "data" / "part3.tif").write_bytes(b"later")
    reproduce.reproduce(record, tmp_path / "new")
    assert not (tmp_path / "new" / "data" / "part3.tif").exists()
    # Where the sheet names them by an absolute path nothing can be left out.
    sheet = (lab / "sheet.csv").read_text(encoding="utf-8")
    (lab / "sheet.csv").write_text(sheet.replace("data/part", f"{lab}/data/part"), encoding="utf-8")
    record = record_of(lab, monkeypatch)
    (lab / "data" / "part4.tif").write_bytes(b"later")
    with pytest.raises(InputError, match=r"data/part4\.tif: was not there"):
        reproduce.reproduce(record, tmp_path / "another")


def test_all_inputs_that_are_others_are_reported_at_once_and_nothing_is_written(
    lab, tmp_path, monkeypatch
):
    record = record_of(lab, monkeypatch)
    (lab / "data" / "pre.tif").unlink()
    (lab / "data" / "bf.png").write_bytes(b"cut")
    same_size = (lab / "spool" / "0.dat").read_bytes()[::-1]
    (lab / "spool" / "0.dat").write_bytes(same_size)
    with pytest.raises(InputError) as caught:
        reproduce.reproduce(record, tmp_path / "new")
    told = str(caught.value)
    assert told.startswith("3 inputs are not as recorded; nothing was written.")
    assert "data/pre.tif: cannot be read (No such file or directory)" in told
    assert "data/bf.png: has 3 bytes, then it had 33" in told
    assert "spool/0.dat: has another content" in told
    assert "--inputs" in told
    assert not (tmp_path / "new").exists()


def test_inputs_may_have_moved_together(lab, tmp_path, monkeypatch):
    record = record_of(lab, monkeypatch)
    kept = tmp_path / "provenance.json"
    record.rename(kept)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="12 inputs are not"):
        reproduce.reproduce("provenance.json", "new")
    lab.rename(tmp_path / "archive")
    reproduce.main(["provenance.json", "new", "--inputs", "archive"])
    assert Path("new/data/bf.png").read_bytes() == Path("archive/data/bf.png").read_bytes()


def test_without_checksums_sizes_stay_and_it_is_stated(lab, tmp_path, monkeypatch):
    record = record_of(lab, monkeypatch, provenance={"checksums": False})
    made = json.loads(record.read_text(encoding="utf-8"))
    assert made["checksum"] == "none was taken (provenance: checksums: false)"
    assert made["inputs"]["data/bf.png"] == {"bytes": 33, "checksum": None}
    assert "no checksums were taken" in reproduce.reproduce(record, tmp_path / "new")
    (lab / "data" / "bf.png").write_bytes(b"cut")
    with pytest.raises(InputError, match="has 3 bytes"):
        reproduce.reproduce(record, tmp_path / "another")


def test_a_folder_that_holds_something_is_refused(lab, tmp_path, monkeypatch):
    record = record_of(lab, monkeypatch)
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "notes.txt").touch()
    for used in (tmp_path / "used", tmp_path / "used" / "notes.txt"):
        with pytest.raises(InputError, match="is not an empty folder"):
            reproduce.reproduce(record, used)


def test_paths_that_lead_out_of_the_folder_hold_beside_it_and_nowhere_else(
    lab, tmp_path, monkeypatch
):
    work = tmp_path / "work"
    work.mkdir()
    sheet = (lab / "sheet.csv").read_text(encoding="utf-8")
    sheet = sheet.replace("data/", "../lab/data/").replace("spool", "../lab/spool")
    (work / "sheet.csv").write_text(sheet, encoding="utf-8")
    record = record_of(work, monkeypatch)
    reproduce.reproduce(record, tmp_path / "beside")
    assert not (tmp_path / "beside" / "data").exists()
    with pytest.raises(InputError, match="choose a new folder beside"):
        reproduce.reproduce(record, tmp_path / "too" / "deep")


def test_a_sheet_from_elsewhere_is_put_beside_the_settings(lab, tmp_path, monkeypatch):
    record = record_of(lab, monkeypatch, sheet=str(lab / "sheet.csv"))
    said = reproduce.reproduce(record, tmp_path / "new")
    assert "will name the new path" in said
    config = yaml.safe_load((tmp_path / "new/config/config.yaml").read_text(encoding="utf-8"))
    assert config["fields"] == "config/fields.tsv"
    assert len(sheet_rows(tmp_path / "new" / "config" / "fields.tsv")) == 2


@pytest.mark.parametrize("setting", ["config/verdicts.csv", "../elsewhere/mine.csv"])
def test_what_was_left_out_by_eye_is_left_out_again(lab, tmp_path, monkeypatch, setting):
    row = {"field": "f2", "nc_id": 12, "x_pre": 30.5, "y_pre": 0.1, "verdict": "leave_out"}
    row |= {"why": 'two levels, "steps"', "by": "", "date": "2026-01-02"}
    path = record_of(lab, monkeypatch, judged=[row], verdicts=setting)
    reproduce.reproduce(path, tmp_path / "again")
    settings = yaml.safe_load((tmp_path / "again" / "config" / "config.yaml").read_text())
    rows, problems, _ = examine_verdicts(settings["verdicts"], ["f2"], tmp_path / "again")
    assert problems == []
    assert [own | {"line": 0} for own in rows] == [row | {"line": 0}]


def test_what_is_different_here_is_reported():
    here = {**made_with("one"), "commit": "this"}
    assert reproduce.differences(here, here) == []
    (told,) = reproduce.differences({**here, "commit": "of the docs"}, here)
    assert "the same source: only its mention" in told
    then = {**here, "source": "another", "commit": None}
    then["versions"] = here["versions"] | {"numpy": "1.0"}
    then["platform"] = here["platform"] | {"processor": "z80"}
    assert reproduce.differences(then, here) == [
        f"numpy: 1.0 then, {here['versions']['numpy']} here",
        "commit of blinkpair: None then, this here",
        "source of blinkpair: another then, one here",
        f"processor: z80 then, {here['platform']['processor']} here",
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"versions": {}}', "does not hold commit, inputs, platform, settings, sheet, source"),
        ("[]", "cannot be read as the record of a run"),
        ("{", "cannot be read as the record of a run"),
    ],
)
def test_what_is_no_record_is_refused(tmp_path, text, what):
    record = tmp_path / "provenance.json"
    record.write_text(text)
    with pytest.raises(InputError, match=what):
        reproduce.reproduce(record, tmp_path / "new")
