"""Settings and inputs -> how the results were made."""

from pathlib import Path
from typing import Any

import blinkpair
from blinkpair import files
from blinkpair.logs import log_to
from blinkpair.provenance import provenance


def record_provenance(
    inputs: list[str], output: str, *, settings: dict[str, Any], command: str, source: Path
) -> None:
    """Write versions, settings and checksums of the sheet's `inputs`; `command` is a text file."""
    line = Path(command).read_text(encoding="utf-8").strip()
    files.write_json(provenance(settings, inputs, line, source), output)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    record_provenance(
        snakemake.params.inputs,
        snakemake.output[0],
        settings=snakemake.params.settings,
        command=snakemake.params.command,
        source=Path(blinkpair.__file__).parents[2],
    )
