#!/usr/bin/env bash
# imaris-ims-file-reader 0.1.8: the first five frames of a movie, data[:5], are one frame, number 5; every second
# frame, data[::2], is the last one.
#
# An Imaris file (IMS) of ten frames, 50 x 70 px. data[3] is frame 3, and data[0:5], data[2:8], data[2:8:2] and
# data[0::2] are the frames asked for. data[:5], the usual way to write the first of these, is frame 5, of
# the shape (50, 70); data[::2] is frame 9, and so is data[::3]. Rows and columns follow the same rule: a cut-out
# [:10] is one row. One expects an object with a shape, a dtype and square brackets to count as NumPy does, or to
# raise an error, as it does for an end beyond the movie. Before the slice is read, a single index n is turned
# into slice(n), which is the same object as [:n]. A projection or a mean over what should be many frames is one
# frame's, without a warning.
# A remedy: always write the start, data[0:5], data[0::2]; or read data[:] and take the slice from that.
#
# Seen: [:5] frame 5, [::2] and [::3] frame 9; [3], [0:5], [2:8], [2:8:2] and [0::2] right
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  imaris-ims-file-reader==0.1.8 h5py==3.16.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import h5py
import numpy as np
from imaris_ims_file_reader.ims import ims

TIMES, HEIGHT, WIDTH = 10, 50, 70
frames = np.random.default_rng(0).integers(0, 60_000, (TIMES, HEIGHT, WIDTH)).astype(np.uint16)


def text(value):
    """Text as Imaris stores it: an array of single characters."""
    return np.frombuffer(str(value).encode(), "S1")


with h5py.File("movie.ims", "w") as file:
    names = {"ImarisVersion": "5.5.0", "DataSetDirectoryName": "DataSet", "DataSetInfoDirectoryName": "DataSetInfo"}
    for name, value in names.items():
        file.attrs[name] = text(value)
    file.attrs["NumberOfDataSets"] = np.uint32(1)
    for time, frame in enumerate(frames):
        channel = file.create_group(f"DataSet/ResolutionLevel 0/TimePoint {time}/Channel 0")
        for axis, size in (("X", WIDTH), ("Y", HEIGHT), ("Z", 1)):
            channel.attrs[f"ImageSize{axis}"] = text(size)
        channel.attrs["HistogramMin"], channel.attrs["HistogramMax"] = text(0), text(60_000)
        padded = np.zeros((1, 64, 128), np.uint16)  # Imaris fills up whole chunks
        padded[0, :HEIGHT, :WIDTH] = frame
        channel.create_dataset("Data", data=padded, chunks=(1, 64, 64))
        channel.create_dataset("Histogram", data=np.zeros(256, np.uint64))
    image = file.create_group("DataSetInfo/Image")
    extent = {"ExtMin0": 0, "ExtMin1": 0, "ExtMin2": 0, "ExtMax0": 7.0, "ExtMax1": 5.0, "ExtMax2": 1.0}
    for name, value in ({"X": WIDTH, "Y": HEIGHT, "Z": 1, "Unit": "um"} | extent).items():
        image.attrs[name] = text(value)
    times = file.create_group("DataSetInfo/TimeInfo")
    times.attrs["DatasetTimePoints"] = times.attrs["FileTimePoints"] = text(TIMES)
    for time in range(TIMES):
        times.attrs[f"TimePoint{time + 1}"] = text(f"2026-01-01 00:00:{time:02d}.000")
    channel = file.create_group("DataSetInfo/Channel 0")
    channel.attrs["Name"], channel.attrs["Color"] = text("PL"), text("1 0 0")

data = ims("movie.ims")
slices = {
    "[3]": 3, "[0:5]": np.s_[0:5], "[2:8]": np.s_[2:8], "[2:8:2]": np.s_[2:8:2], "[0::2]": np.s_[0::2],
    "[:5]": np.s_[:5], "[::2]": np.s_[::2], "[::3]": np.s_[::3],
}
seen = {}
for name, part in slices.items():
    read = data[part]
    if read.shape == frames[part].shape and (read == frames[part]).all():
        seen[name] = "right"
    else:
        seen[name] = "frame " + " ".join(str(number) for number in np.nonzero((frames == read).all((1, 2)))[0])
print(seen)
right = all(seen[name] == "right" for name in ("[3]", "[0:5]", "[2:8]", "[2:8:2]", "[0::2]"))
sys.exit(0 if right and seen["[:5]"] == "frame 5" and seen["[::2]"] == seen["[::3]"] == "frame 9" else 1)
PYTHON
