"""What happens once before any job runs: settings and sheet, checked.

In: the configuration as Snakemake read it. Out: complete settings, the table of fields and
the shapes of their movies. The process the user started checks everything and keeps the
result; the processes of submitted jobs read what it kept, because thousands of them opening
every movie again would be slow and could not find anything new.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import logging
import shlex
import sys
from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from blinkpair import files
from blinkpair.errors import InputError
from blinkpair.folder import check_folder
from blinkpair.table_labels import SIMULATED, is_simulated

log = logging.getLogger(__name__)

KEPT = Path(".snakemake/blinkpair")
RUN = KEPT / "run.json"
SHEET = KEPT / "sheet"
MOST_SHEET_BYTES = 100_000_000  # what is larger is a movie named by mistake, and will be refused
# What results carry on of a field: who it is, and what the user added.
CARRIED = ("field", "temperature_c", "sample")
# What the report says of a field it shows.
SHOWN_COLUMNS = [
    "field",
    "temperature_c",
    "sample",
    "pixel_size_um",
    "pre_brightfield",
    "post_brightfield",
]
NOT_CARRIED = (
    "pre_brightfield",
    "pre_pl",
    "post_brightfield",
    "post_pl",
    "exposure_s",
    "pixel_size_um",
    "landmarks",
)


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
    """

    settings: dict[str, Any]
    fields: pd.DataFrame
    shapes: pd.DataFrame
    sheet: bytes

    @property
    def sheet_digest(self) -> str:
        """What tells this sheet from one with another text."""
        return hashlib.sha256(self.sheet).hexdigest()[:16]


class ByField(dict[str, Any]):
    """Something of each field by its name; asking for another is an error that says so."""

    def __missing__(self, field: str) -> Any:
        """Name the field."""
        raise InputError(
            f"there is no field '{field}' in the sample sheet. Hint: check the name in the path of "
            "the file that was asked for."
        )


def prepare(
    config: Mapping[str, Any], config_files: Iterable[str | Path], *, submitted: bool
) -> Launch:
    """Return settings with every default filled in, and the fields by name.

    Parameters
    ----------
    config : mapping
    config_files : iterable of path
        Where it was read from, to name lines.
    submitted : bool
        True in a process that runs a submitted job: it takes what `keep` kept. (Where nothing
        was kept, as on a node without the run's disk, it checks for itself.)

    Raises
    ------
    blinkpair.errors.InputError
        Listing everything that is wrong; if the folder cannot be worked in; or if the job's
        settings are not the run's.
    """
    from blinkpair.settings import load_settings

    if submitted and KEPT.exists():
        return _recall(load_settings(config, config_files))
    if not submitted:
        check_folder()
    from blinkpair.inputs import check_everything

    sheet = _read_sheet(config)
    settings, fields, shapes, notes = check_everything(config, config_files=config_files)
    for note in notes:
        log.warning(note)
    # As it will be read back, so that no job depends on which process planned it.
    return Launch(settings, _read_fields(StringIO(_as_csv(fields))), shapes, sheet)


def keep(launched: Launch) -> None:
    """Keep the checked inputs, the command line and the time for the jobs of a run, as it starts.

    Not earlier: somebody may look with `snakemake -n` what another sheet would do while jobs of a
    run are waiting.
    """
    from blinkpair.provenance import utc_now

    with files.written_aside(SHEET) as aside:
        aside.write_bytes(launched.sheet)
    files.write_text(_as_csv(launched.fields), KEPT / "fields.csv")
    files.write_csv(launched.shapes.reset_index(), KEPT / "shapes.csv")
    files.write_json(launched.settings, KEPT / "settings.json")
    files.write_json({"command": _command(), "started": utc_now()}, RUN)


def _recall(settings: dict[str, Any]) -> Launch:
    if settings != files.read_json(KEPT / "settings.json"):
        raise InputError(
            "this job was submitted by a run with other settings than the one that was started "
            "last in this folder. Hint: cancel the jobs of the earlier run."
        )
    shapes = pd.read_csv(KEPT / "shapes.csv", dtype={"field": str}, keep_default_na=False)
    fields = _read_fields(KEPT / "fields.csv")
    return Launch(settings, fields, shapes.set_index("field"), SHEET.read_bytes())


def _read_sheet(config: Mapping[str, Any]) -> bytes:
    """Return the sample sheet's bytes; none where the check will tell why it cannot be read."""
    from blinkpair.settings import examine_settings

    try:
        with Path(examine_settings(config)[0]["fields"]).open("rb") as sheet:
            return sheet.read(MOST_SHEET_BYTES)
    except OSError:
        return b""


def _as_csv(fields: pd.DataFrame) -> str:
    return fields.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def _read_fields(table: Path | StringIO) -> pd.DataFrame:
    fields = pd.read_csv(table, dtype=str, keep_default_na=False, encoding="utf-8")
    for name in ("exposure_s", "pixel_size_um"):
        fields[name] = pd.to_numeric(fields[name])
    return fields.set_index("field", drop=False)


def carried_columns(fields: pd.DataFrame) -> list[str]:
    """Columns of the sheet that every nanocrystal's row carries on."""
    extra = [c for c in fields.columns if c not in CARRIED and c not in NOT_CARRIED]
    return [*CARRIED, *extra]


@functools.cache
def source_digest(*modules: str) -> str:
    """Digest of library modules and of everything of the library they import.

    Snakemake sees changes of a step's script, not of what it imports; with this digest among a
    rule's parameters a change of the science runs again what used it.

    Parameters
    ----------
    *modules : str
        Names below `blinkpair`, with dots for packages: 'photometry', 'formats.raw'.
    """
    seen = modules_of(*modules, "files")  # how every step writes
    digest = hashlib.sha256()
    for name in sorted(seen):
        digest.update(name.encode() + b"\0" + seen[name])
    return digest.hexdigest()[:16]


@functools.cache
def digest_of_all_source() -> str:
    """Digest of everything the results come from: library, steps, rules, schemas.

    It tells one source from another where no commit does. Changed source has the steps that use it
    run again, so that it, too, is what the older results would be made by today.
    """
    root = Path(__file__).parents[2]
    parts = ("Snakefile", "scripts/**/*", "workflow/rules/*", "workflow/schemas/*")
    # Not what editors and Python leave beside the source.
    kinds = {"", ".py", ".smk", ".yaml", ".j2", ".css", ".js", ".mplstyle"}
    digest = hashlib.sha256()
    for file in sorted(file for part in parts for file in root.glob(part)):
        if file.suffix in kinds and file.is_file():
            digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def modules_of(*modules: str) -> dict[str, bytes]:
    """Return library modules, and everything of the library they import or read, by name."""
    root = Path(__file__).parent
    seen: dict[str, bytes] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = root.joinpath(*name.split("."))
        # A module may have a folder of its name, which is no package then.
        module = path.with_suffix(".py")
        path = module if module.exists() else path / "__init__.py"
        if name in seen or not path.exists():
            continue
        seen[name] = path.read_bytes()
        waiting += _imports(seen[name])
        # What a module reads lies beside it, in a folder of its name.
        for file in sorted(path.with_suffix("").glob("*")):
            seen[f"{name}/{file.name}"] = file.read_bytes()
        if "." in name:
            waiting.append(name.rpartition(".")[0])
    return seen


def _imports(source: bytes) -> list[str]:
    """Names of blinkpair's modules that a source imports, wherever in the file."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            package, _, rest = node.module.partition(".")
            if package == "blinkpair":
                found += [f"{rest}.{a.name}" if rest else a.name for a in node.names]
                found += [rest] if rest else []
        elif isinstance(node, ast.Import):
            found += [
                a.name.partition(".")[2] for a in node.names if a.name.startswith("blinkpair.")
            ]
    return found


def brightfield_files(fields: pd.DataFrame) -> list[str]:
    """Every file of the brightfield images of some fields, before then after."""
    from blinkpair.movie_paths import movie_files

    columns = ("pre_brightfield", "post_brightfield")
    return [str(f) for column in columns for path in fields[column] for f in movie_files(path)]


def _command() -> str:
    """Return the command line the run was started with, without the program's folder."""
    program = Path(sys.argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    return shlex.join([name, *sys.argv[1:]])


def fields_to_show(fields: pd.DataFrame, max_fields: int) -> list[str]:
    """Return the fields whose nanocrystals the report shows one by one, in the sheet's order.

    They are taken in turns from the temperatures, so that each has about as many.
    """
    turn = fields.groupby("temperature_c", sort=False).cumcount()
    chosen = turn.sort_values(kind="stable").index[:max_fields]
    return [name for name in fields.index if name in set(chosen)]


def figure_note(fields: pd.DataFrame) -> str:
    """Return what is written in every figure: that its data are simulated, where the sheet says so.

    A field is simulated if its column `sample` says 'simulated'; 'partly simulated' where only
    some are.
    """
    simulated = fields["sample"].map(is_simulated)
    if not simulated.any():
        return ""
    return SIMULATED if simulated.all() else f"partly {SIMULATED}"
