"""How many fields, nanocrystals and frames: from a pilot's results or from assumptions.

Input: the results folder of a pilot, or numbers on the command line. Output: a table of power and
widths of intervals for numbers of fields; with a pilot, the scatter for shorter movies.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from blinkpair import files
from blinkpair.blinking.on_fractions import COUNTED
from blinkpair.epochs import EPOCHS
from blinkpair.errors import InputError
from blinkpair.labels import CONTROL, as_bool
from blinkpair.statistics.intervals import pooled_means
from blinkpair.statistics.planning import Plan, expected_power

FIELDS = (1, 2, 3, 4, 6, 8)
_PARTS = (1.0, 0.5, 0.25, 0.125)  # of a pilot's movies


def plan_from(results: Path) -> Plan:
    """Return the scatter, the design effect and the size of the fields of a pilot.

    Raises
    ------
    InputError
        No results there, or too few nanocrystals in them.
    """
    table = _counted(results)
    groups = {str(label): rows for label, rows in table.groupby("temperature_c", sort=False)}
    # A control's fields do not show how those of a treatment differ.
    treated = [rows for label, rows in groups.items() if label != CONTROL] or [table]
    values = [rows["delta_on_fraction"].to_numpy(float) for rows in treated]
    codes = [pd.factorize(rows["field"])[0] for rows in treated]
    of_field = table.groupby("field")["delta_on_fraction"]
    within = float(
        np.sqrt((of_field.var() * (of_field.size() - 1)).sum() / (len(table) - of_field.ngroups))
    )
    size = int(of_field.size().median())
    effects = [mean.design_effect for mean in pooled_means(values, codes)]
    return Plan(
        scatter=min(within, 1.0),
        design_effect=min(max(1.0, float(np.median(effects))), float(size)),
        nanocrystals=size,
        treatments=len(groups),
    )


def scatter_by_length(results: Path) -> pd.DataFrame:
    """Return the standard deviation of the change within fields, had movies been shorter.

    Returns
    -------
    DataFrame
        `part` of the frames, `seconds`, `scatter`: of the changes of the same nanocrystals by the
        states of the first part of their movies.
    """
    import xarray as xr

    table = _counted(results)
    sums, seconds = np.zeros(len(_PARTS)), np.zeros(len(_PARTS))
    freedom = 0
    for field, rows in table.groupby("field"):
        with xr.open_dataset(results / "fields" / str(field) / "traces.nc") as traces:
            own = traces.sel(nanocrystal=rows["nc_id"].to_numpy())
            states = {epoch: own[f"on_{epoch}"].to_numpy() for epoch in EPOCHS}
            exposure_s = float(traces.attrs["exposure_s"])
        length = min(int((state >= 0).all(axis=0).sum()) for state in states.values())
        for k, part in enumerate(_PARTS):
            frames = max(1, round(part * length))
            pre, post = ((states[e][:, :frames] == 1).mean(axis=1) for e in EPOCHS)
            change = post - pre
            sums[k] += float(np.sum((change - change.mean()) ** 2))
            seconds[k] = max(seconds[k], frames * exposure_s)
        freedom += len(rows) - 1
    scatter = np.sqrt(sums / max(freedom, 1))
    return pd.DataFrame({"part": _PARTS, "seconds": seconds, "scatter": scatter})


def _counted(results: Path) -> pd.DataFrame:
    path = results / "nanocrystals.csv"
    if not path.is_file():
        raise InputError(
            f"there is no {path}", "name the results folder of a finished run with --results"
        )
    table = files.read_csv(path)
    table = table[as_bool(table["analysed"]) & table["population"].isin(COUNTED).to_numpy()]
    if len(table) - table["field"].nunique() < 10:
        raise InputError(
            f"{path} has {len(table)} nanocrystals that count, too few for a scatter",
            "give assumptions instead: --scatter, --design-effect, --nanocrystals",
        )
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; 1 with a message where they cannot be made."""
    parser = argparse.ArgumentParser(prog="python -m blinkpair.plan", description=__doc__)
    parser.add_argument("--results", type=Path, help="of a pilot; without it, of assumptions")
    add = parser.add_argument
    add("--change", type=float, default=5.0, help="true mean change, points; default 5")
    add("--share", type=float, default=10.0, help="share of a population, %%; default 10")
    add("--scatter", type=float, help="standard deviation of the change in a field, points; 30")
    add("--design-effect", type=float, help="of a field's mean, 1 where fields do not differ; 2")
    add("--nanocrystals", type=int, help="that count, in each field; 100")
    add("--treatments", type=int, help="with as many fields each, the control included; 1")
    chosen = parser.parse_args(arguments)
    try:
        plan = plan_from(chosen.results) if chosen.results else Plan()
        given = {
            "scatter": chosen.scatter / 100 if chosen.scatter is not None else None,
            "design_effect": chosen.design_effect,
            "nanocrystals": chosen.nanocrystals,
            "treatments": chosen.treatments,
        }
        plan = replace(plan, **{name: value for name, value in given.items() if value is not None})
        plan = replace(plan, change=chosen.change / 100, share=chosen.share / 100)
        power = expected_power(plan, FIELDS)
        lengths = scatter_by_length(chosen.results) if chosen.results else None
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    origin = f"from {chosen.results}" if chosen.results else "assumed"
    print(f"{plan.nanocrystals} nanocrystals a field, treatments: {plan.treatments}")
    print(f"scatter {100 * plan.scatter:.0f} points, design effect {plan.design_effect:.1f}")
    print(f"({origin} where not given)\n")
    shown = pd.DataFrame(
        {
            "fields": power["fields"],
            "nanocrystals": power["nanocrystals"],
            f"power for {chosen.change:g} points, %": (100 * power["power"]).round().astype(int),
            "change known to, points": (100 * power["half_width_change"]).round(1),
            f"share of {chosen.share:g} % known to, points": (
                100 * power["half_width_share"]
            ).round(1),
        }
    )
    print(shown.to_string(index=False))
    if lengths is not None:
        print("\nScatter of the change between nanocrystals, had the movies been shorter:")
        short = lengths.assign(scatter=(100 * lengths["scatter"]).round(1))
        print(short.drop(columns="part").to_string(index=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
