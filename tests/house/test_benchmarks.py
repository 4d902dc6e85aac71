"""The benchmarks that call steps as functions keep up with them."""

from __future__ import annotations

import ast

import pytest

from tests.helpers.tiny_experiment import ROOT

CALLS = {
    node.func.id: {keyword.arg for keyword in node.keywords}
    for node in ast.walk(ast.parse((ROOT / "benchmarks" / "scale" / "tasks.py").read_text()))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
}
STEPS = [path for path in sorted((ROOT / "scripts").glob("*.py")) if path.stem in CALLS]


@pytest.mark.parametrize("step", STEPS, ids=lambda path: path.stem)
def test_the_benchmark_of_pooled_steps_gives_each_what_it_asks_for(step):
    functions = filter(
        lambda node: isinstance(node, ast.FunctionDef), ast.parse(step.read_text()).body
    )
    (arguments,) = (one.args for one in functions if one.name == step.stem)
    names = {argument.arg for argument in arguments.kwonlyargs}
    optional = {
        argument.arg
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is not None
    }
    assert names - optional <= CALLS[step.stem] <= names
