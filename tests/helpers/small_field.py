"""The small field of the tests, which benchmarks use, too."""

from __future__ import annotations

from blinkpair.simulate import Camera, FieldDesign

# A field of 160 x 160 pixels, 600 frames, about 40 nanocrystals, turned by 37 degrees.
DESIGN = FieldDesign(
    camera=Camera(shape=(160, 160)),
    frames=600,
    n_nanocrystals=34,
    n_microspheres=9,
    shift_px=(6.0, -9.0),
    populations=(0.15, 0.2, 0.6, 0.05),
    n_dust=2,
)
