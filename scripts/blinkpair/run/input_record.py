"""Which content the inputs of a run have: the reason for which a step that reads them runs again.

Snakemake compares dates: a file that was replaced by an older one, as copies keep their date, would
be taken for the former. A digest among the parameters of a rule shows that it is another. It
follows from size and date; where these have changed since the last run, the checksum decides
whether the content has, if the last run took one.

Input: the states of the files behind each path of the sheet, and the record of the last run.
Output: a digest for each path, and the new record.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from blinkpair import files
from blinkpair.errors import InputError
from blinkpair.inputs.contents import FileState, digest, fast_checksum, file_states

RECORD = Path(".snakemake/blinkpair/inputs.json")
_SHOWN = 3


class Entry(NamedTuple):
    """The files behind a path.

    Attributes
    ----------
    content : str
        Digest that stays while the content does.
    state : str
        Digest of sizes and dates.
    changed_ns : int
        The sum of the times at which anything of them was changed.
    checksum : str
        Digest of their checksums; '' where none was taken.
    ahead : bool
        One of them was dated ahead of this computer's clock when its content was first seen.
        It is then no input for Snakemake, which would remove the files that are made from it. It
        stays none, since a further input would make the steps run again.
    names : tuple of str
    """

    content: str
    state: str
    changed_ns: int
    checksum: str
    ahead: bool
    names: tuple[str, ...]


Record = Mapping[str, Entry]


def load_record() -> dict[str, Entry]:
    """Return the record of the last run; empty where there is none, or a damaged one.

    Without a record the state decides: a step may run again without need, never too rarely.
    """
    try:
        kept = files.read_json(RECORD)
        return {
            path: Entry(content, state, changed_ns, checksum, ahead, tuple(names))
            for path, (content, state, changed_ns, checksum, ahead, names) in kept.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def save_record(record: Record) -> None:
    """Keep a record, beside what is known of other paths."""
    files.write_json({**load_record(), **record}, RECORD)


def updated_record(
    inputs: Mapping[str, Sequence[FileState]], last: Record
) -> tuple[dict[str, Entry], list[str]]:
    """Compare the inputs with those of the last run.

    Parameters
    ----------
    inputs : mapping
        Path of the sheet -> the states of its files.
    last : Record

    Returns
    -------
    record : dict of Entry
    same : list of str
        Paths whose date has changed and whose checksum has not.
    """
    record, same = {}, []
    for path, states in inputs.items():
        old = last.get(path)
        record[path] = new = _entry(states, old)
        if old is not None and new.content == old.content and new.state != old.state:
            same.append(path)
    return record, same


def _entry(states: Sequence[FileState], old: Entry | None) -> Entry:
    names = tuple(one.path for one in states)
    state, changed_ns = _state(states)
    content, checksum = state, ""
    if old is not None and (state, changed_ns) == (old.state, old.changed_ns):
        content, checksum = old.content, old.checksum
    elif old is not None and old.checksum:
        checksum = _checksum(fast_checksum(name) for name in names)
        # Of a new content with an old date the state alone could be that of an earlier content.
        content = old.content if checksum == old.checksum else digest(state, checksum)
    elif old is not None and state == old.state:
        content = old.content
    ahead = max((one.modified_ns for one in states), default=0) > time.time_ns()
    was_ahead = old is not None and old.ahead and content == old.content
    return Entry(content, state, changed_ns, checksum, ahead or was_ahead, names)


def _state(states: Sequence[FileState]) -> tuple[str, int]:
    return digest([one[1:3] for one in states]), sum(one.changed_ns for one in states)


def _checksum(checksums: Iterable[str]) -> str:
    return digest(*checksums)


def notes_on(record: Record, same: Sequence[str]) -> list[str]:
    """Return notes for the user on the dates of the inputs.

    Parameters
    ----------
    record : Record
    same : sequence of str
        As from `updated_record`.
    """
    notes = []
    if same:
        notes.append(
            "these inputs have another date than in the last run and the same size, first and last "
            f"MiB, so that no step runs again for them: {_some(same)}. If one was changed in its "
            "middle, run once with --forcerun register find_nanocrystals."
        )
    if ahead := [path for path, entry in record.items() if entry.ahead]:
        notes.append(
            "these inputs were dated ahead of this computer's clock when they were first read, and "
            f"are used all the same: {_some(ahead)}."
        )
    return notes


def _some(paths: Sequence[str]) -> str:
    more = len(paths) - _SHOWN
    return ", ".join(paths[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def check_unchanged(record: Record, paths: Iterable[str]) -> None:
    """Check that the inputs are still those the run started with.

    Parameters
    ----------
    record : Record
        As the run kept it when it started.
    paths : iterable of str
        Of the sheet.

    Raises
    ------
    blinkpair.errors.InputError
    """
    changed = [
        path
        for path in dict.fromkeys(paths)
        if path in record and _state(file_states(record[path].names))[0] != record[path].state
    ]
    if changed:
        raise InputError(
            f"{len(changed)} of the inputs were replaced or touched during the run, whose results "
            f"may come from two contents: {_some(changed)}",
            "start the same command again: what reads them is done again",
        )


def add_checksums(record: Record, checksums: Mapping[str, str | None]) -> None:
    """Store the checksums of the files, so that the next run recognises them under another date.

    Parameters
    ----------
    record : Record
        As `check_unchanged` found it right.
    checksums : mapping
        File -> checksum, None where none was taken.
    """
    known = {}
    for path, entry in record.items():
        own = [checksums.get(name) for name in entry.names]
        if own and all(own):
            known[path] = entry._replace(checksum=_checksum(str(one) for one in own))
    if known:
        save_record(known)
