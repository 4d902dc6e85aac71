"""What several tests share: small simulated fields, and a tiny experiment that was analysed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from blinkpair.simulate import Camera, FieldDesign, SimulatedField, simulate_field
from tests.helpers.tiny_experiment import snakemake, write_tiny_experiment

# Whole runs, and a Slurm that mostly waits: side by side, and first.
SHARED = ("cluster", "workflow")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together, in one process, what shares a run or a file's fixtures."""

    def group(item: pytest.Item) -> str:
        folder = item.path.parent.name
        return folder if folder in SHARED else item.path.name

    items.sort(key=lambda item: (*SHARED, group(item)).index(group(item)))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group(item)))


@pytest.fixture(scope="session")
def small_field() -> SimulatedField:
    """A field of 160 x 160 pixels, 600 frames, about 40 nanocrystals, turned by 37 degrees."""
    design = FieldDesign(
        camera=Camera(shape=(160, 160)),
        frames=600,
        n_nanocrystals=34,
        n_microspheres=9,
        shift_px=(6.0, -9.0),
        populations=(0.15, 0.2, 0.6, 0.05),
        n_dust=2,
    )
    return simulate_field(design, seed=3)


@pytest.fixture(scope="session")
def small_movies(small_field: SimulatedField) -> dict[str, np.ndarray]:
    """Both movies of the small field, (frames, y, x) uint16."""
    return {epoch: np.concatenate(list(small_field.film(epoch))) for epoch in ("pre", "post")}


@pytest.fixture(scope="session")
def experiment(tmp_path_factory) -> Path:
    """Folder of the tiny experiment after a run on this machine; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("experiment")
    write_tiny_experiment(folder)
    snakemake(folder, "--cores", "2", "--quiet", "all")
    return folder
