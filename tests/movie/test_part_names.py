"""The parts of a split movie, by their names: their order, and what leaves it open."""

import shutil

import numpy as np
import pytest
import tifffile

from blinkpair.errors import ChoiceError
from blinkpair.movie.part_names import is_next
from blinkpair.movie.reader import open_movie


def write(folder, names, n=3):
    """Write parts of n frames that count on from one part to the next."""
    for k, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        part = n * k + np.arange(n, dtype=np.uint16)[:, None, None] + np.zeros((16, 16), np.uint16)
        how = {"photometric": "minisblack", "metadata": {"axes": "TYX"}}
        tifffile.imwrite(folder / name, part, **how)


def order(folder, pattern="m*"):
    """First pixels of all frames, and notes but for that on the order."""
    movie = open_movie(folder / pattern)
    return [int(block[0, 0, 0]) for block in movie.blocks(1)], movie.notes[1:]


@pytest.mark.parametrize(
    "names",
    [
        ["m.tif", "m_1.tif", "m_2.tif"],
        ["m.tif", "m-1.tif", "m-2.tif"],
        ["m.tif", "m (1).tif", "m (2).tif"],
        ["m.tif", "m(2).tif", "m(3).tif"],
        ["m.tif", "m 2.tif", "m 3.tif"],
        ["m.tif", "m2.tif", "m3.tif"],
        ["m.tif", "m,2.tif"],
        ["m.tif", "m_X2.tif", "m_X3.tif"],
        ["m.tif", "m@0001.tif", "m@0002.tif"],
        ["m_part.tif", "m_part#2.tif"],
        ["m part.tif", "m part 2.TIF"],
        ["m.ome.tif", "m-1.ome.tif"],
        ["m1.tif", "m1-1.tif", "m1-2.tif"],
        ["m-1.tif", "m-1-1.tif"],
        ["m_pre.tif", "m_2_pre.tif"],
        ["m0/a.tif", "m1/a.tif", "m2/a.tif"],
        ["m_t-0.tif", *(f"m_t-{k}.tif" for k in range(1, 12))],
        ["m_01_10-59-58.tif", "m_02_11-00-02.tif"],
        ["m_a.tif", "m_b.tif", "m_c.tif"],
        ["m.tif", "mb.tif", "mc.tif"],
        ["Mitte.tif", "mitte_1.tif"],
    ],
)
def test_the_part_without_a_number_is_the_first(tmp_path, names):
    write(tmp_path, names)
    pattern = "m*/a.tif" if "/" in names[0] else "[mM]*"
    assert order(tmp_path, pattern) == ([*range(3 * len(names))], ())


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["m.tif", "m_1.tif", "m_4.tif", "m_6.tif"], "2 to 3, 5 are not there: are parts missing"),
        (["m.tif", "m_3.tif", "m_4.tif"], "1 to 2 are not there"),
        (["m_1.tif", "m_3.tif"], "2 are not there"),
        (["m_2.tif", "m_3.tif"], "begin with 2: is the first part missing"),
        (["m_0.tif", "m_20.tif", "m_40.tif"], "go in steps of 20"),
    ],
)
def test_numbers_that_are_missing_are_told(tmp_path, names, told):
    write(tmp_path, names)
    frames, notes = order(tmp_path)
    assert frames == [*range(3 * len(names))]
    assert len(notes) == 1
    assert told in notes[0]


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["m_c0_t0.tif", "m_c0_t1.tif", "m_c1_t0.tif", "m_c1_t1.tif"], "in 2 numbers.*two c"),
        (["m_1_8.tif", "m_1_9.tif", "m_2_7.tif"], "differ in 2 numbers"),
        (["m1_1.tif", "m1_2.tif", "m2_1.tif"], "differ in 2 numbers"),
        (["m_1.tif", "m_01.tif", "m_2.tif"], "there twice: m_01.tif, m_1.tif"),
        (["m_1.tif", "m_2.tif", "m_2.tiff"], "there twice: m_2.tif, m_2.tiff"),
        (["m_1.tif", "m_2.tif", "m_2 (1).tif"], "does not follow from their names"),
        (["m_1.tif", "m_2.tif", "m_2 - Copy.tif"], "does not follow from their names"),
        (["m.tif", "m_old.tif"], "does not follow from their names"),
        (["m.tif", "m_bf1.tif", "m_bf2.tif"], "does not follow from their names"),
        (["m_gfp.tif", "m_rfp.tif"], "does not follow from their names"),
        (["m_g.tif", "m_r.tif"], "does not follow from their names"),
        (["m_1.tif", "m_2.tif", "m2_1.tif"], "does not follow from their names"),
    ],
)  # fmt: skip
def test_names_that_leave_the_order_open_are_refused(tmp_path, names, says):
    write(tmp_path, names)
    with pytest.raises(ChoiceError, match=says) as caught:
        order(tmp_path)
    assert "Hint: " in str(caught.value)


def test_a_first_part_that_the_pattern_leaves_out(tmp_path):
    write(tmp_path, ["m.ome.tif", "m_1.ome.tif", "m_2.ome.tif"])
    with pytest.raises(ChoiceError, match=r"m\.ome\.tif, which by its name is the first part"):
        order(tmp_path, "m_*")
    # An image of that name is smaller than a part.
    write(tmp_path, ["m.ome.tif"], n=1)
    assert order(tmp_path, "m_*") == ([3, 4, 5, 6, 7, 8], ())


@pytest.mark.parametrize("name", ["m_3.tif", "m_4.tif"])
def test_a_part_that_is_there_twice_under_the_next_number(tmp_path, name):
    write(tmp_path, ["m_1.tif", "m_2.tif"])
    shutil.copy(tmp_path / "m_2.tif", tmp_path / name)
    with pytest.raises(ChoiceError, match=f"{name} is a copy of m_2.tif"):
        order(tmp_path)


def test_parts_of_one_dark_frame_may_be_the_same(tmp_path):
    for k in range(3):
        tifffile.imwrite(tmp_path / f"m{k}.tif", np.zeros((16, 16), np.uint16))
    assert order(tmp_path) == ([0, 0, 0], ())


def test_the_count_of_micromanager():
    for one, other in (("a", "a_1"), ("a (2)", "a_1 (2)"), ("a_1", "a_2"), ("a_pre", "a_1_pre")):
        assert is_next(f"{one}.tif", f"{other}.tif")
    for one, other in (("a", "a (2)"), ("a", "a_1 (2)"), ("a", "a_1 - Copy"), ("a_1", "b_1")):
        assert not is_next(f"{one}.tif", f"{other}.tif")


def test_names_against_the_times_of_recording(tmp_path):
    for name, hour in (("m_1", 11), ("m_2", 10)):
        how = {"axes": "TYX", "AcquisitionDate": f"2024-05-02T{hour}:00:00"}
        frames = np.full((3, 16, 16), hour, np.uint16)
        tifffile.imwrite(tmp_path / f"{name}.ome.tif", frames, metadata=how)
    with pytest.raises(ChoiceError, match=r"m_1\.ome\.tif is before m_2\.ome\.tif by their names"):
        order(tmp_path)
    (tmp_path / "m_2.ome.tif").rename(tmp_path / "m_0.ome.tif")
    assert order(tmp_path)[0] == [10] * 3 + [11] * 3


@pytest.mark.parametrize(
    ("frames", "noted"),
    [([4, 4, 2], ""), ([1, 2, 1], "m_1.tif has 1 frames, m_2.tif 2"), ([3, 5], "3 frames, m_2")],
)
def test_parts_of_unequal_length_are_reported(tmp_path, frames, noted):
    for k, n in enumerate(frames):
        noise = np.random.default_rng(k).integers(0, 99, (n, 8, 8)).astype(np.uint16)
        tifffile.imwrite(tmp_path / f"m_{k + 1}.tif", noise, photometric="minisblack")
    notes = open_movie(tmp_path / "m_*.tif").notes
    assert noted in "".join(notes)
    assert any("not of one length" in note for note in notes) == bool(noted)
