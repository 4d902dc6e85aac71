#!/usr/bin/env bash
# uncertainties 3.2.3: ufloat_fromstr() of a number without an error gives it one, 0.001 for "5.712" and 1,000 for
# "1e3", so that the value without an error decides a weighted mean.
#
# Lifetimes are taken from tables of papers, as 4.53(6) ns; some have no error. One expects an error to be raised, NaN,
# or an exact number, as ufloat() gives from a float. The last digit that is written is taken as uncertain by one:
# 4.53(6), 4.61(8) and 5.712, three digits that a program printed, have the weighted mean 5.711 with an error of 0.001,
# where the two that were measured have 4.559(48). Written as 5.7 the mean is 4.77, and as "1e3" a number has 100 %. A
# column read by it never shows which errors were in the table.
# A remedy: accept only what holds "(", "+/-" or "±".
#
# Seen: "498" 1, "5.712" 0.001, "5.7" 0.1, "1e3" 1,000; weighted means 5.711, 4.772 and, of two, 4.559
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check uncertainties==3.2.3
cd "$folder"
"$folder/venv/bin/python" -W error - <<'PYTHON'
import sys

from uncertainties import ufloat_fromstr

MEASURED = ["4.53(6)", "4.61(8)"]


def weighted_mean(texts):
    """Mean weighted by the inverse squares of the errors, and its error."""
    values = [ufloat_fromstr(text) for text in texts]
    weights = [value.std_dev**-2 for value in values]
    total = sum(weights)
    return sum(w * v.nominal_value for w, v in zip(weights, values, strict=True)) / total, total**-0.5


errors = {text: ufloat_fromstr(text).std_dev for text in ("498", "5.712", "5.7", "1e3")}
print("errors:", errors)
means = [weighted_mean([*MEASURED, *more]) for more in ([], ["5.712"], ["5.7"])]
for name, (mean, error) in zip(("measured", "and 5.712", "and 5.7"), means, strict=True):
    print(f"weighted mean {name}: {mean:.3f}, error {error:.4f}")
as_seen = [round(error, 6) for error in errors.values()] == [1, 0.001, 0.1, 1000]
sys.exit(0 if as_seen and abs(means[0][0] - 4.559) < 0.001 and abs(means[1][0] - 5.7115) < 0.001 else 1)
PYTHON
