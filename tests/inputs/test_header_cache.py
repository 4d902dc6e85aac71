"""Headers of an earlier start are used for unchanged files only."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import tifffile

from blinkpair.inputs import header_cache, headers
from blinkpair.inputs.header_cache import HeaderCache
from blinkpair.inputs.headers import Header, read_headers
from tests.helpers.nd2_files import TINY
from tests.helpers.set_files import stack_bytes, write_ndtiff
from tests.helpers.sif_files import HEIGHT, WIDTH, write_spool

FRAMES = np.random.default_rng(4).integers(0, 900, (6, HEIGHT, WIDTH)).astype(np.uint16)


@pytest.fixture(autouse=True)
def settled(monkeypatch):
    """Take files for settled that were written before the start."""
    monkeypatch.setattr(header_cache, "_SETTLED_NS", 0)


@pytest.fixture
def opened(monkeypatch):
    """Return the list of paths that were opened."""
    names: list[str] = []
    read = headers.read_header

    def noted(path: str, *args: object, **kwargs: object) -> object:
        names.append(path)
        return read(path, *args, **kwargs)

    monkeypatch.setattr(headers, "read_header", noted)
    return names


def start(folder: Path, *paths: Path | str, version: str = "1") -> dict[str, object]:
    """Read headers as a start does."""
    return read_headers(map(str, paths), cache=HeaderCache(folder / "kept" / "headers", version))


def movie(path: Path, frames: np.ndarray = FRAMES) -> Path:
    tifffile.imwrite(path, frames, photometric="minisblack", metadata={"axes": "TYX"})
    return path


def single(folder: Path) -> Path:
    return movie(folder / "a.tif")


def nd2_file(folder: Path) -> Path:
    (folder / "a.nd2").write_bytes(TINY.read_bytes())
    return folder / "a.nd2"


def stack(folder: Path) -> Path:
    for k in (0, 1):
        part = stack_bytes(FRAMES[3 * k : 3 * k + 3], planned=6, first=3 * k, UUID="u")
        (folder / f"run{'_1' * k}.tif").write_bytes(part)
    return folder / "run.tif"


def pattern(folder: Path) -> str:
    for k in (0, 1):
        movie(folder / f"run_{k}.tif", FRAMES[3 * k : 3 * k + 3])
    return str(folder / "run_*.tif")


def ndtiff(folder: Path) -> Path:
    return write_ndtiff(folder, [({"time": k}, frame) for k, frame in enumerate(FRAMES)], 4)[0]


def spool(folder: Path) -> Path:
    return write_spool(folder / "spool", FRAMES)


KINDS = [single, nd2_file, stack, pattern, ndtiff, spool]


@pytest.mark.parametrize("make", KINDS)
def test_a_second_start_opens_nothing_and_finds_the_same(tmp_path, opened, make):
    path = make(tmp_path)
    first = start(tmp_path, path)
    assert isinstance(first[str(path)], Header)
    opened.clear()
    assert start(tmp_path, path) == first
    assert opened == []


@pytest.mark.parametrize("how", ["written over", "replaced", "swapped"])
def test_a_file_of_the_same_size_and_date_is_read_again(tmp_path, how):
    path, other = single(tmp_path), movie(tmp_path / "b.tif", FRAMES + 1)
    os.utime(path, ns=(10**18, 10**18))
    first = start(tmp_path, path)
    if how == "written over":
        path.write_bytes(other.read_bytes())
    else:
        other.replace(path)
    os.utime(path, ns=(10**18, 10**18))
    assert path.stat().st_size == first[str(path)].files[0].size
    second = start(tmp_path, path)
    assert second == read_headers([str(path)])
    assert second[str(path)].pixels != first[str(path)].pixels


def test_a_file_that_was_changed_within_a_minute_is_read_again(tmp_path, opened, monkeypatch):
    path = single(tmp_path)
    monkeypatch.setattr(header_cache, "_SETTLED_NS", 60 * 10**9)
    os.utime(path, ns=(10**18, 10**18))  # the date of a copy is that of its original
    for _ in range(2):
        start(tmp_path, path)
    assert opened == [str(path)] * 2
    monkeypatch.setattr(header_cache.time, "time_ns", lambda: path.stat().st_ctime_ns + 61 * 10**9)
    for _ in range(2):
        start(tmp_path, path)
    assert opened == [str(path)] * 3


@pytest.mark.parametrize("make", [stack, pattern])
def test_a_part_that_comes_or_goes_is_seen(tmp_path, make):
    path = str(make(tmp_path))
    first = start(tmp_path, path)
    if make is stack:
        tmp_path.joinpath("run_1.tif").unlink()
    else:
        movie(tmp_path / "run_2.tif", FRAMES[:3] + 5)
    second = start(tmp_path, path)
    assert second == read_headers([path])
    assert second != first


def test_a_damaged_cache_is_none(tmp_path, opened):
    path = single(tmp_path)
    first = start(tmp_path, path)
    kept = tmp_path / "kept" / "headers"
    whole = kept.read_bytes()
    for damaged in (
        b"",
        whole[:30],
        whole[:-1],
        whole.replace(b"uint16", b"uint32"),
        b"\0" * len(whole),
    ):
        assert damaged != whole
        kept.write_bytes(damaged)
        opened.clear()
        assert start(tmp_path, path) == first
        assert opened == [str(path)]
        assert kept.read_bytes() == whole


def test_another_version_of_the_readers_uses_none(tmp_path, opened):
    path = single(tmp_path)
    start(tmp_path, path)
    start(tmp_path, path, version="2")
    assert opened == [str(path)] * 2


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, opened):
    path = single(tmp_path)
    (tmp_path / "kept").write_text("no folder")
    assert start(tmp_path, path) == start(tmp_path, path)
    assert opened == [str(path)] * 2


def test_errors_are_found_at_every_start(tmp_path, opened):
    path = tmp_path / "a.tif"
    path.write_bytes(single(tmp_path).read_bytes()[:500])
    assert str(start(tmp_path, path)[str(path)]) == str(start(tmp_path, path)[str(path)])
    assert opened == [str(path)] * 2


def test_starts_with_two_sheets_keep_the_headers_of_both(tmp_path, opened):
    one, other = single(tmp_path), movie(tmp_path / "b.tif", FRAMES + 1)
    for path in (one, other, one, other):
        start(tmp_path, path)
    assert opened == [str(one), str(other)]
