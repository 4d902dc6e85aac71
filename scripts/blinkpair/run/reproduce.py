"""Make the results of a run again from its record.

    python -m blinkpair.run.reproduce results/provenance.json NEWFOLDER [--inputs FOLDER]

Nothing is run.

Input: the `provenance.json` of a run, and the movies and images it was made from. Output: a folder
with the settings, the sample sheet and links to the inputs, in which the workflow gives the same
files again; and a list of what is different here, which may change the results.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from blinkpair import files
from blinkpair.errors import InputError
from blinkpair.run.provenance import describe, input_files, made_with, sheet_paths
from blinkpair.run.source_digest import of_all_source

CONFIG = Path("config/config.yaml")  # where the Snakefile looks for it
SHEET = "config/fields.tsv"  # for a sheet that was somewhere outside the folder of the run
FILMS = "config/ensemble.tsv"  # the same for the sheet of films
VERDICTS = "config/verdicts.csv"  # and for the file of verdicts
SOURCE = Path(__file__).parents[3]


def read_record(path: str | Path) -> dict[str, Any]:
    """Read the record of a run.

    Raises
    ------
    InputError
        It cannot be read, or does not hold all that is needed.
    """
    needed = {"versions", "commit", "source", "platform", "times", "settings", "sheet", "inputs"}
    try:
        record = files.read_json(path)
        missing = needed - record.keys()
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(
            f"cannot be read as the record of a run ({error})",
            "name the provenance.json in the results of the run",
            place=path,
        ) from None
    if missing:
        raise InputError(
            f"this record does not hold {', '.join(sorted(missing))}",
            "it was made by an earlier blinkpair; check out its commit, and run that with your "
            "settings and sheet",
            place=path,
        )
    return record


def differences(record: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """List what made the results, as far as it is not the same here.

    Parameters
    ----------
    record, here : mapping
        As from `provenance.made_with`; `record` may hold more.

    Returns
    -------
    list of str
        'numpy: 2.4.6 then, 2.4.5 here'.
    """
    pairs = [(name, record["versions"].get(name), v) for name, v in here["versions"].items()]
    mention = "commit of blinkpair"
    if record["source"] == here["source"]:
        mention += " (the same source: only its mention in the report differs)"
    pairs.append((mention, record["commit"], here["commit"]))
    pairs.append(("source of blinkpair", record["source"], here["source"]))
    pairs += [(name, record["platform"].get(name), v) for name, v in here["platform"].items()]
    return [f"{name}: {then} then, {now} here" for name, then, now in pairs if then != now]


def check_inputs(record: Mapping[str, Any], inputs: str | Path) -> None:
    """Compare the inputs with the record.

    Parameters
    ----------
    record : mapping
    inputs : path
        Where relative paths of the record start.

    Raises
    ------
    InputError
        Naming every file that is missing or another one.
    """
    wrong = [
        f"{path}: {what}"
        for path, entry in record["inputs"].items()
        if (what := _differs(Path(inputs, path), entry))
    ]
    # Of relative patterns and folders only the recorded files are linked; absolute ones are read
    # as they are.
    lasting = [
        path for path in sheet_paths(record["sheet"]) if Path(path).expanduser().is_absolute()
    ]
    try:
        added = set(input_files(lasting)) - record["inputs"].keys()
    except InputError:  # a pattern matches nothing: its files are missing, and reported above
        added = set()
    wrong += [
        f"{path}: was not there, and would be read as part of a movie" for path in sorted(added)
    ]
    if wrong:
        count = "1 input is" if len(wrong) == 1 else f"{len(wrong)} inputs are"
        raise InputError(
            "\n  ".join([f"{count} not as recorded; nothing was written.", *wrong])
            + f"\nHint: relative paths were looked for in {inputs}; --inputs names another folder. "
            "Put back the recorded files: results of others would not be the same."
        )


def _differs(file: Path, entry: Mapping[str, Any]) -> str:
    """Return how a file differs from the recorded one; '' if it does not."""
    try:
        found = describe(file, checksum=entry["checksum"] is not None)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if found["bytes"] != entry["bytes"]:
        return f"has {found['bytes']:,} bytes, then it had {entry['bytes']:,}"
    if found["checksum"] != entry["checksum"]:
        return "has another content (checksum) than then"
    return ""


def lay_out(record: Mapping[str, Any], inputs: str | Path, folder: str | Path) -> list[Path]:
    """Write configuration and sample sheet into a new folder, and link the inputs.

    Parameters
    ----------
    record : mapping
    inputs : path
        Where relative paths of the record start.
    folder : path
        New or empty.

    Returns
    -------
    list of Path
        The configuration and the sheets.

    Raises
    ------
    InputError
        Relative paths that lead out of the folder lead elsewhere.
    """
    new = Path(folder)
    relative = [path for path in record["inputs"] if not Path(path).is_absolute()]
    outside = [path for path in relative if _leads_out(path)]
    if astray := [p for p in outside if not _same_file(new / p, Path(inputs, p))]:
        raise InputError(
            "\n  ".join([f"from {new} these paths lead to other files or to none:", *astray])
            + f"\nHint: they lead out of the folder they start in; choose a new folder beside "
            f"{Path(inputs).resolve()}."
        )
    settings = dict(record["settings"])
    sheet = Path(settings["fields"]).expanduser()
    if sheet.is_absolute() or _leads_out(str(sheet)):
        settings["fields"] = SHEET
    films = record.get("ensemble", [])
    if films and (Path(settings["ensemble"]).is_absolute() or _leads_out(settings["ensemble"])):
        settings["ensemble"] = FILMS
    verdicts, own = record.get("verdicts", []), settings.get("verdicts")
    if own and (Path(own).is_absolute() or _leads_out(own) or not verdicts):
        settings["verdicts"] = VERDICTS
    written = [new / CONFIG, new / settings["fields"]]
    head = "# The settings of the run that is made again.\n"
    body = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
    files.write_text(head + body, written[0])
    files.write_text(_as_text(record["sheet"]), written[1])
    if films:
        written.append(new / settings["ensemble"])
        files.write_text(_as_text(films), written[-1])
    if verdicts:
        written.append(new / settings["verdicts"])
        files.write_text(_as_text(verdicts), written[-1])
    for path in set(relative) - set(outside):
        link = new / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(Path(inputs, path).absolute())
    return written


def _leads_out(path: str) -> bool:
    return Path(os.path.normpath(path)).parts[:1] == (os.pardir,)


def _same_file(one: Path, other: Path) -> bool:
    # By name: what does not exist yet cannot be looked up.
    found = Path(os.path.normpath(one.absolute()))
    return found.exists() and found.samefile(other)


def _as_text(rows: Sequence[Mapping[str, str]]) -> str:
    """Return a sample sheet with tabs between the columns."""
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), delimiter="\t", lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def reproduce(path: str | Path, folder: str | Path, inputs: str | Path | None = None) -> str:
    """Lay out a folder in which a run can be made again.

    Parameters
    ----------
    path : path
        Its `provenance.json`.
    folder : path
        To be made, or empty.
    inputs : path, optional
        Where relative paths of the record start; default: the folder that was run in, which is
        that of the folder of results.

    Returns
    -------
    str
        What is different here, what was written, and the command that runs it.

    Raises
    ------
    InputError
        The folder holds something; and see `read_record`, `check_inputs` and `lay_out`.
    """
    record = read_record(path)
    new = Path(folder)
    # Checked before the inputs are read, which can take minutes.
    if new.exists() and (not new.is_dir() or any(new.iterdir())):
        raise InputError("is not an empty folder", "name a new one", place=new)
    start = Path(path).resolve().parents[1] if inputs is None else Path(inputs)
    check_inputs(record, start)
    config, sheet, *_ = lay_out(record, start, new)
    here = made_with(of_all_source())
    differing = differences(record, here)
    total = len(record["inputs"])
    checked = all(entry["checksum"] for entry in record["inputs"].values())
    lines = [
        f"The run: started {record['times']['started']} with blinkpair "
        f"{record['versions']['blinkpair']}, commit {record['commit'] or 'not known'}, source "
        f"{record['source']}, on {record['platform']['system']}.",
        *(["Different here, so that results may differ:"] if differing else []),
        *(f"  {line}" for line in differing),
        *([] if differing else ["Here are the same source, versions and kind of machine."]),
        f"Inputs: {total} files, of the same sizes and "
        + ("checksums." if checked else "unknown contents: no checksums were taken."),
        f"Written: {config}, {sheet} ({len(record['sheet'])} fields).",
    ]
    if Path(record["settings"]["fields"]) != sheet.relative_to(new):
        lines.append(
            f"  The sheet was {record['settings']['fields']}; report.html and provenance.json "
            "will name the new path."
        )
    beside = Path(sys.executable).with_name("snakemake")
    program = str(beside) if beside.exists() else "snakemake"
    run = shlex.join([program, "-s", str(SOURCE / "Snakefile"), "--cores", "all"])
    return "\n".join([*lines, "Run it:", f"  cd {shlex.quote(str(new))} && {run}"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m blinkpair.run.reproduce",
        description="Make the results of a run again from its provenance.json.",
    )
    parser.add_argument("record", metavar="PROVENANCE", help="the run's results/provenance.json")
    parser.add_argument("folder", metavar="NEWFOLDER", help="to be made, or empty")
    parser.add_argument(
        "--inputs",
        metavar="FOLDER",
        help="where relative paths of the sheet start; default: two folders above PROVENANCE",
    )
    given = parser.parse_args(arguments)
    try:
        print(reproduce(given.record, given.folder, given.inputs))
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
