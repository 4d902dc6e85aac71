#!/usr/bin/env bash
# snakemake 9.27.1: a job is not run again where a param changed that is a NumPy integer, an array or a Path.
#
# A sheet of samples is read by pandas, and a rule has params: threshold=sheet.loc["a", "threshold"]. The
# threshold changes from 100 to 300 in the sheet: "Nothing to be done", and the output is that of 100. One
# expects the rerun trigger "params", which is on by default, to see another number. Snakemake keeps params
# of a few types only, and a NumPy integer, a NumPy array or a pathlib.Path is none of them: such a param is
# left out of the comparison without a word. A column of floats is noticed, as numpy.float64 is a kind of
# Python's float, and so is a pandas Series: the same line of a workflow is safe with 100.0 and not with 100.
# A remedy: int(...), .tolist(), str(...).
#
# Seen: asked for 300 after 100: integer cell 100, array 100, path 100; Python int, float cell and Series 300
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  snakemake==9.27.1 numpy==2.3.5 pandas==2.3.3
cd "$folder"
cat > Snakefile <<'SNAKEFILE'
import pathlib

import pandas as pd

sheet = pd.read_csv("sheet.csv", index_col="name")
CELL = sheet.loc["a", "threshold"]
PARAM = {
    "int": int(CELL),
    "cell": CELL,
    "float_cell": sheet.astype({"threshold": float}).loc["a", "threshold"],
    "series": sheet["threshold"],
    "array": sheet["threshold"].to_numpy(),
    "path": pathlib.Path(str(CELL)),
}

rule all:
    input: expand("{kind}.txt", kind=PARAM)

rule one:
    output: "{kind}.txt"
    params:
        param=lambda wildcards: PARAM[wildcards.kind],
    shell: "sed -n 's/^a,//p' sheet.csv > {output}"
SNAKEFILE
for threshold in 100 300; do
  printf 'name,threshold\na,%s\nb,200\n' "$threshold" > sheet.csv
  "$folder/venv/bin/snakemake" --cores 1 --quiet all > log 2>&1 || { cat log; exit 1; }
done
seen=""
for kind in int cell float_cell series array path; do
  echo "$kind: asked for 300 after 100, the output is $(cat "$kind.txt")"
  seen="$seen$(cat "$kind.txt") "
done
[ "$seen" = "300 100 300 300 100 100 " ]
