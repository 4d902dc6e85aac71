"""The planned power and widths are those of the intervals that a run reports."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from blinkpair.errors import InputError
from blinkpair.files import write_csv, write_netcdf
from blinkpair.plan import main, plan_from, scatter_by_length
from blinkpair.statistics import planning
from blinkpair.statistics.planning import Plan, expected_power

TRIALS = 100  # a quarter of those of a plan


@pytest.fixture(autouse=True)
def fewer_trials(monkeypatch):
    monkeypatch.setattr(planning, "_TRIALS", TRIALS)


def test_no_change_is_found_in_five_percent_at_most():
    table = expected_power(Plan(change=0.0, design_effect=1.5, nanocrystals=60), [2, 5])
    # Five percent, and three standard errors.
    assert (table["power"] <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / TRIALS)).all()


def test_many_fields_come_up_to_the_textbook():
    plan = Plan(change=0.05, scatter=0.3, design_effect=2.0, nanocrystals=100, treatments=3)
    table = expected_power(plan, [8]).iloc[0]
    error = plan.scatter * np.sqrt(plan.design_effect / table["nanocrystals"])
    # Eight fields do not know their design effect exactly, which widens the interval.
    assert 1.96 * error == pytest.approx(table["half_width_change"], rel=0.25)
    share = np.sqrt(plan.design_effect * 0.1 * 0.9 / table["nanocrystals"])
    assert 1.96 * share == pytest.approx(table["half_width_share"], rel=0.3)


def test_more_fields_and_larger_changes_are_found_more_often():
    small, large = (expected_power(Plan(change=c), [2, 6])["power"] for c in (0.05, 0.15))
    assert small[1] > small[0] + 0.2
    assert large[1] >= large[0] > small[0] + 0.2


def pilot(folder, rng, *, fields=4, size=80, scatter=0.2, between=0.1, controls=0):
    """Write the table of a pilot whose fields differ, but for those of the control."""
    rows = []
    for field in range(fields + controls):
        treated = field < fields
        change = rng.normal(0, between * treated) + rng.normal(0, scatter, size)
        label = "100" if treated else "control"
        rows.append(
            pd.DataFrame(
                {
                    "field": f"f{field}",
                    "nc_id": np.arange(size),
                    "temperature_c": label,
                    "delta_on_fraction": change,
                }
            )
        )
    table = pd.concat(rows).assign(analysed=True, population="emissive")
    write_csv(table, folder / "nanocrystals.csv")


def test_a_pilot_gives_its_own_numbers(tmp_path):
    pilot(tmp_path, np.random.default_rng(4))
    plan = plan_from(tmp_path)
    assert plan.scatter == pytest.approx(0.2, rel=0.1)
    assert (plan.nanocrystals, plan.treatments) == (80, 1)
    # Fields whose means differ by half of the scatter: 1 + 80 * 0.2 is 17; four fields know it
    # within a factor of four.
    assert 4 < plan.design_effect < 68


def test_a_pilots_control_does_not_lower_its_design_effect(tmp_path):
    """By the control's fields, which are alike, half of it would be missing."""
    pilot(tmp_path, np.random.default_rng(4))
    alone = plan_from(tmp_path)
    pilot(tmp_path, np.random.default_rng(4), controls=4)
    beside = plan_from(tmp_path)
    assert beside.treatments == 2
    assert beside.design_effect == pytest.approx(alone.design_effect, rel=0.01)


def test_a_pilot_without_enough_nanocrystals_says_what_to_do(tmp_path, capsys):
    pilot(tmp_path, np.random.default_rng(4), fields=2, size=4)
    assert main(["--results", str(tmp_path)]) == 1
    assert "--scatter" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong", [{"scatter": 30.0}, {"design_effect": 0.5}, {"share": 1.0}, {"nanocrystals": 1}]
)
def test_what_no_experiment_has_is_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        Plan(**wrong)


def test_shorter_movies_scatter_more(tmp_path, capsys):
    """On half of the time in blocks of ten frames, the share of f frames has variance 2.5 / f."""
    rng = np.random.default_rng(5)
    pilot(tmp_path, rng, fields=2, size=150)
    for field in ("f0", "f1"):
        blocks = rng.random((2, 150, 80)) < 0.5
        pre, post = np.repeat(blocks, 10, axis=2).astype(np.int8)
        post[:, 790:] = -1  # stopped ten frames earlier
        states = {"on_pre": pre, "on_post": post}
        traces = xr.Dataset(
            {name: (("nanocrystal", "frame"), value) for name, value in states.items()},
            {"nanocrystal": np.arange(150)},
            {"exposure_s": 0.02},
        )
        (tmp_path / "fields" / field).mkdir(parents=True)
        write_netcdf(traces, tmp_path / "fields" / field / "traces.nc")
    lengths = scatter_by_length(tmp_path)
    assert lengths["part"].tolist() == [1.0, 0.5, 0.25, 0.125]
    frames = (790 * lengths["part"]).round()
    assert lengths["seconds"].tolist() == pytest.approx((0.02 * frames).tolist())
    # The standard error of the deviation of 300 changes is 4 %, three of them 12 %.
    assert lengths["scatter"].to_numpy() == pytest.approx(np.sqrt(5 / frames), rel=0.12)
    assert main(["--results", str(tmp_path), "--change", "10"]) == 0
    printed = capsys.readouterr().out.split("had the movies been shorter:")[1]
    assert f"{100 * lengths['scatter'][3]:.1f}" in printed
