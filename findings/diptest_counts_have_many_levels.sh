#!/usr/bin/env bash
# diptest 0.12.0: diptest() calls a constant emitter bimodal, p = 0, because its counts are whole numbers.
#
# Hartigan's dip test tests whether values have more than one mode, a usual check of whether an emitter blinks. Traces
# of 2,000 frames of one constant level, Poisson counts, 20 of each mean: below p = 0.05 are all 20 at 5, 50 and 100
# counts, with a median p of 0, and 5 at 500. One expects at most one of 20, as a Poisson distribution has one mode,
# and steps of one count are a tenth of its width at 100. The test compares with a continuous distribution, and each
# value that occurs many times is a step of the empirical one: the steps count as the modes. Longer traces make it
# worse: at 500 counts 0 of 20 with 500 frames, and all 20 with 10,000. There is no warning. A remedy: add numbers
# that are even between -0.5 and 0.5 to the counts: 0 of 20 everywhere.
#
# Seen: 20, 20, 20 and 5 of 20; with 500 and 10,000 frames of 500 counts 0 and 20; with the added numbers 0
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check diptest==0.12.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" -W error - <<'PYTHON'
import sys

import diptest
import numpy as np

rng = np.random.default_rng(0)


def bimodal(mean, frames, width=0.0):
    """Traces of 20 with p < 0.05; numbers of this width are added to the counts."""
    p = [
        diptest.diptest(rng.poisson(mean, frames) + width * rng.uniform(-0.5, 0.5, frames))[1] for _ in range(20)
    ]
    return sum(value < 0.05 for value in p), float(np.median(p))


seen, smooth = {}, []
for mean, frames in ((5, 2000), (50, 2000), (100, 2000), (500, 2000), (500, 500), (500, 10000)):
    seen[mean, frames], added = bimodal(mean, frames), bimodal(mean, frames, 1.0)
    smooth.append(added[0])
    calls, p = seen[mean, frames]
    print(f"{mean} counts, {frames} frames: {calls} of 20, median p {p:.2g}; with the added numbers {added[0]}")
certain = all(seen[mean, 2000] == (20, 0) for mean in (5, 50, 100)) and seen[500, 10000][0] == 20
sys.exit(0 if certain and seen[500, 500][0] <= 1 and max(smooth) <= 1 else 1)
PYTHON
