"""Every number of the paper beside the simulated truth and what both analyses measured.

Input: the folder of a run of `benchmarks/paper/Snakefile`. Output: rows of tables.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from blinkpair.epochs import EPOCHS
from blinkpair.labels import CONTROL
from blinkpair.simulate.paper import PAPER

DARK = 0.10
LARGE = 0.20
SAME_PX = 1.0
TYPE_A, TYPE_B = "truncated_power_law", "power_law"
ANALYSES = {"recipe": "paper's recipe", "best": "better methods"}


@dataclass
class Row:
    """A number: as the paper has it, as simulated, and as measured with (value, low, high).

    `is_interval` is False where low and high are no confidence interval of the value.
    """

    what: str
    paper: str
    truth: float
    measured: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    unit: str = ""
    is_interval: bool = True


class Run:
    """Tables of a run, and its truth for what the paper would have analysed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fields = pd.read_csv(folder / "fields.tsv", sep="\t", dtype=str)
        self.truth = pd.concat(
            [
                pd.read_csv(folder / "movies" / f"{name}_truth.csv").assign(
                    field=name, temperature_c=temperature
                )
                for name, temperature in self.fields[["field", "temperature_c"]].to_numpy()
            ],
            ignore_index=True,
        )
        for epoch in EPOCHS:
            self.truth[f"bright_{epoch}"] = self.truth[f"on_fraction_{epoch}"] >= DARK
            self.truth[f"type_{epoch}"] = np.where(self.truth[f"truncated_{epoch}"], TYPE_A, TYPE_B)
        self.truth["delta"] = self.truth["on_fraction_post"] - self.truth["on_fraction_pre"]
        self.counted = self.truth[
            self.truth["analysable"] & (self.truth["bright_pre"] | self.truth["bright_post"])
        ]

    def table(self, analysis: str, name: str) -> pd.DataFrame:
        """A table of results; temperatures as text."""
        path = self.folder / analysis / "results" / f"{name}.csv"
        table = pd.read_csv(path, keep_default_na=True, low_memory=False)
        if "temperature_c" in table:
            table["temperature_c"] = [_label(t) for t in table["temperature_c"]]
        return table

    def one(self, analysis: str, name: str, **where: str) -> pd.Series[Any] | None:
        """A row of a table; None where there is none."""
        table = self.table(analysis, name)
        for column, value in where.items():
            table = table[table[column] == value]
        return table.iloc[0] if len(table) else None

    def light_kept(self, temperature: str, epoch: str) -> float:
        """Share of the light kept, of all fields of a temperature together."""
        names = self.fields.loc[self.fields["temperature_c"] == temperature, "field"]
        light = np.array(
            [
                json.loads((self.folder / "movies" / f"{name}_truth.json").read_text())["light"][
                    epoch
                ]
                for name in names
            ]
        ).sum(axis=0)
        return float(light[1] / light[0])

    def temperatures(self) -> list[str]:
        """Temperatures that were simulated, without the control."""
        return [t for t in PAPER if (self.fields["temperature_c"] == t).any()]

    def matched(self, analysis: str) -> pd.DataFrame:
        """Analysed nanocrystals with the truth of the same place, its columns ending in _true."""
        table = self.table(analysis, "nanocrystals")
        table = table[table["analysed"].astype(str) == "True"]
        parts = []
        for name, own in table.groupby("field"):
            truth = self.truth[self.truth["field"] == name].reset_index(drop=True)
            distance, nearest = cKDTree(truth[["x_pre", "y_pre"]]).query(own[["x_pre", "y_pre"]])
            pair = pd.concat(
                [
                    own.reset_index(drop=True),
                    truth.loc[nearest].reset_index(drop=True).add_suffix("_true"),
                ],
                axis=1,
            )
            parts.append(pair[distance < SAME_PX])
        return pd.concat(parts, ignore_index=True)


def _label(temperature: object) -> str:
    text = str(temperature)
    return text if text == CONTROL else f"{float(text):g}"


def _estimate(row: pd.Series[Any] | None, name: str) -> tuple[float, float, float]:
    if row is None:
        return (np.nan, np.nan, np.nan)
    return tuple(float(row[f"{name}{end}"]) for end in ("", "_low", "_high"))  # type: ignore[return-value]


def populations(run: Run) -> list[Row]:
    """The table of populations, the mean changes and the light kept."""
    rows = []
    for t in run.temperatures():
        paper, own = PAPER[t], run.counted[run.counted["temperature_c"] == t]
        n = sum(paper.counts)
        found = {a: run.one(a, "populations", temperature_c=t) for a in ANALYSES}
        light = {a: run.one(a, "photostability", temperature_c=t, epoch="post") for a in ANALYSES}
        rows.append(
            Row(f"{t} °C: analysed", str(n), len(own),
                {a: (_of(r, "n"), np.nan, np.nan) for a, r in found.items()})
        )  # fmt: skip
        for k, (kind, words) in enumerate(
            [("became_emissive", "became emissive"), ("became_dark", "became dark"),
             ("emissive", "emissive in both")]
        ):  # fmt: skip
            true = (
                ~own["bright_pre"] & own["bright_post"],
                own["bright_pre"] & ~own["bright_post"],
                own["bright_pre"] & own["bright_post"],
            )[k]
            written = f"{paper.counts[k]} ({100 * paper.counts[k] / n:.0f} %)"
            measured = {a: _estimate(r, f"fraction_{kind}") for a, r in found.items()}
            rows.append(Row(f"{t} °C: {words}", written, float(true.mean()), measured, "%"))
        written = f"{100 * paper.mean_delta:+.0f} points"
        measured = {a: _estimate(r, "mean_delta") for a, r in found.items()}
        rows.append(
            Row(f"{t} °C: mean change", written, float(own["delta"].mean()), measured, "points")
        )
        rows.append(
            Row(f"{t} °C: light kept after annealing", f"{100 * paper.pl_kept:.0f} %",
                run.light_kept(t, "post"), {a: _estimate(r, "kept") for a, r in light.items()}, "%")
        )  # fmt: skip
    return rows


def _of(row: pd.Series[Any] | None, name: str) -> float:
    return float(row[name]) if row is not None else np.nan


def types(run: Run, t: str = "100") -> list[Row]:
    """Types at 100 degrees C, alpha, and what the types did."""
    own = run.counted[run.counted["temperature_c"] == t]
    rows = []
    for epoch, paper in (("pre", "33 of 319 (10 %)"), ("post", "25 of 314 (8 %)")):
        bright = own[own[f"bright_{epoch}"]]
        found = {a: run.one(a, "types", temperature_c=t, epoch=epoch) for a in ANALYSES}
        rows.append(
            Row(f"type A {'before' if epoch == 'pre' else 'after'}, of the bright", paper,
                float(bright[f"truncated_{epoch}"].mean()),
                {a: _estimate(r, f"fraction_{TYPE_A}") for a, r in found.items()}, "%")
        )  # fmt: skip
    a_before = own[own["bright_pre"] & own["truncated_pre"]]
    turned = a_before["bright_post"] & ~a_before["truncated_post"]
    rows.append(
        Row("of type A before, type B after", "20 of 33 (61 %)", float(turned.mean()),
            {a: _estimate(run.one(a, "type_transitions", temperature_c=t, type_pre=TYPE_A,
                                  type_post=TYPE_B), "fraction_of_pre") for a in ANALYSES}, "%")
    )  # fmt: skip
    b_before = own[own["bright_pre"] & ~own["truncated_pre"]]
    for kind, words, part, sign in (
        (TYPE_A, "type A whose on-fraction rose", a_before, 1),
        (TYPE_B, "type B whose on-fraction fell", b_before, -1),
    ):
        measured = {}
        for a in ANALYSES:
            row = run.one(a, "change_by_type", temperature_c=t, type_pre=kind)
            measured[a] = (
                _of(row, "n_gained" if sign > 0 else "n_lost") / max(_of(row, "n"), 1),
                np.nan,
                np.nan,
            )
        rows.append(Row(words, "most", float((sign * part["delta"] > 0).mean()), measured, "%"))
    for name, sign in (("gained", 1), ("lost", -1)):
        true = b_before.loc[sign * b_before["delta"] > LARGE, "alpha_on_pre"]
        found = {a: run.one(a, "alpha_by_change", temperature_c=t) for a in ANALYSES}
        rows.append(
            Row(f"mean alpha before of type B that {name} over 20 points",
                "larger" if sign > 0 else "smaller", float(true.mean()),
                {a: _estimate(r, f"mean_alpha_{name}") for a, r in found.items()})
        )  # fmt: skip
    rows.append(
        Row("truncation time of type A before, median, s", "0.22(5), an example", 0.22,
            {a: _taus(run, a, t) for a in ANALYSES}, is_interval=False)
    )  # fmt: skip
    return rows


def _taus(run: Run, analysis: str, t: str) -> tuple[float, float, float]:
    """Median of the fitted truncation times and the quartiles of the single ones."""
    table = run.table(analysis, "nanocrystals")
    chosen = (table["temperature_c"] == t) & (table["blinking_pre"] == TYPE_A)
    tau = table.loc[chosen & (table["analysed"].astype(str) == "True"), "tau_on_pre_s"].dropna()
    if not len(tau):
        return (np.nan, np.nan, np.nan)
    return tuple(float(q) for q in tau.quantile([0.5, 0.25, 0.75]))  # type: ignore[return-value]


def photostability(run: Run) -> list[Row]:
    """Stable, brightening, going dark within the first movies, of all fields that were annealed."""
    bright = run.truth[
        run.truth["analysable"] & run.truth["bright_pre"] & (run.truth["temperature_c"] != CONTROL)
    ]
    rows = []
    for kind, paper in (
        ("stable", "112 of 133 (84 %)"),
        ("brightening", "11 of 133 (8 %)"),
        ("going_dark", "10 of 133 (8 %)"),
    ):
        measured = {}
        for a in ANALYSES:
            pairs = run.matched(a)
            pairs = pairs[(pairs["temperature_c"] != CONTROL) & pairs["bright_pre_true"]]
            called = pairs["photostability_pre"]
            tested = called.isin(["stable", "brightening", "dimming", "going_dark"])
            measured[a] = (float((called[tested] == kind).mean()), np.nan, np.nan)
        truth = float((bright["trend_pre"] == kind).mean())
        rows.append(Row(kind.replace("_", " "), paper, truth, measured, "%"))
    return rows


def single(run: Run) -> pd.DataFrame:
    """How right single nanocrystals are: on-fraction, population, type, photostability."""
    rows = []
    for a, words in ANALYSES.items():
        pairs = run.matched(a)
        error = np.concatenate(
            [
                (pairs[f"on_fraction_{e}"] - pairs[f"on_fraction_{e}_true"]).to_numpy()
                for e in EPOCHS
            ]
        )
        error = error[np.isfinite(error)]
        row: dict[str, Any] = {
            "analysis": words,
            "analysed": len(pairs),
            "on-fraction, RMS error": f"{np.sqrt(np.mean(error**2)):.4f}",
            "mean error": f"{error.mean():+.4f}",
        }
        wrong = [(pairs[f"on_fraction_{e}"] >= DARK) != pairs[f"bright_{e}_true"] for e in EPOCHS]
        row["in a wrong population"] = f"{100 * (wrong[0] | wrong[1]).mean():.1f} %"
        right, given, bright = 0, 0, 0
        for e in EPOCHS:
            own = pairs[(pairs["temperature_c"] == "100") & pairs[f"bright_{e}_true"]]
            verdict = own[f"blinking_{e}"].isin([TYPE_A, TYPE_B])
            right += int((own[f"blinking_{e}"] == own[f"type_{e}_true"])[verdict].sum())
            given, bright = given + int(verdict.sum()), bright + len(own)
        row["types right, of those with a verdict"] = (
            f"{right} of {given} ({_percent(right, given)})"
        )
        row["no verdict"] = f"{bright - given} of {bright} ({_percent(bright - given, bright)})"
        called = pairs["photostability_pre"]
        tested = called.isin(["stable", "brightening", "dimming", "going_dark"])
        stable = tested & (pairs["trend_pre_true"] == "stable") & pairs["bright_pre_true"]
        row["false trends"] = _percent(int((called[stable] != "stable").sum()), int(stable.sum()))
        for kind in ("brightening", "going_dark"):
            true = tested & (pairs["trend_pre_true"] == kind) & pairs["bright_pre_true"]
            found = int((called[true] == kind).sum())
            row[f"{kind.replace('_', ' ')} found"] = f"{found} of {int(true.sum())}"
        rows.append(row)
    return pd.DataFrame(rows)


def no_verdict(run: Run, analysis: str = "best", t: str = "100") -> pd.Series[int]:
    """Reasons for which bright nanocrystals have no verdict, both epochs, most frequent first."""
    pairs = run.matched(analysis)
    reasons: list[str] = []
    for e in EPOCHS:
        own = pairs[(pairs["temperature_c"] == t) & pairs[f"bright_{e}_true"]]
        none = ~own[f"blinking_{e}"].isin([TYPE_A, TYPE_B])
        reasons += own.loc[none, f"reason_on_{e}"].fillna("no reason").astype(str).to_list()
    text = pd.Series(reasons, dtype=str).str.split().str.join(" ")
    return text.str.replace(r"\d+(\.\d+)?", "N", regex=True).value_counts()


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"
