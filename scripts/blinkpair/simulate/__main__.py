"""Simulated movies with known truth, from the command line.

    python -m blinkpair.simulate field FOLDER ...    one field, before and after annealing
    python -m blinkpair.simulate demo [FOLDER]       the demo's experiment

A field's truth is written beside its movies: `NAME_truth.csv` has a row for each nanocrystal. Its
row of the sample sheet is added to `FOLDER/fields.tsv`, where it replaces one of the same name.

Input: arguments; each has its unit in its help. Output: files in a folder.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path

import pandas as pd

from blinkpair.simulate.blinking import DwellLaw
from blinkpair.simulate.camera import Camera
from blinkpair.simulate.design import FieldDesign
from blinkpair.simulate.ensemble import write_ensemble
from blinkpair.simulate.experiment import FORMATS, demo_designs, write_experiment, write_field
from blinkpair.simulate.field import simulate_field


def main() -> None:
    """Parse the command line and simulate."""
    parser = argparse.ArgumentParser(
        prog="python -m blinkpair.simulate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_field(commands.add_parser("field", help="one field", formatter_class=_WITH_DEFAULTS))
    demo = commands.add_parser("demo", help="the demo", formatter_class=_WITH_DEFAULTS)
    demo.add_argument("folder", nargs="?", type=Path, default=Path("demo"), help="for the files")
    demo.add_argument("--frames", type=int, default=1000, help="frames of a movie")
    demo.add_argument("--size", type=int, default=288, help="width and height of a frame, px")
    demo.set_defaults(run=_demo)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    arguments.run(arguments)


_WITH_DEFAULTS = argparse.ArgumentDefaultsHelpFormatter


def _add_field(field: argparse.ArgumentParser) -> None:
    """Add the arguments of a field; the defaults are the paper's, as far as it gives them."""
    design = FieldDesign()
    camera, law = design.camera, DwellLaw()
    add = field.add_argument
    add("folder", type=Path, help="where the files go")
    add("--name", default="simulated_1", help="name of the field")
    add("--temperature", default="100", help="for the sheet: degrees C, or control")
    add("--seed", type=int, default=1, help="the same seed draws the same field")
    add("--format", choices=FORMATS, default="ome", help="of movies: tiff (without exposure and "
        "pixel size, which the sheet has), ome, imagej (up to 3.9 GB)")  # fmt: skip
    add("--frames", type=int, default=design.frames, help="of each movie; 20000 in the paper")
    add("--size", type=int, default=camera.shape[0], help="width and height of a frame, px")
    add("--exposure", type=float, default=camera.exposure_s, help="time per frame, s")
    add("--pixel-size", type=float, default=camera.pixel_size_um, help="in the sample, um")
    add("--gain", type=float, default=camera.gain, help="counts per photo-electron")
    add("--read-noise", type=float, default=camera.read_noise_counts, help="sd, counts")
    add("--background", type=float, default=design.background_counts, help="counts a pixel, frame")
    add("--counts", type=float, nargs=2, default=design.counts_when_on, metavar=("LOW", "HIGH"),
        help="counts of a nanocrystal in a frame when on, summed over its image")  # fmt: skip
    add("--density", type=float, default=design.n_nanocrystals, help="nanocrystals in a frame")
    add("--psf-sigma", type=float, nargs=2, default=design.psf_sigma_px, metavar=("PRE", "POST"),
        help="standard deviation of a nanocrystal's image, px")  # fmt: skip
    add("--alpha", type=float, default=law.alpha, help="exponent of the on-times")
    add("--truncated", type=float, default=design.truncated_share,
        help="share of nanocrystals with truncated on-times (type A)")  # fmt: skip
    add("--truncation", type=float, default=design.truncation_s, help="truncation time, s")
    add("--populations", type=float, nargs=4, default=design.populations,
        metavar=("EMISSIVE", "DARK", "BOTH", "NEITHER"),
        help="shares: became emissive, became dark, emissive in both, in neither")  # fmt: skip
    add("--change", type=float, nargs=2, default=design.change_emissive, metavar=("MEAN", "SD"),
        help="change in on-fraction of those emissive in both, 0 to 1")  # fmt: skip
    add("--microspheres", type=float, default=design.n_microspheres, help="in a frame")
    add("--rotation", type=float, default=design.rotation_deg, help="of the re-mount, degrees")
    add("--shift", type=float, nargs=2, default=design.shift_px, metavar=("X", "Y"),
        help="of the re-mount, px")  # fmt: skip
    add("--drift", type=float, default=design.drift_px, help="largest within a movie, px")
    field.set_defaults(run=_field)


def _field(arguments: argparse.Namespace) -> None:
    """Write one field, and its row into the sample sheet."""
    design = FieldDesign(
        camera=Camera(
            shape=(arguments.size, arguments.size),
            exposure_s=arguments.exposure,
            pixel_size_um=arguments.pixel_size,
            gain=arguments.gain,
            read_noise_counts=arguments.read_noise,
        ),
        frames=arguments.frames,
        n_nanocrystals=arguments.density,
        n_microspheres=arguments.microspheres,
        rotation_deg=arguments.rotation,
        shift_px=tuple(arguments.shift),
        drift_px=arguments.drift,
        psf_sigma_px=tuple(arguments.psf_sigma),
        background_counts=arguments.background,
        counts_when_on=tuple(arguments.counts),
        populations=tuple(arguments.populations),
        change_emissive=tuple(arguments.change),
        on_law=replace(DwellLaw(), alpha=arguments.alpha),
        truncated_share=arguments.truncated,
        truncation_s=arguments.truncation,
    )
    simulated = simulate_field(design, arguments.seed)
    paths = write_field(arguments.folder, arguments.name, simulated, arguments.format)
    row = {"field": arguments.name, "temperature_c": arguments.temperature, "sample": "simulated"}
    sizes = {"exposure_s": arguments.exposure, "pixel_size_um": arguments.pixel_size}
    _add_to_sheet(arguments.folder / "fields.tsv", row | paths | sizes)


def _add_to_sheet(sheet: Path, row: dict[str, str]) -> None:
    """Add a row to a sample sheet, or replace the one of the same field."""
    rows = pd.DataFrame([row])
    if sheet.exists():
        others = pd.read_csv(sheet, sep="\t", dtype=str, keep_default_na=False)
        rows = pd.concat([others[others["field"] != row["field"]], rows])
    rows.to_csv(sheet, sep="\t", index=False, lineterminator="\n")


def _demo(arguments: argparse.Namespace) -> None:
    """Write the demo's experiment, its films, and the sheets of both."""
    sheet = write_experiment(arguments.folder, demo_designs(arguments.frames, arguments.size))
    sheet.to_csv(arguments.folder / "fields.tsv", sep="\t", index=False, lineterminator="\n")
    films = write_ensemble(arguments.folder / "ensemble")
    films.to_csv(arguments.folder / "ensemble.tsv", sep="\t", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
