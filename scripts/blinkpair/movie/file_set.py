"""Which files make a movie, in which order, and whether they are all there; for all formats.

What the files hold decides wherever they state it; names decide the rest.

| the path in the sheet | the files of the movie | refused |
| --- | --- | --- |
| one ND2, SIF, PNG, JPEG or TIFF file | itself | |
| an Andor spool folder or its .sifx | the files of frames, by the numbers in their names | frames that are missing |
| one file of a Micro-Manager stack | the TIFF files of its folder with the same text on the recording and other frames; of several with the same frames, the one that Micro-Manager's count in the name belongs to | two with the same frames that names do not tell apart; frames that are missing |
| one file of an OME-TIFF set | the files it lists | one that is missing, or has another UUID than listed |
| one file of an NDTiff recording | the files of the index | one that is missing; no index |
| a pattern, files of one such set | these files, ordered by what they hold | frames that are there twice or missing; files of two recordings |
| a pattern, any other files | these files, ordered by one number or letter in their names; a name without it is the first | names that differ in several numbers or in words; a part that is there twice; the first part left out; times of recording in another order |

Gaps in the numbers of names, and a first number above 1, are reported.

Input: files. Output: the files of each source, in the order of time.
"""  # noqa: E501

from __future__ import annotations

import filecmp
import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from blinkpair.errors import ChoiceError, InputError
from blinkpair.movie.formats.registry import share_of
from blinkpair.movie.formats.source import Opened, Source
from blinkpair.movie.formats.tiff_shares import Share, with_lists
from blinkpair.movie.part_names import is_next, order_by_name

# Bytes compared at each of so many places before two files are compared as a whole.
_PROBE_BYTES, _PROBES = 4096, 8


@dataclass(frozen=True)
class FileSet:
    """The files of a movie.

    Attributes
    ----------
    parts : tuple of Opened
        In the order of time.
    notes : tuple of str
    """

    parts: tuple[Opened, ...]
    notes: tuple[str, ...] = ()


def find_files(files: Sequence[Path], called: str, position: str | None = None) -> FileSet:
    """Return the files of a movie in order.

    Parameters
    ----------
    files : sequence of Path
        One, or those of a pattern.
    called : str
        The path in the sheet, for messages.
    position : str or None
        The user's choice among the positions of the stage.

    Returns
    -------
    FileSet

    Raises
    ------
    InputError
        See the table above.
    """
    shares = with_lists([share for file in files if (share := share_of(file)) is not None])
    if len(files) == 1:
        return _of_one(files[0], shares[0] if shares else None, position)
    recordings: dict[str, list[Share]] = {}
    for share in shares:
        recordings.setdefault(share.recording, []).append(share)
    # Recordings that are whole in one file each are parts like others, unless they are the same.
    parted = [
        some
        for some in recordings.values()
        if not all(share.whole for share in some) or (len(some) > 1 and some[0].certain)
    ]
    if not parted:
        ordered, notes = order_by_name(files, called)
        own = {share.path: (share,) for share in shares}
        return FileSet(tuple(Opened((file,), own.get(file, ())) for file in ordered), notes)
    if len(recordings) > 1 or len(shares) < len(files):
        first = {share.path for share in parted[0]}
        stranger = next(file for file in files if file not in first)
        raise ChoiceError(
            f"its files are not of one recording: {parted[0][0].path.name} and {stranger.name}",
            "make the pattern narrower",
            place=called,
        )
    (some,) = parted
    _refuse_twice(some, called)
    there = {key for share in some for key in (share.uuid, share.path.name)}
    # Files with the same text list the same others.
    listing = {id(share.text or share): share for share in some}.values()
    listed = {(name, uuid or name) for share in listing for name, uuid in share.others.items()}
    gone = sorted(name for name, key in listed if key not in there)
    absent = f"{gone[0]} is not among its files" if gone else ""
    opened = _opened(some, absent)
    names = ", ".join(file.name for file in opened.files)
    notes = (f"{len(some)} files of one recording were joined by what they hold: {names}",)
    return FileSet((opened,), notes)


def check_parts(sources: Sequence[Source], called: str) -> None:
    """Refuse parts that make no movie: lossy, the same to the byte, or not in the order of time.

    Parts of one frame are not compared: two dark images can be the same.

    Raises
    ------
    InputError
    """
    if len(sources) > 1 and sources[0].format == "JPEG":
        raise InputError(
            "a movie of JPEG images: their compression altered the counts",
            "use the original recording",
            place=called,
        )
    for before, after in itertools.pairwise(sources):
        if before.acquired_s and after.acquired_s and after.acquired_s < before.acquired_s:
            raise ChoiceError(
                f"{before.paths[0].name} is before {after.paths[0].name} by their names, and after "
                "it by the times at which they were recorded",
                "rename the parts so that one number counts them, or make the pattern narrower",
                place=called,
            )
    sizes: dict[int, list[Path]] = {}
    for source in sources:
        if source.shape[0] > 1 and len(source.paths) == 1:
            sizes.setdefault(source.paths[0].stat().st_size, []).append(source.paths[0])
    for n_bytes, paths in sizes.items():
        probes: dict[bytes, Path] = {}
        for path in paths if len(paths) > 1 else ():
            other = probes.setdefault(_probe(path, n_bytes), path)
            if other is not path and filecmp.cmp(path, other, shallow=False):
                raise ChoiceError(
                    f"{path.name} is a copy of {other.name}: a part is there twice",
                    "move one of them away, or make the pattern narrower",
                    place=called,
                )


def uneven_parts(names: Sequence[str], frames: Sequence[int]) -> list[str]:
    """Return a note where a part before the last is not as long as the first.

    Programs begin a file where the one before is full: the last one may be shorter.
    """
    odd = next((k for k, n in enumerate(frames[:-1]) if n != frames[0]), None)
    if odd is None and frames[-1] <= frames[0]:
        return []
    k = len(frames) - 1 if odd is None else odd
    what = f"{names[0]} has {frames[0]} frames, {names[k]} {frames[k]}"
    return [f"its parts are not of one length: {what}"]


def _of_one(file: Path, share: Share | None, position: str | None) -> FileSet:
    """Complete the recording of one file by the files beside it."""
    if share is None or (share.whole and share.leads):
        return FileSet((Opened((file,), () if share is None else (share,)),))
    if share.kind == "Micro-Manager":
        return _of_stack(share, position)
    absent = ""
    beside: dict[str, Share] = {}
    listed = dict(share.others)
    while unseen := [name for name in listed if name not in beside]:
        name = unseen[0]
        path = file.parent / Path(name).name
        found = share_of(path) if path.is_file() else None
        if not share.leads and found is not None and found.leads:
            listed.update(found.others)  # of the file that has the text on the whole
            listed.pop(file.name, None)
        uuid = listed[name]
        if found is None:
            what = "is not beside it" if not path.is_file() else "beside it is another file"
            absent = absent or f"{name} {what}"
            del listed[name]
        elif found.kind != share.kind or (uuid and found.uuid != uuid):
            absent = absent or f"{name} beside it is of another recording"
            del listed[name]
        else:
            beside[name] = found
    if not share.leads and not any(one.leads for one in beside.values()):
        raise InputError(
            f"a part of an OME-TIFF recording that is described in another file: {absent}",
            "copy all files of the recording; if they were renamed, name them by a pattern",
            place=file,
        )
    some = with_lists([share, *beside.values()])
    own = {plane[0] for plane in some[0].frames}
    if position is None and len(own) == 1:
        some = [one for one in some if own & {plane[0] for plane in one.frames}]
    _refuse_twice(some, str(file))
    return FileSet((_opened(some, absent),))


def _of_stack(share: Share, position: str | None) -> FileSet:
    """Find the other files of a Micro-Manager stack."""
    positions = {plane[0] for plane in share.frames}
    alike = _stacks(share.path.parent, share.path.parent.stat().st_mtime_ns)
    found: list[Share] = []
    absent = ""
    for path in alike.get(share.recording, ()):
        other = share_of(path)
        if path.name == share.path.name or other is None or other.recording != share.recording:
            continue
        elsewhere = not positions & {plane[0] for plane in other.frames}
        if position is None and len(positions) == 1 and elsewhere:
            continue
        if share.frames & other.frames:
            continue
        # Without a date in the text, two recordings of the same settings have the same.
        if share.certain or is_next(share.path.name, path.name):
            found.append(other)
        else:
            absent = absent or f"whether {path.name} belongs to it is not known"
    for one, other in _rivals(found):
        nearer = [each for each in (one, other) if is_next(share.path.name, each.path.name)]
        if len(nearer) != 1:
            raise ChoiceError(
                f"{one.path.name} and {other.path.name} beside it hold the same frames of its "
                "recording",
                "move the one that does not belong to it into another folder",
                place=share.path,
            )
    dropped = {
        each.path
        for pair in _rivals(found)
        for each in pair
        if not is_next(share.path.name, each.path.name)
    }
    some = [share, *(one for one in found if one.path not in dropped)]
    _refuse_twice(some, str(share.path))
    notes = tuple(
        f"{path.name} beside it holds frames of the same recording and was not used"
        for path in sorted(dropped)
    )
    return FileSet((_opened(some, absent),), notes)


def _opened(some: Sequence[Share], absent: str) -> Opened:
    """Put the files of a recording into order."""
    ordered = sorted(some, key=lambda share: (min(share.frames, default=(0,) * 4), share.path.name))
    return Opened(tuple(share.path for share in ordered), tuple(ordered), absent)


def _rivals(found: Sequence[Share]) -> list[tuple[Share, Share]]:
    """Pairs of files with a frame in common."""
    return [
        (found[i], found[k])
        for k in range(len(found))
        for i in range(k)
        if found[i].frames & found[k].frames
    ]


def _refuse_twice(some: Sequence[Share], called: str) -> None:
    for one, other in _rivals(some):
        raise ChoiceError(
            f"{one.path.name} and {other.path.name} hold the same frames of one recording",
            "make the pattern narrower, or move the copy into another folder",
            place=called,
        )


@lru_cache(maxsize=8)
def _stacks(folder: Path, changed: int) -> dict[str, list[Path]]:
    """Micro-Manager stacks of a folder by their recording; `changed` is when the folder was."""
    stacks: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in (".tif", ".tiff"):
            continue
        try:
            share = share_of(path)
        except (InputError, OSError):  # no part of it, then
            continue
        if share is not None and share.kind == "Micro-Manager":
            stacks.setdefault(share.recording, []).append(path)
    return stacks


def _probe(path: Path, n_bytes: int) -> bytes:
    """Some bytes from all over a file."""
    with path.open("rb", buffering=0) as file:
        return b"".join(
            os.pread(file.fileno(), _PROBE_BYTES, k * n_bytes // _PROBES) for k in range(_PROBES)
        )
