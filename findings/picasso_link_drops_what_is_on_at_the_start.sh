#!/usr/bin/env bash
# picassosr 0.11.3: postprocess.link() returns nothing for an emitter that is bright in all frames, and of a blinking
# one leaves out the period at the start of the movie, but not the one at its end.
#
# Localizations of one emitter in a movie of 100 frames are linked to bright periods. The lengths of periods that the
# movie cuts off are too short, so that they are removed unless remove_ambiguous_lengths=False; the documentation says
# of this option that it concerns localizations that belong to several periods. One expects a table with one period of
# 100 frames for an emitter that never blinks, or that both cut periods are dealt with in the same way. Everything that
# is bright in frame 0 is gone: the steadiest emitters are not in the table, with their photons. The period that ends
# with the last frame stays, although it is cut off as well: its last frame, 99, is compared with the number of frames,
# 100.
# A remedy: remove_ambiguous_lengths=False, and periods at both ends marked by frame and len.
#
# Seen (first frame, length): always on: nothing; on in 0-19, 40-59, 80-99: (40, 20), (80, 20); with False: all
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile picassosr==0.11.3
cd "$folder"
QT_QPA_PLATFORM=offscreen "$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import pandas as pd
from picasso import postprocess

INFO = [{"Frames": 100, "Width": 32, "Height": 32}]
STEADY = np.arange(100)
BLINKING = np.concatenate([np.arange(20), np.arange(40, 60), np.arange(80, 100)])


def periods(frames, **options):
    """First frame and length of each bright period of an emitter at rest."""
    columns = {"x": 5, "y": 5, "photons": 1000, "sx": 1, "sy": 1, "bg": 10, "lpx": 0.01, "lpy": 0.01}
    table = pd.DataFrame({"frame": frames.astype(np.uint32)})
    for name, value in columns.items():
        table[name] = np.float32(value)
    linked = postprocess.link(table, INFO, **options)
    return [tuple(map(int, row)) for row in linked[["frame", "len"]].to_numpy()]


steady, blinking = periods(STEADY), periods(BLINKING)
all_steady = periods(STEADY, remove_ambiguous_lengths=False)
all_blinking = periods(BLINKING, remove_ambiguous_lengths=False)
print("always on:", steady, "all:", all_steady)
print("blinking:", blinking, "all:", all_blinking)
as_seen = steady == [] and blinking == [(40, 20), (80, 20)]
as_seen &= all_steady == [(0, 100)] and all_blinking == [(0, 20), (40, 20), (80, 20)]
sys.exit(0 if as_seen else 1)
PYTHON
