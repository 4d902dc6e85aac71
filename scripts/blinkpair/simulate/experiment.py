"""A whole simulated experiment on disk: movies, brightfield images, truth and sample sheet.

Input: a folder. Output: TIFF files as a camera's software writes them, the truth beside them
(`*_truth.csv` of the nanocrystals, `*_truth_microspheres.csv`, `*_truth.json`) and a sheet that
names the fields.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from blinkpair.epochs import EPOCHS
from blinkpair.errors import InputError
from blinkpair.simulate.design import FieldDesign
from blinkpair.simulate.field import SimulatedField, simulate_field
from blinkpair.simulate.paper import paper_designs

log = logging.getLogger(__name__)

Format = Literal["tiff", "ome", "imagej"]
FORMATS: tuple[Format, ...] = ("tiff", "ome", "imagej")
# An ImageJ TIFF keeps places in 32 bits.
MOST_IMAGEJ_BYTES = 3.9e9
# Of the demo: two fields at 100 degrees C, and a control of the same length.
DEMO_FIELDS = {"70": 1, "100": 2, "120": 1, "control": 1}
# Short movies hold few events: nanocrystals that blink faster than those of the paper's size.
DEMO_OFF_S = (0.07, 0.3)


def demo_designs(frames: int = 1000, size_px: int = 288) -> dict[str, tuple[str, FieldDesign, int]]:
    """Return field name -> (temperature, design, seed): the paper's experiment, on less disk.

    Examples
    --------
    >>> {temperature for temperature, _, _ in demo_designs().values()} >= {"70", "100", "120"}
    True
    """
    return paper_designs(
        DEMO_FIELDS,
        frames=frames,
        size_px=size_px,
        control_nanocrystals=250,
        off_s=DEMO_OFF_S,
    )


def write_movie(
    path: Path,
    blocks: Iterable[NDArray[np.uint16]],
    design: FieldDesign,
    file_format: Format | None = None,
) -> None:
    """Write blocks of frames as one contiguous TIFF.

    Parameters
    ----------
    path : Path
    blocks : iterable of (n, y, x) uint16
    design : FieldDesign
        Frames, exposure and pixel size.
    file_format : str, optional
        'imagej' or 'ome', with exposure and pixel size; 'tiff', without. Default: ImageJ's up to
        3.9 GB, OME-BigTIFF above.

    Raises
    ------
    InputError
        For 'imagej' above 3.9 GB.
    """
    import tifffile

    shape = (design.frames, *design.camera.shape)
    large = 2 * math.prod(shape) >= MOST_IMAGEJ_BYTES
    chosen = file_format or ("ome" if large else "imagej")
    if chosen == "imagej" and large:
        raise InputError(
            f"an ImageJ TIFF holds {MOST_IMAGEJ_BYTES / 1e9:g} GB at most",
            "choose the format 'ome' or 'tiff', or fewer frames",
            place=path,
        )
    per_um = 1.0 / design.camera.pixel_size_um
    metadata: dict[str, Any] | None = {"axes": "TYX"}
    if chosen == "imagej":
        metadata = {"axes": "TYX", "finterval": design.camera.exposure_s, "unit": "um"}
    elif chosen == "ome":
        metadata = {
            "axes": "TYX",
            "TimeIncrement": design.camera.exposure_s,
            "TimeIncrementUnit": "s",
            "PhysicalSizeX": design.camera.pixel_size_um,
            "PhysicalSizeXUnit": "µm",
            "PhysicalSizeY": design.camera.pixel_size_um,
            "PhysicalSizeYUnit": "µm",
        }
    else:
        metadata = None
    with tifffile.TiffWriter(
        path, imagej=chosen == "imagej", ome=chosen == "ome", bigtiff=large
    ) as writer:
        writer.write(
            (frame for block in blocks for frame in block),
            shape=shape,
            dtype="uint16",
            photometric="minisblack",
            resolution=None if chosen == "tiff" else (per_um, per_um),
            metadata=metadata,
        )


def write_field(
    folder: Path, name: str, simulated: SimulatedField, file_format: Format | None = None
) -> dict[str, str]:
    """Write one field's four files and its truth; return the sheet's path columns.

    Parameters
    ----------
    folder : Path
    name : str
        How the names of the files begin.
    simulated : SimulatedField
    file_format : str, optional
        Of the movies; see `write_movie`.

    Examples
    --------
    >>> import tempfile
    >>> from blinkpair.simulate.camera import Camera
    >>> field = simulate_field(FieldDesign(camera=Camera(shape=(96, 96)), frames=20), seed=1)
    >>> sorted(write_field(Path(tempfile.mkdtemp()), "f1", field))
    ['post_brightfield', 'post_pl', 'pre_brightfield', 'pre_pl']
    """
    import tifffile

    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    per_um = 1.0 / simulated.design.camera.pixel_size_um
    for epoch, image in (
        ("pre", simulated.brightfield_pre),
        ("post", simulated.brightfield_post),
    ):
        brightfield = folder / f"{name}_{epoch}_bf.tif"
        tifffile.imwrite(
            brightfield, image, imagej=True, resolution=(per_um, per_um), metadata={"unit": "um"}
        )
        files[f"{epoch}_brightfield"] = str(brightfield)
        files[f"{epoch}_pl"] = str(folder / f"{name}_{epoch}_pl.tif")

    def film(epoch: str) -> None:
        path = Path(files[f"{epoch}_pl"])
        write_movie(path, simulated.film(epoch), simulated.design, file_format)

    with ThreadPoolExecutor(len(EPOCHS)) as pool:
        list(pool.map(film, EPOCHS))
    simulated.truth.to_csv(folder / f"{name}_truth.csv", index=False, float_format="%.5f")
    simulated.microspheres.to_csv(
        folder / f"{name}_truth_microspheres.csv", index_label="microsphere", float_format="%.5f"
    )
    (folder / f"{name}_truth.json").write_text(
        json.dumps(
            {
                "simulated": True,
                "matrix": simulated.matrix.tolist(),
                "rotation_deg": simulated.design.rotation_deg,
                "seed": simulated.seed,
            },
            indent=1,
        )
        + "\n"
    )
    return files


def write_experiment(
    folder: Path, designs: dict[str, tuple[str, FieldDesign, int]], threads: int = 2
) -> pd.DataFrame:
    """Simulate and write every field; return the sample sheet.

    Examples
    --------
    >>> import tempfile
    >>> from blinkpair.simulate.camera import Camera
    >>> design = FieldDesign(camera=Camera(shape=(96, 96)), frames=20)
    >>> sheet = write_experiment(Path(tempfile.mkdtemp()), {"f1": ("100", design, 1)})
    >>> list(sheet.columns[:3])
    ['field', 'temperature_c', 'sample']
    """

    def one(item: tuple[str, tuple[str, FieldDesign, int]]) -> dict[str, str]:
        name, (temperature, design, seed) = item
        files = write_field(folder, name, simulate_field(design, seed))
        log.info("simulated %s", name)
        return {"field": name, "temperature_c": temperature, "sample": "simulated", **files}

    with ThreadPoolExecutor(threads) as pool:
        return pd.DataFrame(list(pool.map(one, designs.items())))
