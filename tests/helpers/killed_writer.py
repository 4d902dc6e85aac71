"""Kill a process that writes results without a pause, at random moments, again and again.

Run as `python tests/helpers/killed_writer.py FOLDER KILLS` with `scripts` on the path. It prints as
JSON the number of kills, of files left aside, and the names of visible files that were damaged.
Processes are forked here, away from the threads of who asks.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from itertools import cycle
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from blinkpair import files

SEED = 8
LONGEST_S = 0.04  # a round of files takes about 0.02 s


def write(folder: Path, version: int) -> None:
    """Write one file of each kind; what stands in them follows from the version."""
    rows = pd.DataFrame(np.random.default_rng(version).normal(size=(500, 3)), columns=list("abc"))
    files.write_csv(rows, folder / "table.csv")
    files.join_csv([folder / "table.csv"], folder / "joined.csv")
    files.write_json({"version": version, "rows": rows.to_numpy()}, folder / "info.json")
    files.write_text(f"<p>{version}</p>\n" * 20_000, folder / "report.html")
    files.write_netcdf(xr.Dataset({"a": ("row", rows["a"].to_numpy())}), folder / "traces.nc")


def write_for_ever(folder: Path) -> None:
    for version in cycle((1, 2)):
        write(folder, version)


def main(folder: Path, kills: int) -> None:
    allowed: dict[str, set[bytes]] = {}
    for version in (1, 2):
        write(folder, version)
        for path in folder.iterdir():
            allowed.setdefault(path.name, set()).add(path.read_bytes())
    draw = random.Random(SEED)
    left, damaged = 0, []
    for _ in range(kills):
        before = {path.name for path in folder.glob(".*")}
        writer = os.fork()
        if writer == 0:
            write_for_ever(folder)
        time.sleep(draw.uniform(0.0, LONGEST_S))
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
        left += len({path.name for path in folder.glob(".*")} - before)
        damaged += [
            path.name
            for path in folder.glob("[!.]*")
            if path.read_bytes() not in allowed.get(path.name, ())
        ]
    write(folder, 1)
    still = len(list(folder.glob(".*")))
    print(json.dumps({"kills": kills, "left": left, "still left": still, "damaged": damaged}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
