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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
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
class OmeText:
    """What an OME text has on the files of a recording.

    Attributes
    ----------
    key : str
        The UUIDs of all files.
    names : mapping
        UUID -> name of the file.
    rows : mapping
        UUID -> (n, 4) int64 array: image, first plane, first page and number of planes; a number
        of 0 for all pages, the UUID '' for the file itself.
    orders : tuple of (axes, lengths)
        Of each image, slowest first.
    lengths : tuple of tuple of int
        Frames, z planes and channels of each image.
    master : (name, UUID) or None
        The file that has the text on the whole, where this one has not.
    """

    key: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, IntArray] = field(default_factory=dict)
    orders: tuple[tuple[str, tuple[int, ...]], ...] = ()
    lengths: tuple[tuple[int, ...], ...] = ()
    master: tuple[str, str] | None = None


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
    text : OmeText or None
        The text on the whole.
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
    text: OmeText | None = field(default=None, repr=False, compare=False)
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
    leading = [share for share in shares if share.text is not None]
    complete = []
    for share in shares:
        for lead in leading if not share.leads else ():
            if lead.text is not None and share.uuid in lead.text.rows:
                planes, places = _listed_planes(lead.text, share.uuid, share.path)
                share = replace(
                    share, recording=lead.recording, sizes=lead.sizes, planes=planes, places=places
                )
                break
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
    if "UUID" not in text:
        return None
    root_id = _OWN_UUID.search(text)
    own = root_id[1].lower() if root_id else ""
    # Apart from the UUID of each file, all of them hold the same text.
    at = root_id.span(1) if root_id else (0, 0)
    same = text[: at[0]] + text[at[1] :]
    uuids = _uuids(same)
    if not uuids - {own} and "BinaryOnly" not in text:
        return None
    try:
        whole = _parse_ome(same)
    except InputError as error:
        raise InputError(error.what, error.hint, path) from None
    if whole is None:
        return None
    none = np.empty((0, 4), np.int64)
    if whole.master is not None:
        name, key = whole.master
        others = {name: key}
        return Share(
            path, own, True, (1,) * 4, none, none[:, 0], others, "OME", uuid=own, leads=False
        )
    if len(set(whole.lengths)) != 1:
        raise InputError(
            "the images of this recording differ in length, and they are in several files",
            "export the movie alone",
            place=path,
        )
    if not own:
        keys = [key for key, name in whole.names.items() if name.lower() == path.name.lower()]
        own = next(iter(uuids if len(uuids) == 1 else keys), "")  # whatever a lone file is called
    planes, places = _listed_planes(whole, own, path)
    others = {name: key for key, name in whole.names.items() if key != own}
    sizes = (len(whole.lengths), *whole.lengths[0])
    return Share(path, whole.key, True, sizes, planes, places, others, "OME", uuid=own, text=whole)


@lru_cache(maxsize=4)
def _uuids(text: str) -> frozenset[str]:
    """The UUIDs of the files that an OME text lists."""
    return frozenset(one.lower() for one in _UUIDS.findall(text))


@lru_cache(maxsize=4)
def _parse_ome(text: str) -> OmeText | None:
    """Read what an OME text has on the files of a recording; None where it cannot be followed."""
    refuse_ome_traps(Path(), text)
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return None
    images = [one for one in root if _local(one.tag) == "Image"]
    master = next((one for one in root if _local(one.tag) == "BinaryOnly"), None)
    if not images:
        if master is None:
            return None
        return OmeText(master=(master.get("MetadataFile", ""), master.get("UUID", "").lower()))
    names: dict[str, str] = {}
    rows: dict[str, list[tuple[int, ...]]] = {}
    orders: list[tuple[str, tuple[int, ...]]] = []
    for image in images:
        pixels = next((one for one in image if _local(one.tag) == "Pixels"), None)
        if pixels is None:
            return None
        axes = pixels.get("DimensionOrder", "XYCZT")[:1:-1]  # slowest first
        shape = tuple(int(pixels.get(f"Size{axis}", 1)) for axis in axes)
        for data in pixels:
            if _local(data.tag) != "TiffData":
                continue
            uuid = next((one for one in data if _local(one.tag) == "UUID"), None)
            key = ""
            if uuid is not None:
                key = (uuid.text or "").strip().lower()
                names[key] = uuid.get("FileName", "")
            first = [int(data.get(f"First{axis}", 0)) for axis in axes]
            start = sum(k * math.prod(shape[i + 1 :]) for i, k in enumerate(first))
            count = data.get("PlaneCount", data.get("NumPlanes", int("IFD" in data.attrib)))
            row = (len(orders), start, int(data.get("IFD", 0)), int(count))
            rows.setdefault(key, []).append(row)
        orders.append((axes, shape))
    lengths = tuple(tuple(shape[axes.index(axis)] for axis in "TZC") for axes, shape in orders)
    found = {key: np.array(some, np.int64) for key, some in rows.items()}
    key = "\n".join(sorted(_uuids(text)))
    return OmeText(key, names, found, tuple(orders), lengths)


def _listed_planes(text: OmeText, key: str, path: Path) -> tuple[IntArray, IntArray]:
    """Planes and page numbers of the file of a UUID."""
    planes, places = [np.empty((0, 4), np.int64)], [np.empty(0, np.int64)]
    # What is listed without a UUID is in the file itself.
    own = [text.rows[one] for one in {key, ""} if one in text.rows]
    for image, (axes, shape) in enumerate(text.orders):
        for rows in own:
            _, start, page, count = rows[rows[:, 0] == image].T
            if (count == 0).any():  # all pages of the file
                count = np.where(count == 0, len(read_pages(path)), count)
            count = np.clip(count, 0, np.maximum(math.prod(shape) - start, 0))
            step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
            at = dict(
                zip(axes, np.unravel_index(np.repeat(start, count) + step, shape), strict=True)
            )
            number = np.full(step.size, image)
            planes.append(np.stack([number, *(at[axis] for axis in "TZC")], axis=1))
            places.append(np.repeat(page, count) + step)
    return np.concatenate(planes), np.concatenate(places)


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
    """Check an OME text before it is parsed and memory is allocated for the frames it states."""
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
