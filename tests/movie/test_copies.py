"""Where a movie is opened whose files were copied elsewhere."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from blinkpair.errors import InputError
from blinkpair.movie.copies import remove_copies, staged_path
from blinkpair.movie.paths import movie_files
from blinkpair.movie.reader import open_movie
from tests.helpers.set_files import ome_files, stack_bytes, write_ndtiff


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A folder with a movie in three parts, a file with a choice in its name, and a copy of all."""
    (tmp_path / "lab" / "run 1").mkdir(parents=True)
    for name in ("a.tif", "part_1.tif", "part_2.tif", "part_10.tif"):
        (tmp_path / "lab" / "run 1" / name).write_text(name)
    monkeypatch.chdir(tmp_path / "lab")
    return tmp_path


def copies(root: Path, path: str) -> list[str]:
    copied = []
    for file in movie_files(path):
        target = root / str(file).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        copied.append(str(shutil.copy2(file, target)))
    return copied


@pytest.mark.parametrize(
    "path",
    ["run 1/a.tif", "run 1/a.tif::frames=5", "run 1/part_*.tif", "run 1", "{lab}/run 1/a.tif"],
)
def test_copies_are_named_as_the_sheet_names_the_originals(lab, path):
    path = path.format(lab=lab / "lab")
    copied = copies(lab / "disk" / "fs", path)
    staged = staged_path(path, copied)
    assert staged.startswith(str(lab / "disk" / "fs"))
    assert staged.partition("::")[2] == path.partition("::")[2]
    assert [str(file) for file in movie_files(staged)] == copied


def test_files_that_were_not_copied_keep_their_path(lab):
    assert staged_path("run 1/a.tif", ["run 1/a.tif"]) == "run 1/a.tif"


def test_copies_of_other_files_are_refused(lab):
    copied = copies(lab / "disk", "run 1/part_*.tif")
    with pytest.raises(InputError, match="not those of its files"):
        staged_path("run 1/part_*.tif", copied[::-1])
    with pytest.raises(InputError, match="not those of its files"):
        staged_path("run 1/part_*.tif", copied[:2])


def test_copies_are_removed_and_originals_never(lab):
    originals = [str(file) for file in movie_files("run 1/part_*.tif")]
    link = lab / "link.tif"
    link.symlink_to(lab / "lab" / "run 1" / "part_1.tif")
    copied = copies(lab / "disk", "run 1/part_*.tif")
    remove_copies("run 1/part_*.tif", copied)
    assert not [file for file in copied if Path(file).exists()]
    remove_copies("run 1/part_*.tif", originals)
    remove_copies("run 1/part_1.tif", [str(link)])
    assert all(Path(file).exists() for file in [*originals, link])


def test_a_copy_that_is_missing_or_of_another_movie_fails_the_job_and_not_the_field(lab):
    original = lab / "lab" / "run 1" / "a.tif"
    (copied,) = copies(lab / "disk", "run 1/a.tif")
    original.write_text("another movie")
    with pytest.raises(OSError, match="as it is now"):
        staged_path("run 1/a.tif", [copied])
    original.write_text("b.tif")  # as long as before, and older
    os.utime(original, (1e9, 1e9))
    with pytest.raises(OSError, match="as it is now"):
        staged_path("run 1/a.tif", [copied])
    Path(copied).unlink()
    with pytest.raises(FileNotFoundError):
        staged_path("run 1/a.tif", [copied])


@pytest.mark.parametrize("kind", ["Micro-Manager", "OME", "NDTiff"])
def test_a_recording_of_several_files_is_copied_with_all_of_them(lab, kind):
    frames = np.random.default_rng(4).integers(0, 4000, (9, 16, 24)).astype(np.uint16)
    folder = Path("run 2")
    folder.mkdir()
    if kind == "NDTiff":
        write_ndtiff(folder, [({"time": t}, frame) for t, frame in enumerate(frames)], 5)
        first = folder / "NDTiffStack.tif"
    else:
        files = ome_files(frames, 5)
        if kind == "Micro-Manager":
            files = {
                "a.tif": stack_bytes(frames[:5], planned=9),
                "a_1.tif": stack_bytes(frames[5:], planned=9, first=5),
            }
        for name, data in files.items():
            (folder / name).write_bytes(data)
        first = folder / next(iter(files))
    copied = copies(lab / "disk", str(first))
    assert len(copied) == len(list(folder.iterdir()))
    staged = staged_path(str(first), copied)
    shutil.rmtree(folder.rename("moved away"))
    np.testing.assert_array_equal(np.concatenate(list(open_movie(staged).blocks(4))), frames)
