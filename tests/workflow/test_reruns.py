"""What runs again: what a change concerns, and nothing else. Dry runs on finished results."""

from __future__ import annotations

import os
import shutil
import time

import pandas as pd
import pytest
import tifffile

from tests.helpers.plans import ROOT, dry_run, planned_rules, run_fresh

MEASURED = ["extract_traces", "analyse_blinking"]
REGISTERED = ["register", "plot_registration", *MEASURED]
POOLED = ["summarise", "summarise_blinking", "plot_populations", "plot_blinking", "plot_examples"]
TOLD = ["record_provenance", "build_report"]
FROM_BLINKING = ["analyse_blinking", *POOLED, *TOLD]


def planned(folder, *arguments, source=ROOT):
    """Rules that a dry run would run, each with its fields ('' for all fields together)."""
    # Not quiet about rules, as the profile is.
    return planned_rules(dry_run(folder, source / "Snakefile", "--quiet", "host", *arguments))


@pytest.mark.parametrize(
    ("setting", "rules"),
    [
        ("microspheres={diameter_um: 1.1}", [*REGISTERED, *POOLED, *TOLD]),
        ("nanocrystals={psf_sigma_px: 0.8}", ["find_nanocrystals", *REGISTERED, *POOLED, *TOLD]),
        ("registration={min_microspheres: 4}", [*REGISTERED, *POOLED, *TOLD]),
        ("pairing={tolerance_px: 1.4}", [*REGISTERED, *POOLED, *TOLD]),
        ("photometry={background: none}", [*MEASURED, *POOLED, *TOLD]),
        ("dark_cutoff=0.2", FROM_BLINKING),
        ("threshold={counts: 90}", FROM_BLINKING),
        ("dwell_times={min_events: 60}", FROM_BLINKING),
        ("photostability={min_change: 0.2}", FROM_BLINKING),
        ("statistics={confidence: 0.9}", [*POOLED, *TOLD]),
        ("blinking_types={large_change: 0.3}", ["summarise_blinking", "plot_blinking", *TOLD]),
        ("report={max_fields: 2}", ["plot_registration", *TOLD]),
        ("provenance={checksums: false}", TOLD),
        ("read_movies=from_copy", TOLD),
    ],
)
def test_a_changed_setting_runs_what_depends_on_it(experiment, setting, rules):
    assert planned(experiment, "--config", setting).keys() == set(rules)


def test_verdicts_by_eye_run_the_steps_after_the_counts_of_their_fields(experiment, tmp_path):
    places = pd.read_csv(experiment / "results" / "fields" / "hot" / "places.csv")
    x, y = places.loc[places["nc_id"] == 2, ["x_pre", "y_pre"]].to_numpy()[0]
    file = tmp_path / "verdicts.csv"
    file.write_text(f"field,nc_id,x_pre,y_pre,verdict\nhot,2,{x},{y},cluster\n")
    plan = planned(experiment, "--config", f"verdicts={file}")
    assert plan.pop("analyse_blinking") == {"hot"}
    assert plan.keys() == {*POOLED, *TOLD}


def test_a_new_field_runs_itself_and_what_all_fields_make_together(experiment, tmp_path):
    sheet = pd.read_csv(experiment / "sheet.tsv", sep="\t", dtype=str, keep_default_na=False)
    new = sheet[sheet["field"] == "hot"].assign(field="new")
    for column in ("pre_brightfield", "pre_pl", "post_brightfield", "post_pl"):
        copied = shutil.copy(experiment / new[column].item(), tmp_path)
        frames = tifffile.memmap(copied)  # another recording: its frames are not those of the first
        frames += 1
        frames.flush()
        new[column] = copied
    longer = tmp_path / "sheet.tsv"
    pd.concat([sheet, new]).to_csv(longer, sep="\t", index=False)
    kept = experiment / ".snakemake" / "blinkpair" / "fields.csv"
    before = kept.read_bytes()
    plan = planned(experiment, "--config", f"fields={longer}")
    assert kept.read_bytes() == before  # what the jobs of a run would still read
    per_field = {"find_nanocrystals", "register", *MEASURED}
    assert {rule: plan[rule] for rule in per_field} == {rule: {"new"} for rule in per_field}
    assert plan.keys() - per_field == {"plot_registration", *POOLED, *TOLD}


def replace(path, content, date_s):
    path.write_bytes(content)
    os.utime(path, (date_s, date_s))


@pytest.fixture
def finished(experiment, tmp_path):
    """Return a copy of the finished run, whose inputs may be changed."""
    folder = tmp_path / "copy"
    shutil.copytree(experiment, folder)
    return folder


@pytest.mark.parametrize(
    ("name", "step"),
    [("hot_post_pl.tif", "find_nanocrystals"), ("hot_post_bf.tif", "register")],
)
def test_of_an_input_the_content_decides_and_not_the_date(finished, name, step):
    assert planned(finished) == {}  # moved with everything
    path = finished / "movies" / name
    sound, other = path.read_bytes(), path.read_bytes()[:-2] + b"\1\1"
    for date_s in (1.5e9, time.time()):
        replace(path, sound, date_s)
        assert planned(finished) == {}
        replace(path, other, date_s)
        assert planned(finished).keys() == {step, *REGISTERED, *POOLED, *TOLD}
    dates_alone = planned(finished, "--rerun-triggers", "mtime")
    assert step in dates_alone  # who wants dates alone has them of inputs too


def test_a_step_that_reads_a_replaced_movie_finds_its_places_anew(finished):
    path = finished / "movies" / "hot_post_pl.tif"
    replace(path, path.read_bytes()[:-2] + b"\1\1", 1.5e9)
    target = "results/fields/hot/traces_post.nc"
    setting = ("--config", "photometry={aperture_px: 4}", "--")
    assert {"find_nanocrystals", "register", "extract_traces"} <= planned(
        finished, *setting, target
    ).keys()


@pytest.mark.parametrize("read_movies", ["in_place", "from_copy"])
def test_a_movie_dated_ahead_of_the_clock_is_analysed_once(finished, read_movies):
    movie = finished / "movies" / "hot_pre_pl.tif"
    os.utime(movie, (time.time() + 7200, time.time() + 7200))
    target = finished / "results/fields/hot/nanocrystals_pre.csv"
    before = target.read_bytes()
    target.unlink()
    asked = ("--config", f"read_movies={read_movies}", "--", str(target.relative_to(finished)))
    said = run_fresh(finished, "--cores", "1", *asked).stderr
    assert "dated ahead of this computer's clock" in said
    assert target.read_bytes() == before
    assert planned(finished, *asked) == {}
    os.utime(movie, (1.5e9, 1.5e9))
    assert planned(finished, *asked) == {}


def test_a_landmark_file_is_an_input_too(landmarked):
    target = "results/fields/hot/registration.json"
    assert planned(landmarked, "--", target) == {}
    file = landmarked / "hot landmarks.csv"
    before = file.read_bytes()
    replace(file, before.replace(b"20.6", b"21.6"), 1.5e9)
    assert planned(landmarked, "--", target).keys() == {"register"}
    file.write_bytes(before)


@pytest.fixture(scope="module")
def source(experiment, tmp_path_factory):
    """A copy of the workflow to change."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("scripts", "workflow", "envs"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "CITATION.cff"):
        shutil.copy(ROOT / name, copy)
    (copy / "config").mkdir()
    (copy / "config" / "config.yaml").write_text("fields: config/fields.tsv\n")
    assert planned(experiment, source=copy) == {}
    return copy


@pytest.mark.parametrize(
    ("module", "rules"),
    [
        ("brightfield/microspheres.py", [*REGISTERED, *POOLED, *TOLD]),
        ("nanocrystals/detection.py", ["find_nanocrystals", *REGISTERED, *POOLED, *TOLD]),
        ("registration/from_start.py", [*REGISTERED, *POOLED, *TOLD]),
        ("pairing/places.py", [*REGISTERED, *POOLED, *TOLD]),
        ("nanocrystals/background.py", ["find_nanocrystals", *REGISTERED, *POOLED, *TOLD]),
        ("photometry/counts.py", [*MEASURED, *POOLED, *TOLD]),
        ("dwell_fits/laws.py", FROM_BLINKING),
        ("populations/blinking_types.py", ["summarise_blinking", "plot_blinking", *TOLD]),
        # Any change is another source, and the record has its digest.
        ("figures/registration.py", ["plot_registration", *TOLD]),
        ("report/page/plot.js", TOLD),
    ],
)
def test_changed_code_runs_the_steps_that_use_it(experiment, source, module, rules):
    path = source / "scripts" / "blinkpair" / module
    before = path.read_bytes()
    path.write_bytes(before + (b"\n# changed\n" if path.suffix == ".py" else b"\n// changed\n"))
    try:
        assert planned(experiment, source=source).keys() == set(rules)
    finally:
        path.write_bytes(before)


def test_a_sheet_of_the_same_meaning_is_recorded_anew_and_nothing_else(experiment, tmp_path):
    other = tmp_path / "sheet.csv"
    other.write_text((experiment / "sheet.tsv").read_text().replace("\t120\t", "\t120.0\t"))
    assert planned(experiment, "--config", f"fields={other}").keys() == set(TOLD)


def test_nothing_is_done_twice(experiment):
    assert planned(experiment) == {}
    assert "Nothing to be done" in run_fresh(experiment, "--cores", "2").stderr
