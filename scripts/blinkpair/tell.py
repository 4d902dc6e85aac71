"""Say in a few lines what a run found: `python -m blinkpair.tell results`."""

from __future__ import annotations

import sys
from pathlib import Path

from blinkpair import files


def tell(results: str | Path) -> str:
    """Return the population table in words and where to look next.

    Parameters
    ----------
    results : path
        The folder of results.
    """
    folder = Path(results)
    populations = files.read_csv(folder / "populations.csv")
    fields = files.read_csv(folder / "fields.csv")
    lines = [
        "",
        f"{'annealed at':>12} {'fields':>7} {'n':>5} {'became emissive':>18} {'became dark':>18}"
        f" {'mean change':>24}",
    ]
    for row in populations.to_dict("records"):
        name = (
            row["temperature_c"]
            if row["temperature_c"] == "control"
            else (f"{float(row['temperature_c']):g} C")
        )
        shares = [
            f"{row[f'n_{p}']} ({100 * row[f'fraction_{p}']:.0f} %)"
            for p in ("became_emissive", "became_dark")
        ]
        change = (
            f"{100 * row['mean_delta']:+.1f} points "
            f"[{100 * row['mean_delta_low']:+.1f}, {100 * row['mean_delta_high']:+.1f}]"
        )
        lines.append(
            f"{name:>12} {row['n_fields']:>7} {row['n']:>5} {shares[0]:>18} {shares[1]:>18}"
            f" {change:>24}"
        )
    refused = fields[fields["status"] != "ok"]
    lines.append("")
    lines.append(f"{len(fields) - len(refused)} of {len(fields)} fields registered.")
    lines += [f"  refused: {row.field}: {row.reason}" for row in refused.itertuples()]
    by_hand = fields.loc[fields["evidence"].str.startswith("landmarks"), "field"]
    lines += [f"  registered by hand: {field}" for field in by_hand]
    lines += [
        "",
        f"Table:      {folder / 'populations.csv'}",
        f"Histogram:  {folder / 'figures' / 'delta_histograms.png'}",
        f"Look next:  {folder / 'figures'} (all figures; registration/ shows each field's),",
        f"            {folder / 'nanocrystals.csv'} (one row each), README.md (what it means)",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(tell(sys.argv[1] if len(sys.argv) > 1 else "results"))
