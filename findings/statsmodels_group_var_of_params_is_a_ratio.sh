#!/usr/bin/env bash
# statsmodels 0.15.0: MixedLM's params["Group Var"] is 0.207 where summary() says "Group Var 2.038", and stays 0.207
# whatever the unit of the data.
#
# 200 emitters in 20 fields, before and after a treatment, a model with a random level for each field. The summary lists
# the effects and, as its last line, the variance between fields, 2.04, beside a residual variance of 9.85. params of
# the same result has the same names in the same order; one expects the numbers of the summary, as the effects and their
# standard errors are the same in both. "Group Var" of params is the variance divided by the residual one, and so is its
# standard error in bse. The share of the variance that is between fields, group / (group + residual), is 0.02 with such
# a number, where it is 0.17; with counts in thousands it becomes 1.00.
# A remedy: result.cov_re, which is the variance.
#
# Seen (Group Var): summary 2.038, cov_re 2.038, params 0.207; in thousands: cov_re 2.04e-6, params 0.207
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  statsmodels==0.15.0 pandas==2.3.3 scipy==1.15.3 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf

rng = np.random.default_rng(0)
table = pd.DataFrame({"field": np.repeat(np.arange(20), 10), "state": rng.choice(["before", "after"], 200)})
table["level"] = 5 + rng.normal(0, 2, 20)[table["field"]] + (table["state"] == "after") + rng.normal(0, 3, 200)


def variances(scale):
    """The variance between fields as params, cov_re and the summary give it, and the residual variance."""
    result = smf.mixedlm("level ~ state", table.assign(level=table["level"] * scale), groups=table["field"]).fit()
    summary = float(result.summary().tables[1].loc["Group Var", "Coef."])
    return float(result.params["Group Var"]), float(result.cov_re.iloc[0, 0]), summary, float(result.scale)


params, cov_re, summary, residual = variances(1)
scaled_params, scaled_cov_re, _, scaled_residual = variances(1e-3)
print(f"params {params:.3f}, cov_re {cov_re:.3f}, summary {summary}, residual {residual:.3f}")
print(f"in thousands: params {scaled_params:.3f}, cov_re {scaled_cov_re:.3g}, residual {scaled_residual:.3g}")
as_seen = abs(summary - cov_re) < 0.001 and abs(params * residual / cov_re - 1) < 1e-6 and params < 0.2 * cov_re
as_seen &= abs(scaled_params / params - 1) < 1e-3 and abs(scaled_cov_re / cov_re / 1e-6 - 1) < 1e-3
sys.exit(0 if as_seen else 1)
PYTHON
