#!/usr/bin/env bash
# quickpbsa 2021.0.1: traces from a movie that is not square are means of half of the aperture, so that equal particles
# differ by 40 %, and others are missing or NaN.
#
# Particles of one brightness on a grid, and a table of their positions as ThunderSTORM writes it, for
# extract_traces_localization() with a radius of 2 px. In a movie of 128 x 128 px all traces are the mean of the 12 to
# 15 pixels within 2 px. Cameras are read faster with fewer rows; one expects the same of 96 x 128 px. There the traces
# are means of 5 to 7 pixels: 280 to 396 counts where the aperture holds 355 to 388. Of 64 x 128 px two of eight
# particles are not in the table and two are NaN. The column of a pixel is computed with the number of rows, so that
# those with the right distance are not the nearest. Nothing is reported, and a trace with the wrong pixels looks sound.
# A remedy: crop or pad the movie to a square.
#
# Seen (rows x columns: pixels, mean counts, within 2 px): 128 x 128: 12-15, 354-390, 354-390; 96 x 128: 5-7, 280-396,
# 355-388; 128 x 96: 4-5, 417-472, 355-391; 64 x 128: six of eight particles, two of them NaN
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  quickpbsa==2021.0.1 numpy==2.3.5 scipy==1.16.3 pandas==2.3.3 matplotlib==3.10.7 tifffile==2026.3.3
cd "$folder"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys

import numpy as np
import pandas as pd
import quickpbsa
import tifffile

PIXEL_NM, RADIUS = 160, 2  # nm, px


def traces(rows, columns):
    """Mean counts of the traces, and what the pixels within the radius hold."""
    rng = np.random.default_rng(0)
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(20, columns - 15, 24), np.arange(20, rows - 15, 24)))
    x, y = x + rng.uniform(-0.5, 0.5, x.size), y + rng.uniform(-0.5, 0.5, y.size)
    row, column = np.mgrid[:rows, :columns]
    distance2 = (column - x[:, None, None]) ** 2 + (row - y[:, None, None]) ** 2
    frame = 100 + 500 * np.exp(-distance2 / 2 / 1.2**2).sum(0)
    movie = rng.poisson(frame, (50, rows, columns)).astype(np.uint16)
    tifffile.imwrite("movie.tif", movie, photometric="minisblack", resolutionunit="CENTIMETER",
                     resolution=(1e7 / PIXEL_NM, 1e7 / PIXEL_NM))
    places = {"x [nm]": (x + 0.5) * PIXEL_NM, "y [nm]": (y + 0.5) * PIXEL_NM}
    pd.DataFrame(places).to_csv("places.csv", index=False)
    seen, _, _ = quickpbsa.trace_extraction.extract_traces_localization("./movie.tif", "./places.csv", RADIUS, 4, 6, 8)
    pixels = np.loadtxt("movie_peaksel.csv", delimiter=",", skiprows=2)[:, 2:]
    true = [movie[:, inside].mean() for inside in distance2 <= RADIUS**2]
    return np.array(true), seen.mean(0), (pixels > 0).sum(1)


results = {}
for shape in ((128, 128), (96, 128), (128, 96), (64, 128)):
    true, seen, pixels = results[shape] = traces(*shape)
    counts = np.nanmin(seen), np.nanmax(seen), true.min(), true.max()
    print("{} x {}: {} of {} particles, {} of them NaN".format(*shape, seen.size, true.size, np.isnan(seen).sum()))
    print("  pixels {} to {}, counts".format(pixels.min(), pixels.max()),
          "{:.0f} to {:.0f}, within 2 px {:.0f} to {:.0f}".format(*counts))
square, wide, high, low = results.values()
as_seen = np.allclose(square[0], square[1]) and low[1].size < low[0].size and np.isnan(low[1]).any()
sys.exit(0 if as_seen and np.ptp(wide[1]) > 90 > np.ptp(wide[0]) and high[1].min() > high[0].max() else 1)
PYTHON
