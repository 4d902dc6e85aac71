"""What is known of a file's content without reading it whole."""

import os

import numpy as np
import pytest

from blinkpair.inputs.contents import fast_checksum, file_states, path_files, sample
from tests.helpers.set_files import ome_files

MIB = 1 << 20


@pytest.fixture
def movie(tmp_path):
    """Return a file of 3 MiB of noise."""
    path = tmp_path / "movie.tif"
    path.write_bytes(np.random.default_rng(1).bytes(3 * MIB))
    return path


def changed_at(path, place):
    copy = path.with_name(f"{place}.tif")
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    copy.write_bytes(content)
    return copy


@pytest.mark.parametrize(("place", "noticed"), [(0, True), (MIB - 1, True), (2 * MIB, True),
                                                (3 * MIB - 1, True), (MIB + 5, False)])  # fmt: skip
def test_the_checksum_is_of_the_first_and_the_last_mib(movie, place, noticed):
    assert (fast_checksum(changed_at(movie, place)) != fast_checksum(movie)) == noticed


def test_the_checksum_is_of_the_size_too(tmp_path):
    for size in (2 * MIB + 1, 2 * MIB + 2):
        (tmp_path / str(size)).write_bytes(bytes(size))
    assert len({fast_checksum(path) for path in tmp_path.iterdir()}) == 2


def test_the_sample_is_of_the_middle_and_of_all_sizes(movie):
    same = file_states([changed_at(movie, 0)])
    other = file_states([changed_at(movie, 3 * MIB // 2)])
    states = file_states([movie])
    assert sample(states) == sample(same)
    assert sample(states) != sample(other)
    assert sample([*states, *same]) != sample([*same, *states, *states])


def test_states_are_of_the_files_that_are_there(movie, tmp_path):
    os.utime(movie, ns=(1, 1_500_000_000_123_456_789))
    link = tmp_path / "link"
    link.symlink_to(movie)
    (state,) = file_states([tmp_path / "gone", link])
    assert state[:3] == (str(link), 3 * MIB, 1_500_000_000_123_456_789)


def test_the_files_that_a_header_names_are_files_of_the_movie(tmp_path):
    for name, data in ome_files(np.ones((9, 16, 24), np.uint16), 5).items():
        (tmp_path / name).write_bytes(data)
    first = tmp_path / "a.ome.tif"
    elsewhere = [tmp_path / ".." / name for name in ("a.ome.tif", "b.ome.tif")]
    assert path_files([first], elsewhere) == [first, tmp_path / "b.ome.tif"]
