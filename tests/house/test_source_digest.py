"""A step's digest covers the library it reaches, and nothing else."""

from __future__ import annotations

import ast
import re

import pytest

from blinkpair.run.source_digest import _IMPORT, SCRIPTS, modules_of, of_step
from tests.helpers.tiny_experiment import ROOT

IMPORTS = ast.Import | ast.ImportFrom
STEPS = sorted(path.stem for path in SCRIPTS.glob("*.py"))


@pytest.fixture
def scripts(tmp_path):
    """Return a library of three modules and a package, with a step that imports one of them."""
    package = tmp_path / "blinkpair" / "inner"
    package.mkdir(parents=True)
    (tmp_path / "blinkpair" / "__init__.py").touch()
    (package / "__init__.py").write_text("# the public names")
    (package / "used.py").write_text("def f():\n    from blinkpair.inner import far")
    (package / "far.py").write_text("far = 1")
    (package / "far").mkdir()
    (package / "far" / "table.txt").write_text("1")
    (package / "other.py").write_text("other = 1")
    (tmp_path / "step.py").write_text("from blinkpair.inner.used import f")
    return tmp_path


def digest(scripts):
    return of_step.__wrapped__("step", scripts)


@pytest.fixture(autouse=True)
def forget():
    """Read changed files again; within one run of the workflow they do not change."""
    from blinkpair.run import source_digest

    source_digest._imports.cache_clear()
    yield
    source_digest._imports.cache_clear()


def test_modules_are_reached_through_others_and_from_within_functions(scripts):
    names = {"blinkpair.inner.used", "blinkpair.inner.far", "blinkpair.inner.far/table.txt"}
    assert modules_of("step", scripts).keys() == names


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("inner/used.py", True),
        ("inner/far.py", True),
        ("inner/far/table.txt", True),
        ("inner/other.py", False),
        ("inner/__init__.py", False),
    ],
)
def test_the_digest_changes_with_what_is_reached(scripts, file, changes):
    before = digest(scripts)
    path = scripts / "blinkpair" / file
    path.write_text(path.read_text() + "\n# changed")
    assert (digest(scripts) != before) == changes


def test_a_module_and_what_only_it_reaches_can_be_left_out(scripts):
    reached = modules_of("step", scripts, without="blinkpair.inner.used")
    assert "blinkpair.inner.far" not in reached
    # Short movies are searched without a registration, and not again when it changes.
    short = modules_of("find_nanocrystals", without="blinkpair.pairing.one_pass")
    assert not any("registration" in name for name in short)
    assert any("registration" in name for name in modules_of("find_nanocrystals"))


@pytest.mark.parametrize(
    ("line", "says"),
    [("from .used import f", "relative import"), ("from blinkpair.inner import f", "public name")],
)
def test_what_cannot_be_followed_is_an_error(scripts, line, says):
    (scripts / "step.py").write_text(line)
    with pytest.raises(ValueError, match=f"step.py, line 1: .*{says}"):
        digest(scripts)


def test_no_import_is_missed():
    """The imports that a pattern finds in the text are those that Python's own parser finds."""
    for path in SCRIPTS.rglob("*.py"):
        text = path.read_text("utf-8")
        nodes = filter(lambda node: isinstance(node, IMPORTS), ast.walk(ast.parse(text)))
        parsed = {line for line in map(ast.unparse, nodes) if "blinkpair" in line}
        found = {ast.unparse(ast.parse(one[1])) for one in _IMPORT.finditer(text)}
        assert found == parsed, path


@pytest.mark.parametrize("step", STEPS)
def test_every_rule_carries_the_digest_of_its_own_step(step):
    rules = "".join(path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
    body = rules.partition(f"rule {step}:")[2].partition("\nrule ")[0]
    assert re.findall(r"of_step\(\s*\"(\w+)\"", body) == [step]
    assert re.findall(r"scripts/(\w+)\.py", body) == [step]
    assert "blinkpair.files" in modules_of(step)
