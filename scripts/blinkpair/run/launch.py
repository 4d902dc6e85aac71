"""Check settings and sheet once, before any job runs.

The process that the user started checks everything and saves the result. The processes of submitted
jobs read it: opening every movie again in thousands of jobs would be slow and give nothing new.

Input: the configuration as Snakemake read it. Output: complete settings, the table of fields and
the shapes of their movies.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from blinkpair import files
from blinkpair.errors import InputError
from blinkpair.inputs.columns import NUMBER_COLUMNS
from blinkpair.inputs.contents import digest
from blinkpair.run import input_record, source_digest
from blinkpair.run.folder import RESULTS, check_folder

log = logging.getLogger(__name__)

CONFIG_FILE = Path("config/config.yaml")
KEPT = Path(".snakemake/blinkpair")
HEADERS = KEPT / "headers"
RUN = "run.json"
SHEET = "sheet"
ENSEMBLE = "ensemble.json"
VERDICTS = "verdicts.json"
# The libraries that read headers.
READERS = ("numpy", "tifffile", "imagecodecs", "nd2", "sif-parser", "pillow")
MOST_SHEET_BYTES = 100_000_000  # what is larger is a movie named by mistake, and will be refused


class Launch(NamedTuple):
    """What the rules are made from.

    Attributes
    ----------
    settings : dict
        Every setting, with its default where the user gave none.
    fields : DataFrame
        One row a field, indexed by its name; texts, but for `exposure_s` and `pixel_size_um`.
    shapes : DataFrame
        `frames`, `height`, `width` of each field's movies, indexed by its name.
    sheet : bytes
        The sample sheet as the user wrote it.
    record : dict of input_record.Entry
        Which content the files behind each path have.
    kept : Path
        Folder in which all this is kept for the jobs of a run.
    ensemble : sequence of dict
        The rows of the ensemble sheet; empty without one.
    verdicts : sequence of dict
        The rows of the file of verdicts; empty without one.
    """

    settings: dict[str, Any]
    fields: pd.DataFrame
    shapes: pd.DataFrame
    sheet: bytes
    record: dict[str, input_record.Entry]
    kept: Path = KEPT
    ensemble: Sequence[dict[str, Any]] = ()
    verdicts: Sequence[dict[str, Any]] = ()

    @property
    def sheet_digest(self) -> str:
        """Digest of the sheet's text."""
        return hashlib.sha256(self.sheet).hexdigest()[:16]


class ByField(dict[str, Any]):
    """Something of each field by its name; an unknown name is an InputError."""

    def __missing__(self, field: str) -> Any:
        """Name the field."""
        raise InputError(
            f"there is no field '{field}' in the sample sheet",
            "check the name in the path of the requested file",
        )


def prepare(
    config: Mapping[str, Any],
    config_files: Iterable[str | Path],
    *,
    submitted: bool,
    results: Path = Path(RESULTS),
    in_module: bool = False,
) -> Launch:
    """Return settings with every default filled in, and the fields by name.

    Parameters
    ----------
    config : mapping
    config_files : iterable of path
        Where it was read from, to name lines.
    submitted : bool
        True in a process that runs a submitted job: it takes what `save_launch` kept.
        (Where nothing was kept, as on a node without the run's disk, it checks for itself.)
    results : Path
        The folder of results, below the working directory.
    in_module : bool
        True in a module of another workflow: the configuration file is that workflow's.

    Raises
    ------
    blinkpair.errors.InputError
        Listing everything that is wrong; if the folder cannot be worked in; or if the job's
        settings are not the run's.
    """
    from blinkpair.inputs.settings import load_settings

    # Several modules may analyse in one folder, with a prefix each.
    own = "_".join(results.parts[:-1]).replace("/", "")
    kept = KEPT / f"module_{own}" if in_module else KEPT
    if submitted and (kept / RUN).exists():
        return load_launch(load_settings(config, config_files), kept)
    read = list(config_files)
    if not submitted:
        check_folder(results=results)
        if not in_module:
            check_unread_configuration(read)
    from blinkpair.inputs.checking import check_everything
    from blinkpair.inputs.header_cache import HeaderCache
    from blinkpair.inputs.movie_record import describe, summarise_fields, too_short

    sheet = _read_sheet(config)
    cache = HeaderCache(HEADERS, _version_of_readers())
    checked = check_everything(config, config_files=read, cache=cache)
    settings, fields, shapes, notes = checked[:4]
    last = input_record.load_record()
    record, same = input_record.updated_record(checked.inputs, last)
    notes += input_record.notes_on(record, same)
    if same:
        # Now, since nothing may be left to be done: else they would be read at every start.
        input_record.save_record({path: record[path] for path in same})
    used = describe(fields, to_come=settings["made_by_rules"])
    of_fields = [summarise_fields(fields), *used, *too_short(fields, settings)]
    for line in (*notes, *of_fields):
        log.warning(line)
    # As it will be read back, so that no job depends on which process planned it.
    fields = _read_fields(StringIO(_as_csv(fields)))
    films, verdicts = checked.ensemble, checked.verdicts
    return Launch(settings, fields, shapes, sheet, record, kept, films, verdicts)


def save_launch(launched: Launch, started: str = "") -> None:
    """Keep the checked inputs, the command line and the time for the jobs of a run, as it starts.

    Not earlier: `snakemake -n` with another sheet may be called while jobs of a run are waiting.
    """
    from blinkpair.run.provenance import utc_now

    kept = launched.kept
    with files.atomic_write(kept / SHEET) as aside:
        aside.write_bytes(launched.sheet)
    files.write_text(_as_csv(launched.fields), kept / "fields.csv")
    files.write_csv(launched.shapes.reset_index(), kept / "shapes.csv")
    input_record.save_record(launched.record)
    files.write_json(launched.settings, kept / "settings.json")
    if launched.ensemble:
        files.write_json({"rows": list(launched.ensemble)}, kept / ENSEMBLE)
    files.write_json({"rows": list(launched.verdicts)}, kept / VERDICTS)
    files.write_json({"command": _command(), "started": started or utc_now()}, kept / RUN)


def load_launch(settings: dict[str, Any], kept: Path = KEPT) -> Launch:
    """Return what `save_launch` kept; InputError if it is of other settings."""
    if settings != files.read_json(kept / "settings.json"):
        raise InputError(
            "this job was submitted by a run with other settings than the one that was started "
            "last in this folder",
            "cancel the jobs of the earlier run",
        )
    shapes = pd.read_csv(kept / "shapes.csv", dtype={"field": str}, keep_default_na=False)
    fields = _read_fields(kept / "fields.csv")
    record = input_record.load_record()
    sheet = (kept / SHEET).read_bytes()
    films = files.read_json(kept / ENSEMBLE)["rows"] if settings.get("ensemble") else ()
    verdicts = files.read_json(kept / VERDICTS)["rows"]
    shapes = shapes.set_index("field")
    return Launch(settings, fields, shapes, sheet, record, kept, films, verdicts)


def put_on_path_of_steps(scripts: Path) -> None:
    """Let the steps import the library from a folder where Snakemake puts none on their path."""
    others = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = f"{scripts}{os.pathsep}{others}" if others else str(scripts)


def has_settings(file: Path) -> bool:
    """Return whether a configuration file is there and holds more than comments."""
    if not file.exists():
        return False
    lines = file.read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines()
    return any(line.strip() and not line.lstrip().startswith((b"#", b"---")) for line in lines)


def check_unread_configuration(config_files: Iterable[str | Path]) -> None:
    """Check that no file was meant as the configuration and is not read because of its name.

    Parameters
    ----------
    config_files : iterable of path
        The files that were read; where there is none, the defaults are used.

    Raises
    ------
    blinkpair.errors.InputError
    """
    from blinkpair.inputs.problems import nearest

    folder = CONFIG_FILE.parent
    if any(config_files) or CONFIG_FILE.exists() or not folder.is_dir():
        return
    names = sorted(file.name for file in folder.iterdir() if file.is_file())
    if close := nearest(CONFIG_FILE.name, names, 0.8):
        raise InputError(
            f"there is no {CONFIG_FILE}, and {folder / close} is not read under its name",
            f"rename it {CONFIG_FILE}, or name it on the command line: --configfile "
            f"{folder / close}. Write an empty {CONFIG_FILE} for the defaults",
        )


def _version_of_readers() -> str:
    """Return a digest of what decides what is read of a file, and of who may read it."""
    libraries = [version(name) for name in READERS]
    user = os.getuid() if hasattr(os, "getuid") else ""
    return digest(source_digest.of_step("blinkpair/run/launch"), libraries, user)


def _read_sheet(config: Mapping[str, Any]) -> bytes:
    """Return the sample sheet's bytes; none where the check will report why it cannot be read."""
    from blinkpair.inputs.settings import examine_settings

    try:
        with Path(examine_settings(config)[0]["fields"]).open("rb") as sheet:
            return sheet.read(MOST_SHEET_BYTES)
    except OSError:
        return b""


def _as_csv(fields: pd.DataFrame) -> str:
    return fields.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def _read_fields(table: Path | StringIO) -> pd.DataFrame:
    fields = pd.read_csv(table, dtype=str, keep_default_na=False, encoding="utf-8")
    for name in NUMBER_COLUMNS:
        fields[name] = pd.to_numeric(fields[name])
    return fields.set_index("field", drop=False)


def _command() -> str:
    """Return the command line the run was started with, without the program's folder."""
    program = Path(sys.argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    return shlex.join([name, *sys.argv[1:]])
