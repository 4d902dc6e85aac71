"""From files of films to the tables: shares, changes, sensitivity."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from blinkpair.ensemble import bleach, decays, tables
from blinkpair.ensemble.beside import LONG_SHARE, MEAN_CHANGE, SHORT_SHARE, beside_table, difference
from blinkpair.ensemble.curves import curves as all_curves
from blinkpair.ensemble.decays import fit_components, prepare
from blinkpair.ensemble.notes import of_decay, of_pulses
from blinkpair.ensemble.readers.decay import Decay
from blinkpair.ensemble.readers.matrix import Matrix
from blinkpair.ensemble.sensitivity import sensitivity_rows
from blinkpair.figures import ensemble as figures
from blinkpair.inputs.ensemble_sheet import examine_ensemble
from blinkpair.simulate.ensemble import AMPLITUDES, expected_decay, response, write_ensemble
from tests.helpers.bleaches import AFTER, BEFORE, DELAYS, trace


def group_of(films, noise):
    """Fits of bleaches, each of amplitudes, a label and its last delay in ps."""
    rng, row = np.random.default_rng(1), {"start_ps": None, "fixed_tau_ps": None, "sample": ""}
    group = []
    for number, (amplitudes, label, end_ps) in enumerate(films):
        whole = trace(amplitudes, noise, rng)
        seen = whole.delay_ps <= end_ps
        own = bleach.Trace(whole.delay_ps[seen], whole.value[seen], whole.probe_ev)
        about = {"measurement": f"TA_{number}", "technique": "ta", "group": "ta"}
        about |= row | {"temperature_c": label}
        matrix = Matrix(own.delay_ps, np.array([2.441]), own.value[:, None])
        group.append(tables.Measured(about, bleach.fit_trace(own), trace=own, matrix=matrix))
    return group


@pytest.fixture(scope="module")
def noisy_group():
    """Two bleaches of noise in which the fastest component drowns; the second ends earlier."""
    return group_of([(BEFORE, "unannealed", 7000), (AFTER, "100", 3000)], 5e-4)


def beside(rows, sensitivity=None):
    """The table without nanocrystals, of traces without a matrix unless `sensitivity` is given."""
    if sensitivity is None:
        sensitivity = rows.assign(varied="none")
    return beside_table(rows, sensitivity, pd.DataFrame({"temperature_c": []}))


def pair_of_matrices(before, after, seed):
    """The change of the short share from one matrix to the other, each of amplitudes and tau_1."""
    rng, probes = np.random.default_rng(seed), np.linspace(2.36, 2.52, 17)
    line, group = np.exp(-0.5 * ((probes - 2.44) / 0.045) ** 2), []
    for name, (amplitudes, tau_1) in {"unannealed": before, "100": after}.items():
        change = np.outer(trace(amplitudes, 0.0, rng, tau_1).value, line)
        change += rng.normal(0, 5.5e-5, change.shape)
        matrix = Matrix(DELAYS, probes, change)
        about = {"measurement": name, "technique": "ta", "group": "ta", "temperature_c": name}
        about |= {"start_ps": None, "fixed_tau_ps": None, "sample": ""}
        own = bleach.trace_at(matrix, 2.44)
        group.append(tables.Measured(about, bleach.fit_trace(own), trace=own, matrix=matrix))
    rows = pd.DataFrame(tables.decay_rows(group, 0.95))
    other = [row for one in group for row in sensitivity_rows(one, 0.95)]
    return beside(rows, pd.DataFrame(other)).iloc[1]


@pytest.fixture
def probes_only(monkeypatch):
    """Of the other choices only all probes: the rest costs seconds."""
    monkeypatch.setattr(bleach, "variations", lambda *_: [])


@pytest.mark.usefixtures("probes_only")
def test_a_tau_that_differs_is_no_change_of_the_share():
    """Shares are equal and tau_1 is 250 and 150 ps, which the test of common ones seldom finds.

    Of 300 such pairs the share with constants in common rose in 60 to 70 %, and 8 % were called so.
    """
    shares = np.array(BEFORE) / sum(BEFORE)
    pairs = [
        pair_of_matrices((2.4e-3 * shares, 250), (3.8e-3 * shares, 150), seed) for seed in range(12)
    ]
    alone = [pair["change_low"] > 0 for pair in pairs if pair["time_constants"] == "common"]
    assert sum(alone) >= 5
    assert sum(pair["direction"] in ("up", "down") for pair in pairs) <= 2
    assert sum(pair["direction"] == "depends" for pair in pairs) >= 4


@pytest.mark.usefixtures("probes_only")
def test_a_share_that_falls_is_found_from_all_probes():
    """From 22 to 5 %, at the paper's noise; a trace with its own constants shows it in 3 %."""
    pairs = [pair_of_matrices((BEFORE, 200), (AFTER, 200), seed) for seed in range(8)]
    assert sum(pair["direction"] == "down" for pair in pairs) >= 6


@pytest.mark.parametrize("is_common", [True, False])
def test_a_change_is_from_the_mean_of_the_unannealed_films(is_common):
    films = [(BEFORE, "unannealed", 7000), (AFTER, "100", 7000), (AFTER, "unannealed", 7000)]
    rows = pd.DataFrame(tables.decay_rows(group_of(films, 1e-5), 0.95))
    rows["p_common"] = 1.0 if is_common else 0.0
    table = beside(rows)
    first, second, film = table.to_dict("records")
    assert [first["direction"], second["direction"]] == ["", ""]
    assert film["temperature_c"] == 100
    middle = (first["value"] + second["value"]) / 2
    assert film["change"] == pytest.approx(film["value"] - middle)
    if not is_common:
        assert film["change_free"] == film["change"]
    assert film["change_low"] < 0.2 / 4.01 - (0.7 / 3.18 + 0.2 / 4.01) / 2 < film["change_high"]


def test_a_component_that_drowns_is_not_resolved_and_others_are_noted(noisy_group):
    rows = pd.DataFrame(tables.decay_rows(noisy_group, 0.95))
    fast = rows[rows["component"] == 1]
    assert set(fast["resolved"]) == {tables.NOT_RESOLVED}
    for row in rows.to_dict("records"):
        assert row["amplitude_fraction_low"] <= row["amplitude_fraction"]
        assert row["amplitude_fraction"] <= row["amplitude_fraction_high"]
        assert "the others may be those of fewer exponentials" in row["notes"]
        assert "the windows of the group last 2.895 to 6.996 ns" in row["notes"]


def test_open_intervals_show_no_direction_and_can_be_drawn(noisy_group):
    rows = pd.DataFrame(tables.decay_rows(noisy_group, 0.95))
    for end, value in (("_low", -np.inf), ("_high", np.inf)):
        for name in ("amplitude_fraction", "amplitude_fraction_common", "change_common"):
            rows[f"{name}{end}"] = value
    table = beside(rows)
    assert table["direction"].tolist() == ["", "not shown"]
    drawn = figures.beside(table)
    drawn.draw_without_rendering()
    low, high = drawn.axes[0].get_ylim()
    assert low > -200
    assert high < 300
    curves = figures.measurements(all_curves([noisy_group]))
    ends = [one.time_ns[-1] for one in curves]
    axis = figures.bleaches(curves).axes[0]
    assert f"(1 at {1e3 * min(ends):,.0f} ps)" in axis.get_ylabel()


def test_a_time_constant_without_an_upper_end_has_infinity_there(noisy_group):
    rows = pd.DataFrame(tables.decay_rows(noisy_group, 0.95))
    ends = rows.loc[rows["resolved"] == tables.NOT_RESOLVED, "tau_high_ns"]
    assert np.isinf(ends).any()
    assert ends[np.isfinite(ends)].max() < 1e6


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    write_ensemble(folder).to_csv(folder / "ensemble.tsv", sep="\t", index=False)
    rows, problems = examine_ensemble(folder / "ensemble.tsv")
    assert problems == []
    for row in rows:  # as the sheet may give it; choosing costs the most
        row["components"] = 3
    return tables.measure(rows)


@pytest.fixture(scope="module")
def rows(measured):
    return pd.DataFrame([row for group in measured for row in tables.decay_rows(group, 0.95)])


@pytest.fixture(scope="module")
def sensitivity(measured):
    return pd.DataFrame([row for one in measured[1] for row in sensitivity_rows(one, 0.95)])


def test_the_demo_s_films_give_their_truth(rows):
    slow = rows[(rows["technique"] == "tcspc") & (rows["component"] == 3)]
    truth = [AMPLITUDES[str(label)][2] for label in slow["temperature_c"]]
    assert np.all(slow["amplitude_fraction_common_low"] < slow["amplitude_fraction_common_high"])
    assert slow["amplitude_fraction_common"].to_numpy() == pytest.approx(truth, abs=0.004)
    assert slow["tau_ns"].to_numpy() == pytest.approx([30.0] * 4, rel=0.03)
    assert (rows["p_common"] > 0.01).all()
    held = rows[(rows["technique"] == "ta") & (rows["component"] == 3)]
    assert held["tau_ns"].tolist() == [7.5, 7.5]
    assert set(held["resolved"]) == {tables.FIXED}
    assert held["intensity_fraction"].isna().all()


def test_both_halves_stand_side_by_side(rows, sensitivity):
    populations = pd.DataFrame({"temperature_c": ["100", "control"]})
    for name in ("mean_delta", *("fraction_became_emissive", "fraction_became_dark")):
        populations[name] = [0.1, 0.0]
        populations[f"{name}_low"], populations[f"{name}_high"] = [0.05, -0.05], [0.15, 0.05]
    for end in ("", "_low", "_high"):
        populations[f"fraction_emissive{end}"] = 0.5
    table = beside_table(rows, sensitivity, populations)
    long = table[table["quantity"] == LONG_SHARE]
    assert long["temperature_c"].tolist() == ["unannealed", 70, 100, 120]
    assert long["direction"].tolist()[1:] == ["down"] * 3
    short = table[table["quantity"] == SHORT_SHARE].iloc[1]
    assert short["direction"] == "down"
    assert short["change_low"] < 0.2 / 4.01 - 0.7 / 3.18 < short["change_high"]
    change = table[table["quantity"] == MEAN_CHANGE]
    assert change["direction"].tolist() == ["up", "not shown"]


def test_another_fixed_constant_gives_another_share(measured):
    film = measured[1][0]
    table = pd.DataFrame(sensitivity_rows(film, 0.95))
    first = table[(table["varied"] == "fixed_tau_ps") & (table["component"] == 1)]
    shares = first.set_index("value")["amplitude_fraction"]
    assert shares["5000"] < shares["7000"] < shares["9000"]
    assert {"start_ps", "n_components"} <= set(table["varied"])


def test_curves_hold_data_and_fit(measured):
    curves = all_curves(measured)
    assert curves["PL_70_data"].attrs["temperature_c"] == "70"
    residual = curves["PL_70_residual"].to_numpy()
    assert np.nanstd(residual) == pytest.approx(1.05, abs=0.1)
    assert curves["TA_100_map"].shape == (122, 61)


def test_the_difference_of_two_normal_estimates_has_the_usual_interval():
    assert difference([0.3, 0.2, 0.4], [0.1, 0.0, 0.2]) == pytest.approx(
        [0.2, 0.2 - np.hypot(0.1, 0.1), 0.2 + np.hypot(0.1, 0.1)]
    )


def test_counts_and_other_values_have_no_time_constants_in_common(monkeypatch):
    """Their residuals have other units: the test rejected equal constants in every such group."""
    monkeypatch.setattr(decays, "in_photons", lambda decay, place: decay)
    rng = np.random.default_rng(3)
    irf = Decay(rng.poisson(response(1e6) + 0.5).astype(float), 0.05)
    group = []
    for name, background in {"counts": 0.0, "subtracted": 5.0}.items():
        seen = rng.poisson(expected_decay(1e5, AMPLITUDES["unannealed"], background=5.0))
        prepared = prepare(Decay(seen - background + 0.25 * (background > 0), 0.05), irf)
        about = {"measurement": name, "technique": "tcspc", "group": "tcspc", "sample": ""}
        about |= {"temperature_c": "unannealed"}
        group.append(tables.Measured(about, fit_components(prepared, 3), prepared=prepared))
    rows = pd.DataFrame(tables.decay_rows(group, 0.95))
    assert rows["p_common"].isna().all()
    assert rows.groupby("measurement")["method"].first().nunique() == 2


def test_notes_name_counts_that_were_scaled_and_more_than_one_pulse(tmp_path):
    """Photons that were multiplied by 2.9 and rounded are whole, and scatter by more."""
    rng = np.random.default_rng(6)
    expected = expected_decay(2e4, [1.0], [4.0], background=5.0)
    counts = {"seen": rng.poisson(expected), "scaled": np.round(2.9 * rng.poisson(expected))}
    for name, values in (counts | {"response": rng.poisson(response(1e5) + 0.2)}).items():
        np.savetxt(tmp_path / f"{name}.txt", np.column_stack([0.05 * np.arange(4096), values]),
                   fmt="%.2f\t%d", header="Time (ns)\tCounts", comments="")  # fmt: skip
    sheet = pd.DataFrame({"measurement": list(counts), "technique": "tcspc",
                          "temperature_c": ["unannealed", "100"], "components": "1"})  # fmt: skip
    sheet["file"] = [str(tmp_path / f"{name}.txt") for name in counts]
    sheet["irf"] = str(tmp_path / "response.txt")
    sheet.to_csv(tmp_path / "ensemble.tsv", sep="\t", index=False)
    read, problems = examine_ensemble(tmp_path / "ensemble.tsv")
    assert problems == []
    (group,) = tables.measure(read)
    seen, scaled = tables.decay_rows(group, 0.95)
    assert seen["notes"] == ""
    assert seen["resolved"] == tables.RESOLVED  # the only component has all of the amplitude
    assert "larger residuals than photons give" in scaled["notes"]
    short = Decay(counts["seen"].astype(float), 0.05, period_ns=50.0)
    assert "a pulse every 50 ns" in "; ".join(of_decay(prepare(short)))
    # A fifth of 4 ns outlives a window of 6 ns, and the text holds no rate of the pulses.
    cut = prepare(Decay(counts["seen"][:360].astype(float), 0.05))
    assert "give rate_mhz" in "; ".join(of_pulses(cut, np.array([4.0])))
    assert of_pulses(prepare(short), np.array([400.0])) == []
