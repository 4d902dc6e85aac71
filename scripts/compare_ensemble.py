"""Decays of films and populations of single nanocrystals -> one table of both."""

from blinkpair import files
from blinkpair.ensemble.beside import beside_table
from blinkpair.run.logs import log_to


def compare_ensemble(decays: str, populations: str, output: str) -> None:
    """Write the table of ensemble and single nanocrystals side by side."""
    table = beside_table(files.read_csv(decays), files.read_csv(populations))
    files.write_csv(table, output)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    compare_ensemble(snakemake.input.decays, snakemake.input.populations, snakemake.output[0])
