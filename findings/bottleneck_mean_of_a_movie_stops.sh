#!/usr/bin/env bash
# Bottleneck 1.6.0: nanmean() of a float32 movie of 500 counts is 435, and nanstd() is three times too large.
#
# 100 frames of 512 x 512 px, Poisson counts of mean 500, float32, as movies are after a correction. numpy.nanmean()
# is 499.99 and the standard deviation 22.4. bottleneck.nanmean(), a faster function of the same name and for the
# same arrays, is 435.5, and nanstd() 67.1. Of ten frames the mean is 502.7, so that a test with a short movie shows
# little, and of 400 frames 163.8. One expects a faster mean to be as right as NumPy's. The sum is kept in float32,
# and one pixel after the other is added: from 2e9 on its steps are 256 counts, from 9e9 on 1,024, where a pixel of
# less than half a step counts as nothing. float64 movies are right. A background, a threshold in standard
# deviations and a mean trace of all pixels are wrong by an amount that depends on the length of the movie.
# A remedy: numpy.nanmean, or the mean of the means of frames.
#
# Seen: 10, 100, 400 frames: 502.68, 435.49, 163.84 (NumPy 499.98 to 499.99); nanstd 67.1 (22.4); by frames 499.99
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  bottleneck==1.6.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import bottleneck
import numpy as np

movie = np.random.default_rng(0).poisson(500, (100, 512, 512)).astype(np.float32)
movies = {10: movie[:10], 100: movie, 400: np.concatenate([movie] * 4)}
means = {length: float(bottleneck.nanmean(frames)) for length, frames in movies.items()}
true_means = {length: float(np.nanmean(frames)) for length, frames in movies.items()}
of_frames = float(np.mean([bottleneck.nanmean(frame) for frame in movie]))
scatter, true_scatter = float(bottleneck.nanstd(movie)), float(movie.std(dtype=float))
for length, mean in means.items():
    print(f"{length} frames: bottleneck {mean:.2f}, NumPy {true_means[length]:.2f}")
print(f"100 frames: nanstd {scatter:.1f}, NumPy {true_scatter:.1f}; mean of the means of frames {of_frames:.2f}")
as_seen = means[10] < 505 and means[100] < 450 and means[400] < 300 and scatter > 50
sys.exit(0 if as_seen and all(abs(true - 500) < 0.1 for true in (*true_means.values(), of_frames)) else 1)
PYTHON
