"""A folder without rights, space or a record of its results is reported before the start."""

from __future__ import annotations

import pytest

from blinkpair.errors import InputError
from blinkpair.run.folder import LEAST_BYTES, check_folder
from tests.helpers.faults import CannotMountError, fill, remount, small_disk

RECORDS = [".snakemake/metadata/cmVz", ".snakemake/incomplete/cmVz", ".snakemake/metadata.db"]


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_results_without_a_record_are_refused_wherever_they_lie(tmp_path):
    touch(tmp_path / "results/fields/f1/traces.nc")
    with pytest.raises(InputError, match=r"results/ holds results \(results/fields/f1/traces\.nc"):
        check_folder(tmp_path)
    # What a refused start and a plan leave behind is no record.
    for name in ("metadata", "incomplete", "log", "locks"):
        (tmp_path / ".snakemake" / name).mkdir(parents=True)
    with pytest.raises(InputError, match="Hint: rename results/"):
        check_folder(tmp_path)


@pytest.mark.parametrize("record", RECORDS)
def test_results_with_a_record_are_taken(tmp_path, record):
    touch(tmp_path / "results/fields/f1/traces.nc")
    touch(tmp_path / record)
    check_folder(tmp_path)


def test_a_new_folder_and_one_whose_results_were_removed_are_taken(tmp_path):
    check_folder(tmp_path)
    (tmp_path / "results/fields/f1").mkdir(parents=True)
    check_folder(tmp_path)


def test_full_and_read_only_disks_are_reported(tmp_path):
    try:
        with small_disk(tmp_path / "disk", LEAST_BYTES + (1 << 20)) as disk:
            check_folder(disk)
            filling = fill(disk, 100)
            with pytest.raises(InputError, match=r"lies on a full disk: 0\.4 MB are free"):
                check_folder(disk)
            filling.unlink()
            (disk / "results").mkdir()
            check_folder(disk)
            remount(disk, "ro")
            with pytest.raises(InputError, match="disk cannot be written: it is read-only"):
                check_folder(disk)
    except CannotMountError as error:
        pytest.skip(str(error))


def test_results_on_another_disk_that_is_read_only_are_reported(tmp_path):
    try:
        with small_disk(tmp_path / "disk", 1 << 20) as disk:
            (tmp_path / "results").symlink_to(disk)
            check_folder(tmp_path)
            remount(disk, "ro")
            with pytest.raises(InputError, match="results cannot be written"):
                check_folder(tmp_path)
    except CannotMountError as error:
        pytest.skip(str(error))
