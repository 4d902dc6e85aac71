"""The order of a movie's parts by their names. Nothing is opened here.

Input: files. Output: the same in the order of time, and notes; or a refusal where names leave the
order open.
"""

from __future__ import annotations

import itertools
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from blinkpair.errors import ChoiceError

# What a program or a person puts behind a name, or into it, to count the parts that follow.
_COUNT = re.compile(r"(?:[\W_]+(?:x|p|f|t|s|n|no|nr|seq|part|file)?)?[\W_]*(\d+)\W*", re.IGNORECASE)
_LETTER = re.compile(r"[\W_]*([a-z])")
_SUFFIX = re.compile(r"(?:\.ome)?\.[a-z][a-z0-9]*$", re.IGNORECASE)
_MAX_LISTED = 5
_RENAME = (
    "rename the parts so that one number counts them (NAME_1, NAME_2, ...), or make the pattern "
    "narrower"
)


def order_by_name(files: Sequence[Path], called: str) -> tuple[list[Path], tuple[str, ...]]:
    """Put the parts of a movie in order.

    Parameters
    ----------
    files : sequence of Path
        Two or more.
    called : str
        The pattern, for messages.

    Returns
    -------
    files : list of Path
    notes : tuple of str
        Numbers that are missing.

    Raises
    ------
    ChoiceError
        The order is not known, a part is there twice, or the first one is left out.
    """
    root = Path(os.path.commonpath([file.parent for file in files]))
    names = {file: _stem(file.relative_to(root).as_posix()) for file in files}
    kinds: dict[tuple[str, ...], list[Path]] = {}
    for file, name in names.items():
        kinds.setdefault(tuple(re.split(r"\d+", name)), []).append(file)
    groups = list(kinds.values())
    if len(groups) == 1 and len(next(iter(kinds))) > 1:
        numbers, ordered = _by_number(files, names, called)
        _refuse_left_out(ordered, called)
        return ordered, _missing(numbers)
    if len(groups) == 2:
        for (first, *more), others in (groups, groups[::-1]):
            found = [_COUNT.fullmatch(_inserted(names[first], names[file])) for file in others]
            if more or not all(found):
                continue
            numbers, ordered = [int(match[1]) for match in found if match], others
            if len(others) > 1:
                numbers, ordered = _by_number(others, names, called)
            # The second part is called 1 by some programs and 2 by others.
            before = [numbers[0] - 1] if numbers[0] < 3 else [0]
            return [first, *ordered], _missing([*before, *numbers])
    if letters := _by_letter(names):
        return letters, ()
    raise ChoiceError(
        f"the order of its {len(files)} files does not follow from their names: {_listed(files)}",
        _RENAME,
        place=called,
    )


def is_next(name: str, other: str) -> bool:
    """Return whether two names of files differ by Micro-Manager's count alone.

    Parameters
    ----------
    name, other : str
        ``run_1 (2).tif`` and ``run (2).tif`` do, or ``run_2.tif``; ``run_1 - Copy.tif`` and
        ``run.tif`` do not.
    """
    short, long = sorted((_stem(name), _stem(other)), key=len)
    if re.fullmatch(r"_\d+", _inserted(short, long)):
        return True
    pieces, others = re.split(r"(_\d+)", short), re.split(r"(_\d+)", long)
    if len(pieces) != len(others):
        return False
    differ = [k for k, (one, two) in enumerate(zip(pieces, others, strict=True)) if one != two]
    return len(differ) == 1 and differ[0] % 2 == 1


def _stem(name: str) -> str:
    """Return a name without suffix, in one spelling."""
    return _SUFFIX.sub("", unicodedata.normalize("NFC", name)).casefold()


def _inserted(short: str, long: str) -> str:
    """Return what has to be put into one name to give the other; '' if that is not all."""
    extra = len(long) - len(short)
    if extra < 1:
        return ""
    ends = range(len(short), -1, -1)
    found = [long[k : k + extra] for k in ends if long[:k] + long[k + extra :] == short]
    # Of 'a_1' and 'a_1_1', '_1' was put in, not '1_'.
    return next((one for one in found if not one[0].isalnum()), found[0] if found else "")


def _by_number(
    files: Sequence[Path], names: Mapping[Path, str], called: str
) -> tuple[list[int], list[Path]]:
    """Order names that differ in numbers by the one that counts, and return it for each."""
    rows = {file: [int(n) for n in re.findall(r"\d+", names[file])] for file in files}
    ordered = sorted(files, key=lambda file: (rows[file], str(file)))
    for one, other in itertools.pairwise(ordered):
        if rows[one] == rows[other]:
            raise ChoiceError(
                f"a part is there twice: {_listed([one, other])}",
                "move one of them away, or make the pattern narrower",
                place=called,
            )
    columns = [list(column) for column in zip(*(rows[file] for file in ordered), strict=True)]
    varying = [column for column in columns if len(set(column)) > 1]
    counters = [column for column in varying if len(set(column)) == len(column)]
    # What follows a number that counts may be anything, the time of day for example.
    counts = bool(varying) and varying[0] in counters
    if not counts and (not counters or any(one != sorted(one) for one in counters)):
        raise ChoiceError(
            f"the names of its {len(files)} files differ in {len(varying)} numbers "
            f"({_listed(ordered)}): they may be two channels or recordings, and their order is "
            "not known",
            _RENAME,
            place=called,
        )
    counters = [column for column in counters if column == sorted(column)]
    return min(counters, key=lambda column: column[-1] - column[0]), ordered


def _missing(numbers: Sequence[int]) -> tuple[str, ...]:
    """Report numbers that are not there."""
    pairs = list(itertools.pairwise(numbers))
    steps = {b - a for a, b in pairs}
    notes: tuple[str, ...] = ()
    if len(pairs) > 1 and len(steps) == 1 and steps != {1}:
        notes = (f"the numbers of its files go in steps of {steps.pop()}",)
    elif steps - {1}:
        gaps = [f"{a + 1} to {b - 1}" if b > a + 2 else str(a + 1) for a, b in pairs if b > a + 1]
        shown = ", ".join(gaps[:_MAX_LISTED]) + (", ..." if len(gaps) > _MAX_LISTED else "")
        notes = (f"of the numbers of its files, {shown} are not there: are parts missing?",)
    if numbers[0] > 1:
        notes += (f"the numbers of its files begin with {numbers[0]}: is the first part missing?",)
    return notes


def _refuse_left_out(files: Sequence[Path], called: str) -> None:
    """Refuse numbered parts beside a file of the same name without a number, and as large."""
    name = files[0].name
    suffix = _SUFFIX.search(name)
    stem, end = (name[: suffix.start()], suffix[0]) if suffix else (name, "")
    smallest = min((file.stat().st_size for file in files if file.is_file()), default=0)
    for count in _COUNT.finditer(stem):
        first = files[0].with_name((stem[: count.start()] + stem[count.end() :] or "-") + end)
        if first not in files and first.is_file() and first.stat().st_size >= smallest:
            raise ChoiceError(
                f"{first.name}, which by its name is the first part, is not among its "
                f"{len(files)} files",
                "make the pattern wider, or move that file into another folder if it is none",
                place=called,
            )


def _by_letter(names: Mapping[Path, str]) -> list[Path]:
    """Order NAMEa, NAMEb, NAMEc, or NAME, NAMEb; empty if these are no such names."""
    files = sorted(names, key=lambda file: (len(names[file]), names[file]))
    base, counted = names[files[0]], files[1:]
    if len(base) == len(names[files[-1]]):
        base, counted = base[:-1], files
    found = [_LETTER.fullmatch(names[file].removeprefix(base)) for file in counted]
    letters = [ord(match[1]) - ord("a") for match in found if match]
    starts = (0,) if counted is files else (0, 1)
    for start in starts:
        if letters == [*range(start, start + len(counted))]:
            return files
    return []


def _listed(files: Sequence[Path]) -> str:
    shown = [file.name for file in files[:_MAX_LISTED]]
    return ", ".join([*shown, "..."] if len(files) > _MAX_LISTED else shown)
