"""The results of many fields, made of one that was really analysed.

A simulated field and a blank one, which is refused, go through the workflow once. Of the first, a
hundred variants are made: other nanocrystals of it, on-fractions moved and populations named anew,
brightness changed, dwell times drawn for a movie of the paper's length. Every field has the text
of one variant under its own name; what is alike in all, its traces and images, is hard links.

Input: a folder, how many fields, a seed. Output: what the pooled steps read of each field.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from blinkpair.blinking.on_fractions import DARK_CUTOFF, classify
from blinkpair.blinking.run_lengths import N_SUBSETS
from blinkpair.epochs import EPOCHS
from blinkpair.files import read_csv, read_json, write_csv, write_json
from blinkpair.populations.blinking_types import TRUNCATED, TYPES
from blinkpair.simulate import Camera, FieldDesign, write_experiment

ROOT = Path(__file__).parents[2]
NANOCRYSTALS = 200  # of a field
VARIANTS = 100
REFUSED_EVERY = 50  # two fields of a hundred are refused
TEMPERATURES = ("70", "100", "120", "control")
WINDOW_FRAMES, EVENTS = 20_000, 100_000  # of each epoch and state of a field
EXPOSURES_S = (0.02, 0.02, 0.02, 0.05)
SHARES = (0.1, 0.5, 0.25, 0.05, 0.1)  # of TYPES, among the nanocrystals that are emissive
VARIED = ("nanocrystals", "on_fractions", "durations", "integrated_pl")
# What stands for them in a text; no other number of it is this one.
FIELD, TEMPERATURE = "@FIELD@", "-271.25"
OK, BLANK = "seen", "blank"
ENDS_WITH_ONE_REFUSED = 11  # 10 and the number of fields


@dataclass(frozen=True)
class Fields:
    """Where the results of the fields lie, and the rows of their sheet."""

    folder: Path
    sheet: list[dict[str, Any]]

    def paths(self, name: str) -> list[str]:
        """A file of every field."""
        return [str(self.folder / "fields" / row["field"] / name) for row in self.sheet]


def analyse_template(folder: Path) -> Path:
    """Bring the two fields through the workflow; the folder of their results."""
    design = FieldDesign(
        camera=Camera(shape=(320, 320)),
        frames=600,
        n_nanocrystals=300,
        n_microspheres=20,
        min_distance_px=6.5,
    )
    blank = replace(design, n_microspheres=0, n_nanocrystals=0, n_dust=0)
    (folder / "config").mkdir(parents=True)
    designs = {OK: ("100", design, 5), BLANK: ("100", blank, 6)}
    sheet = write_experiment(folder / "movies", designs)
    for column in ("pre_brightfield", "pre_pl", "post_brightfield", "post_pl"):
        sheet[column] = [str(Path(path).resolve()) for path in sheet[column]]
    sheet.to_csv(folder / "sheet.tsv", sep="\t", index=False)
    (folder / "config" / "config.yaml").write_text("fields: sheet.tsv\n")
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile")]
    targets = ["results/provenance.json"]
    done = subprocess.run([*command, "--cores", "2", "--quiet", "all", "--", *targets], cwd=folder)
    if done.returncode != ENDS_WITH_ONE_REFUSED:
        raise subprocess.CalledProcessError(done.returncode, done.args)
    return folder / "results"


def write_fields(template: Path, folder: Path, n: int, *, seed: int = 1) -> Fields:
    """Write the results of n fields and a provenance of as many inputs."""
    rng = np.random.default_rng(seed)
    seen, blank = template / "fields" / OK, template / "fields" / BLANK
    movies = template.parent / "movies"
    variants = [variant(seen, rng) for _ in range(min(n, VARIANTS))]
    refused = {name: (blank / f"{name}.csv").read_text() for name in VARIED}
    linked = [path.name for path in seen.iterdir() if path.stem not in VARIED]
    sheet = []
    for place in range(n):
        name, temperature = f"field_{place:05d}", TEMPERATURES[place % len(TEMPERATURES)]
        own = folder / "fields" / name
        own.mkdir(parents=True)
        is_refused = place % REFUSED_EVERY == REFUSED_EVERY - 1
        texts = refused if is_refused else variants[rng.integers(len(variants))]
        for table, text in texts.items():
            text = text.replace(FIELD, name).replace(TEMPERATURE, temperature)
            (own / f"{table}.csv").write_text(text)
        for file in linked:
            os.link((blank if is_refused else seen) / file, own / file)
        sheet.append(
            {
                "field": name,
                "temperature_c": temperature,
                "sample": "simulated",
                "pixel_size_um": 0.16,
                **{
                    f"{epoch}_brightfield": str(movies / f"{OK}_{epoch}_bf.tif") for epoch in EPOCHS
                },
            }
        )
    provenance = read_json(template / "provenance.json")
    entry = next(iter(provenance["inputs"].values()))
    files = ("pre_bf", "pre_pl", "post_bf", "post_pl")
    inputs = {f"movies/{row['field']}_{file}.tif": entry for row in sheet for file in files}
    write_json(provenance | {"inputs": inputs}, folder / "provenance.json")
    (folder / "sheet.json").write_text(json.dumps(sheet))
    return Fields(folder, sheet)


def variant(seen: Path, rng: np.random.Generator) -> dict[str, str]:
    """Texts of the tables of a field like the one that was analysed."""
    table = read_csv(seen / "nanocrystals.csv")
    chosen = np.sort(rng.choice(len(table), min(NANOCRYSTALS, len(table)), replace=False))
    table = table.iloc[chosen].reset_index(drop=True)
    brighter = rng.lognormal(0, 0.1)
    for epoch in EPOCHS:
        moved = table[f"on_fraction_{epoch}"] + rng.normal(0, 0.03, len(table))
        table[f"on_fraction_{epoch}"] = moved.clip(0, 1)
        for end in ("start", "end"):
            table[f"{end}_counts_{epoch}"] *= brighter * rng.lognormal(0, 0.05, len(table))
        draw_types(rng, table, epoch)
    table["delta_on_fraction"] = table["on_fraction_post"] - table["on_fraction_pre"]
    table["population"] = classify(
        table["on_fraction_pre"], table["on_fraction_post"], analysed=table["analysed"]
    )
    sweep = read_csv(seen / "on_fractions.csv")
    sweep = sweep[sweep["nc_id"].isin(table["nc_id"])]
    for epoch in EPOCHS:
        moved = sweep[f"on_fraction_{epoch}"] + rng.normal(0, 0.03, len(sweep))
        sweep = sweep.assign(**{f"on_fraction_{epoch}": moved.clip(0, 1)})
    light = read_csv(seen / "integrated_pl.csv")
    light["integrated_pl"] *= brighter * rng.lognormal(0, 0.03, len(light))
    durations = drawn_durations(rng, list(read_csv(seen / "durations.csv")))
    made = zip(VARIED, (table, sweep, durations, light), strict=True)
    return {name: text_of(rows, seen) for name, rows in made}


def draw_types(rng: np.random.Generator, table: pd.DataFrame, epoch: str) -> None:
    """Give nanocrystals that are emissive in an epoch types and fits, as of long movies."""
    emissive = (table["analysed"] & (table[f"on_fraction_{epoch}"] >= DARK_CUTOFF)).to_numpy()
    n = len(table)
    kind = np.where(emissive, rng.choice(TYPES, n, p=SHARES), "not_fitted")
    fitted, cut = kind != "not_fitted", kind == TRUNCATED
    table[f"blinking_{epoch}"] = kind
    table[f"alpha_on_{epoch}"] = np.where(fitted, rng.normal(1.6, 0.2, n), np.nan)
    table[f"tau_on_{epoch}_s"] = np.where(cut, rng.lognormal(-1, 0.5, n), np.nan)
    table[f"p_truncated_{epoch}"] = np.where(fitted, rng.uniform(0, 1, n) ** (1 + 9 * cut), np.nan)
    table[f"n_on_events_{epoch}"] = np.where(emissive, rng.poisson(400, n), np.nan)


def drawn_durations(rng: np.random.Generator, columns: list[str]) -> pd.DataFrame:
    """Counts of power-law events; a clock's last digits differ from field to field."""
    frames = np.arange(1, WINDOW_FRAMES + 1)
    exposure_s = rng.choice(EXPOSURES_S) * (1 + rng.normal(0, 1e-4))
    parts = []
    for epoch in EPOCHS:
        for state, alpha in (("on", 1.6), ("off", 1.5)):
            law = frames ** -(alpha + rng.normal(0, 0.03))
            share = law / law.sum() / N_SUBSETS
            for subset in range(N_SUBSETS):
                n_events, cut = rng.poisson(EVENTS * share), rng.poisson(NANOCRYSTALS * share)
                rows = {"duration_frames": frames, "n_events": n_events, "n_cut_by_end": cut}
                part = pd.DataFrame(rows).assign(epoch=epoch, state=state, subset=subset)
                parts.append(part[n_events + cut > 0])
    table = pd.concat(parts, ignore_index=True)
    return table.assign(
        field="", temperature_c="", exposure_s=exposure_s, window_frames=WINDOW_FRAMES
    )[columns]


def text_of(rows: pd.DataFrame, folder: Path) -> str:
    """The text of a table whose field and temperature are still to be filled in."""
    path = folder.parent / "variant.csv"
    write_csv(rows.assign(field=FIELD, temperature_c=TEMPERATURE), path)
    return path.read_text()
