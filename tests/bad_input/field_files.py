"""The sound field that every case spoils: its arrays, and how they become files."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import tifffile

from blinkpair.simulate import Camera, FieldDesign, simulate_field

EXPOSURE_S, PIXEL_UM = 0.02, 0.16
COLUMNS = ("pre_brightfield", "pre_pl", "post_brightfield", "post_pl")
SOUND = FieldDesign(
    camera=Camera(shape=(128, 128)),
    frames=200,
    n_nanocrystals=24,
    n_microspheres=9,
    rotation_deg=-120.0,
    shift_px=(5.0, -6.0),
    drift_px=1.5,
    populations=(0.2, 0.3, 0.45, 0.05),
    n_dust=1,
    min_distance_px=7.0,
)


@dataclass
class Files:
    """What one field's files will hold; a case changes it before it is written.

    `arrays` by column of the sheet: (y, x) images, (frames, y, x) movies. `raw` holds the bytes of
    files that are not made of an array, by column; `cells` what the sheet says besides.
    """

    arrays: dict[str, np.ndarray]
    raw: dict[str, bytes] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)

    def copy(self) -> Files:
        return Files({column: array.copy() for column, array in self.arrays.items()})

    def write(self, folder: Path, name: str) -> dict[str, str]:
        """Write the files; return the row of the sheet."""
        folder.mkdir(parents=True, exist_ok=True)
        row = {"field": name, "temperature_c": "100", "sample": "simulated"}
        for column in COLUMNS:
            path = folder / f"{name}_{column}.tif"
            if column in self.raw:
                path.write_bytes(self.raw[column])
            else:
                write_tiff(path, self.arrays[column])
            row[column] = str(path.relative_to(folder.parent))
        return row | self.cells


def simulated(design: FieldDesign = SOUND, seed: int = 71, **changes) -> Files:
    made = simulate_field(replace(design, **changes), seed)
    arrays = {"pre_brightfield": made.brightfield_pre, "post_brightfield": made.brightfield_post}
    for epoch in ("pre", "post"):
        arrays[f"{epoch}_pl"] = np.concatenate(list(made.film(epoch)))
    return Files(arrays)


def write_tiff(path: Path, array: np.ndarray, **more) -> None:
    """Write an image or a movie with the frame time and pixel size in it, in any type."""
    say = {"axes": "TYX"[-array.ndim :], "PhysicalSizeX": PIXEL_UM, "PhysicalSizeY": PIXEL_UM}
    say |= {"TimeIncrement": EXPOSURE_S}
    tifffile.imwrite(path, array, ome=True, photometric="minisblack", metadata=say | more)
