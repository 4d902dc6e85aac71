"""Run one pooled step in a process of its own and print its peak memory in MB.

Run as `python -m benchmarks.scale.tasks STEP FOLDER`.
FOLDER is one of `fields.write_fields`; results go below it, where the next step finds them.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.scale.fields import ROOT, Fields
from benchmarks.speed.tasks import peak_mb
from blinkpair.epochs import EPOCHS
from blinkpair.inputs.settings import load_settings

SETTINGS = load_settings({})
BLINKING = ["types", "type_transitions", "change_by_type", "alpha_by_change", "dwell_times"]
BLINKING += ["dwell_fits", "photostability", "integrated_pl"]
POOLED = ["nanocrystals", "fields", "populations", "methods", "sensitivity", "verdicts"]
REPORT = [*POOLED, *BLINKING[:4], "photostability"]
NOTE = "simulated"


def of_all(fields: Fields, names: list[str]) -> dict[str, str]:
    return {name: str(fields.folder / f"{name}.csv") for name in names}


def figures(fields: Fields, *names: str) -> tuple[dict[str, str], dict[str, str]]:
    """Path without suffix, and caption, of each figure."""
    (fields.folder / "figures").mkdir(exist_ok=True)
    captions = ROOT / "workflow" / "report" / "figures"
    return (
        {name: str(fields.folder / "figures" / name) for name in names},
        {name: (captions / f"{name}.rst").read_text("utf-8") for name in names},
    )


def summarise(fields: Fields) -> None:
    from summarise import summarise

    carried = ("field", "temperature_c", "sample")
    summarise(
        fields.paths("nanocrystals.csv"),
        fields.paths("on_fractions.csv"),
        fields.paths("registration.json"),
        fields.paths("pairing.json"),
        [{name: row[name] for name in carried} for row in fields.sheet],
        of_all(fields, POOLED),
        statistics=SETTINGS["statistics"],
        dark_cutoff=SETTINGS["dark_cutoff"],
        dark_cutoffs=SETTINGS["sensitivity"]["dark_cutoffs"],
        movies={},
        checked=[],
        verdicts={},
    )


def summarise_blinking(fields: Fields) -> None:
    from summarise_blinking import summarise_blinking

    summarise_blinking(
        str(fields.folder / "nanocrystals.csv"),
        str(fields.folder / "fields.csv"),
        fields.paths("durations.csv"),
        fields.paths("integrated_pl.csv"),
        of_all(fields, BLINKING),
        statistics=SETTINGS["statistics"],
        dwell_times=SETTINGS["dwell_times"],
        large_change=SETTINGS["blinking_types"]["large_change"],
        movies={},
    )


def plot_populations(fields: Fields) -> None:
    from plot_populations import plot_populations

    names = ("delta_histograms", "before_after_scatter", "population_fractions", "sensitivity")
    plot_populations(
        *of_all(fields, ["nanocrystals", "populations", "sensitivity"]).values(),
        *figures(fields, *names),
        dark_cutoff=SETTINGS["dark_cutoff"],
        method=SETTINGS["threshold"]["method"],
        threshold_counts=SETTINGS["threshold"]["counts"],
        note=NOTE,
    )


def plot_blinking(fields: Fields) -> None:
    from plot_blinking import plot_blinking

    names = ("types", "type_transitions", "delta_by_type", "alpha_by_change", "dwell_times")
    plot_blinking(
        str(fields.folder / "nanocrystals.csv"),
        of_all(fields, BLINKING),
        *figures(fields, *names, "photostability", "integrated_pl"),
        reference_s=SETTINGS["photostability"]["reference_s"],
        note=NOTE,
    )


def plot_examples(fields: Fields) -> None:
    from plot_examples import plot_examples

    names = [row["field"] for row in fields.sheet]
    plot_examples(
        str(fields.folder / "nanocrystals.csv"),
        dict(zip(names, fields.paths("traces.nc"), strict=True)),
        *figures(fields, "example_traces", "example_dwell_times", "example_photostability"),
        fits=SETTINGS["dwell_times"],
        significance=SETTINGS["photostability"]["significance"],
        note=NOTE,
    )


def build_report(fields: Fields) -> None:
    from build_report import build_report

    shown = fields.sheet[: SETTINGS["report"]["max_fields"]]
    read = ["traces.nc", "registration.json", "integrated_pl.csv", "images_pre.nc"]
    read += ["images_post.nc"]
    read += [f"{t}_{e}.csv" for t in ("microspheres", "nanocrystals", "drift") for e in EPOCHS]
    of_shown = Fields(fields.folder, shown)
    build_report(
        list(of_all(fields, REPORT).values()),
        str(fields.folder / "provenance.json"),
        [path for name in read for path in of_shown.paths(name)],
        ROOT / "CITATION.cff",
        str(fields.folder / "report.html"),
        shown=shown,
        settings=SETTINGS,
        note=NOTE,
    )


def summarise_run(fields: Fields) -> None:
    from blinkpair.report import terminal

    terminal.summarise_run(fields.folder)


STEPS: dict[str, Callable[[Fields], None]] = {
    step.__name__: step
    for step in (
        summarise,
        summarise_blinking,
        plot_populations,
        plot_blinking,
        plot_examples,
        build_report,
        summarise_run,
    )
}


if __name__ == "__main__":
    place = Path(sys.argv[2])
    with contextlib.redirect_stdout(sys.stderr):
        STEPS[sys.argv[1]](Fields(place, json.loads((place / "sheet.json").read_text())))
    print(peak_mb())
