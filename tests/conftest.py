"""What several tests share: movies in memory and small simulated fields."""

from __future__ import annotations

import numpy as np
import pytest

from blinkpair.simulate import Camera, FieldDesign, SimulatedField, simulate_field


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
