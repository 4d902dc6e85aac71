#!/usr/bin/env bash
# ndstorage 0.1.18: as_array() of an NDTiff movie leaves out a missing time, and all later frames move up.
#
# Micro-Manager 2 and Pycro-Manager write NDTiff. A movie of eight frames, times 0 to 7, lost the frame of time
# 3. as_array() has seven frames, and its index 3 is the frame of time 4: no error, no warning, and the array does
# not hold the times. tifffile.imread() of the same file has eight, and zeros at time 3. One expects the
# index along "time" to be the time, as it is in tifffile, or an error: an array of another length shifts every
# later frame against the exposure times, a stimulus or a second camera, and a missing frame of a blinking
# emitter becomes a dwell time that is one frame shorter.
# A remedy: read_image(time=...) for each of axes["time"], which has [0, 1, 2, 4, 5, 6, 7].
#
# Seen: written 0 1 2 4 5 6 7; as_array 0 1 2 4 5 6 7 (length 7); tifffile 0 1 2 - 4 5 6 7 (length 8)
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  ndstorage==0.1.18 tifffile==2026.3.3 dask==2026.8.0 numpy==2.3.5
mkdir "$folder/movies"
cd "$folder/movies"
cat > ../seen.py <<'PYTHON'
import pathlib
import sys

import numpy as np
import tifffile
from ndstorage import Dataset, NDTiffDataset

movie = NDTiffDataset(".", name="movie", summary_metadata={}, writable=True)
for time in (0, 1, 2, 4, 5, 6, 7):
    movie.put_image({"time": time}, np.full((16, 16), 100 + time, np.uint16), {})
movie.finish()
movie.close()
(file,) = pathlib.Path().rglob("*.tif")
dataset = Dataset(str(file.parent))
seen = np.asarray(dataset.as_array())[:, 0, 0].tolist()
times = sorted(dataset.axes["time"])
single = [int(dataset.read_image(time=time)[0, 0]) for time in times]
beside = tifffile.imread(file)[:, 0, 0].tolist()
print(f"\nas_array {seen}, times {times}, tifffile {beside}")
as_seen = seen == single == [100, 101, 102, 104, 105, 106, 107]
sys.exit(0 if as_seen and times[3] == 4 and beside == seen[:3] + [0] + seen[3:] else 1)
PYTHON
"$folder/venv/bin/python" -W ignore ../seen.py 2> ../log | tail -1 || { cat ../log; exit 1; }
