#!/usr/bin/env bash
# imageio 2.38.1 with PyAV 18.1.0: a movie of 16 bits written with the lossless codec FFV1 keeps 3 of 201 levels.
#
# Ten frames of uint16 with 200 to 400 counts, written by imwrite(plugin="pyav", codec="ffv1",
# in_pixel_format="gray16le"). FFV1 is lossless and stores gray16le, and the format of the frames is stated, so that one
# expects the counts back. The file holds yuv420p, 8 bits. Unless out_pixel_format is given as well, the format of the
# file is the first one in the codec's list, whatever the frames are, and the frames are converted to it. 256 counts
# become one level, so that a nanocrystal that is on looks like one that is off. Nothing is reported, and reading with
# format="gray16le" returns uint16 of a likely size: multiples of the few levels that are left.
# A remedy: out_pixel_format="gray16le" as well; with it the frames come back unchanged.
#
# Seen: stored as yuv420p, read as gray16le 3 levels of 201, 0 % equal; with out_pixel_format: gray16le, 100 % equal
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  imageio==2.38.1 av==18.1.0 numpy==2.4.6 pillow==13.0.0
cd "$folder"
"$folder/venv/bin/python" -W error - <<'PYTHON'
import sys

import av
import imageio
import imageio.v3 as iio
import numpy as np

movie = np.random.default_rng(0).integers(200, 401, (10, 64, 64)).astype(np.uint16)
print("imageio", imageio.__version__, "PyAV", av.__version__)
seen = {}
for name, formats in {"in.mkv": {}, "both.mkv": {"out_pixel_format": "gray16le"}}.items():
    options = {"codec": "ffv1", "in_pixel_format": "gray16le", "fps": 50}
    iio.imwrite(name, movie, plugin="pyav", **options, **formats)
    with av.open(name) as file:
        stored = file.streams.video[0].codec_context.pix_fmt
    read = iio.imread(name, plugin="pyav", format="gray16le")
    levels = len(np.unique(read))
    print(f"{name}: stored as {stored}; {read.dtype}, {levels} levels of {len(np.unique(movie))}, "
          f"{(read == movie).mean():.0%} of the values equal")
    seen[name] = stored, levels <= 4, bool((read == movie).all())
as_seen = {"in.mkv": ("yuv420p", True, False), "both.mkv": ("gray16le", False, True)}
sys.exit(0 if seen == as_seen else 1)
PYTHON
