"""Bad input, through the whole workflow: the table of `tests/bad_input`, case by case.

All cases that concern the files of one field stand in one sample sheet, beside a sound field, and
are run by Snakemake; those that stop a run before it starts are checked as a run checks them.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import textwrap
from contextlib import chdir
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.robustness.spoilt_sheets import SHEET_CASES
from blinkpair.inputs.problems import UnsoundInputError, printable
from blinkpair.run.launch import prepare
from tests.bad_input import (
    spoilt_files,  # noqa: F401 (fills the table)
    spoilt_scenes,  # noqa: F401 (fills the table)
    spoilt_sets,  # noqa: F401 (fills the table)
)
from tests.bad_input.cases import FIELD_CASES
from tests.bad_input.field_files import SOUND, Files, simulated, write_copies
from tests.bad_input.judge import judge
from tests.helpers.tiny_experiment import ROOT

Row = dict[str, Any]
# A seed that leaves one nanocrystal in view of both epochs.
LONELY = {"n_nanocrystals": 1.5, "rotation_deg": 8.0, "populations": (0, 0, 1, 0), "seed": 210}
ABOUT = (
    "One field of 128 x 128 pixels and 200 frames, simulated, and what was done to its files, its "
    "sheet or its configuration. *Refused*: the field is, with this reason in `fields.csv`, the "
    "report and the last lines of the run; it has no number anywhere, and all others finished. "
    "*Reported*: nothing was started, and the message lists this (with all other errors). *Same "
    "numbers*: same nanocrystals in the same populations, on-fractions within 0.005. Exchanged "
    "epochs are detected only if both files hold the time of recording."
)


def rows() -> list[Row]:
    """Run everything and return what happened."""
    sound = simulated()
    with tempfile.TemporaryDirectory(prefix="inputs") as folder:
        return [
            *fields_of_one_run(sound, Path(folder) / "fields"),
            *reported_before(sound, Path(folder) / "reported"),
            *experiments(sound, Path(folder)),
        ]


def run(folder: Path, made: list[dict[str, str]]) -> subprocess.CompletedProcess[str]:
    """Write the sheet and run the whole workflow."""
    pd.DataFrame(made).fillna("").to_csv(folder / "sheet.tsv", sep="\t", index=False)
    (folder / "config").mkdir()
    (folder / "config" / "config.yaml").write_text("fields: sheet.tsv\n")
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "--cores", "2"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def tables(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the fields, by name, and the nanocrystals."""
    results = folder / "results"
    fields = pd.read_csv(results / "fields.csv", keep_default_na=False).set_index("field")
    return fields, pd.read_csv(results / "nanocrystals.csv", keep_default_na=False, na_values=[""])


def fields_of_one_run(sound: Files, folder: Path) -> list[Row]:
    """Run all cases that concern one field's files, beside a sound one."""
    cases = [case for case in FIELD_CASES if case.outcome != "stops"]
    made = [sound.write(folder, "sound")]
    for case in cases:
        spoilt = sound.copy()
        case.spoil(spoilt)
        made.append(spoilt.write(folder, case.field))
    ended = run(folder, made)
    fields, nanocrystals = tables(folder)
    out = []
    for case in cases:
        wrong = judge(case, fields, nanocrystals)
        good = {"analysed": "same numbers", "excluded": "no nanocrystal counted: "}
        said = {"analysed": "", "excluded": f"{case.says} in excluded_because"}.get(
            case.outcome, fields.at[case.field, "reason"]
        )
        out.append(
            row(
                case.name,
                f"WRONG: {wrong}" if wrong else good.get(case.outcome, "refused: ") + short(said),
            )
        )
    refused = sum(case.outcome == "refused" for case in cases)
    last = f"{refused} of {len(made)} fields were refused"
    complete = last in ended.stderr and ended.returncode == min(10 + refused, 120)
    report = (folder / "results/report.html").exists()
    words = f"finished with its report; last lines '{last}', exit status {ended.returncode}"
    return [
        *out,
        row("the run of all these", words if complete and report else ended.stderr[-300:]),
    ]


def reported_before(sound: Files, folder: Path) -> list[Row]:
    """Check what stops a run before it starts."""
    made = [sound.write(folder, "sound"), sound.copy().write(folder, "other")]
    write_copies(folder / "movies")
    text = pd.DataFrame(made).to_csv(sep="\t", index=False)
    out = []
    for case in SHEET_CASES:
        content = case.sheet(text)
        raw = content.encode() if isinstance(content, str) else content
        (folder / "sheet.tsv").write_bytes(raw)
        kind = "configuration" if case.config and case.sheet is str else "sheet"
        out.append(row(f"{kind}: {case.name}", outcome(folder, case.config, case.says)))
    for stopped in (case for case in FIELD_CASES if case.outcome == "stops"):
        spoilt = sound.copy()
        stopped.spoil(spoilt)
        sheet = pd.DataFrame([spoilt.write(folder, "spoilt")])
        sheet.to_csv(folder / "sheet.tsv", sep="\t", index=False)
        out.append(row(stopped.name, outcome(folder, {}, ("Hint: ",))))
    return out


def outcome(folder: Path, config: dict[str, Any], says: tuple[str, ...]) -> str:
    """Check a sheet as a run does, and return the outcome in words."""
    with chdir(folder):
        try:
            prepare({"fields": "sheet.tsv", **config}, (), submitted=False)
        except UnsoundInputError as error:
            listed = str(error)
            wrong = not says or [text for text in says if text not in listed]
            return f"WRONG: {listed}" if wrong else f"reported: {short(error.problems[0].what)}"
    return "WRONG: it was read" if says else "read as if nothing were"


def experiments(sound: Files, folder: Path) -> list[Row]:
    """Run experiments of which little is left."""
    lonely = simulated(SOUND, **LONELY)
    dark = sound.copy()
    dark.arrays["post_pl"] = simulated(n_nanocrystals=0).arrays["post_pl"]
    few = {
        "one field at each temperature, of which one has one nanocrystal and one is refused": {
            "70": lonely, "100": sound, "120": dark
        },
        "one nanocrystal in all": {"100": lonely},
        "no field left": {"70": dark, "120": dark.copy()},
    }  # fmt: skip
    out = []
    for k, (name, fields) in enumerate(few.items()):
        place = folder / f"experiment{k}"
        made = [
            files.write(place, f"at{label}") | {"temperature_c": label}
            for label, files in fields.items()
        ]
        ended = run(place, made)
        if not (place / "results/report.html").exists():
            out.append(row(name, f"WRONG: {ended.stderr[-500:]}"))
            continue
        populations = pd.read_csv(place / "results" / "populations.csv")
        n = ", ".join(f"{r.n:.0f} at {r.temperature_c}" for r in populations.itertuples())
        out.append(row(name, f"finished with its report; n: {n}; status {ended.returncode}"))
    return out


def row(tried: str, outcome: str) -> Row:
    """Make a row of the table."""
    return {"tried": tried, "number": 1, "outcome": outcome.replace("|", "/")}


def short(text: str, longest: int = 150) -> str:
    """Return the beginning of a message, without the hint, which is in every one."""
    what = printable(re.sub(r"movies/\S+?\.tif: ", "", text.partition(" Hint: ")[0]))
    return textwrap.shorten(what, longest, placeholder=" ...")
