"""Digests of the source that the results of a step, and all results, depend on.

Snakemake runs a step again when its own script changes, but not when a module changes that the
script imports. With the digest of the step among the parameters of its rule, it does.

Input: the name of a step. Output: a digest of every library module that the step reaches.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import re
from pathlib import Path

SCRIPTS = Path(__file__).parents[2]
PACKAGE = "blinkpair"
# How a log looks is no part of a result.
NO_PART_OF_RESULTS = {"blinkpair.run.logs"}
# An import of the library, on one line or in brackets, as ruff writes it. To parse the library
# at each start of Snakemake took ten times as long.
_IMPORT = re.compile(
    rf"^[ \t]*((?:from[ ]\.|(?:from|import)[ ]{PACKAGE}\b)[^\n(]*(?:\([^)]*\))?)", re.MULTILINE
)


@functools.cache
def of_step(step: str, scripts: Path = SCRIPTS, *, without: str = "") -> str:
    """Return the digest of the library modules that a step imports, directly or through others.

    Parameters
    ----------
    step : str
        Name of the step's script without '.py'.
    scripts : Path
        Folder with the steps and the library.
    without : str
        A module that is left out, with what only it imports: a step may use it for some fields.

    Raises
    ------
    ValueError
        If an import cannot be followed: a relative one, or one from a package's public names
        instead of the module that defines them.
    """
    digest = hashlib.sha256()
    for name, content in sorted(modules_of(step, scripts, without).items()):
        digest.update(name.encode() + b"\0" + content)
    return digest.hexdigest()[:16]


def modules_of(step: str, scripts: Path = SCRIPTS, without: str = "") -> dict[str, bytes]:
    """Return the content of every library file that a step depends on, by name.

    Packages themselves are left out: their `__init__.py` holds only a description and public names.
    What a module reads besides lies in a folder of the module's name, next to it.
    """
    reached: dict[str, bytes] = {}
    waiting = list(_imports(scripts / f"{step}.py", scripts))
    while waiting:
        name = waiting.pop()
        if name in reached or name in NO_PART_OF_RESULTS or name == without:
            continue
        path = scripts.joinpath(*name.split(".")).with_suffix(".py")
        reached[name] = path.read_bytes()
        for file in sorted(path.with_suffix("").glob("*")):
            reached[f"{name}/{file.name}"] = file.read_bytes()
        waiting += _imports(path, scripts)
    return reached


@functools.cache
def _imports(path: Path, scripts: Path) -> tuple[str, ...]:
    """Return the library modules that a file imports, anywhere in it, by their full names."""
    found = []
    text = path.read_text("utf-8")
    for statement in _IMPORT.finditer(text):
        line = text.count("\n", 0, statement.start()) + 1
        (node,) = ast.parse(statement[1]).body
        if isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(
                    f"{path}, line {line}: a relative import is not followed. Hint: write "
                    "the full name of the module."
                )
            names = [(f"{node.module}.{alias.name}", node.module or "") for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [(alias.name, "") for alias in node.names]
        for full, parent in names:
            if full == PACKAGE:
                continue
            module = next((name for name in (full, parent) if _is_module(name, scripts)), None)
            if module is None:
                raise ValueError(
                    f"{path}, line {line}: '{full}' is a public name of a package. Hint: "
                    "import it from the module that defines it."
                )
            found.append(module)
    return tuple(found)


def _is_module(name: str, scripts: Path) -> bool:
    return bool(name) and scripts.joinpath(*name.split(".")).with_suffix(".py").is_file()


@functools.cache
def of_all_source() -> str:
    """Return the digest of all source of the results: library, steps, rules, schemas.

    It distinguishes sources where no commit does. Steps whose source changed run again, so that the
    older results would be the same with this source, too.
    """
    root = SCRIPTS.parent
    workflow = ("Snakefile", "workflow/rules/*", "workflow/schemas/*")
    parts = (*workflow, "scripts/*.py", "scripts/blinkpair/**/*")
    # Not what editors and Python leave beside the source.
    kinds = {"", ".py", ".pyi", ".smk", ".yaml", ".j2", ".css", ".js", ".mplstyle"}
    digest = hashlib.sha256()
    for file in sorted(file for part in parts for file in root.glob(part)):
        if file.suffix in kinds and file.is_file():
            digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]
