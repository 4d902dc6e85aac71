"""A whole simulated experiment on disk: movies, brightfield images, truth and sample sheet.

Input: a folder. Output: TIFF files as a camera's software writes them, the truth beside them
(`*_truth.csv` of the nanocrystals, `*_truth_microspheres.csv`, `*_truth.json`) and a sheet that
names the fields.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pandas as pd

from blinkpair.simulate.blinking import DwellLaw
from blinkpair.simulate.brightfield import Illumination
from blinkpair.simulate.camera import Camera
from blinkpair.simulate.design import FieldDesign
from blinkpair.simulate.dirt import Dirt
from blinkpair.simulate.field import SimulatedField, simulate_field

log = logging.getLogger(__name__)

# The paper's table: nanocrystals that became emissive, became dark, and were emissive in both.
PAPER_COUNTS = {70: (34, 75, 205), 100: (70, 75, 244), 120: (33, 226, 82)}
# What the emissive ones must change by, on average, for the paper's mean changes of
# -6, +1 and -33 points given those counts.
PAPER_CHANGE = {70: (0.035, 0.18), 100: (0.045, 0.18), 120: (-0.07, 0.18)}
ROTATIONS_DEG = {70: 12.0, 100: -97.0, 120: 171.0}


def demo_designs(frames: int = 300, size_px: int = 384) -> dict[str, tuple[str, FieldDesign, int]]:
    """Return field name -> (temperature, design, seed): one field a temperature and a control.

    The control is smaller and filmed twelve times as long, so that its blinking can be fitted.

    Examples
    --------
    >>> {temperature for temperature, _, _ in demo_designs().values()} >= {"70", "100", "120"}
    True
    """
    designs: dict[str, tuple[str, FieldDesign, int]] = {}
    base = FieldDesign(
        camera=Camera(shape=(size_px, size_px)),
        frames=frames,
        n_microspheres=25,
        drift_px=2.0,
        min_distance_px=6.5,
        # As real samples look. Light from one side is kept mild, so that the spheres stay round
        # enough for centres without an offset in common.
        defocus=(0.5, 0.4),
        microsphere_contrast=0.6,
        illumination=Illumination(one_sided=0.4, one_sided_angle_deg=140.0),
        aggregated_share=1 / 3,
        sample_dirt=Dirt(fibres=3, flakes=2),
    )
    for k, (temperature, counts) in enumerate(PAPER_COUNTS.items()):
        designs[f"{temperature}C_1"] = (
            str(temperature),
            replace(
                base,
                # Corners turn out of view and some are crowded: that many are needed.
                n_nanocrystals=int(1.6 * sum(counts)),
                rotation_deg=ROTATIONS_DEG[temperature],
                shift_px=(9.0 - 8.0 * k, -14.0 + 7.0 * k),
                analysable_counts=counts,
                change_emissive=PAPER_CHANGE[temperature],
            ),
            100 + k,
        )
    designs["control_1"] = (
        "control",
        replace(
            base,
            camera=Camera(shape=(size_px // 2, size_px // 2)),
            frames=12 * frames,
            n_nanocrystals=75,
            n_microspheres=12,
            truncated_share=0.3,
            longest_event=1.0,
            on_law=DwellLaw(alpha=1.7),
            rotation_deg=-8.0,
            shift_px=(18.0, 7.0),
            populations=(0.01, 0.02, 0.92, 0.05),
            change_emissive=(0.0, 0.08),
        ),
        110,
    )
    return designs


def write_movie(path: Path, blocks: Iterable, design: FieldDesign) -> None:  # type: ignore[type-arg]
    """Write blocks of frames as one contiguous TIFF with exposure and pixel size.

    ImageJ's layout up to 4 GB, OME-BigTIFF above.
    """
    import tifffile

    shape = (design.frames, *design.camera.shape)
    imagej = 2 * shape[0] * shape[1] * shape[2] < 3.9e9
    per_um = 1.0 / design.camera.pixel_size_um
    if imagej:
        metadata = {"axes": "TYX", "finterval": design.camera.exposure_s, "unit": "um"}
    else:
        metadata = {
            "axes": "TYX",
            "TimeIncrement": design.camera.exposure_s,
            "TimeIncrementUnit": "s",
            "PhysicalSizeX": design.camera.pixel_size_um,
            "PhysicalSizeXUnit": "µm",
            "PhysicalSizeY": design.camera.pixel_size_um,
            "PhysicalSizeYUnit": "µm",
        }
    with tifffile.TiffWriter(path, imagej=imagej, ome=not imagej, bigtiff=not imagej) as writer:
        writer.write(
            (frame for block in blocks for frame in block),
            shape=shape,
            dtype="uint16",
            resolution=(per_um, per_um),
            metadata=metadata,
        )


def write_field(folder: Path, name: str, simulated: SimulatedField) -> dict[str, str]:
    """Write one field's four files and its truth; return the sheet's path columns.

    Examples
    --------
    >>> import tempfile
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
        movie = folder / f"{name}_{epoch}_pl.tif"
        write_movie(movie, simulated.film(epoch), simulated.design)
        files[f"{epoch}_brightfield"] = str(brightfield)
        files[f"{epoch}_pl"] = str(movie)
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
