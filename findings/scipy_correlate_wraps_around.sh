#!/usr/bin/env bash
# SciPy 1.17.1: signal.correlate() of two uint16 frames has its peak anywhere, as the sums wrap around.
#
# 30 spots of 400 counts on 100 counts move by (5, -3) px between two frames, uint16 as the camera gives them.
# signal.correlate(after, before) of the frames less their means has its maximum at (5, -3). With the frames as they
# are: at (96, -17); with the background subtracted and kept in int16: at (-46, 21). fftconvolve() of the same
# uint16 frames, with one turned round, is right. One expects the two ways to the same sum to agree, all the more as
# the Fourier transform, which correlate() takes by default for images, is computed in float64. Its result is cast
# back to uint16, and every sum is taken modulo 65,536; method="direct" gives the same numbers. Nothing is
# reported; a drift or a registration from it jumps at random, and the autocorrelation of a trace looks like noise.
# A remedy: frames.astype(float), less their mean.
#
# Seen: float64 less mean (5, -3); uint16 (96, -17); int16 (-46, 21); fftconvolve (5, -3)
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  numpy==2.4.6 scipy==1.17.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from scipy import signal

SIZE, MOVED = 128, (5, -3)
rng = np.random.default_rng(0)
rows, columns = np.mgrid[:SIZE, :SIZE]
spots = sum(
    400 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 2 / 1.3**2)
    for y, x in rng.uniform(15, SIZE - 15, (30, 2))
)
before = rng.poisson(100 + spots).astype(np.uint16)
after = rng.poisson(100 + np.roll(spots, MOVED, (0, 1))).astype(np.uint16)


def moved(surface):
    """Place of the maximum, from the middle of the correlation."""
    return tuple(int(at) - (SIZE - 1) for at in np.unravel_index(surface.argmax(), surface.shape))


def less_background(frame):
    """Counts above 100 as whole numbers with a sign."""
    return frame.astype(np.int16) - np.int16(100)


seen = {
    "float64 less mean": moved(signal.correlate(after - after.mean(), before - before.mean())),
    "uint16": moved(signal.correlate(after, before)),
    "int16": moved(signal.correlate(less_background(after), less_background(before))),
    "uint16, fftconvolve": moved(signal.fftconvolve(after, before[::-1, ::-1])),
}
corner = after[:32, :32], before[:32, :32]
alike = bool((signal.correlate(*corner, method="fft") == signal.correlate(*corner, method="direct")).all())
trace = rng.poisson(300, 2000).astype(np.uint16)
wrapped = int(signal.correlate(trace, trace).max())
true = int((trace.astype(int) ** 2).sum())
print("; ".join(f"{name} {place}" for name, place in seen.items()))
print(f"autocorrelation of a trace at lag 0: {true}, maximum of correlate() of uint16: {wrapped}; "
      f"both methods alike: {alike}")
as_right = seen["float64 less mean"] == seen["uint16, fftconvolve"] == MOVED
as_wrong = all(seen[name] != MOVED for name in ("uint16", "int16"))
sys.exit(0 if as_right and as_wrong and alike and wrapped < 65_536 < true else 1)
PYTHON
