#!/usr/bin/env bash
# fastparquet 2026.9.0 and pyarrow 26.0.1: durations of 20 and 40 ms that pyarrow wrote to Parquet are 20,000,000 and
# 40,000,000 to fastparquet, or 20,000 or 20, and those that fastparquet wrote are times of day to pyarrow.
#
# A table of durations, dtype timedelta64, saved by pandas with one of the two and read by the other; pandas takes
# whichever is installed. Each reads its own file right. One expects durations, or an error: the column's dtype is in
# the metadata for pandas, which both write and read. pyarrow stores plain integers and a note of its own about the
# unit, which fastparquet does not read: the numbers are in the unit that the column happened to have, ns, us or ms,
# and nothing says which. fastparquet stores a time of day: pyarrow returns 00:00:00.020000, half an hour past midnight
# for a duration of half an hour; one of 26 h is an error.
# A remedy: durations as numbers, with the unit in the name of the column.
#
# Seen: pyarrow to fastparquet int64: ns 20000000, us 20000, ms 20; fastparquet to pyarrow datetime.time 00:00:00.020000
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  fastparquet==2026.9.0 pyarrow==26.0.1 pandas==2.3.3 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import datetime
import sys

import pandas as pd

EXPOSURES = pd.to_timedelta([20, 40], unit="ms")
EXPECTED = {"ns": 20_000_000, "us": 20_000, "ms": 20}


def through(unit, writer, reader):
    """The column as it is read from the file that was written."""
    pd.DataFrame({"exposure": EXPOSURES.astype(f"timedelta64[{unit}]")}).to_parquet("table.parquet", engine=writer)
    return pd.read_parquet("table.parquet", engine=reader)["exposure"]


as_seen = True
for unit, number in EXPECTED.items():
    for engine in ("pyarrow", "fastparquet"):
        itself = through(unit, engine, engine)
        as_seen &= itself.dtype.kind == "m" and list(itself) == list(EXPOSURES)
    arrow, fast = through(unit, "pyarrow", "fastparquet"), through(unit, "fastparquet", "pyarrow")
    print(f"{unit}: pyarrow to fastparquet {arrow.dtype} {arrow.tolist()}; fastparquet to pyarrow {fast.tolist()}")
    as_seen &= arrow.dtype == "int64" and arrow[0] == number and fast[0] == datetime.time(microsecond=20_000)
sys.exit(0 if as_seen else 1)
PYTHON
