#!/usr/bin/env bash
# tifffile 2026.3.3: a movie of seven frames, written for ImageJ or as OME-TIFF, has one frame of seven channels, also
# where its metadata state the time between frames.
#
# imwrite("movie.tif", movie, imagej=True) of seven frames of 32 x 48 px. One expects a stack of seven frames, or
# of seven slices, as other programs write it. The description says channels=7, so that ImageJ has one time point, and
# tifffile reads axes CYX. ome=True writes SizeC="7" SizeT="1". The time between frames, finterval=0.02 or
# TimeIncrement=0.02, is written beside it and changes nothing; frames=7 is dropped for channels=7. All frames are in
# the file and read back equal, and there is no warning: it shows where a program goes through time or takes one
# channel, and then has a single frame. A remedy: metadata={"axes": "TYX"}.
#
# Seen: CYX, channels=7 and SizeC 7, SizeT 1 in five files; with axes TYX frames=7, and SizeT 7
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tifffile==2026.3.3 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" -W error - <<'PYTHON'
import re
import sys

import numpy as np
import tifffile

movie = np.random.default_rng(0).poisson(100, (7, 32, 48)).astype(np.uint16)
seen = []
for kind, metadata in (
    ("imagej", None),
    ("imagej", {"finterval": 0.02}),
    ("imagej", {"frames": 7}),
    ("ome", None),
    ("ome", {"TimeIncrement": 0.02, "TimeIncrementUnit": "s"}),
    ("imagej", {"axes": "TYX"}),
    ("ome", {"axes": "TYX"}),
):
    given = {} if metadata is None else {"metadata": metadata}
    tifffile.imwrite("movie.tif", movie, **{kind: True}, **given)
    with tifffile.TiffFile("movie.tif") as file:
        text, axes = file.pages[0].description, file.series[0].axes
        equal = np.array_equal(file.asarray(), movie)
    size = {name: int(number) for name, number in re.findall(r'(channels|frames|SizeC|SizeT)="?(\d+)', text)}
    print(f"{kind}, {metadata}: axes {axes}, {size}, pixels equal: {equal}")
    seen.append((axes, size, equal))
imagej, ome = ("CYX", {"channels": 7}, True), ("CYX", {"SizeC": 7, "SizeT": 1}, True)
stated = [("TYX", {"frames": 7}, True), ("TYX", {"SizeC": 1, "SizeT": 7}, True)]
sys.exit(0 if seen == [imagej] * 3 + [ome] * 2 + stated else 1)
PYTHON
