"""How a result was made: versions, settings, inputs.

In: settings, the sheet's files, the command. Out: the content of `provenance.json`.
"""

from __future__ import annotations

import hashlib
import platform
import subprocess
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from blinkpair import __version__

PACKAGES = (
    "snakemake",
    "numpy",
    "scipy",
    "pandas",
    "numba",
    "xarray",
    "h5netcdf",
    "tifffile",
    "imagecodecs",
    "nd2",
    "sif_parser",
    "matplotlib",
    "plotly",
    "jinja2",
)
SAMPLE_BYTES = 1 << 20


def fast_checksum(path: str | Path) -> str:
    """SHA-256 of a file's size and its first and last MiB.

    A movie is 10 GB: reading all of it again would take as long as analysing it. A file that was
    exchanged, cut or acquired anew differs; one changed only in the middle is not noticed.
    """
    file = Path(path)
    size = file.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with file.open("rb") as stream:
        digest.update(stream.read(SAMPLE_BYTES))
        if size > SAMPLE_BYTES:
            stream.seek(max(SAMPLE_BYTES, size - SAMPLE_BYTES))
            digest.update(stream.read(SAMPLE_BYTES))
    return digest.hexdigest()


def input_files(paths: Iterable[str]) -> list[str]:
    """List the files behind paths of the sample sheet, each once, sorted."""
    from blinkpair.movie import movie_files

    return sorted({str(file) for path in paths for file in movie_files(path) if file.is_file()})


def commit(folder: str | Path) -> str | None:
    """Return the commit of the checkout a folder lies in, '+changes' if it was edited."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + (
            "+changes" if git("status", "--porcelain", "-uno") else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return None


def provenance(
    settings: Mapping[str, Any], inputs: Iterable[str], command: str, source: str | Path
) -> dict[str, Any]:
    """Return everything needed to make a result again.

    Parameters
    ----------
    settings : mapping
        With every default filled in.
    inputs : iterable of str
        Paths of the sample sheet.
    command : str
        The command line of the run.
    source : path
        Folder of the workflow's source.
    """
    versions = {"blinkpair": __version__, "python": platform.python_version()}
    versions |= {name: metadata.version(name) for name in PACKAGES}
    return {
        "versions": versions,
        "commit": commit(source),
        "command": command,
        "settings": settings,
        "checksum": "SHA-256 of the size and the first and last MiB",
        "inputs": {
            path: {"bytes": Path(path).stat().st_size, "checksum": fast_checksum(path)}
            for path in input_files(inputs)
        },
    }
