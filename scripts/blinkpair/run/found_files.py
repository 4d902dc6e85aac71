"""Which files make which field, as far as their names and headers show.

The words of a path decide the field, the epoch and the temperature; the number of frames decides
whether a file is a brightfield image or a movie. What stays open is left empty.

Input: a folder. Output: rows of a sample sheet, and the files that have no place in it with the
reason.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from blinkpair.errors import InputError
from blinkpair.inputs.columns import PATH_COLUMNS
from blinkpair.inputs.headers import Header, read_headers
from blinkpair.treatments import CONTROL, TEMPERATURE

SUFFIXES = (".nd2", ".tif", ".tiff", ".btf", ".tf8", ".sif", ".sifx", ".png", ".jpg", ".jpeg")
MOST_IMAGES = 20  # frames of a brightfield image at most; a movie has hundreds
MOST_FILES = 20_000
_EPOCHS = {
    "pre": re.compile(
        r"pre|before|bef|b4|initial|(pre|un)(anneal|treat)[a-z]*|vor|vorher|ungetempert"
    ),
    "post": re.compile(
        r"post|after|aft|post(anneal|treat)[a-z]*|anneal(ed)?|nach|nachher|getempert"
    ),
}
NO_EPOCH = "its name holds no word for the epoch"
EPOCH_WORDS = "pre, before, initial, unannealed, vorher; post, after, annealed, nachher"
# Words for the kind of a file, which is taken from its number of frames instead.
_KINDS = re.compile(
    r"bf|bright|brightfields?|fields?|trans|transmission|dia|dic|wf|pl|movies?|videos?|blink"
    r"|blinking"
    r"|fluo|fluorescence|fl|streams?|spool|images?|hellfeld|hf|durchlicht|filme?|bild(er)?"
    r"|annealing|tempern|dem"
)
_TEMPERATURE = re.compile(r"(-?\d+(?:\.\d+)?)(?:c|°c|oc|degc|deg|degrees|grad)")
_SPACED_TEMPERATURE = re.compile(r"(?<=\d)\s+(?=(?:°c|deg|grad)\b)", re.IGNORECASE)
# 2024-05-02, 02.05.2024 and the like are one word.
_DATE = re.compile(r"(?<!\d)(\d{4}|\d\d)[-_.](\d\d)[-_.](\d{4}|\d\d)(?!\d)")
# Words that may differ between the files of one field: date, exposure, number of a recording.
_OF_RECORDING = re.compile(r"\d{6}|\d{8}|\d{3,4}|\d+(\.\d+)?ms|(run|take|rec|acq)\d*")
_CONTROL = re.compile(r"control|ctrl|ctl|remounted|kontrolle")


@dataclass(frozen=True)
class FoundFiles:
    """What a folder holds.

    Attributes
    ----------
    rows : list of dict
        Rows of a sample sheet by column; '' where nothing was found.
    without_place : dict of str to str
        File -> why it is in no row.
    joined : dict of str to str
        First file of a field whose names differ -> the words in which they differ.
    movies : list of Header
        Of the movies in rows.
    """

    rows: list[dict[str, str]] = field(default_factory=list)
    without_place: dict[str, str] = field(default_factory=dict)
    movies: list[Header] = field(default_factory=list)
    joined: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Place:
    words: tuple[str, ...]  # of the field's name
    temperature: str
    column: str
    path: str


def find_files(folder: str | Path, base: str | Path = "") -> FoundFiles:
    """Return the fields whose files lie below a folder.

    Parameters
    ----------
    folder : path
    base : path, optional
        The folder of the experiment; files below it get relative paths.

    Raises
    ------
    InputError
        If there is no such folder, or it holds too many files.
    """
    root = Path(folder).resolve()
    if not root.is_dir():
        raise InputError("there is no such folder", "name the one with your movies", place=folder)
    paths = _paths(root)
    headers = read_headers(map(str, paths))
    found = FoundFiles()
    used: set[str] = set()
    places = []
    for path in sorted(map(str, paths), key=_natural):
        header = headers[path]
        shown = _shown(path, base)
        if isinstance(header, InputError):
            found.without_place[shown] = f"it cannot be read: {header.what}"
        elif path not in used:
            parts = {state.path for state in header.files} - {path}
            used |= parts
            place = _place(Path(path).relative_to(root), shown, header)
            if place.column:
                places.append(place)
            else:
                found.without_place[shown] = NO_EPOCH
    fields = _joined(_by_words(places), found.joined)
    chosen = _rows(fields, found.without_place, root.name)
    found.rows.extend(chosen)
    of_rows = {row[c] for row in chosen for c in PATH_COLUMNS if c.endswith("_pl")}
    for path, header in headers.items():
        if isinstance(header, Header) and _shown(path, base) in of_rows:
            found.movies.append(header)
    return found


def _paths(root: Path) -> list[Path]:
    paths: list[Path] = []
    for parent, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "results")))
        paths += [Path(parent) / n for n in sorted(names) if n.lower().endswith(SUFFIXES)]
        if len(paths) > MOST_FILES:
            raise InputError(
                f"there are more than {MOST_FILES} images and movies here",
                "name a folder with those of the experiment alone",
                place=root,
            )
    return paths


def _shown(path: str, base: str | Path) -> str:
    own = Path(base).resolve()
    return str(Path(path).relative_to(own)) if Path(path).is_relative_to(own) else path


def _place(relative: Path, shown: str, header: Header) -> _Place:
    """Return the place of a file in the sheet, by the words of its path."""
    stem = relative.name[: -len(relative.suffix)].removesuffix(".ome")
    parts = (
        _DATE.sub(r"\1\2\3", _SPACED_TEMPERATURE.sub("", part))
        for part in (*relative.parts[:-1], stem)
    )
    words = [w for part in parts for w in re.split(r"[\s_\-(),=]+", part)]
    epoch, temperature, own = "", "", []
    for word in filter(None, words):
        lower = word.lower()
        of = next((e for e, pattern in _EPOCHS.items() if pattern.fullmatch(lower)), "")
        if of:
            epoch = of
        elif match := _TEMPERATURE.fullmatch(lower):
            temperature = f"{float(match[1]):g}"
        elif _CONTROL.fullmatch(lower):
            temperature = CONTROL
        elif not _KINDS.fullmatch(lower):
            own.append(word)
    kind = "brightfield" if header.frames <= MOST_IMAGES else "pl"
    return _Place(tuple(own), temperature, f"{epoch}_{kind}" if epoch else "", shown)


def _by_words(places: Iterable[_Place]) -> list[list[_Place]]:
    """Return the files of each field: those with the same words in their names."""
    fields: dict[tuple[str, ...], list[_Place]] = {}
    for place in places:
        fields.setdefault(tuple(word.lower() for word in place.words), []).append(place)
    return list(fields.values())


def _joined(fields: Iterable[list[_Place]], differ: dict[str, str]) -> list[list[_Place]]:
    """Join incomplete fields whose names differ in words of the recording alone.

    Only where no column is there twice and the temperature is one: dates and numbers of
    recordings may also be all that distinguishes two fields. `differ` gets the first file of each
    joined field -> the words in which its files differ.
    """
    result: list[list[_Place]] = []
    partial: dict[tuple[str, ...], list[list[_Place]]] = {}
    for own in fields:
        if {place.column for place in own} == set(PATH_COLUMNS):
            result.append(own)
        else:
            partial.setdefault(_lasting(own[0].words), []).append(own)
    for groups in partial.values():
        places = [place for own in groups for place in own]
        temperatures = {place.temperature for place in places} - {""}
        columns = {place.column for place in places}
        if len(groups) > 1 and len(columns) == len(places) and len(temperatures) < 2:
            everywhere = set.intersection(*({*place.words} for place in places))
            other = [w for place in places for w in place.words if w not in everywhere]
            differ[places[0].path] = ", ".join(dict.fromkeys(other))
            kept = tuple(w for w in places[0].words if w in everywhere)
            result.append([replace(place, words=kept) for place in places])
        else:
            result += groups
    return result


def _lasting(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(word.lower() for word in words if not _OF_RECORDING.fullmatch(word.lower()))


def _rows(
    fields: Sequence[list[_Place]], without_place: dict[str, str], folder: str
) -> list[dict[str, str]]:
    """Return a row a field; a file without a temperature belongs to each of the field's.

    Files whose names hold the epoch alone are of a field that is called as their folder.
    """
    rows: list[dict[str, str]] = []
    annealed = [
        list(dict.fromkeys(p.temperature for p in own if p.temperature)) or [""] for own in fields
    ]
    # One name for two temperatures: then the names of all fields begin with theirs.
    shared = any(len(temperatures) > 1 for temperatures in annealed)
    for own, temperatures in zip(fields, annealed, strict=True):
        for temperature in temperatures:
            words = own[0].words
            if temperature and (shared or not words):
                words = (temperature if temperature == CONTROL else f"{temperature}C", *words)
            row = dict.fromkeys(("field", TEMPERATURE, *PATH_COLUMNS), "")
            row["field"] = _name(words) or _name([folder]) or "field"
            row[TEMPERATURE] = temperature
            for place in own:
                if place.temperature not in ("", temperature):
                    continue
                if row[place.column]:
                    first = row[place.column]
                    without_place[place.path] = f"{first} has its place, {place.column}"
                else:
                    row[place.column] = place.path
            rows.append(row)
    return _with_own_names(rows)


def _name(words: Iterable[str]) -> str:
    text = re.sub(r"[^A-Za-z0-9._-]+", "_", "_".join(words)).lstrip(".-").strip("_")
    return text[:100]


def _with_own_names(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    seen: dict[str, int] = {}
    for row in rows:
        number = seen[row["field"].lower()] = seen.get(row["field"].lower(), 0) + 1
        if number > 1:
            row["field"] += f"_{number}"
    return rows


def _natural(text: str) -> list[tuple[int, str]]:
    return [(int(n or 0), word) for n, word in re.findall(r"(\d*)(\D*)", text)]


def missing(movies: Iterable[Header], quantity: Callable[[Header], float | None]) -> int:
    """Return how many movies do not hold a quantity."""
    return sum(quantity(movie) is None for movie in movies)


def empty_cells(rows: Iterable[Mapping[str, str]]) -> dict[str, int]:
    """Return how many cells of a sheet are still to be filled in, by column."""
    counts = Counter(column for row in rows for column, cell in row.items() if not cell)
    return dict(counts)
