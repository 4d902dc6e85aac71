"""The settings that functions take are those of the configuration, with the same defaults."""

from __future__ import annotations

import pytest

from blinkpair.blinking.field import BlinkingSettings
from blinkpair.blinking.photostability import PhotostabilitySettings
from blinkpair.blinking.states.registry import METHODS
from blinkpair.blinking.states.settings import ThresholdSettings
from blinkpair.dwell_fits.result import DwellTimeSettings
from blinkpair.inputs.settings import load_schema
from tests.helpers.schema import defaults, defaults_of


@pytest.mark.parametrize(
    ("section", "settings"),
    [
        ("threshold", ThresholdSettings),
        ("dwell_times", DwellTimeSettings),
        ("photostability", PhotostabilitySettings),
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
