"""Simulated nanocrystals do what their design gives: types, trends and the light that is kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blinkpair.epochs import EPOCHS
from blinkpair.simulate import DwellLaw, simulate_field
from blinkpair.simulate.blinking import fading_share, trajectory_with_on_fraction
from blinkpair.simulate.paper import PAPER, paper_designs

DARK = 0.10


@pytest.fixture(scope="module")
def fields():
    """The paper's fields at 100 and 120 degrees C, of 2,000 frames, not filmed."""
    designs = paper_designs({"100": 2, "120": 2}, frames=2000, size_px=320)
    return [(t, simulate_field(design, seed)) for t, design, seed in designs.values()]


def truths(fields, temperature):
    for t, field in fields:
        if t == temperature:
            own = field.truth[field.truth["analysable"]]
            yield own.assign(
                pre=own["on_fraction_pre"] >= DARK, post=own["on_fraction_post"] >= DARK
            )


@pytest.mark.parametrize("temperature", ["100", "120"])
def test_the_populations_of_all_fields_together_are_the_papers(fields, temperature):
    counts = np.zeros(3, int)
    for own in truths(fields, temperature):
        counts += [
            (~own["pre"] & own["post"]).sum(),
            (own["pre"] & ~own["post"]).sum(),
            (own["pre"] & own["post"]).sum(),
        ]
    assert tuple(counts) == PAPER[temperature].counts


@pytest.mark.parametrize("temperature", ["100", "120"])
def test_the_mean_change_is_the_papers(fields, temperature):
    delta = np.concatenate(
        [
            (own["on_fraction_post"] - own["on_fraction_pre"])[own["pre"] | own["post"]]
            for own in truths(fields, temperature)
        ]
    )
    # Trajectories within 0.02, and on-fractions of those that became one or the other at random.
    assert delta.mean() == pytest.approx(PAPER[temperature].mean_delta, abs=0.025)


def test_types_before_and_after_have_the_papers_numbers(fields):
    before = after = turned = 0
    for own in truths(fields, "100"):
        before += (own["truncated_pre"] & own["pre"]).sum()
        after += (own["truncated_post"] & own["post"]).sum()
        turned += (own["truncated_pre"] & ~own["truncated_post"] & own["post"]).sum()
    assert (before, after, turned) == (33, 25, 20)


def test_type_a_mostly_gains_and_type_b_mostly_loses(fields):
    own = next(truths(fields, "100"))
    delta = own["on_fraction_post"] - own["on_fraction_pre"]
    assert (delta[own["pre"] & own["truncated_pre"]] > 0).mean() > 0.5
    assert (delta[own["pre"] & ~own["truncated_pre"]] < 0).mean() > 0.5


def test_exponents_before_are_larger_where_the_on_fraction_will_rise(fields):
    alpha = {1: [], -1: []}
    for own in truths(fields, "100"):
        delta = own["on_fraction_post"] - own["on_fraction_pre"]
        for sign, values in alpha.items():
            chosen = own["pre"] & ~own["truncated_pre"] & (sign * delta > 0.2)
            values += own.loc[chosen, "alpha_on_pre"].to_list()
    # About 30 and 120 exponents with a spread of 0.2: their means are known to 0.04.
    assert np.mean(alpha[1]) - np.mean(alpha[-1]) > 0.04


def test_the_light_that_is_kept_is_that_of_the_design():
    ((_, design, seed),) = paper_designs({"100": 1}, frames=6000, size_px=480).values()
    field = simulate_field(design, seed)
    light = field.expected_counts("post")[field.truth["analysable"].to_numpy()]
    ends = round(design.behaviour.reference_s / design.camera.exposure_s)
    # The levels of the steady ones, by up to 8 %, make up for most of how the others were drawn.
    assert light[:, -ends:].sum() / light[:, :ends].sum() == pytest.approx(0.85, abs=0.06)
    for epoch in EPOCHS:
        stable = field.truth[f"trend_{epoch}"] == "stable"
        assert field.truth.loc[stable, f"level_end_{epoch}"].sub(1).abs().max() < 0.081


def test_a_fading_trajectory_falls_by_its_share_and_keeps_its_mean():
    rng = np.random.default_rng(4)
    law = DwellLaw(1.7, t_max_s=20.0)
    traces = np.array(
        [
            trajectory_with_on_fraction(
                rng, 0.4, law, frames=4000, exposure_s=0.02, draws=60, fading=0.8
            )
            for _ in range(60)
        ]
    )
    assert traces.mean() == pytest.approx(0.4, abs=0.02)
    tenths = traces.reshape(60, 10, 400).mean(axis=(0, 2))
    # From 0.4 / 0.6 = 0.67 at the start to a fifth of it; tenths of 60 traces scatter by 0.03.
    assert tenths[0] == pytest.approx(0.64, abs=0.1)
    assert tenths[-1] == pytest.approx(0.16, abs=0.08)


def test_an_on_fraction_near_one_cannot_start_much_higher():
    assert fading_share(0.4, 0.85) == 0.85
    assert fading_share(0.9, 0.85) == pytest.approx(2 * (1 - 0.9 / 0.97))
    assert fading_share(0.97, 0.85) == 0.0


def test_a_field_without_behaviour_has_no_trends():
    ((_, design, seed),) = paper_designs({"100": 1}, frames=20, size_px=480).values()
    plain = simulate_field(replace(design, behaviour=None), seed)
    assert "trend_pre" not in plain.truth
    assert plain.truth["truncated"].mean() == pytest.approx(design.truncated_share, abs=0.05)
