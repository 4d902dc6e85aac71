"""The whole workflow on a tiny simulated experiment."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.spatial import cKDTree

from blinkpair.dwell_fits.result import MAX_FALSE_SHARE
from blinkpair.epochs import EPOCHS
from blinkpair.report.terminal import summarise_run
from tests.helpers.plans import ROOT, dry_run, run_fresh
from tests.helpers.tiny_experiment import snakemake

FIELDS = ["hot", "re-mounted"]


@pytest.fixture(scope="module")
def nanocrystals(experiment):
    return pd.read_csv(experiment / "results" / "nanocrystals.csv")


def truth_of(experiment, field):
    return pd.read_csv(experiment / "movies" / f"{field}_truth.csv")


@pytest.mark.parametrize("field", FIELDS)
def test_registration_is_the_true_transform(experiment, field):
    info = json.loads((experiment / f"results/fields/{field}/registration.json").read_text())
    truth = json.loads((experiment / f"movies/{field}_truth.json").read_text())
    grid = np.array([[x, y, 1] for x in (0, 64, 127) for y in (0, 64, 127)]).T
    error = (np.array(info["matrix"]) - np.array(truth["matrix"])) @ grid
    assert info["status"] == "ok"
    assert np.hypot(*error[:2]).max() < 0.2
    assert info["chance_alignments"] < 1e-3


@pytest.mark.parametrize("field", FIELDS)
def test_populations_are_the_true_ones(experiment, nanocrystals, field):
    table = nanocrystals[(nanocrystals["field"] == field) & nanocrystals["analysed"]]
    truth = truth_of(experiment, field)
    distance, match = cKDTree(truth[["x_pre", "y_pre"]]).query(table[["x_pre", "y_pre"]])
    assert (distance < 1).all()
    for epoch in EPOCHS:
        measured = table[f"on_fraction_{epoch}"].to_numpy()
        true = truth[f"on_fraction_{epoch}"].to_numpy()[match]
        # 200 frames, blinks shorter than a frame: 0.1 is three times the usual difference.
        assert np.sqrt(np.mean((measured - true) ** 2)) < 0.1
    emissive = truth.loc[
        truth["analysable"] & (truth[["on_fraction_pre", "on_fraction_post"]].max(axis=1) > 0.1)
    ].index
    assert np.isin(emissive, match).mean() > 0.95


def test_a_field_that_cannot_be_registered_is_listed_with_its_reason(experiment):
    fields = pd.read_csv(experiment / "results" / "fields.csv").set_index("field")
    assert fields.at["blank", "status"] == "failed"
    assert "microspheres" in fields.at["blank", "reason"]
    populations = pd.read_csv(experiment / "results" / "populations.csv")
    populations = populations.set_index("temperature_c")
    assert populations.at["120", "n_fields_failed"] == 1


def test_what_was_used_of_the_movies_is_listed_with_where_it_is_from(experiment):
    fields = pd.read_csv(experiment / "results" / "fields.csv")
    assert (fields["exposure_s"] == 0.02).all()
    assert (fields["exposure_from"] == "file: ImageJ's frame interval").all()
    assert (fields["pixel_size_from"] == "file: ImageJ's pixel size").all()
    assert (fields[["n_files_pre", "n_files_post"]] == 1).all(axis=None)
    assert (fields["n_frames_pre"] / fields["n_frames_post"] - 1).abs().max() < 0.01


def test_table_and_rows_agree(experiment, nanocrystals):
    populations = pd.read_csv(experiment / "results" / "populations.csv")
    for row in populations.itertuples():
        group = nanocrystals[nanocrystals["temperature_c"].astype(str) == str(row.temperature_c)]
        counts = group["population"].value_counts()
        for name in ("became_emissive", "became_dark", "emissive", "dark"):
            assert getattr(row, f"n_{name}") == counts.get(name, 0)
        assert row.n == row.n_became_emissive + row.n_became_dark + row.n_emissive
        counted = group[group["population"].isin(["became_emissive", "became_dark", "emissive"])]
        assert row.mean_delta == pytest.approx(counted["delta_on_fraction"].mean(), abs=1e-5)


def test_traces_carry_units_exposure_and_the_rows_nanocrystals(experiment, nanocrystals):
    with xr.open_dataset(experiment / "results/fields/hot/traces.nc", engine="h5netcdf") as traces:
        assert traces["intensity_pre"].dims == ("nanocrystal", "frame")
        assert traces["intensity_pre"].dtype == np.float32
        assert traces["intensity_post"].attrs["units"] == "counts"
        assert traces.attrs["exposure_s"] == pytest.approx(0.02)
        rows = nanocrystals[nanocrystals["field"] == "hot"].set_index("nc_id")
        for nc_id in traces["nanocrystal"].to_numpy():
            on = (traces["intensity_pre"].sel(nanocrystal=nc_id) > 100).mean()
            assert rows.at[nc_id, "on_fraction_pre"] == pytest.approx(float(on), abs=1e-5)


def test_states_are_those_of_the_counts_and_missing_frames_are_marked(experiment):
    path = experiment / "results/fields/re-mounted/traces.nc"
    with xr.open_dataset(path, engine="h5netcdf") as traces:
        assert traces.sizes["frame"] == 2000
        for epoch, frames in (("pre", 2000), ("post", 1990)):
            counts, on = traces[f"intensity_{epoch}"], traces[f"on_{epoch}"]
            assert ((counts > 100) == (on == 1)).all()
            missing = (on == -1).to_numpy()
            assert missing[:, frames:].all()
            assert not missing[:, :frames].any()
            assert np.array_equal(np.isnan(counts.to_numpy()), missing)


def test_types_of_the_fitted_are_the_true_ones(experiment, nanocrystals):
    table = nanocrystals[(nanocrystals["field"] == "re-mounted") & nanocrystals["analysed"]]
    truth = truth_of(experiment, "re-mounted")
    _, match = cKDTree(truth[["x_pre", "y_pre"]]).query(table[["x_pre", "y_pre"]])
    truncated = truth["truncated"].to_numpy()[match]
    right = []
    for epoch in EPOCHS:
        model = table[f"blinking_{epoch}"].to_numpy()
        fitted = np.isin(model, ["power_law", "truncated_power_law"])
        assert fitted.sum() >= 5
        right += list((model == "truncated_power_law")[fitted] == truncated[fitted])
    # 5 % of pure laws are called truncated; of some twenty, three wrong ones are 1 in 13.
    assert sum(right) >= len(right) - 3


def test_tables_of_types_add_up_to_the_populations(experiment, nanocrystals):
    results = experiment / "results"
    populations = pd.read_csv(results / "populations.csv").set_index("temperature_c")
    transitions = pd.read_csv(results / "type_transitions.csv")
    types = pd.read_csv(results / "types.csv").set_index(["temperature_c", "epoch"])
    for label, row in populations.iterrows():
        own = transitions[transitions["temperature_c"] == label]
        assert own["n"].sum() == row["n"]
        assert types.at[(label, "pre"), "n"] == row["n"] - row["n_became_emissive"]
        assert types.at[(label, "post"), "n"] == row["n"] - row["n_became_dark"]
    # Pooled durations are those of the single nanocrystals whose events are not mostly noise's.
    fits = pd.read_csv(results / "dwell_fits.csv")
    on = fits[(fits["state"] == "on") & (fits["temperature_c"] == "control")].set_index("epoch")
    control = nanocrystals[nanocrystals["temperature_c"] == "control"]
    counted = control[control["population"].isin(["became_emissive", "became_dark", "emissive"])]
    for epoch in EPOCHS:
        n_events, n_false = (
            counted[f"{name}_on_events_{epoch}"] for name in ("n", "expected_false")
        )
        pooled = (counted[f"on_fraction_{epoch}"] >= 0.1) & ~(n_false > MAX_FALSE_SHARE * n_events)
        assert on.at[epoch, "n_events"] + on.at[epoch, "n_cut_by_end"] == n_events[pooled].sum()


def test_the_light_that_was_kept_is_that_of_the_traces(experiment):
    photostability = pd.read_csv(experiment / "results" / "photostability.csv")
    row = photostability.set_index(["temperature_c", "epoch"]).loc[("control", "pre")]
    rows = pd.read_csv(experiment / "results/fields/re-mounted/nanocrystals.csv")
    with xr.open_dataset(
        experiment / "results/fields/re-mounted/traces.nc", engine="h5netcdf"
    ) as traces:
        analysed = rows.loc[rows["analysed"], "nc_id"].to_numpy()
        counts = traces["intensity_pre"].sel(nanocrystal=analysed).to_numpy()
    # 40 s, longer than three times ten: the first and the last ten seconds.
    assert row["kept"] == pytest.approx(counts[:, -500:].sum() / counts[:, :500].sum(), rel=1e-4)
    assert row["kept_low"] < row["kept"] < row["kept_high"]


def test_unknown_columns_of_the_sheet_are_carried_on(nanocrystals):
    assert (nanocrystals["operator"] == "A. Müller").all()


def test_every_figure_is_there_as_svg_pdf_and_png_and_states_simulated(experiment):
    figures = sorted((experiment / "results" / "figures").rglob("*.svg"))
    assert len(figures) == 4 + 7 + 3 + 3  # populations, blinking, examples, registrations
    for svg in figures:
        assert svg.with_suffix(".png").stat().st_size > 5000
        assert svg.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
        assert "simulated" in svg.read_text()


def test_provenance_names_settings_inputs_and_versions(experiment):
    made = json.loads((experiment / "results" / "provenance.json").read_text())
    assert made["settings"]["threshold"]["counts"] == 100
    assert len(made["inputs"]) == 12
    movie = made["inputs"]["movies/hot_pre_pl.tif"]
    assert movie["bytes"] == (experiment / "movies/hot_pre_pl.tif").stat().st_size
    assert "numpy" in made["versions"]


def test_all_errors_of_configuration_and_sheet_are_reported_before_anything_starts(
    experiment, tmp_path
):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.yaml").write_text("fields: sheet.tsv\ndark_cutof: 0.1\n")
    sheet = (experiment / "sheet.tsv").read_text().replace("\t120\t", "\thot\t", 1)
    (tmp_path / "sheet.tsv").write_text(sheet)
    result = run_fresh(tmp_path, "--cores", "1", check=False)
    assert result.returncode != 0
    assert "dark_cutoff" in result.stderr  # the nearest known key
    assert "line 2, column temperature_c" in result.stderr
    assert "column pre_pl" in result.stderr  # missing files
    assert not (tmp_path / "results").exists()


def test_without_a_configuration_the_defaults_are_those_of_an_empty_one(experiment, tmp_path):
    plans = []
    written = {"none": None, "comments": "# dark_cutoff: 0.2\n", "empty": "{}\n"}
    for name, text in written.items():
        folder = tmp_path / name
        (folder / "config").mkdir(parents=True)
        (folder / "movies").symlink_to(experiment / "movies")
        shutil.copy(experiment / "sheet.tsv", folder / "config" / "fields.tsv")
        if text:
            (folder / "config" / "config.yaml").write_text(text)
        text = dry_run(folder, ROOT / "Snakefile", "--quiet", "host")
        plans.append(set(re.findall(r"^(\w+) +(\d+)$", text, re.MULTILINE)))
    assert ("find_nanocrystals", "3") in plans[0]
    assert plans[0] == plans[1] == plans[2]
    (tmp_path / "none" / "config" / "config.yml").write_text("dark_cutoff: 0.2\n")
    refused = run_fresh(tmp_path / "none", "-n", check=False)
    assert "config/config.yml is not read under its name" in refused.stdout + refused.stderr
    named = ("--configfile", "config/config.yml")
    assert "find_nanocrystals" in dry_run(tmp_path / "none", ROOT / "Snakefile", *named)


def test_variables_of_the_users_python_change_nothing(experiment, tmp_path, monkeypatch):
    folder = tmp_path / "copy"
    shutil.copytree(experiment, folder)
    target = folder / "results" / "figures" / "registration" / "hot.png"
    before = target.read_bytes()
    target.unlink()
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    snakemake(folder, "--cores", "1", "--", str(target.relative_to(folder)))
    assert target.read_bytes() == before


def test_a_failed_field_can_stop_the_run(experiment, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(experiment, folder)
    target = "results/fields/blank/registration.json"
    (folder / target).unlink()
    result = run_fresh(
        folder, "--cores", "1", "--config", "on_failed_field=stop", "--", target, check=False
    )
    assert result.returncode != 0
    last = result.stderr.partition("These steps failed, the others went on:\n")[2]
    assert last.startswith("  logs/blank/register.log: field blank: microspheres")
    assert "start the same command again" in last


def test_landmarks_named_by_hand_register_a_field_and_the_results_state_it(landmarked):
    folder = landmarked
    truth = json.loads((folder / "movies/hot_truth.json").read_text())
    info = json.loads((folder / "results/fields/hot/registration.json").read_text())
    assert info["evidence"] == "landmarks and nanocrystals"
    grid = np.array([[x, y, 1] for x in (0, 64, 127) for y in (0, 64, 127)]).T
    error = (np.array(info["matrix"]) - np.array(truth["matrix"])) @ grid
    assert np.hypot(*error[:2]).max() < 0.2
    fields = pd.read_csv(folder / "results/fields.csv").set_index("field")
    assert fields.at["hot", "evidence"] == "landmarks and nanocrystals"
    assert fields.at["re-mounted", "evidence"] == "microspheres and nanocrystals"
    assert "registered by hand" in (folder / "results/figures/registration/hot.svg").read_text()
    assert "registered by hand: hot" in summarise_run(folder / "results")


def test_the_last_lines_have_the_shares_of_type_a_with_their_intervals(experiment):
    types = pd.read_csv(experiment / "results" / "types.csv")
    text = summarise_run(experiment / "results")
    known = types[types["share_type_a"].notna()]
    assert len(known)
    for row in known.itertuples():
        low, high = 100 * row.share_type_a_low, 100 * row.share_type_a_high
        assert f"{100 * row.share_type_a:.0f} % [{low:.0f}, {high:.0f}]" in text


def test_the_workflow_passes_its_own_linter(experiment):
    assert run_fresh(experiment, "--lint").returncode == 0


def test_the_demo_sheet_is_what_the_demo_writes():
    from blinkpair.simulate import demo_designs

    sheet = pd.read_csv(ROOT / "config" / "fields.tsv", sep="\t", dtype=str)
    assert sheet["field"].tolist() == list(demo_designs())
    assert sheet["temperature_c"].tolist() == [t for t, _, _ in demo_designs().values()]
