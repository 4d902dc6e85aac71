"""Every file of a run against the dictionary of columns."""

import json

import h5py
import numpy as np
import pandas as pd
import pytest

from blinkpair.run.columns import as_markdown, columns_of, pattern_of
from tests.helpers.tiny_experiment import ROOT

DICTIONARY = "workflow/schemas/columns.schema.yaml"
OF_THE_SHEET = {"operator"}  # a column of the tiny experiment's own


def results_of(experiment, suffix):
    results = experiment / "results"
    return {str(p.relative_to(results)): p for p in sorted(results.rglob(f"*{suffix}"))}


def epoch_of(pattern, path):
    return path.rpartition("_")[2].partition(".")[0] if "{epoch}" in pattern else ""


def faults(name, column, entry):
    """Return what contradicts the dictionary in a column of texts."""
    filled = column[column != ""]
    if "empty" not in entry and len(filled) < len(column):
        yield f"{name} is empty, and its entry has no `empty`"
    if entry["type"] == "boolean":
        wrong = ~filled.isin(["True", "False"])
    elif entry["type"] == "string":
        wrong = ~filled.isin(entry["values"]) if "values" in entry else filled.isna()
    else:
        numbers = pd.to_numeric(filled, errors="coerce")
        low, high = entry.get("range", (-np.inf, np.inf))
        wrong = numbers.isna() | (numbers < low) | (numbers > float(high))
        if entry["type"] == "integer":
            wrong |= numbers % 1 != 0
    if wrong.any():
        yield f"{name} is {filled[wrong].iloc[0]!r}, not {entry['type']} as its entry has it"


def test_every_table_has_the_columns_of_the_dictionary_and_no_others(experiment):
    wrong = []
    for path, file in results_of(experiment, ".csv").items():
        pattern = pattern_of(path)
        if not pattern:
            wrong.append(f"{path}: add the file to `files` of {DICTIONARY}")
            continue
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
        known = columns_of(pattern, epoch_of(pattern, path))
        for name in table.columns:
            if name not in known and name not in OF_THE_SHEET:
                wrong.append(
                    f"{path}: the column {name} has no entry: add it to `columns`, and to the "
                    f"columns of {pattern} in `files`, of {DICTIONARY}"
                )
        for name, entry in known.items():
            if name not in table:
                if not entry.get("optional"):
                    wrong.append(f"{path}: there is no column {name}, which {DICTIONARY} has")
            else:
                wrong += [f"{path}: {fault}" for fault in faults(name, table[name], entry)]
    assert not wrong, "\n".join(wrong)


def test_every_netcdf_file_has_the_variables_of_the_dictionary(experiment):
    wrong = []
    for path, file in results_of(experiment, ".nc").items():
        pattern = pattern_of(path)
        if not pattern:
            wrong.append(f"{path}: add the file to `netcdf` of {DICTIONARY}")
            continue
        known = columns_of(pattern, epoch_of(pattern, path))
        with h5py.File(file) as opened:
            names = set(opened)
            wrong += [f"{path}: {n} has no entry in {DICTIONARY}" for n in names - known.keys()]
            wrong += [f"{path}: there is no {n}" for n in known.keys() - names]
            for name in names & known.keys():
                entry, attributes = known[name], opened[name].attrs
                # Such a dimension has no values of its own, and reads as zeros in h5py and MATLAB.
                if b"not a netCDF variable" in attributes.get("NAME", b""):
                    wrong.append(f"{path}: {name} is a dummy variable")
                if attributes.get("units", "1") != entry.get("unit", "1"):
                    wrong.append(f"{path}: the unit of {name} is {attributes.get('units')}")
                if opened[name].ndim != len(entry["dims"]):
                    wrong.append(f"{path}: {name} has {opened[name].ndim} dimensions")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("field", ["hot", "re-mounted"])
def test_traces_have_times_names_thresholds_and_populations(experiment, field):
    table = pd.read_csv(experiment / f"results/fields/{field}/nanocrystals.csv").set_index("nc_id")
    with h5py.File(experiment / f"results/fields/{field}/traces.nc") as traces:
        numbers = traces["nanocrystal"][:]
        assert np.allclose(np.diff(traces["time"][:]), 0.02)
        assert traces["time"][0] == traces["frame"][0] == 0
        assert traces["name"].asstr()[0] == f"{field}, {numbers[0]}"
        meanings = traces["population"].attrs["flag_meanings"].split()
        named = [meanings[k] if k >= 0 else np.nan for k in traces["population"][:]]
        pd.testing.assert_series_equal(
            table.loc[numbers, "population"], pd.Series(named, numbers, dtype=object),
            check_names=False, check_dtype=False, check_index_type=False,
        )  # fmt: skip
        for epoch in ("pre", "post"):
            expected = table.loc[numbers, f"threshold_counts_{epoch}"]
            assert np.allclose(traces[f"threshold_counts_{epoch}"][:], expected, rtol=1e-5)


def test_the_data_package_lists_the_tables_with_their_headers(experiment):
    results = experiment / "results"
    package = json.loads((results / "datapackage.json").read_text(encoding="utf-8"))
    listed = {resource["path"]: resource for resource in package["resources"]}
    assert set(listed) == {path.name for path in results.glob("*.csv")}
    for path, resource in listed.items():
        header = set(pd.read_csv(results / path, nrows=0).columns)
        assert {column["name"] for column in resource["schema"]["fields"]} == header


def test_the_page_of_columns_is_made_from_the_dictionary():
    page = (ROOT / "docs" / "columns.md").read_text(encoding="utf-8")
    assert page == as_markdown(), "run: python -m blinkpair.run.columns docs/columns.md"
