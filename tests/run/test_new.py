"""A new experiment, laid out from files with the names that people give them."""

import csv
import shutil
import subprocess

import numpy as np
import pytest
import tifffile
import yaml

from blinkpair.errors import InputError
from blinkpair.inputs.settings import load_settings
from blinkpair.run.new import SOURCE, lay_out
from blinkpair.run.new import main as new
from blinkpair.run.provenance import commit

ALL_FOUR = ("pre_brightfield", "pre_pl", "post_brightfield", "post_pl")


def write(folder, *names):
    """Write images (names with bf) and movies of 30 frames."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        frames = 1 if "bf" in name.lower() else 30
        # No two alike, and as movies of ImageJ, whose frames are frames.
        values = np.random.default_rng(len(name)).integers(0, 99, (frames, 4, 4), dtype=np.uint16)
        tifffile.imwrite(path, values, imagej=True, metadata={"axes": "TYX", "finterval": 0.02})


def rows_of(folder):
    with (folder / "config" / "fields.tsv").open(encoding="utf-8") as sheet:
        return list(csv.DictReader(sheet, delimiter="\t"))


def test_files_are_placed_by_their_words_and_frames(tmp_path):
    movies = tmp_path / "data"
    write(
        movies, "100C/f1_pre_BF.tif", "100C/f1_pre.tif", "100C/f1_post_BF.tif", "100C/f1_post.tif"
    )
    write(movies, "100C/f2_before_bf.tif", "100C/f2_before.tif", "100C/f2_after_bf.tif")
    write(movies, "control/f1-pre-bf.tif", "control/f1-pre.tif", "control/f1-post-bf.tif")
    write(movies, "control/f1-post-pl.tif", "control/notes_bf.tif")
    text = lay_out(tmp_path / "new", movies)
    rows = {row["field"]: row for row in rows_of(tmp_path / "new")}
    assert {name: row["temperature_c"] for name, row in rows.items()} == {
        "100C_f1": "100", "100C_f2": "100", "control_f1": "control",
    }  # fmt: skip
    for name in ("100C_f1", "control_f1"):
        for column in ALL_FOUR:
            assert column.split("_")[0] in rows[name][column].lower()
            assert ("bf" in rows[name][column].lower()) == column.endswith("brightfield")
    assert rows["100C_f2"]["post_pl"] == ""
    assert "3 fields found" in text
    assert "2 with all four files" in text
    assert "fill in 1 cell of post_pl" in text
    assert "notes_bf.tif: its name holds no word for the epoch" in text
    assert "words for the epoch, between spaces, _ or -: pre, before" in text


def test_german_names_and_a_space_before_the_degrees_are_understood(tmp_path):
    movies = tmp_path / "Messung"
    write(movies, "Feld 2 100 °C vorher bf.tif", "Feld 2 100 °C vorher PL.tif")
    write(movies, "Feld 2 100 °C nachher bf.tif", "Feld 2 100 °C nachher PL.tif")
    text = lay_out(tmp_path / "new", movies)
    (row,) = rows_of(tmp_path / "new")
    assert (row["field"], row["temperature_c"]) == ("Feld_2", "100")
    assert row["post_pl"].endswith("nachher PL.tif")
    assert row["pre_brightfield"].endswith("vorher bf.tif")
    assert "1 with all four files" in text


def test_files_named_by_the_epoch_alone_are_of_a_field_called_as_their_folder(tmp_path):
    movies = tmp_path / "slip 3"
    write(movies, "pre_bf.tif", "pre_pl.tif", "post_bf.tif", "post_pl.tif")
    text = lay_out(tmp_path / "new", movies)
    assert [row["field"] for row in rows_of(tmp_path / "new")] == ["slip_3"]
    assert text.startswith("1 field found")
    assert "fill in 1 cell of temperature_c" in text


def test_a_date_an_exposure_or_a_number_of_the_recording_does_not_split_a_field(tmp_path):
    movies = tmp_path / "data"
    write(movies, "70C/f3_trans_bf_PRE.tif", "70C/f3_PRE_20ms.tif")
    write(movies, "70C/f3_trans_bf_POST.tif", "70C/f3_POST_20ms.tif")
    write(movies, "control/2024-05-03_f4_pre_bf.tif", "control/2024-05-03_f4_pre.tif")
    write(movies, "control/2024-05-04_f4_post_bf.tif", "control/2024-05-04_f4_post.tif")
    write(movies, "S7 pre 100C bf_20240506_001.tif", "S7 pre 100C pl_20240506_002.tif")
    write(movies, "S7 post 100C bf_20240507_011.tif", "S7 post 100C pl_20240507_012.tif")
    write(movies, "S8 run1 pre 100C WF bf.tif", "S8 run1 pre 100C.tif")
    write(movies, "S8 run2 post 100C WF bf.tif", "S8 run2 post 100C.tif")
    text = lay_out(tmp_path / "new", movies)
    rows = rows_of(tmp_path / "new")
    assert {row["field"] for row in rows} == {"f3", "f4", "S7", "S8"}
    assert all(row[column] for row in rows for column in ALL_FOUR)
    assert "20240503, 20240504" in text


def test_fields_that_differ_in_the_date_alone_stay_apart(tmp_path):
    movies = tmp_path / "data"
    for day in ("2024-05-03", "2024-05-04"):
        write(movies, f"{day}_f1_pre_bf.tif", f"{day}_f1_pre.tif", f"{day}_f1_post.tif")
    # Two images and two movies before: nothing shows which belong together.
    write(movies, "f2_001_pre_bf.tif", "f2_002_pre.tif", "f2_003_pre_bf.tif", "f2_004_pre.tif")
    lay_out(tmp_path / "new", movies)
    names = [row["field"] for row in rows_of(tmp_path / "new")]
    assert names == ["20240503_f1", "20240504_f1", "f2_001", "f2_002", "f2_003", "f2_004"]


def test_one_movie_before_serves_every_temperature(tmp_path):
    write(
        tmp_path / "new" / "data", "a_pre.tif", "a_pre_bf.tif", "a_70C_post.tif", "a_120C_post.tif"
    )
    lay_out(tmp_path / "new", tmp_path / "new" / "data")
    rows = rows_of(tmp_path / "new")
    assert [row["field"] for row in rows] == ["70C_a", "120C_a"]
    assert {row["pre_pl"] for row in rows} == {"data/a_pre.tif"}  # below it, hence relative
    assert [row["post_pl"] for row in rows] == ["data/a_70C_post.tif", "data/a_120C_post.tif"]


def test_the_settings_are_the_defaults_and_the_commands_are_complete(tmp_path, capsys):
    new([str(tmp_path / "my new")])
    text = capsys.readouterr().out
    settings = yaml.safe_load((tmp_path / "my new" / "config" / "config.yaml").read_text())
    assert load_settings(settings, []) == load_settings({}, [])
    readme = (tmp_path / "my new" / "README.md").read_text()
    assert len(readme.splitlines()) == 4
    for shown in (text, readme):
        assert f"-s {SOURCE / 'Snakefile'} --cores all" in shown
    assert f"cd '{tmp_path / 'my new'}'" in text
    export = readme.split("For Fiji and Picasso: `")[1].split("`")[0].replace("FIELD", "--help")
    shown = subprocess.run(export, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert shown.stdout.startswith("usage: python -m blinkpair.export"), shown.stderr


def test_nothing_is_overwritten_and_nothing_goes_into_blinkpair_itself(tmp_path):
    lay_out(tmp_path / "new")
    with pytest.raises(InputError, match=r"fields.tsv.*there already"):
        lay_out(tmp_path / "new")
    with pytest.raises(InputError, match="a part of blinkpair itself"):
        lay_out(SOURCE / "my_experiment")
    with pytest.raises(InputError, match="no such folder"):
        lay_out(tmp_path / "other", tmp_path / "nowhere")


def git(folder, *arguments):
    named = ["-c", "user.name=A", "-c", "user.email=a@b.c"]
    subprocess.run(["git", "-C", str(folder), *named, *arguments], check=True, capture_output=True)


def test_settings_and_results_are_no_change_of_the_source(tmp_path):
    for name in ("config/config.yaml", "scripts/step.py", "Snakefile"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a\n")
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "a")
    (tmp_path / "config" / "config.yaml").write_text("b\n")
    assert not commit(tmp_path).endswith("+changes")
    (tmp_path / "scripts" / "step.py").write_text("b\n")
    assert commit(tmp_path).endswith("+changes")


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_clean_leaves_results_and_how_they_were_made(tmp_path):
    shutil.copy(SOURCE / "Makefile", tmp_path)
    kept = [tmp_path / name for name in ("results/a.csv", "logs/a.log", ".snakemake/metadata/a")]
    for path in [*kept, tmp_path / "demo" / "movie.tif"]:
        path.parent.mkdir(parents=True)
        path.write_text("a")
    subprocess.run(["make", "clean"], cwd=tmp_path, check=True, capture_output=True)
    assert all(path.exists() for path in kept)
    assert not (tmp_path / "demo").exists()
