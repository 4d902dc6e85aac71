"""The public names are there, their packages hold nothing else, and their examples run."""

from __future__ import annotations

import ast
import doctest
from importlib import import_module

import pytest

from blinkpair.run.source_digest import SCRIPTS

LIBRARY = SCRIPTS / "blinkpair"
FACES = sorted(path.parent.name for path in LIBRARY.glob("*/__init__.pyi"))
MODULES = [
    "movie.movie",
    *("movie.reader", "brightfield.microspheres", "registration.points", "registration.result"),
    *("registration.fields", "photometry.counts", "dwell_fits.fits", "dwell_fits.result"),
    *("simulate.field", "simulate.experiment"),
]


@pytest.mark.parametrize("package", FACES)
def test_every_public_name_is_there(package):
    stub = ast.parse((LIBRARY / package / "__init__.pyi").read_text())
    names = {alias.name for node in stub.body for alias in node.names}
    face = import_module(f"blinkpair.{package}")
    assert set(face.__all__) == names
    assert all(getattr(face, name).__doc__ for name in names)


def test_packages_hold_a_description_and_public_names_only():
    for path in LIBRARY.rglob("*/__init__.py"):
        described, *rest = ast.parse(path.read_text()).body
        assert isinstance(described.value, ast.Constant), path
        attach = (
            "import lazy_loader",
            "__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)",
        )
        lines = tuple(ast.unparse(node) for node in rest)
        assert lines in ((), attach), path


@pytest.mark.parametrize("module", MODULES)
def test_examples_run(module):
    failed, tried = doctest.testmod(import_module(f"blinkpair.{module}"))
    assert tried
    assert not failed
