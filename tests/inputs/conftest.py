"""Fixtures of these tests."""

import pytest

from tests.helpers.input_lab import Lab


@pytest.fixture
def lab(tmp_path):
    """Return a folder of files that hold a movie's header as JSON."""
    return Lab(tmp_path)
