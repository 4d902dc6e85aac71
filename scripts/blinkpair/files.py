"""Reading and writing results: never half a file, always the same bytes.

Every file is written aside and renamed, so that whoever looks under the final name sees
all of it or nothing.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

TEXT_COLUMNS = {"field": str, "temperature_c": str, "sample": str}


@contextmanager
def written_aside(path: str | Path) -> Iterator[Path]:
    """Yield a path to write to; it takes the final name once the block ends without an error."""
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    aside = final.with_name(f".{final.stem}.{os.getpid()}.part{final.suffix}")
    try:
        yield aside
        aside.replace(final)
    finally:
        aside.unlink(missing_ok=True)


def _plain(value: Any) -> Any:
    """Make a value JSON can hold: NumPy's as Python's, NaN and infinity as null."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_json(content: Mapping[str, Any], path: str | Path) -> None:
    """Write a mapping as JSON; NaN becomes null."""
    with written_aside(path) as aside:
        aside.write_text(
            json.dumps(_plain(content), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )


def read_json(path: str | Path) -> dict[str, Any]:
    """Read a JSON object."""
    content: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return content


def write_csv(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table with a header, '.' as decimal point, six significant digits, LF line ends."""
    with written_aside(path) as aside:
        table.to_csv(aside, index=False, float_format="%.6g", lineterminator="\n", encoding="utf-8")


def read_csv(path: str | Path) -> pd.DataFrame:
    """Read a table written by `write_csv`; names and temperatures stay text, '' stays ''."""
    import pandas as pd

    header = pd.read_csv(path, nrows=0, encoding="utf-8").columns
    text = {name: kind for name, kind in TEXT_COLUMNS.items() if name in header}
    text |= {
        name: str
        for name in header
        if name in ("excluded_because", "population", "interval_method")
        or name.startswith(("blinking_", "photostability_", "reason", "threshold_from_"))
    }
    # Only in numbers is anything missing: a field may be called NA, or null.
    missing = {name: [""] for name in header if name not in text}
    return pd.read_csv(path, encoding="utf-8", dtype=text, keep_default_na=False, na_values=missing)


def lines_of_fields(path: str | Path, fields: Iterable[str]) -> str:
    """Return the header and the lines of some fields of a table, as they stand in the file.

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


def write_text(text: str, path: str | Path) -> None:
    """Write a text as it is, in UTF-8."""
    with written_aside(path) as aside:
        aside.write_bytes(text.encode("utf-8"))


def write_netcdf(dataset: xr.Dataset, path: str | Path) -> None:
    """Write a NetCDF-4 file; the same dataset gives the same bytes."""
    with written_aside(path) as aside:
        dataset.to_netcdf(aside, engine="h5netcdf")
