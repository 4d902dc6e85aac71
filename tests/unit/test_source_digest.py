"""Every rule knows the code of the library that its step runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from blinkpair import launch

ROOT = Path(__file__).parents[2]
RULES = "".join(path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
# How a step's log looks is no part of its result; `files` is in every digest.
WITHOUT = {"logs", "errors", "files"}


def digested(rule: str) -> set[str]:
    """Modules whose digest is among a rule's parameters."""
    body = RULES.partition(f"rule {rule}:")[2].partition("\nrule ")[0]
    found = re.search(r"source_digest\((.*?)\)", body, re.DOTALL)
    assert found, f"{rule} has no digest of its code"
    return set(re.findall(r'"([^"]+)"', found.group(1)))


@pytest.mark.parametrize("step", sorted(path.stem for path in (ROOT / "scripts").glob("*.py")))
def test_a_rule_digests_all_that_its_step_imports(step):
    imported = set(launch._imports((ROOT / "scripts" / f"{step}.py").read_bytes())) - WITHOUT
    named = digested(step)
    reached = launch.modules_of(*named)
    modules = {name for name in imported if launch.modules_of(name)}
    assert modules <= reached.keys()
