#!/usr/bin/env bash
# bioio 3.6.0 with bioio-ome-tiff 1.4.0: save() turns pixels of 108 nm into pixels of 108 um.
#
# An OME-TIFF movie states PhysicalSizeX="108" with PhysicalSizeXUnit="nm", as some microscopes write it, and a
# time of 20 ms a frame. BioImage("movie.ome.tif").save("copy.ome.tif") writes PhysicalSizeX="108.0" without a
# unit, which in OME means micrometres: the copy's pixels are a thousand times as large. One expects a copy to
# keep the calibration, or to lose it. physical_pixel_sizes is the bare number of the file, 108.0 here and 0.108
# where the same microscope writes um; dimension_properties, which has a place for the unit, holds None;
# time_interval is None, and the time is not in the copy. The docstring states that units are not attached, but
# nothing is reported when such a number is written as one of another unit.
# A remedy: take the unit from the OME-XML, and give OmeTiffWriter.save() the sizes in micrometres.
#
# Seen: 108.0, unit None, interval None; tifffile's 108 nm and 20 ms; copy 108 micrometer, time None
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  bioio==3.6.0 bioio-base==3.5.0 bioio-ome-tiff==1.4.0 tifffile==2026.3.3 numpy==2.4.6 ome-types==0.7.0 pint==0.25.3
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import ome_types
import tifffile
from bioio import BioImage

sizes = {f"PhysicalSize{axis}{unit}": value for axis in "XY" for unit, value in (("", 108), ("Unit", "nm"))}
times = {"TimeIncrement": 20, "TimeIncrementUnit": "ms"}
frames = np.zeros((10, 32, 48), np.uint16)
tifffile.imwrite("movie.ome.tif", frames, ome=True, metadata={"axes": "TYX"} | sizes | times)


def stated(path):
    """Size of a pixel and time per frame that the file states, with their units."""
    pixels = ome_types.from_tiff(path).images[0].pixels
    return str(pixels.physical_size_x_quantity), str(pixels.time_increment_quantity)


image = BioImage("movie.ome.tif")
image.save("copy.ome.tif")
size, unit, interval = image.physical_pixel_sizes.X, image.dimension_properties.X.unit, image.time_interval
original, copy = stated("movie.ome.tif"), stated("copy.ome.tif")
print(f"BioImage: {size}, unit {unit}, interval {interval}")
print(f"movie: {original[0]}, {original[1]} a frame; copy: {copy[0]}, {copy[1]} a frame")
as_seen = (size, unit, interval) == (108.0, None, None) and original == ("108.0 nanometer", "20.0 millisecond")
sys.exit(0 if as_seen and copy == ("108.0 micrometer", "None") else 1)
PYTHON
