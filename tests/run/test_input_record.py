"""Which change of an input is a change of its content."""

import os
import time

import pytest

from blinkpair.errors import InputError
from blinkpair.inputs.contents import fast_checksum, file_states
from blinkpair.run import input_record
from blinkpair.run.input_record import load_record, save_record, updated_record

OLD_S = 1.5e9


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """The two files of a movie."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.tif", "b.tif"):
        (tmp_path / name).write_bytes(name.encode() * 1000)
        os.utime(name, (OLD_S, OLD_S))
    return ["a.tif", "b.tif"]


def look(parts, last):
    record, same = updated_record({"*.tif": file_states(parts)}, last)
    return record["*.tif"], same


def run(parts, *, checksums=True):
    """Look, as a run does when it starts and ends; return the content."""
    entry, _ = look(parts, load_record())
    save_record({"*.tif": entry})
    if checksums:
        kept = load_record()
        input_record.check_unchanged(kept, ["*.tif"])
        input_record.add_checksums(kept, {name: fast_checksum(name) for name in parts})
    return entry.content


def replace(name, content, date_s):
    with open(name, "wb") as file:  # noqa: PTH123
        file.write(content)
    os.utime(name, (date_s, date_s))


@pytest.mark.parametrize(
    ("date_s", "checksums"),
    # With the same date and size nothing but a checksum shows it.
    [(OLD_S, True), *((OLD_S + s, known) for s in (-1000, 1000) for known in (True, False))],
)
def test_another_content_is_another_whatever_its_date(parts, date_s, checksums):
    before = run(parts, checksums=checksums)
    replace("b.tif", b"B.tif" * 1000, date_s)
    after, same = look(parts, load_record())
    assert after.content != before
    assert same == []
    assert run(parts, checksums=checksums) == after.content  # at each start


@pytest.mark.parametrize("date_s", [OLD_S - 1000, OLD_S + 1000])
def test_the_same_content_under_another_date_is_the_same_and_reported(parts, date_s):
    before = run(parts)
    replace("b.tif", b"b.tif" * 1000, date_s)
    entry, same = look(parts, load_record())
    assert (entry.content, same) == (before, ["*.tif"])
    save_record({"*.tif": entry})
    assert look(parts, load_record()) == (entry, [])
    (note,) = input_record.notes_on({"*.tif": entry}, same)
    assert "no step runs again" in note


def test_without_a_checksum_another_date_is_another_content(parts):
    before = run(parts, checksums=False)
    replace("b.tif", b"b.tif" * 1000, OLD_S + 1000)
    assert look(parts, load_record())[0].content != before


def test_a_content_that_comes_back_with_the_date_of_an_earlier_one_is_not_the_later_one(parts):
    contents = [run(parts)]
    os.utime("a.tif", (OLD_S + 5, OLD_S + 5))
    assert run(parts) == contents[0]
    for content, date_s in ((b"B", OLD_S + 5), (b"C", OLD_S), (b"D", OLD_S)):
        replace("a.tif", content * 5000, date_s)
        contents.append(run(parts))
    assert len(set(contents)) == 4


def test_nothing_is_read_where_nothing_has_changed(parts, monkeypatch):
    before = run(parts)
    monkeypatch.setattr(input_record, "fast_checksum", lambda _: pytest.fail("it was read"))
    assert look(parts, load_record()) == (load_record()["*.tif"], [])
    assert load_record()["*.tif"].content == before


def test_an_input_that_is_replaced_during_the_run_is_an_error(parts):
    run(parts)
    record = load_record()
    input_record.check_unchanged(record, ["*.tif", "of another sheet"])
    os.utime("a.tif", (OLD_S + 1, OLD_S + 1))
    with pytest.raises(InputError, match=r"replaced or touched during the run.*\*\.tif"):
        input_record.check_unchanged(record, ["*.tif"])


def test_what_was_dated_ahead_of_the_clock_stays_so_until_its_content_changes(parts):
    ahead_s = time.time() + 3600
    os.utime("b.tif", (ahead_s, ahead_s))
    content = run(parts)
    assert load_record()["*.tif"].ahead
    (note,) = input_record.notes_on(load_record(), [])
    assert "were dated ahead of this computer's clock" in note
    os.utime("b.tif", (OLD_S, OLD_S))
    assert run(parts) == content
    assert load_record()["*.tif"].ahead
    replace("b.tif", b"new", OLD_S)
    assert run(parts) != content
    assert not load_record()["*.tif"].ahead


def test_what_is_known_of_other_paths_stays(parts):
    run(parts)
    other, _ = updated_record({"a.tif": file_states(["a.tif"])}, {})
    save_record(other)
    assert load_record().keys() == {"*.tif", "a.tif"}


@pytest.mark.parametrize("text", ["", "[]", '{"a.tif": 3}', '{"a.tif": ["b"]}'])
def test_a_damaged_record_is_none(parts, text):
    run(parts)
    input_record.RECORD.write_text(text)
    assert load_record() == {}
