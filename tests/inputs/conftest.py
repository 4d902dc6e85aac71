"""Fixtures of the unit tests."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from blinkpair.errors import ChoiceError, InputError
from tests.helpers.input_lab import Lab


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """Return a folder of files that hold a movie's header as JSON, and a reader for them."""

    def open_movie(path):
        header = json.loads(Path(path.partition("::")[0]).read_text())
        if "damaged" in header:
            raise InputError(f"{path}: {header['damaged']}")
        if "choice" in header:
            raise ChoiceError(f"{path}: {header['choice']}")
        return SimpleNamespace(**header)

    monkeypatch.setattr("blinkpair.movie.reader.open_movie", open_movie)
    return Lab(tmp_path)
