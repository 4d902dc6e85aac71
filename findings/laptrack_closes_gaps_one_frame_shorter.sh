#!/usr/bin/env bash
# laptrack 0.17.1: gap_closing_max_frame_count=n closes gaps of at most n - 1 frames, and 1 closes none.
#
# A particle that does not move is seen in frames 0 to 2, is dark for some frames, and is seen again. The
# setting is "the maximum frame gaps, by default 2". One expects 2 to bridge two dark frames, as memory=2
# does in trackpy, and 1 to bridge a single one. With 2 a track ends where two frames are dark, and 1 does
# the same as 0: blinking particles fall into more tracks, and events are cut, without a word. The number is
# the difference of the frame numbers.
# A remedy: one more than the frames to be bridged.
#
# Seen (tracks of one particle): 1 dark frame: 2 with the setting 0 and 1, 1 with 2; 2 dark frames: 2 with 2,
# 1 with 3
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  laptrack==0.17.1 trackpy==0.7 numpy==2.4.6 scipy==1.17.1 pandas==2.3.3 matplotlib==3.10.7
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys

import numpy as np
import pandas as pd
import trackpy
from laptrack import LapTrack

trackpy.quiet()


def spots(dark):
    """One particle that is dark for some frames, and one beside it that is always seen."""
    blinking = [0, 1, 2, *range(3 + dark, 6 + dark)]
    frames = np.array([*blinking, *range(6 + dark)])
    x = np.where(np.arange(frames.size) < len(blinking), 10.0, 90.0)
    return pd.DataFrame({"frame": frames, "y": 10.0, "x": x})


def tracks(dark, setting):
    """Number of tracks of the first particle."""
    found, _, _ = LapTrack(gap_closing_max_frame_count=setting).predict_dataframe(
        spots(dark), coordinate_cols=["y", "x"], only_coordinate_cols=False
    )
    return int(found.loc[found["x"] < 50, "track_id"].nunique())


def by_trackpy(dark, memory):
    """The same by trackpy."""
    found = trackpy.link(spots(dark), 5, memory=memory)
    return int(found.loc[found["x"] < 50, "particle"].nunique())


seen = {dark: [tracks(dark, setting) for setting in range(4)] for dark in (1, 2)}
beside = {dark: [by_trackpy(dark, memory) for memory in range(4)] for dark in (1, 2)}
for dark, row in seen.items():
    print(f"{dark} dark: tracks with 0, 1, 2, 3: laptrack {row}, trackpy's memory {beside[dark]}")
as_seen = seen == {1: [2, 2, 1, 1], 2: [2, 2, 2, 1]}
sys.exit(0 if as_seen and beside == {1: [2, 1, 1, 1], 2: [2, 2, 1, 1]} else 1)
PYTHON
