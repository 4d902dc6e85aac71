"""Numbers that pages quote are those of the code."""

from __future__ import annotations

import re
from fractions import Fraction
from importlib import import_module

import yaml

import blinkpair
from tests.helpers.tiny_experiment import ROOT


def test_the_fixed_limits_of_the_page_of_methods_are_those_of_the_code():
    page = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_.]+)\.([A-Z_]+)` \| (.+?) \|", page, re.MULTILINE)
    assert len(rows) > 25
    for module, name, value in rows:
        constant = getattr(import_module(f"blinkpair.{module}"), name)
        assert constant == float(Fraction(value)), name


def test_the_citation_has_the_version_of_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == blinkpair.__version__
