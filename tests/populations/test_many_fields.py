"""Thousands of fields: joined, read in parts, counted and drawn, they give what one table gives."""

import tracemalloc
from itertools import chain

import numpy as np
import pandas as pd
import pytest

from blinkpair import files
from blinkpair.blinking.on_fractions import classify
from blinkpair.dwell_fits.events import Events
from blinkpair.dwell_fits.fits import fit_counted_events, fit_dwell_times
from blinkpair.dwell_fits.histograms import log_binned_density
from blinkpair.dwell_fits.result import DwellTimeSettings
from blinkpair.epochs import EPOCHS
from blinkpair.errors import InputError
from blinkpair.figures import examples
from blinkpair.figures.dwell_examples import choose_dwell_examples
from blinkpair.labels import text_codes
from blinkpair.populations import type_states
from blinkpair.populations.blinking_types import (
    alpha_by_change,
    change_by_type,
    summarise_types,
    type_transitions,
)
from blinkpair.populations.photostability_summary import COLUMNS as LIGHT_COLUMNS
from blinkpair.populations.photostability_summary import summarise_photostability
from blinkpair.populations.pooled_dwell_times import pool_densities, pool_fits
from blinkpair.populations.pools import pool_durations
from blinkpair.populations.sensitivity import sensitivity_table
from blinkpair.populations.table import COLUMNS, summarise_populations
from blinkpair.populations.type_states import STATES, TRUNCATED, type_groups
from tests.helpers.report_run import a_run

NAMES = ["NA", "b", "null", "A"]


def nanocrystals(names=NAMES, n=60, seed=1):
    """Everything that the pooled tables read of the nanocrystals of some fields."""
    rng = np.random.default_rng(seed)
    parts = []
    for place, name in enumerate(names):
        before, after = rng.uniform(0, 1, (2, n))
        part = pd.DataFrame(
            {
                "field": name,
                "temperature_c": ("control", "70")[place % 2],
                "nc_id": np.arange(n),
                "analysed": rng.uniform(size=n) < 0.9,
                "on_fraction_pre": before,
                "on_fraction_post": after,
                "delta_on_fraction": after - before,
            }
        )
        part["population"] = classify(before, after, analysed=part["analysed"])
        for epoch in EPOCHS:
            kind = rng.choice(STATES[:-1], n)
            part[f"blinking_{epoch}"] = kind
            part[f"alpha_on_{epoch}"] = rng.normal(1.6, 0.2, n)
            part[f"tau_on_{epoch}_s"] = np.where(kind == TRUNCATED, rng.uniform(0, 1, n), np.nan)
            part[f"n_on_events_{epoch}"] = rng.integers(30, 400, n)
            part[f"p_truncated_{epoch}"] = rng.uniform(0, 1, n)
            part[f"threshold_counts_{epoch}"] = 100.0
            part[f"photostability_{epoch}"] = rng.choice(["stable", "dimming", "not_tested"], n)
            part[f"p_on_level_{epoch}"] = rng.uniform(0, 1, n)
            part[f"p_off_fraction_{epoch}"] = np.where(rng.uniform(size=n) < 0.3, np.nan, 0.5)
            for trend in ("on_level", "off_fraction"):
                part[f"{trend}_change_{epoch}"] = rng.uniform(-1, 1, n)
            part[f"start_counts_{epoch}"] = rng.normal(500, 50, n)
            part[f"end_counts_{epoch}"] = rng.normal(450, 50, n)
        parts.append(part)
    return parts


def written(tmp_path, tables):
    paths = [tmp_path / f"{place}.csv" for place in range(len(tables))]
    for table, path in zip(tables, paths, strict=True):
        files.write_csv(table, path)
    return paths


def durations(rng, names, *, exposure_s=0.02):
    """Counts of each duration in some fields, whose clocks differ in the last digits."""
    parts = []
    for place, name in enumerate(names):
        frames = np.arange(1, 400)
        n_events, n_cut = rng.poisson(900 * frames**-1.6), rng.poisson(5 * frames**-1.2)
        part = pd.DataFrame(
            {
                "field": name,
                "temperature_c": ("control", "70")[place % 2],
                "epoch": ("pre", "post")[place // 2 % 2],
                "state": "on",
                "subset": frames % 10,
                "duration_frames": frames,
                "n_events": n_events,
                "n_cut_by_end": n_cut,
                "exposure_s": exposure_s * (1 + 6e-4 * (place // 8)),
                "window_frames": 400 + place,
            }
        )
        parts.append(part[n_events + n_cut > 0])
    return parts


def test_joined_rows_stand_as_they_were(tmp_path):
    """A name as NA, 007 or 'two lines' is the user's; a refused field has a header alone."""
    first = pd.DataFrame(
        {"field": ["NA"], "batch": ["007"], 'the "note"\n': ['a,"b"\nc'], "n": [1.0], "x": [np.nan]}
    )
    second = first.assign(field="b", batch="", n=np.nan, x=1e-7)
    none = first.iloc[:0]
    paths = written(tmp_path, [none, first, none, second])
    files.join_csv(paths, tmp_path / "all.csv")
    files.write_csv(pd.concat([first, second]), tmp_path / "expected.csv")
    assert (tmp_path / "all.csv").read_bytes() == (tmp_path / "expected.csv").read_bytes()


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (["field", "x"], "lacks batch"),
        (["field", "batch", "x", "y"], "has y besides"),
        (["x", "field", "batch"], "in another order"),
    ],
)
def test_a_file_of_other_columns_is_named(tmp_path, columns, said):
    tables = [pd.DataFrame(columns=own) for own in (["field", "batch", "x"], columns)]
    paths = written(tmp_path, tables)
    with pytest.raises(InputError, match=f"1.csv: .*{said}") as caught:
        files.join_csv(paths, tmp_path / "all.csv")
    assert "Hint" in str(caught.value)
    assert not (tmp_path / "all.csv").exists()
    with pytest.raises(InputError, match=said):
        list(files.read_batches(paths, ["field"]))


@pytest.mark.parametrize("batch_bytes", [1, 30_000, 1 << 20])
def test_batches_hold_all_rows_in_order(tmp_path, batch_bytes):
    parts = nanocrystals()
    paths = written(tmp_path, [parts[0].iloc[:0], *parts, parts[0].iloc[:0]])
    batches = list(files.read_batches(paths, COLUMNS, batch_bytes=batch_bytes))
    assert len(batches) == {1: 4, 30_000: 2, 1 << 20: 1}[batch_bytes]
    files.join_csv(paths, tmp_path / "all.csv")
    expected = files.read_csv(tmp_path / "all.csv")
    for name in COLUMNS:
        found = list(chain.from_iterable(batch[name] for batch in batches))
        assert found == expected[name].tolist(), name


def test_texts_of_chosen_columns_are_categories_in_order(tmp_path):
    (path,) = written(tmp_path, [pd.concat(nanocrystals())])
    table = files.read_csv(path, ["population", "field", "on_fraction_pre", "unknown"])
    assert list(table) == ["field", "on_fraction_pre", "population"]
    assert table["field"].cat.categories.tolist() == ["A", "NA", "b", "null"]
    assert not table.isna().any().any()
    assert table["population"].cat.categories[0] == ""


@pytest.mark.parametrize("piece_rows", [1, 2, 100])
def test_names_that_look_like_numbers_stay_text(tmp_path, piece_rows):
    table = pd.DataFrame(
        {"field": ["010", "007", "010"], "temperature_c": "70", "x": [1, 2.5, np.nan]}
    )
    (path,) = written(tmp_path, [table])
    back = files.read_csv(path, list(table), piece_rows=piece_rows)
    assert back["field"].tolist() == ["010", "007", "010"]
    assert back["field"].cat.categories.tolist() == ["007", "010"]
    assert back["temperature_c"].tolist() == ["70"] * 3
    assert back["x"].tolist()[:2] == [1, 2.5]
    assert np.isnan(back["x"].iloc[2])
    files.write_csv(table.iloc[:0], path)
    assert list(files.read_csv(path, list(table))) == list(table)


def test_texts_are_numbered_by_the_alphabet():
    codes, names = text_codes(pd.Categorical(["b", "a", "b"], categories=["c", "b", "a"]))
    assert codes.tolist() == [1, 0, 1]
    assert names.tolist() == ["a", "b"]
    assert text_codes([10, 9, 10])[1].tolist() == ["10", "9"]


TABLES = {
    "populations": (summarise_populations, COLUMNS),
    **{
        make.__name__: (lambda table, make=make: make(type_groups(table)), type_states.COLUMNS)
        for make in (summarise_types, type_transitions, change_by_type, alpha_by_change)
    },
    "photostability": (summarise_photostability, LIGHT_COLUMNS),
    "typical": (examples.choose, examples.COLUMNS),
    "clearest": (lambda table: examples.choose_by_photostability(table)[0], examples.COLUMNS),
}


@pytest.mark.parametrize("name", TABLES)
def test_compact_columns_give_the_same_table_as_plain_ones(tmp_path, name):
    (path,) = written(tmp_path, [pd.concat(nanocrystals())])
    table, columns = TABLES[name]
    plain, compact = (table(files.read_csv(path, own)) for own in (None, columns))
    shown = [column for column in plain if column in compact]
    assert set(plain) - set(shown) <= set(files.read_csv(path)) - set(columns)
    files.write_csv(plain[shown], tmp_path / "plain.csv")
    files.write_csv(compact[shown], tmp_path / "compact.csv")
    assert (tmp_path / "plain.csv").read_bytes() == (tmp_path / "compact.csv").read_bytes()
    assert len(plain)


def test_clear_examples_are_those_of_the_fitted_alone():
    """Nanocrystals of no type are no examples: without them the choice is the same."""
    table = pd.concat(nanocrystals(n=300))
    kinds = [*choose_dwell_examples(table)["transition"]]
    assert kinds == ["B to B", "A to A", "A to B", "B to A"]
    fitted = table[table["blinking_pre"].isin(STATES[:2]) & table["blinking_post"].isin(STATES[:2])]
    pd.testing.assert_frame_equal(choose_dwell_examples(table), choose_dwell_examples(fitted))


def test_sensitivity_in_parts_is_that_of_one_table():
    rng = np.random.default_rng(2)
    parts = [
        part.assign(threshold_counts=counts, on_fraction_pre=rng.uniform(0, 1, len(part)))
        for part in nanocrystals()
        for counts in (60.0, 100.0)
    ]
    whole = sensitivity_table([pd.concat(parts)])
    in_parts = sensitivity_table(iter([parts[0].iloc[:0], *parts]))
    pd.testing.assert_frame_equal(whole, in_parts, check_exact=True)
    assert len(whole) == 2 * 2 * 3
    analysed = sum(part["analysed"].sum() for part in parts) * 3  # at three cutoffs
    assert (whole["n"] + whole["n_dark"]).sum() == analysed


def test_durations_in_parts_are_those_of_one_table():
    """Clocks less than 1e-3 apart are one exposure, 50 ms another, however the parts are cut."""
    rng = np.random.default_rng(3)
    names = [*NAMES, *"cdefghijklmnopqrstuv"]
    parts = durations(rng, names) + durations(rng, ["slow", "slower"], exposure_s=0.05)
    whole, shuffled = pd.concat(parts), pd.concat(parts).sample(frac=1, random_state=1)
    half = len(whole) // 2
    for make in (pool_densities, pool_fits):
        expected = make(pool_durations([whole]))
        for cut in (parts, [parts[0].iloc[:0], *parts[::-1]], [shuffled[:half], shuffled[half:]]):
            pd.testing.assert_frame_equal(make(pool_durations(cut)), expected, check_exact=True)
    fits = pool_fits(pool_durations([whole]))
    assert fits["n_events"].sum() == whole["n_events"].sum()
    # By temperature and epoch six fields each, two of a clock, which chain; and the slow ones.
    assert fits["n_fields"].tolist() == [6, 6, 1, 6, 6, 1]
    one = whole[(whole["temperature_c"] == "70") & (whole["epoch"] == "post")]
    assert fits["n_events"][1] == one["n_events"].sum()
    assert np.isclose(fits["exposure_s"], 0.05, rtol=1e-3).sum() == 2


def test_counted_events_fit_as_the_single_ones_do():
    rng = np.random.default_rng(4)
    window = 2000
    events = np.minimum(rng.zipf(1.6, 500), window)
    events = np.where(rng.uniform(size=500) < 0.3, np.minimum(events, 30), events)
    censored = rng.uniform(size=500) < 0.02
    frames = np.unique(events)
    each = [np.array([np.sum(events[own] == f) for f in frames]) for own in (~censored, censored)]
    tenfold = Events(frames, *(10 * n for n in each))
    counted = Events(frames, *each)
    settings = {"exposure_s": 0.02, "window_frames": window, "short_events": "camera"}
    for method in ("maximum_likelihood", "least_squares"):
        one_by_one = fit_dwell_times(events, censored=censored, method=method, **settings)
        own = DwellTimeSettings(method=method)
        at_once = fit_counted_events(counted, settings=own, **settings)
        assert repr(at_once) == repr(one_by_one)  # NaN is not equal to itself
        assert at_once.model != "not_fitted"
        # Ten times the events are as if each had happened ten times.
        repeated = fit_dwell_times(
            np.repeat(events, 10), censored=np.repeat(censored, 10), method=method, **settings
        )
        assert repr(fit_counted_events(tenfold, settings=own, **settings)) == repr(repeated)
        assert repr(repeated) != repr(one_by_one)
    density = log_binned_density(frames, each[0], exposure_s=0.02)
    expected = log_binned_density(events[~censored], exposure_s=0.02)
    pd.testing.assert_frame_equal(density, expected, check_exact=True)


def peak_bytes(work):
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_pooling_takes_the_memory_of_a_part_not_of_all():
    """The parts of 240 fields take 9 MB together; counts of twenty folds of them are kept."""

    def pool(n):
        rng = np.random.default_rng(7)
        pool_durations(chain.from_iterable(durations(rng, [f"f{i}"]) for i in range(n)))

    pool(2)
    assert peak_bytes(lambda: pool(240)) < 3e6


def test_a_thousand_fields_have_their_populations():
    fields, expected, table = a_run(n=3, fields_each=500)
    assert expected["n_fields"].tolist() == [500, 500]
    assert summarise_populations(table, fields).equals(expected)
