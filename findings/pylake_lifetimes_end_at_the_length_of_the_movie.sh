#!/usr/bin/env bash
# lumicks.pylake 1.8.0: DwelltimeModel finds 11.0 +- 0.6 s for a lifetime of 20 s that was seen in a movie of 10 s, and
# for one of 50 s as well.
#
# 3,000 durations, exponential, with a lifetime of 20 s; those above 10 s do not end within the movie and are left out,
# which max_observation_time=10 takes into account. One expects the lifetime with a large error, as such data hold it:
# maximum likelihood with the same truncation gives 21.6 s. The fit is bounded at 1.1 times max_observation_time, and
# returns this bound for each longer lifetime, with a standard error as of a good fit; the bootstrap interval is 11.000
# to 11.000 s. Nothing is reported. A lifetime of 5 s is right. Samples with 20 and 50 s have the same lifetime, and the
# bound moves with the length of the movie.
# A remedy: take a lifetime at the bound, 1.1 times max_observation_time, as a lower limit; or fit the durations that
# are cut off as well, as censored ones.
#
# Seen (true: fitted, median of six): 5: 5.0 +- 0.2 s; 20: 11.0 +- 0.6 s; 50: 11.0 +- 0.5 s; bootstrap of 20 s 11.000 to
# 11.000; by maximum likelihood 20 s are 21.6 s (first of six)
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile lumicks.pylake==1.8.0 \
  numpy==2.4.6 scipy==1.17.1
"$folder/venv/bin/python" -W error::RuntimeWarning - <<'PYTHON'
import sys

import numpy as np
from lumicks.pylake import DwelltimeModel
from scipy.optimize import minimize_scalar

MOVIE_S, EVENTS = 10.0, 3000


def durations(lifetime, seed):
    """Durations that began and ended within the movie's length."""
    drawn = np.random.default_rng(seed).exponential(lifetime, 20_000)
    return drawn[drawn < MOVIE_S][:EVENTS]


def likeliest(times):
    """Lifetime of exponential durations truncated at the movie's length."""
    def cost(log_lifetime):
        lifetime = np.exp(log_lifetime)
        return times.size * np.log(lifetime * -np.expm1(-MOVIE_S / lifetime)) + times.sum() / lifetime
    return np.exp(minimize_scalar(cost, bounds=(0, 8), method="bounded").x)


seen = {}
for lifetime in (5, 20, 50):
    models = [DwelltimeModel(durations(lifetime, seed), 1, max_observation_time=MOVIE_S) for seed in range(6)]
    seen[lifetime] = [model.lifetimes[0] for model in models]
    error = np.median([model.err_lifetimes[0] for model in models])
    print(f"{lifetime} s: {np.median(seen[lifetime]):.1f} +- {error:.1f} s; "
          f"maximum likelihood {likeliest(durations(lifetime, 0)):.1f} s")
model = DwelltimeModel(durations(20, 0), 1, max_observation_time=MOVIE_S)
low, high = model.calculate_bootstrap(iterations=50).get_interval("lifetime", 0)
print(f"bootstrap interval of 20 s: {low:.3f} to {high:.3f} s")
as_seen = np.allclose(seen[20] + seen[50], 1.1 * MOVIE_S, atol=0.01) and high - low < 0.001
sys.exit(0 if as_seen and abs(np.median(seen[5]) - 5) < 0.5 and abs(likeliest(durations(20, 0)) - 21.6) < 0.1 else 1)
PYTHON
