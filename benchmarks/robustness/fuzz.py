"""What becomes of damaged files: tens of thousands of mutants, each read under an alarm.

A mutant may be read or be refused with an `InputError`. Anything else is a fault, reported with the
seed that makes it again; so are more than ten seconds, and more than 600 MB, as much as the largest
frame that is accepted. Input: the sound files of `tests/helpers/mutants.py`. Output: a table of
what was tried, how often, and what happened.

Run as `PYTHONPATH=scripts python -m benchmarks.robustness.fuzz [--share 0.1]`.
"""

from __future__ import annotations

import argparse
import collections
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import numpy as np
import pandas as pd

from tests.helpers import mutants

SECONDS, MEGABYTES = 10, 600
_PART = 500
ABOUT = (
    "Sound files of each kind were cut, spliced and had bytes and numbers of their headers "
    "changed, by fixed seeds; each mutant was opened and read to its end. It may be read or be "
    f"refused with a message; more than {SECONDS} s, more than {MEGABYTES} MB, a warning or any "
    "other error would be a fault."
)


@dataclass(frozen=True)
class Kind:
    """Sound files of a kind, how they are spoilt and read, and how many mutants are made."""

    name: str
    suffix: str
    number: int
    sound: Callable[[], list[bytes]]
    spoil: Callable[[bytes, np.random.Generator, list[bytes]], bytes]
    read: Callable[[Path], None]


KINDS = (
    Kind("TIFF of 14 kinds", "tif", 20_000, mutants.tiffs, mutants.damage, mutants.read_movie),
    Kind("ND2", "nd2", 5_000, mutants.nd2s, mutants.damage, mutants.read_movie),
    Kind("Andor SIF", "sif", 5_000, mutants.sifs, mutants.damage, mutants.read_movie),
    Kind("sample sheet", "tsv", 20_000, mutants.sheets, mutants.scribble, mutants.read_sheet),
    Kind("configuration", "yaml", 20_000, mutants.configs, mutants.scribble, mutants.read_config),
)


def _some_fates(kind: int, seeds: range) -> list[str]:
    """Fates of the mutants with these seeds."""
    how = KINDS[kind]
    sound = how.sound()
    fates = []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")  # so that a warning is a fault too
        path = Path(folder) / f"mutant.{how.suffix}"
        for seed in seeds:
            rng = np.random.default_rng([kind, seed])
            path.write_bytes(how.spoil(sound[seed % len(sound)], rng, sound))
            try:
                with mutants.limits(SECONDS, MEGABYTES):
                    fates.append(mutants.fate(how.read, path))
            except Exception as error:
                fates.append(f"{type(error).__name__} (seed {seed})")
    return fates


def fuzz_table(pool: Executor, share: float = 1.0) -> pd.DataFrame:
    """Try all kinds.

    Parameters
    ----------
    pool : Executor
        Of processes.
    share : float
        Share of the mutants that are made.

    Returns
    -------
    DataFrame
        `tried`, `number` and, in words, `outcome`.
    """
    rows = []
    for k, kind in enumerate(KINDS):
        number = round(share * kind.number)
        parts = [range(i, min(i + _PART, number)) for i in range(0, number, _PART)]
        counts = collections.Counter(
            fate for fates in pool.map(_some_fates, repeat(k), parts) for fate in fates
        )
        refused, read = counts.pop("refused", 0), counts.pop("read", 0)
        wrong = ", ".join(f"{n} {fault}" for fault, n in counts.items()) or "none otherwise"
        outcome = f"{refused:,} refused with a message, {read:,} read, {wrong}"
        rows.append({"tried": f"{kind.name}, damaged", "number": number, "outcome": outcome})
    return pd.DataFrame(rows)


def rows() -> list[dict[str, object]]:
    """Try all mutants, in two processes."""
    with ProcessPoolExecutor(2) as processes:
        return fuzz_table(processes).to_dict("records")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="share of the mutants")
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    start = time.perf_counter()
    with ProcessPoolExecutor(args.processes) as processes:
        print(fuzz_table(processes, args.share).to_markdown(index=False))
    print(f"\n{time.perf_counter() - start:.0f} s")
