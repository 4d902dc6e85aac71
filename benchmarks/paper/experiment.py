"""The fields of the paper's experiment: their sample sheet, and one field's movies with the truth.

    python -m benchmarks.paper.experiment FIELD FOLDER FRAMES FIELDS

Input: frames and numbers of fields. Output: files as `blinkpair.simulate` writes them; the
share of the light that was truly kept stands in the field's `_truth.json`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from blinkpair.epochs import EPOCHS
from blinkpair.simulate import FieldDesign, SimulatedField, simulate_field, write_field
from blinkpair.simulate.behaviour import compared_frames
from blinkpair.simulate.paper import paper_designs

# About 200 nanocrystals in each, as many fields as give the paper's numbers.
PAPER_FIELDS = {"70": 2, "100": 3, "120": 2, "control": 1}
REFERENCE_S = 10.0  # photostability.reference_s


def designs(frames: int, n_fields: str) -> dict[str, tuple[str, FieldDesign, int]]:
    """Return the designs of the first so many fields of each temperature, by name."""
    numbers = dict(zip(PAPER_FIELDS, map(int, n_fields.split(",")), strict=True))
    every = paper_designs(PAPER_FIELDS, frames=frames)
    taken: dict[str, int] = dict.fromkeys(numbers, 0)
    chosen = {}
    for name, design in every.items():
        taken[design[0]] += 1
        if taken[design[0]] <= numbers[design[0]]:
            chosen[name] = design
    return chosen


def write_sheet(path: str, fields: dict[str, tuple[str, FieldDesign, int]]) -> None:
    """Write the sample sheet, unless it is there with the same content."""
    rows = [
        {
            "field": name,
            "temperature_c": temperature,
            "sample": "simulated",
            "exposure_s": design.camera.exposure_s,
            "pixel_size_um": design.camera.pixel_size_um,
        }
        | {
            f"{epoch}_{column}": f"movies/{name}_{epoch}_{kind}.tif"
            for epoch in EPOCHS
            for column, kind in (("brightfield", "bf"), ("pl", "pl"))
        }
        for name, (temperature, design, _) in fields.items()
    ]
    text = pd.DataFrame(rows).to_csv(sep="\t", index=False, lineterminator="\n")
    if not Path(path).exists() or Path(path).read_text() != text:
        Path(path).write_text(text)


def light_kept(field: SimulatedField) -> dict[str, list[float]]:
    """Return counts in the first and the last seconds, summed over what can be analysed."""
    design = field.design
    ends = compared_frames(REFERENCE_S, design.frames, design.camera.exposure_s)
    rows = field.truth["analysable"].to_numpy()
    kept = {}
    for epoch in EPOCHS:
        counts = field.expected_counts(epoch)[rows]
        kept[epoch] = [float(np.sum(counts[:, :ends])), float(np.sum(counts[:, -ends:]))]
    return kept


def main(name: str, folder: str, frames: str, n_fields: str) -> None:
    """Write one field."""
    _, design, seed = designs(int(frames), n_fields)[name]
    field = simulate_field(design, seed)
    write_field(Path(folder), name, field, "ome")
    truth = Path(folder) / f"{name}_truth.json"
    content = json.loads(truth.read_text()) | {"light": light_kept(field)}
    truth.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
