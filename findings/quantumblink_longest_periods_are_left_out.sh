#!/usr/bin/env bash
# QuantumBlink 1.0.2: the density of on times of a blinking quantum dot ends at 1.1 s where the dot was on for up to
# 24 s: durations that occurred once are left out, and with them most of the on time.
#
# A trace of 20,000 frames of 20 ms, on and off times of whole frames with the probability t^-1.5 up to 2,000 frames, as
# quantum dots have them. Ontime_pdf(file, threshold, exposure) returns durations and their probability density. One
# expects the long durations in it, with the low density that one event in a wide range has: such tails are what shows
# whether a power law is cut off. A duration of so many frames occurs once or not at all, and what does not occur twice
# is dropped; the rest is normalized to 1. The dot seems to have no on time above some seconds, in each of five
# traces, and the end of the density depends on the length of the movie. On fractions are right.
# A remedy: durations from Power_dist_one(), and bins that widen with the duration.
#
# Seen (longest on time in the trace and in the density, part of the on time above it): 24.4 and 1.1 s, 87 %; 24.7 and
# 4.1 s, 61 %; 29.3 and 0.8 s, 82 %; 21.3 and 1.3 s, 73 %; 23.0 and 1.6 s, 70 %
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check QuantumBlink==1.0.2 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys

import numpy as np
from QuantumBlink.QuantumBlink import Ontime_pdf, OnTimeFraction, Power_dist_one

FRAMES, EXPOSURE_S = 20_000, 0.02
duration = np.arange(1, 2001)
share = duration**-1.5 / np.sum(duration**-1.5)
as_seen = []
for seed in range(5):
    drawn = np.random.default_rng(seed).choice(duration, FRAMES // 10, p=share)
    on = np.repeat(np.arange(drawn.size) % 2, drawn)[:FRAMES]
    assert on.size == FRAMES
    np.savetxt("trace.csv", np.column_stack([np.arange(FRAMES) * EXPOSURE_S, 500 * on]), delimiter=",")
    periods_s = Power_dist_one("trace.csv", 100, EXPOSURE_S)[0] * EXPOSURE_S
    density, time_s = Ontime_pdf("trace.csv", 100, EXPOSURE_S)
    lost = periods_s[periods_s > time_s.max()].sum() / periods_s.sum()
    print(f"longest on time {periods_s.max():.1f} s; the density ends at {time_s.max():.1f} s and lacks "
          f"{lost:.0%} of the on time; integral {np.sum(density.ravel() * np.gradient(time_s)):.2f}")
    right = abs(OnTimeFraction("trace.csv", 100, EXPOSURE_S) - on.mean()) < 1e-9
    as_seen.append(right and time_s.max() < 0.2 * periods_s.max() and lost > 0.5)
sys.exit(0 if all(as_seen) else 1)
PYTHON
