#!/usr/bin/env bash
# astropy 8.0.2: bayesian_blocks() of binned counts takes the first and the last frame for twice as bright: a constant
# trace of 500 counts has three blocks in 20 of 20 trials.
#
# 100 frames of Poisson counts with a mean of 500, at the times 0 to 99, bayesian_blocks(time, counts,
# fitness="events", p0=0.05). The docstring offers "events" for binned events, and p0 as the probability of a
# false alarm; one expects a single block in some 19 of 20 constant traces. There are three or more in each, with edges
# at 0.5 and 98.5, and at a mean of 20 counts two or more in most. The edges between frames lie half way, and the
# outermost edges are the first and the last time themselves: the frames at the ends are half as long as the others, and
# hold as much. Every trace begins and ends with an on event of one frame, and a faint one does with a
# probability that depends on its brightness.
# A remedy: fitness="measures" with sigma, the root of the mean of the counts.
#
# Seen: mean 500: 20 of 20 split, 20 of 20 at 0.5 and at 98.5; mean 20: 13 of 20; "measures": 2 and 3 of 20, none there
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  astropy==8.0.2 numpy==2.4.6 scipy==1.17.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from astropy.stats import bayesian_blocks

TRIALS, FRAMES = 20, 100
rng = np.random.default_rng(0)
time = np.arange(float(FRAMES))


def trials(mean, fitness):
    """How many constant traces are split, and how many at the first and at the last frame."""
    split = first = last = 0
    for counts in rng.poisson(mean, (TRIALS, FRAMES)):
        sigma = {"sigma": mean**0.5} if fitness == "measures" else {}
        edges = bayesian_blocks(time, counts, fitness=fitness, p0=0.05, **sigma)
        split += edges.size > 2
        first += 0.5 in edges
        last += FRAMES - 1.5 in edges
    return int(split), int(first), int(last)


rows = {(mean, fitness): trials(mean, fitness) for mean in (500, 20) for fitness in ("events", "measures")}
for (mean, fitness), (split, first, last) in rows.items():
    print(f"mean {mean}, {fitness}: {split} of {TRIALS} split, {first} at 0.5, {last} at {FRAMES - 1.5}")
as_seen = rows[500, "events"] == (TRIALS, TRIALS, TRIALS) and rows[20, "events"][0] >= 8
sys.exit(0 if as_seen and rows[500, "measures"][0] <= 3 and rows[20, "measures"][0] <= 3 else 1)
PYTHON
