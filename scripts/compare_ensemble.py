"""Decays of films and populations of single nanocrystals -> one table of both."""

from blinkpair import files
from blinkpair.ensemble.beside import beside_table
from blinkpair.run.logs import log_to


def compare_ensemble(decays: str, sensitivity: str, populations: str, output: str) -> None:
    """Write the table of ensemble and single nanocrystals side by side."""
    tables = (files.read_csv(path) for path in (decays, sensitivity, populations))
    files.write_csv(beside_table(*tables), output)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    compare_ensemble(
        snakemake.input.decays,
        snakemake.input.sensitivity,
        snakemake.input.populations,
        snakemake.output[0],
    )
