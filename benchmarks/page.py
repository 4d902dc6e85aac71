"""Pages of docs/ that are made of measured sections: one function a section, run and written.

Input: functions that yield the paragraphs of a section, its heading first. Output: the page, in
which only the sections that ran are new.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd

Part = Callable[[Executor, float], Iterable[str]]


def text_of(table: pd.DataFrame, digits: int = 3) -> str:
    """Markdown of a table: whole numbers as such, others to so many significant digits."""

    def cell(value: Any) -> str:
        if not isinstance(value, float):
            return str(value)
        if abs(value) >= 10**digits - 0.5:
            return f"{value:.0f}"
        return f"{value:.{digits}g}"

    # Column by column: a row of mixed kinds would turn whole numbers into floats.
    text = pd.DataFrame({name: [cell(v) for v in table[name].tolist()] for name in table})
    return text.to_markdown(index=False, disable_numparse=True)


def update(page: Path, head: str, sections: list[str]) -> None:
    """Write the sections into the page, each in the place of the one with its heading."""
    old = page.read_text(encoding="utf-8").split("\n## ")[1:] if page.exists() else []
    by_heading = {section.partition("\n")[0]: section.strip() for section in old}
    for section in sections:
        text = section.removeprefix("## ")
        by_heading[text.partition("\n")[0]] = text
    body = "".join(f"\n## {section}\n" for section in by_heading.values())
    page.write_text(head + body, encoding="utf-8")


def run(description: str, head: str, parts: Mapping[str, Part]) -> None:
    """Run the parts named on the command line, print them, and write them with --write."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--share", type=float, default=1.0, help="share of the trials")
    parser.add_argument("--parts", nargs="+", choices=parts, default=list(parts))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--write", type=Path, help="bring this page up to date")
    args = parser.parse_args()
    with ProcessPoolExecutor(args.processes) as pool:
        for name in args.parts:
            start = time.perf_counter()
            section = "\n\n".join(parts[name](pool, args.share))
            print(section, f"({name}: {time.perf_counter() - start:.0f} s)", sep="\n\n", flush=True)
            if args.write:
                update(args.write, head, [section])
