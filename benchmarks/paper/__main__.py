"""The page on the paper's experiment: `python -m benchmarks.paper FOLDER --write docs/paper.md`.

Input: the folder of a run of `benchmarks/paper/Snakefile`. Output: the page and its figures.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import pandas as pd
from PIL import Image

from benchmarks.page import text_of
from benchmarks.paper.numbers import (
    ANALYSES,
    Row,
    Run,
    no_verdict,
    photostability,
    populations,
    single,
    types,
)

HEAD = """# The paper's experiment, simulated and analysed

**In short.** Both analyses find the paper's populations and mean changes; the first table says
which simulated values lie in their measured 95 % intervals. They differ for single
nanocrystals: {single}

Made by `make paper`, a workflow of its own that uses blinkpair as a module
(`benchmarks/paper/Snakefile`, [module.md](module.md)). All data are simulated: the numbers of the
paper (Wang et al. 2024) are the truth, and the forward model is that of `blinkpair.simulate`. Two
analyses of the same traces are compared: the **paper's recipe**, on above 100 counts and straight
lines through log-log histograms of durations, and the **better methods** of blinkpair, a hidden
Markov model and maximum likelihood with a test between the two laws. *Simulated* is the truth of
this run: counts are the paper's where all of its fields were simulated, means and shares are as
they were drawn. *Inside*: the simulated truth lies in the measured 95 % interval.
"""
FIGURES = {
    "delta_histograms": "Fig. 6: change in on-fraction at the three temperatures.",
    "before_after_scatter": "Fig. S8: on-fraction after against before.",
    "integrated_pl": "Fig. 4, S6: integrated PL against time, before and after.",
    "example_photostability": "Fig. 5: traces that are stable, brighten and go dark.",
    "example_dwell_times": "Fig. 7, S9, S10: P(t) of single nanocrystals.",
    "delta_by_type": "Fig. 8: change in on-fraction of types A and B.",
    "alpha_by_change": "Fig. S11: alpha before of those that gained and lost more than 20 points.",
    "type_transitions": "What became of each type.",
}


def main() -> None:
    """Parse the command line, print the page, and write it with --write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", type=Path, help="the page; figures go to images/ beside it")
    arguments = parser.parse_args()
    run = Run(arguments.folder)
    text = page(run)
    print(text)
    if arguments.write:
        arguments.write.write_text(text, encoding="utf-8")
        for name in FIGURES:
            file = run.folder / "best" / "results" / "figures" / f"{name}.png"
            small = Image.open(file).convert("RGB").quantize(64, dither=Image.Dither.NONE)
            small.save(arguments.write.parent / "images" / f"paper_{name}.png", optimize=True)


def page(run: Run) -> str:
    """Return the page."""
    fields = run.table("best", "fields")
    numbers = fields["temperature_c"].value_counts()
    of_each = ", ".join(
        f"{n} {'of the control' if t == 'control' else f'at {t} °C'}" for t, n in numbers.items()
    )
    cost = sum(
        float(pd.read_csv(file, sep="\t")["cpu_time"].iloc[0])
        for file in run.folder.glob("benchmarks/*.tsv")
    )
    ok = int((fields["status"] == "ok").sum())
    frames = fields["n_frames_pre"].iloc[0]
    gigabytes = 2 * len(fields) * frames * 512**2 * 2 / 1e9
    right = single(run).set_index("analysis")
    parts = [
        HEAD.format(single=_in_short(right)),
        f"This run: {len(fields)} fields ({of_each}), {frames:.0f} frames a movie, {gigabytes:.0f} "
        f"GB; {ok} fields were registered. The simulation took {cost:.0f} s of processor time.",
        "## Populations, mean change and light",
        _table(populations(run)),
        "## Types of blinking at 100 °C",
        _table(types(run)),
        "In brackets behind the truncation time: half of the single values lie between these. A "
        "nanocrystal without a verdict after annealing, as with few events, counts among those of "
        "type A before and not as type B after.",
        "## Photostability before annealing",
        _table(photostability(run)),
        "Of the nanocrystals that are truly bright and were tested. Brightening is simulated as a "
        "rise of the on level by 25 to 60 %, going dark as a fall of the on-fraction by up to 85 % "
        "over the movie.",
        "## Single nanocrystals against the truth",
        text_of(right.T.reset_index(names="")),
        "The threshold counts a frame as on that was lit in part of its exposure: its on-fractions "
        "are too large, and the hidden Markov model allows for such frames. "
        "Types are those at 100 °C, both epochs. Why the better methods give no verdict (N is a "
        "number):",
        text_of(no_verdict(run).rename_axis("reason").reset_index(name="nanocrystals")),
        "## Figures",
        "Of the better methods.",
    ]
    for name, words in FIGURES.items():
        parts.append(f"![{words}](images/paper_{name}.png)\n\n*{words} Simulated.*")
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _in_short(right: pd.DataFrame) -> str:
    """Return the main columns of `single` as a sentence, a clause an analysis."""
    return (
        "; ".join(
            f"by the {analysis}, on-fractions have an RMS error of "
            f"{row['on-fraction, RMS error']}, {row['in a wrong population']} are in a wrong "
            "population, and of types with a verdict "
            f"{row['types right, of those with a verdict']} are right"
            for analysis, row in right.iterrows()
        )
        + "."
    )


def _table(rows: list[Row]) -> str:
    lines = []
    for row in rows:
        line = {"number": row.what, "paper": row.paper, "simulated": _number(row.truth, row.unit)}
        for analysis, words in ANALYSES.items():
            value, low, high = row.measured[analysis]
            line[words] = _number(value, row.unit)
            if math.isfinite(low):
                ends = _number(low, row.unit, bare=True), _number(high, row.unit)
                line[words] += f" ({' to '.join(ends)})"
                if row.is_interval:
                    line[words] += " inside" if low <= row.truth <= high else " **outside**"
        lines.append(line)
    return text_of(pd.DataFrame(lines))


def _number(value: float, unit: str, *, bare: bool = False) -> str:
    if not math.isfinite(value):
        return "-"
    if unit == "":
        return f"{value:.0f}" if float(value).is_integer() else f"{value:.2f}"
    text = f"{100 * value:+.1f}" if unit == "points" else f"{100 * value:.1f}"
    return text if bare else f"{text} {unit}"


if __name__ == "__main__":
    main()
