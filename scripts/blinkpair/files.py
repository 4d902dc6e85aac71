"""Reading and writing results: never half a file, always the same bytes.

Every file is written under another name, brought to the disk and renamed. Under the final name
there is all of it or nothing: beside a running job, after a crash, after a power cut.

Input: tables, mappings, texts, datasets. Output: files, and the same read back.
"""

from __future__ import annotations

import io
import json
import math
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from blinkpair.errors import InputError, describe_write_errors
from blinkpair.treatments import TEMPERATURE, TREATMENT, as_in_files, as_in_library

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

TEXT_COLUMNS = (
    "field",
    TEMPERATURE,
    TREATMENT,
    "sample",
    "epoch",
    "state",
    "excluded_because",
    "interval_method",
    "recipe",
    "same_nanocrystals_as",
    "epoch_order",
    *("verdict", "why", "by", "date", "outcome"),
)
TEXT_PREFIXES = ("population", "blinking_", "photostability_", "reason", "threshold_from_")
PIECE_ROWS = 100_000  # of a table that is read compactly
BATCH_BYTES = 16 << 20  # as text; as numbers it is about as much again


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a path to write to; it takes the final name once the block ends without an error.

    Raises
    ------
    blinkpair.errors.WriteError
        If the disk is full or the folder cannot be written, with what to do.
    """
    final = Path(path)
    before, after = f".{final.stem}.", f".part{final.suffix}"
    aside = final.with_name(f"{before}{os.getpid()}{after}")
    with describe_write_errors(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(final.parent, before, after)
        try:
            yield aside
            # A name can reach the disk before what it names: after a power cut the file would
            # be there, and empty. It is also here that a network disk reports that it is full.
            with aside.open("rb+") as written:
                os.fsync(written.fileno())
            aside.replace(final)
        finally:
            aside.unlink(missing_ok=True)


def _remove_leftovers(folder: Path, before: str, after: str) -> None:
    """Remove what processes left aside that were killed while they wrote the same file."""
    for name in os.listdir(folder):  # noqa: PTH208 (a folder may hold 30,000 figures)
        if name.startswith(before) and name.endswith(after):
            writer = name[len(before) : -len(after)]
            if writer.isdecimal() and not is_running(int(writer)):
                (folder / name).unlink(missing_ok=True)


def is_running(process: int) -> bool:
    """Return whether there is such a process on this machine; True where that is unknown.

    That of another machine may be taken for gone: what it wrote aside is lost then, and it fails.
    """
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def plain_values(value: Any) -> Any:
    """Make a value JSON can hold: NumPy's as Python's, NaN and infinity as null."""
    if isinstance(value, Mapping):
        return {str(k): plain_values(v) for k, v in value.items()}
    if hasattr(value, "tolist"):
        return plain_values(value.tolist())
    if isinstance(value, list | tuple):
        return [plain_values(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_json(content: Mapping[str, Any], path: str | Path) -> None:
    """Write a mapping as JSON; NaN becomes null."""
    with atomic_write(path) as aside:
        aside.write_text(
            json.dumps(plain_values(content), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )


def read_json(path: str | Path) -> dict[str, Any]:
    """Read a JSON object."""
    content: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return content


def write_csv(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table with a header, '.' as decimal point, six significant digits, LF line ends.

    Treatments are written in the form of files (see `treatments`).
    """
    table = as_in_files(table)
    with atomic_write(path) as aside:
        table.to_csv(aside, index=False, float_format="%.6g", lineterminator="\n", encoding="utf-8")


def read_csv(
    path: str | Path, columns: Iterable[str] | None = None, *, piece_rows: int = PIECE_ROWS
) -> pd.DataFrame:
    """Read a table written by `write_csv`; names and treatments stay text, '' stays ''.

    Treatments come in the form of the library (see `treatments`).

    Parameters
    ----------
    path : path
    columns : iterable of str, optional
        The only columns to read, as far as the file has them. Texts then come as categories, in
        alphabetical order: a table of millions of rows has few different ones, and a category
        takes one or two bytes a row.
    piece_rows : int
        Rows that are read at a time where columns are chosen.
    """
    with Path(path).open("rb") as table:
        return _parsed(table, columns, piece_rows)


def read_batches(
    paths: Iterable[str | Path], columns: Iterable[str], *, batch_bytes: int = BATCH_BYTES
) -> Iterator[pd.DataFrame]:
    """Read tables of one header, as many at a time as make up some text.

    Parameters
    ----------
    paths : iterable of path
        The tables; thousands of small ones are read as fast as one large one.
    columns : iterable of str
        As in `read_csv`.
    batch_bytes : int
        Text after which the rows so far are handed out.

    Yields
    ------
    DataFrame
        The rows of whole tables, in their order.

    Raises
    ------
    InputError
        If the headers differ.
    """
    wanted = list(columns)
    header, parts, waiting = b"", [], 0
    for own_header, table in _rows_of(paths):
        header = own_header
        parts.append(table.read())
        waiting += len(parts[-1])
        if waiting >= batch_bytes:
            yield _parsed(io.BytesIO(b"".join([header, *parts])), wanted)
            parts, waiting = [], 0
    if waiting:
        yield _parsed(io.BytesIO(b"".join([header, *parts])), wanted)


def join_csv(paths: Iterable[str | Path], output: str | Path) -> None:
    """Write the rows of several tables below each other, as they stand, under their one header.

    Raises
    ------
    InputError
        If the headers differ.
    """
    with atomic_write(output) as aside, aside.open("wb") as joined:
        for place, (header, table) in enumerate(_rows_of(paths)):
            if place == 0:
                joined.write(header)
            shutil.copyfileobj(table, joined)


def _parsed(
    table: IO[bytes], columns: Iterable[str] | None, piece_rows: int = PIECE_ROWS
) -> pd.DataFrame:
    import pandas as pd

    start = table.tell()
    header = pd.read_csv(table, nrows=0, encoding="utf-8").columns
    table.seek(start)
    chosen = set(header if columns is None else columns)
    if TEMPERATURE in chosen:
        chosen.add(TREATMENT)
    wanted = [name for name in header if name in chosen]
    text = [name for name in wanted if name in TEXT_COLUMNS or name.startswith(TEXT_PREFIXES)]
    # Only in numbers is anything missing: a field may be called NA, or null.
    missing = {name: [""] for name in wanted if name not in text}
    settings: dict[str, Any] = {
        "encoding": "utf-8",
        "dtype": dict.fromkeys(text, str),
        "keep_default_na": False,
        "na_values": missing,
    }
    if columns is None:
        # The copy joins the columns: each is a block of its own, and pandas warns of a hundred.
        return as_in_library(pd.read_csv(table, **settings)).copy()
    with pd.read_csv(table, usecols=wanted, chunksize=piece_rows, **settings) as pieces:
        return as_in_library(_compact(pieces, wanted, set(text)))


def _compact(pieces: Iterable[pd.DataFrame], columns: list[str], text: set[str]) -> pd.DataFrame:
    """Return the table of some pieces, texts as categories.

    The categories that pandas itself reads are numbers where all texts look like some: 007 is 7.
    """
    import numpy as np
    import pandas as pd

    values: dict[str, list[Any]] = {name: [] for name in columns}
    places: dict[str, dict[str, int]] = {name: {} for name in text}
    for piece in pieces:
        for name in columns:
            if name in text:
                codes, found = pd.factorize(piece[name])
                known = places[name]
                place = np.array([known.setdefault(str(t), len(known)) for t in found], np.int32)
                values[name].append(place[codes])
            else:
                values[name].append(piece[name].to_numpy())
    joined: dict[str, Any] = {}
    for name in columns:
        # Column by column, so that no two tables are there at once.
        column: Any = np.concatenate(values.pop(name) or [np.zeros(0, np.int32)])
        if name in text:
            ordered = sorted(places[name])
            rank = np.argsort(np.argsort(list(places[name])))
            codes = rank[column] if len(ordered) else column
            column = pd.Categorical.from_codes(codes, pd.Index(ordered, dtype=str))
        joined[name] = column
    return pd.DataFrame(joined, copy=False)


def _rows_of(paths: Iterable[str | Path]) -> Iterator[tuple[bytes, IO[bytes]]]:
    """Open tables one after the other, each at its first row; their headers have to be equal."""
    first: tuple[str | Path, bytes] | None = None
    for path in paths:
        with Path(path).open("rb") as table:
            header = table.readline()
            while header.count(b'"') % 2:  # a line break within quotes
                header += table.readline()
            first = first or (path, header)
            if header != first[1]:
                raise _differing(path, header, *first)
            yield header, table


def _differing(
    path: str | Path, header: bytes, first: str | Path, first_header: bytes
) -> InputError:
    own, other = (text.decode("utf-8").strip().split(",") for text in (header, first_header))
    lacks, more = ([n for n in a if n not in b] for a, b in ((other, own), (own, other)))
    what = [f"lacks {', '.join(lacks)}"] if lacks else []
    what += [f"has {', '.join(more)} besides"] if more else []
    return InputError(
        f"the columns are not those of {first}: this table "
        f"{' and '.join(what) or 'has them in another order'}",
        "remove the one that was made with other settings or another version, and start again",
        place=path,
    )


def lines_of_fields(path: str | Path, fields: Iterable[str]) -> str:
    """Return the header and the lines of some fields of a table, unchanged.

    The field is the table's first column, and a name that needs no quotes.
    """
    wanted = set(fields)
    kept, row = [], ""
    with Path(path).open(encoding="utf-8", newline="") as table:
        kept.append(next(table))
        for line in table:
            row += line
            if row.count('"') % 2:  # a line break within quotes
                continue
            if row.partition(",")[0] in wanted:
                kept.append(row)
            row = ""
    return "".join(kept)


def write_bytes(content: bytes | memoryview, path: str | Path) -> None:
    """Write bytes as they are."""
    with atomic_write(path) as aside:
        aside.write_bytes(content)


def write_text(text: str, path: str | Path) -> None:
    """Write a text as it is, in UTF-8."""
    write_bytes(text.encode("utf-8"), path)


def read_netcdf(path: str | Path) -> xr.Dataset:
    """Read all of a NetCDF-4 file."""
    import xarray as xr

    return xr.load_dataset(path, engine="h5netcdf")


def write_netcdf(dataset: xr.Dataset, path: str | Path) -> None:
    """Write a NetCDF-4 file; the same dataset gives the same bytes.

    It is put together in memory: where the disk is full, HDF5 ends the whole process when it
    closes a file of its own, without an error message.
    """
    write_bytes(dataset.to_netcdf(engine="h5netcdf"), path)
