"""What several tests share: small simulated fields, and a tiny experiment that was analysed."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest
from xdist.scheduler import LoadScopeScheduling

from blinkpair.epochs import EPOCHS
from blinkpair.simulate import SimulatedField, simulate_field
from tests.helpers.small_field import DESIGN
from tests.helpers.tiny_experiment import snakemake, write_tiny_experiment

# Of the many objects of libraries and tests hardly any is garbage: to look for it as often as
# Python does takes a tenth of the time.
gc.set_threshold(100_000, 10, 50)

# Whole runs, and a Slurm that mostly waits: side by side.
TOGETHER = ("workflow", "cluster")
# The longest first: no process waits for one of them at the end.
FIRST = (
    *TOGETHER,
    "tests/bad_input/test_fields.py",
    "tests/registration/test_images.py",
    "tests/brightfield/test_microspheres.py",
)
# Minutes each: `make test-all` runs them, `make test` does not.
SLOW = ("tests/cluster/", "tests/workflow/test_same_bytes.py", "tests/workflow/test_faults.py")


def group(nodeid: str) -> str:
    """Return what shares a run or a file's fixtures with a test: its folder or its file."""
    file = nodeid.partition("::")[0]
    return next((name for name in TOGETHER if file.startswith(f"tests/{name}/")), file)


class ByGroup(LoadScopeScheduling):
    """Keep a group in one process; xdist's own 'loadgroup' no longer does, see findings."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def pytest_collection_finish() -> None:
    """Leave what was imported and collected out of every search for garbage."""
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log) -> ByGroup:
    """Schedule by groups."""
    return ByGroup(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first, and mark those that take minutes."""

    def place(item: pytest.Item) -> int:
        own = group(item.nodeid)
        return FIRST.index(own) if own in FIRST else len(FIRST)

    items.sort(key=place)
    for item in items:
        if item.nodeid.startswith(SLOW):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def small_field() -> SimulatedField:
    """A field of 160 x 160 pixels, 600 frames, about 40 nanocrystals, turned by 37 degrees."""
    return simulate_field(DESIGN, seed=3)


@pytest.fixture(scope="session")
def small_movies(small_field: SimulatedField) -> dict[str, np.ndarray]:
    """Both movies of the small field, (frames, y, x) uint16."""
    return {epoch: np.concatenate(list(small_field.film(epoch))) for epoch in EPOCHS}


@pytest.fixture(scope="session")
def experiment(tmp_path_factory) -> Path:
    """Folder of the tiny experiment after a run on this machine; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("experiment")
    write_tiny_experiment(folder)
    snakemake(folder, "--cores", "2", "--quiet", "all")
    return folder
