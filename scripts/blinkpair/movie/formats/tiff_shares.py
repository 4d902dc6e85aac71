"""What a TIFF file states on the recording that it is part of.

Three programs write a recording into several files and into each what it holds:

| file | its recording | its planes |
| --- | --- | --- |
| Micro-Manager stack | the text on the whole, the same to the letter in all files | an index |
| OME-TIFF | a UUID, and those of the other files with their names | the OME text |
| NDTiff | the file `NDTiff.index` in its folder | that file |

Which files are read is decided in `movie.file_set`. Input: a file. Output: its `Share`.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from blinkpair.arrays import IntArray
from blinkpair.errors import InputError
from blinkpair.movie.formats.ndtiff_index import read_index
from blinkpair.movie.formats.source import plausible
from blinkpair.movie.formats.tiff_pages import first_description, read_pages

INDEX = "NDTiff.index"
_UUIDS = re.compile(r"<(?:\w+:)?UUID\b[^>]*>\s*([^<]*?)\s*<")
_OWN_UUID = re.compile(r"<(?:\w+:)?OME\b[^>]*?\bUUID\s*=\s*[\"']([^\"']*)")
# The axes of all three, slowest first: position, time, z, channel.
AXES = "RTZC"
_MM_SUMMARY, _MM_INDEX, _MM_INDEX_MAP, _NDTIFF = 2355492, 54773648, 3453623, 483729
_MM_SIZES = {"R": "Positions", "T": "Frames", "Z": "Slices", "C": "Channels"}
_MM_COLUMNS = (3, 2, 1, 0)  # of the index map, in the order of AXES
# Texts of a summary that no other recording has.
_MM_OWN = ("UUID", "StartTime", "Time", "Date")


@dataclass(frozen=True)
class Share:
    """The share of a recording that one file holds.

    Attributes
    ----------
    path : Path
    recording : str
        The same for all files of a recording.
    certain : bool
        No other recording has the same.
    sizes : tuple of int
        Positions, frames, z planes and channels of the whole recording.
    planes : (planes, 4) int64 array
        Which of them are in this file.
    places : (planes,) int64 array
        Where: the page's place (Micro-Manager) or number (OME), or the pixels' place (NDTiff).
    others : mapping
        Name -> UUID ('' for none) of the other files, where the file lists them.
    channels : tuple of str
        Names, where the index has them.
    kind : str
        'Micro-Manager', 'OME' or 'NDTiff'.
    uuid : str
        Of the file itself, in an OME-TIFF.
    lists : mapping
        UUID -> planes and places of the other files, by the text on the whole.
    leads : bool
        The file holds the text on the whole.
    """

    path: Path
    recording: str
    certain: bool
    sizes: tuple[int, ...]
    planes: IntArray
    places: IntArray
    others: Mapping[str, str]
    kind: str
    channels: tuple[str, ...] = ()
    uuid: str = ""
    lists: Mapping[str, tuple[IntArray, IntArray]] = field(default_factory=dict)
    leads: bool = True

    @cached_property
    def frames(self) -> frozenset[tuple[int, ...]]:
        """`planes`, to be compared with those of other files."""
        return frozenset(map(tuple, self.planes.tolist()))

    @property
    def whole(self) -> bool:
        """Whether the file holds all of the recording."""
        return len(self.planes) >= math.prod(self.sizes)


def read_share(path: Path) -> Share | None:
    """Return the share of a recording that a file holds; None for a movie of one file.

    Parameters
    ----------
    path : Path
        Any file.

    Raises
    ------
    InputError
        An NDTiff file that is not in an index.
    """
    if not path.is_file():
        return None
    with path.open("rb", buffering=0) as file:
        head = file.read(40)
        order = {b"II*\0": "<", b"MM\0*": ">"}.get(head[:4], "")
        if order and len(head) == 40:
            magic = struct.unpack_from(f"{order}8I", head, 8)
            if magic[0] == _NDTIFF:
                return _ndtiff(path)
            if magic[0] == _MM_INDEX and magic[6] == _MM_SUMMARY and magic[4] != _NDTIFF:
                size = path.stat().st_size
                summary = file.read(min(magic[7], size))
                file.seek(magic[1])
                index = file.read(8)
                if len(index) == 8 and (found := struct.unpack(f"{order}2I", index)):
                    n_bytes = min(20 * found[1], size) if found[0] == _MM_INDEX_MAP else 0
                    rows = file.read(n_bytes)
                    if share := _micromanager(path, summary, rows, order):
                        return share
        tiff = head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
        text = first_description(file.fileno()) if tiff else b""
    if b"<OME" in text or b":OME" in text:
        return _ome(path, text.decode("utf-8", "replace"))
    return None


def with_lists(shares: Sequence[Share]) -> list[Share]:
    """Complete the shares of files that leave the text on the whole to another one of them."""
    leading = [share for share in shares if share.leads]
    complete = []
    for share in shares:
        lists = [] if share.leads else [one for one in leading if share.uuid in one.lists]
        for lead in lists[:1]:
            planes, places = lead.lists[share.uuid]
            share = replace(
                share, recording=lead.recording, sizes=lead.sizes, planes=planes, places=places
            )
        complete.append(share)
    return complete


def _micromanager(path: Path, text: bytes, rows: bytes, order: str) -> Share | None:
    """By the summary and the index map of a Micro-Manager stack."""
    try:
        summary = json.loads(text)
        planned = [max(1, int(summary.get(_MM_SIZES[axis]) or 1)) for axis in AXES]
    except (ValueError, TypeError, AttributeError):
        return None
    if "MicroManagerVersion" not in summary or "Frames" not in summary or not rows:
        return None
    table = np.frombuffer(rows[: len(rows) // 20 * 20], f"{order}u4").reshape(-1, 5)
    planes = table[:, _MM_COLUMNS].astype(np.int64)
    sizes = np.maximum(planned, planes.max(axis=0) + 1).tolist()
    return Share(
        path,
        text.decode("utf-8", "replace"),
        any(summary.get(key) for key in _MM_OWN),
        tuple(sizes),
        planes,
        table[:, 4].astype(np.int64),
        {},
        "Micro-Manager",
    )


def _ome(path: Path, text: str) -> Share | None:
    """By the OME text of one of several files; None for one that has all its planes itself."""
    uuids = {one.lower() for one in _UUIDS.findall(text)}
    root_id = _OWN_UUID.search(text)
    own = root_id[1].lower() if root_id else ""
    if not uuids - {own} and "BinaryOnly" not in text:
        return None
    refuse_ome_traps(path, text)
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return None
    if not own and len(uuids) == 1:  # whatever the file is called
        (own,) = uuids
    images = [one for one in root if _local(one.tag) == "Image"]
    if not images:
        master = next((one for one in root if _local(one.tag) == "BinaryOnly"), None)
        if master is None:
            return None
        others = {master.get("MetadataFile", ""): master.get("UUID", "").lower()}
        none = np.empty((0, 4), np.int64)
        return Share(
            path, own, True, (1,) * 4, none, none[:, 0], others, "OME", (), own, leads=False
        )
    named: dict[str, str] = {}
    found: dict[str, list[tuple[IntArray, IntArray]]] = {}
    lengths: set[tuple[int, ...]] = set()
    for number, pixels in _pixels(images):
        axes = pixels.get("DimensionOrder", "XYCZT")[:1:-1]  # slowest first
        shape = [int(pixels.get(f"Size{axis}", 1)) for axis in axes]
        lengths.add(tuple(shape[axes.index(axis)] for axis in "TZC"))
        for data in pixels:
            if _local(data.tag) != "TiffData":
                continue
            uuid = next((one for one in data if _local(one.tag) == "UUID"), None)
            name, key = path.name, own
            if uuid is not None:
                name, key = uuid.get("FileName", ""), (uuid.text or "").strip().lower()
            if not own and name.lower() == path.name.lower():
                own = key
            if key != own:
                named[name] = key
            first = [int(data.get(f"First{axis}", 0)) for axis in axes]
            start = int(np.ravel_multi_index(first, shape))
            n = int(data.get("PlaneCount", data.get("NumPlanes", int("IFD" in data.attrib))))
            n = min(n or len(read_pages(path)), math.prod(shape) - start)
            at = dict(zip(axes, np.unravel_index(start + np.arange(n), shape), strict=True))
            planes = np.stack([np.full(n, number), *(at[axis] for axis in "TZC")], axis=1)
            found.setdefault(key, []).append((planes, int(data.get("IFD", 0)) + np.arange(n)))
    if len(lengths) != 1:
        raise InputError(
            "the images of this recording differ in length, and they are in several files",
            "export the movie alone",
            place=path,
        )
    lists = {
        key: (np.concatenate([one for one, _ in some]), np.concatenate([one for _, one in some]))
        for key, some in found.items()
    }
    none = np.empty((0, 4), np.int64)
    planes, places = lists.pop(own, (none, none[:, 0]))
    sizes = (len(images), *lengths.pop())
    recording = "\n".join(sorted(uuids))
    return Share(path, recording, True, sizes, planes, places, named, "OME", uuid=own, lists=lists)


def _pixels(images: Sequence[ElementTree.Element]) -> Iterator[tuple[int, ElementTree.Element]]:
    """Yield the pixels of each image with its number."""
    for number, image in enumerate(images):
        for one in image:
            if _local(one.tag) == "Pixels":
                yield number, one


def _ndtiff(path: Path) -> Share:
    """By the index in the folder of an NDTiff file."""
    index = path.parent / INDEX
    about = index.stat() if index.is_file() else None
    listed = read_index(index, about.st_mtime_ns, about.st_size) if about else None
    if listed is None or path.name not in listed[1]:
        raise InputError(
            f"an NDTiff file that no {INDEX} beside it lists: whether it is whole cannot be known",
            f"copy the whole folder as it was written, with {INDEX}, and keep the names of its "
            "files; or open the movie in ImageJ and save it as TIFF",
            place=path,
        )
    sizes, entries, names = listed
    planes, places = entries[path.name]
    others = dict.fromkeys((name for name in entries if name != path.name), "")
    return Share(path, str(index.resolve()), True, sizes, planes, places, others, "NDTiff", names)


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def refuse_ome_traps(path: Path, text: str) -> None:
    """Look at an OME text before it is parsed, and before room is made for all it promises."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # entities can unfold to any length
        raise InputError(
            "its OME text defines a document type, which no microscope's program writes",
            "open the movie in ImageJ and save it as TIFF",
            place=path,
        )
    for pixels in re.findall(r"<(?:\w+:)?Pixels\b[^>]*>", text):
        sizes = {axis: int(n) for axis, n in re.findall(r"\bSize([XYZCT])\s*=\s*.(\d+)", pixels)}
        height, width = sizes.pop("Y", 1), sizes.pop("X", 1)
        plausible(path, math.prod(sizes.values()) or 1, height=height, width=width)
