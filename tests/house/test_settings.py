"""The settings that functions take are those of the configuration, with the same defaults."""

from __future__ import annotations

import re

import pytest

from blinkpair.blinking.field import BlinkingSettings
from blinkpair.blinking.photostability import PhotostabilitySettings
from blinkpair.blinking.states.registry import METHODS
from blinkpair.blinking.states.settings import ThresholdSettings
from blinkpair.dwell_fits.result import DwellTimeSettings
from blinkpair.inputs.settings import load_schema
from blinkpair.pairing.places import PairingSettings
from blinkpair.photometry.counts import BACKGROUNDS, PhotometrySettings
from blinkpair.registration.fields import RegistrationSettings
from blinkpair.statistics.intervals import StatisticsSettings
from tests.helpers.schema import defaults, defaults_of
from tests.helpers.tiny_experiment import ROOT

RULE = re.MULTILINE | re.DOTALL


@pytest.mark.parametrize(
    ("section", "settings"),
    [
        ("threshold", ThresholdSettings),
        ("photometry", PhotometrySettings),
        ("dwell_times", DwellTimeSettings),
        ("photostability", PhotostabilitySettings),
        ("registration", RegistrationSettings),
        ("statistics", StatisticsSettings),
    ],
)
def test_settings_and_defaults_are_those_of_the_schema(section, settings):
    assert defaults_of(settings) == defaults(section)


def test_the_dark_cutoff_is_that_of_the_schema():
    properties = load_schema("config")["properties"]
    assert BlinkingSettings().dark_cutoff == properties["dark_cutoff"]["default"]


def test_the_methods_of_the_threshold_are_those_of_the_schema():
    threshold = load_schema("config")["properties"]["threshold"]["properties"]
    assert threshold["method"]["enum"] == list(METHODS)


def test_the_backgrounds_are_those_of_the_schema():
    photometry = load_schema("config")["properties"]["photometry"]["properties"]
    assert photometry["background"]["enum"] == list(BACKGROUNDS)


def test_a_pairing_uses_settings_of_three_sections():
    own = defaults("pairing") | {
        "min_separation_px": defaults("nanocrystals")["min_separation_px"],
        "aperture_px": defaults("photometry")["aperture_px"],
    }
    assert defaults_of(PairingSettings) == own


def test_the_schema_names_the_rules_in_which_each_setting_acts():
    acts = {}
    for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")):
        for rule, body in re.findall(r"^rule (\w+):(.*?)(?=^rule |\Z)", path.read_text(), RULE):
            for section, name in re.findall(r'SETTINGS\["(\w+)"\](?:\["(\w+)"\])?', body):
                acts.setdefault((section, name), set()).add(rule)
    for section, rules in load_schema("config")["properties"].items():
        for name, leaf in rules.get("properties", {"": rules}).items():
            expected = acts.get((section, name), set()) | acts.get((section, ""), set())
            assert set(leaf.get("x-rules", [])) == expected, (section, name)
