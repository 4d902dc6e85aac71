"""Settings, sample sheet and inputs -> how results were made, and what their columns mean."""

from typing import Any

from blinkpair import files
from blinkpair.run import input_record
from blinkpair.run.columns import data_package
from blinkpair.run.logs import log_to
from blinkpair.run.provenance import film_paths, provenance, sheet_paths


def record_provenance(
    sheet: str,
    run: str,
    nanocrystals: str,
    outputs: dict[str, str],
    *,
    settings: dict[str, Any],
    source: str,
    verdicts: dict[str, list[dict[str, Any]]],
) -> None:
    """Write all that a run can be repeated from.

    `sheet` is the sample sheet as it was when the run started, `run` a JSON file of its command and
    start, `nanocrystals` the table of all; `source` is the digest of blinkpair's source; `verdicts`
    are those of each field. Inputs that were replaced since the start are an error, and the
    checksums are kept for the next run.
    """
    judged = [row for rows in verdicts.values() for row in rows]
    content = provenance(settings, sheet, files.read_json(run), source, judged)
    record = input_record.load_record()
    paths = [*sheet_paths(content["sheet"]), *film_paths(content.get("ensemble", []))]
    input_record.check_unchanged(record, paths)
    files.write_json(content, outputs["provenance"])
    files.write_json(data_package(nanocrystals, films="ensemble" in content), outputs["columns"])
    checksums = {path: entry["checksum"] for path, entry in content["inputs"].items()}
    input_record.add_checksums(record, checksums)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    record_provenance(
        snakemake.params.sheet,
        snakemake.params.run,
        snakemake.input.nanocrystals,
        dict(snakemake.output.items()),
        settings=snakemake.params.settings,
        source=snakemake.params.source,
        verdicts=snakemake.params.verdicts,
    )
