"""The sound field that every case spoils: its arrays, and how they become files. Simulated."""

from __future__ import annotations

import io
import itertools
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from blinkpair.epochs import EPOCHS
from blinkpair.simulate import FieldDesign, simulate_field
from tests.helpers.tiny_experiment import DESIGN

COLUMNS = ("pre_brightfield", "pre_pl", "post_brightfield", "post_pl")
SEED = 71
SOUND = DESIGN
COPIES = itertools.count(1)


@dataclass
class Files:
    """What one field's files will hold; a case changes it before it is written.

    `arrays` by column of the sheet: (y, x) images, (frames, y, x) movies. `raw` holds the bytes of
    files that are not made of an array, `choices` what stands behind a path, `names` what a file
    is called, each by column; `parts` more files of a column by what follows in their names, and
    `patterns` what follows in the pattern that names them; `cells` what the sheet says besides.
    """

    arrays: dict[str, np.ndarray]
    raw: dict[str, bytes] = field(default_factory=dict)
    choices: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    parts: dict[str, dict[str, bytes]] = field(default_factory=dict)
    patterns: dict[str, str] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)

    def copy(self) -> Files:
        """Return the files of another field: a pixel differs, or they would be one recording."""
        arrays = {column: array.copy() for column, array in self.arrays.items()}
        number = next(COPIES)
        for array in arrays.values():
            array.flat[0] += number
        return Files(arrays)

    def write(self, folder: Path, name: str) -> dict[str, str]:
        """Write the files into `folder`/movies; return the row of the sheet."""
        row = {"field": name, "temperature_c": "100", "sample": "simulated"}
        for column in COLUMNS:
            path = folder / "movies" / self.names.get(column, f"{name}_{column}.tif")
            path.parent.mkdir(parents=True, exist_ok=True)
            raw = self.raw.get(column)
            # Under its name: fields whose files are all alike would be copies of each other.
            named = tiff_bytes(self.arrays[column], Name=path.name)
            path.write_bytes(named if raw is None else raw)
            for follows, data in self.parts.get(column, {}).items():
                path.with_name(f"{path.stem}{follows}.tif").write_bytes(data)
            if column in self.patterns:
                path = path.with_name(f"{path.stem}{self.patterns[column]}.tif")
            row[column] = f"{path.relative_to(folder)}{self.choices.get(column, '')}"
        return row | self.cells


def simulated(design: FieldDesign = SOUND, seed: int = SEED, **changes: Any) -> Files:
    """Simulate a field like the sound one but for some changes of its design."""
    made = simulate_field(replace(design, **changes), seed)
    arrays = {"pre_brightfield": made.brightfield_pre, "post_brightfield": made.brightfield_post}
    for epoch in EPOCHS:
        arrays[f"{epoch}_pl"] = np.concatenate(list(made.film(epoch)))
    return Files(arrays).copy()


def tiff_bytes(
    array: np.ndarray,
    axes: str | None = None,
    exposure_s: float = 0.02,
    pixel_um: float = 0.16,
    **more: str,
) -> bytes:
    """Return an OME-TIFF of an image or a movie, with frame time and pixel size, in any type."""
    say = {"axes": axes or "TYX"[-array.ndim :], "TimeIncrement": exposure_s}
    say |= {"PhysicalSizeX": pixel_um, "PhysicalSizeY": pixel_um, **more}
    out = io.BytesIO()
    tifffile.imwrite(out, array, ome=True, photometric="minisblack", metadata=say)
    return out.getvalue()


def imagej_bytes(array: np.ndarray) -> bytes:
    """Return an ImageJ stack of a movie: one page entry, then all frames in a row."""
    out = io.BytesIO()
    how: dict[str, Any] = {"imagej": True, "resolution": (1 / 0.16, 1 / 0.16)}
    tifffile.imwrite(out, array, **how, metadata={"axes": "TYX", "finterval": 0.02, "unit": "um"})
    return out.getvalue()


def write_copies(movies: Path) -> None:
    """Write a movie of the field 'other' again: its bytes, and its frames as ImageJ saves them."""
    original = movies / "other_pre_pl.tif"
    (movies / "copy of other_pre_pl.tif").write_bytes(original.read_bytes())
    export = imagej_bytes(tifffile.imread(original))
    (movies / "export of other_pre_pl.tif").write_bytes(export)
