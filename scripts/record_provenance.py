"""Settings, sample sheet and inputs -> how the results were made."""

from typing import Any

from blinkpair import files
from blinkpair.run.logs import log_to
from blinkpair.run.provenance import provenance


def record_provenance(
    sheet: str, run: str, output: str, *, settings: dict[str, Any], source: str
) -> None:
    """Write all that a run can be repeated from.

    `sheet` is the sample sheet as it was when the run started, `run` a JSON file of its command and
    start; `source` is the digest of blinkpair's source.
    """
    files.write_json(provenance(settings, sheet, files.read_json(run), source), output)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    record_provenance(
        snakemake.params.sheet,
        snakemake.params.run,
        snakemake.output[0],
        settings=snakemake.params.settings,
        source=snakemake.params.source,
    )
