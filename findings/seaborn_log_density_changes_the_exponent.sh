#!/usr/bin/env bash
# seaborn 0.13.2: histplot() and kdeplot() with log_scale=True draw a power law with an exponent off by one.
#
# 200,000 durations of the density t^-1.5, as dwell times of blinking emitters have. On log-log axes their
# density is a line of slope -1.5, which numpy.histogram(..., density=True) with logarithmic bins gives:
# -1.505. histplot(stat="density", log_scale=True) draws a slope of -0.505, and kdeplot(log_scale=True) one of
# -0.506. One expects "density" to be the density of the axis that is drawn, in 1/s for times in s. It is that of
# the decimal logarithm: ln(10) t P(t). The axis is labelled "Density" all the same, and an exponent read
# from it, or a line of t^-1.5 drawn over it, is wrong by one.
# A remedy: histplot(bins=..., stat="density") with bins from numpy.geomspace, and set_xscale("log") after it.
#
# Seen: slope on log-log axes: numpy -1.505, histplot -0.505, kdeplot -0.506, histplot by the remedy -1.505
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  seaborn==0.13.2 matplotlib==3.10.7 numpy==2.3.5 pandas==2.3.3 scipy==1.16.3
MPLBACKEND=agg "$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

rng = np.random.default_rng(0)
durations = (1 - rng.random(200_000)) ** -2.0  # P(t) = t^-1.5 / 2 from 1 s on
durations = durations[durations < 1e4]
bins = np.geomspace(1, 1e4, 41)


def slope(times, density):
    """Slope of a density on log-log axes, where it is positive."""
    use = (density > 0) & (times > 3) & (times < 3000)
    return np.polyfit(np.log(times[use]), np.log(density[use]), 1)[0]


def of_bars(**options):
    """Slope of the bars that histplot draws."""
    bars = sns.histplot(durations, stat="density", ax=plt.figure().add_subplot(), **options).patches
    left, width, height = (np.array([getattr(bar, f"get_{name}")() for bar in bars])
                           for name in ("x", "width", "height"))
    return slope(np.sqrt(left * (left + width)), height)


by_numpy = slope(np.sqrt(bins[1:] * bins[:-1]), np.histogram(durations, bins, density=True)[0])
curve = sns.kdeplot(durations, log_scale=True, ax=plt.figure().add_subplot()).lines[0].get_data()
seen = [by_numpy, of_bars(log_scale=True), slope(*curve), of_bars(bins=bins)]
print("numpy {:.3f}, histplot {:.3f}, kdeplot {:.3f}, histplot with bins {:.3f}".format(*seen))
sys.exit(0 if np.allclose(seen, [-1.5, -0.5, -0.5, -1.5], atol=0.03) else 1)
PYTHON
