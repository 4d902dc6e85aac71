"""Measurements of films -> decays with their fits, and what other choices would give."""

from typing import Any

import pandas as pd

from blinkpair import files
from blinkpair.ensemble import tables
from blinkpair.ensemble.curves import curves
from blinkpair.ensemble.sensitivity import sensitivity_rows
from blinkpair.run.logs import log_to


def fit_ensemble(rows: list[dict[str, Any]], outputs: dict[str, str], *, confidence: float) -> None:
    """Fit all measurements; `rows` are those of the ensemble sheet."""
    groups = tables.measure(rows)
    decays = [row for group in groups for row in tables.decay_rows(group, confidence)]
    films = [one for group in groups for one in group]
    other = [row for one in films for row in sensitivity_rows(one, confidence)]
    files.write_csv(pd.DataFrame(decays), outputs["decays"])
    files.write_csv(pd.DataFrame(other), outputs["sensitivity"])
    files.write_netcdf(curves(groups), outputs["curves"])


if __name__ == "__main__":
    log_to(snakemake.log[0])
    fit_ensemble(
        snakemake.params.rows,
        dict(snakemake.output.items()),
        confidence=snakemake.params.confidence,
    )
