"""The prose has functions and data as its subjects, not noise or nanocrystals with a will."""

from __future__ import annotations

import re

from tests.helpers.tiny_experiment import ROOT

WORST = re.compile(
    r"\b(told|vouch\w*|feels?|goes along|go along|has a say|have their say|has its say)\b", re.I
)
PLACES = ("README.md", "CONTRIBUTING.md", "docs/*.md", "config/*", "workflow/**/*", "scripts/**/*")
KINDS = {".md", ".yaml", ".smk", ".rst", ".py", ".js", ".j2", ".css"}


def test_no_text_uses_the_worst_words():
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for place in PLACES
        for path in ROOT.glob(place)
        if path.suffix in KINDS
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if WORST.search(line)
    ]
    assert found == []
