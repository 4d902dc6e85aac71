#!/usr/bin/env bash
# snakemake 9.27.1: a job is not run again where two of its params exchanged their values.
#
# A rule writes its params threshold_before and threshold_after into its output. First 100 and 150: it runs.
# Then 150 and 100: "Nothing to be done", and the output still says 100 and 150. Then 150 and 101: it runs.
# One expects the rerun trigger "params", which is on by default, to notice any param of another value.
# Snakemake keeps the values of the params without their names, sorted, and compares these lists. Whoever
# corrects two settings that stood in each other's place keeps the old results, without a word.
# A remedy: one param that holds both under their names: thresholds={"before": 100, "after": 150}.
#
# Seen: 100 150 | after the exchange 100 150 | with another value 150 101 | exchanged in one param 101 150
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check snakemake==9.27.1
cd "$folder"
cat > Snakefile <<'SNAKEFILE'
before, after = config["before"], config["after"]

rule two_params:
    output: "two.txt"
    params:
        threshold_before=before,
        threshold_after=after,
    shell: "echo {params.threshold_before} {params.threshold_after} > {output}"

rule one_param:
    output: "one.txt"
    params:
        thresholds={"before": before, "after": after},
    shell: "echo {params.thresholds[before]} {params.thresholds[after]} > {output}"
SNAKEFILE
seen=""
ask() {
  "$folder/venv/bin/snakemake" --cores 1 --quiet all --config "before=$2" "after=$3" -- "$1.txt" > log 2>&1 ||
    { cat log; exit 1; }
  echo "$1: asked for $2 $3, the output is $(cat "$1.txt")"
  seen="$seen$(cat "$1.txt") | "
}
ask two 100 150
ask two 150 100
ask two 150 101
ask one 150 101
ask one 101 150
[ "$seen" = "100 150 | 100 150 | 150 101 | 150 101 | 101 150 | " ]
