"""A tiny simulated experiment, and how to run the workflow on it as a user does."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from blinkpair.simulate import Camera, FieldDesign, write_experiment
from blinkpair.simulate.blinking import DwellLaw
from tests.helpers.plans import ENDS_WELL, ROOT


def snakemake(folder: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
    """Run the workflow in a folder, as a user does; `plans.run_fresh` starts sooner."""
    result = subprocess.run(
        [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if check:
        assert result.returncode in ENDS_WELL, result.stderr[-4000:]
    return result


# A field of 128 x 128 pixels and 200 frames.
DESIGN = FieldDesign(
    camera=Camera(shape=(128, 128)),
    frames=200,
    n_nanocrystals=24,
    n_microspheres=9,
    rotation_deg=-120.0,
    shift_px=(5.0, -6.0),
    drift_px=1.5,
    populations=(0.2, 0.3, 0.45, 0.05),
    n_dust=1,
    min_distance_px=7.0,
)


def write_tiny_experiment(folder: Path) -> None:
    """Three fields of 128 x 128 pixels, one of them without anything in it.

    Two have 200 frames. The control has 2,000, for its blinking to be fitted, and a movie that was
    stopped ten frames earlier after re-mounting.
    """
    blank = replace(DESIGN, n_microspheres=0, n_nanocrystals=0, n_dust=0)
    designs = {
        "hot": ("120", DESIGN, 71),
        "re-mounted": (
            "control",
            replace(
                DESIGN,
                rotation_deg=15.0,
                frames=2000,
                populations=(0.05, 0.05, 0.9, 0.0),
                on_law=DwellLaw(alpha=1.8),
                longest_event=1.0,
                truncated_share=0.4,
            ),
            72,
        ),
        "blank": ("120", blank, 73),
    }
    sheet = write_experiment(folder / "movies", designs)
    for column in ("pre_brightfield", "pre_pl", "post_brightfield", "post_pl"):
        sheet[column] = [str(Path(path).relative_to(folder)) for path in sheet[column]]
    sheet.loc[sheet["field"] == "re-mounted", "post_pl"] += "::frames=1990"
    sheet["operator"] = "A. Müller"
    sheet.to_csv(folder / "sheet.tsv", sep="\t", index=False)
    (folder / "config").mkdir()
    (folder / "config" / "config.yaml").write_text("fields: sheet.tsv\n")
