#!/usr/bin/env bash
# snakemake 9.27.1: a job with runtime="119s" gets one minute, and one with "2.9m" two.
#
# The resource runtime may be given with a unit, and is passed on in whole minutes, as the time limit of a Slurm job
# for one. A limit that was measured in seconds is cut to the minutes below it: "90s" and "119s" are 1, "150s" and
# "2.9m" are 2. One expects that a limit is rounded up, or stays as long as it was asked for: a cluster ends a job of
# 100 s that has asked for 119 s after 60. "30s" is 1 and not 0, which looks as if it were rounded up. Memory beside it
# is rounded up: mem="1.1MB" is 2 MB.
# A remedy: minutes as a whole number, runtime=2.
#
# Seen: 30s 1, 90s 1, 119s 1, 150s 2, 2.9m 2; 1.1MB 2
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile snakemake==9.27.1
cd "$folder"
cat > Snakefile <<'SNAKEFILE'
LIMITS = ["30s", "90s", "119s", "150s", "2.9m"]

rule all:
    input: expand("{limit}.txt", limit=LIMITS)

rule one:
    output: "{limit}.txt"
    resources:
        runtime=lambda wildcards: wildcards.limit,
        mem="1.1MB"
    shell: "echo {resources.runtime} {resources.mem_mb} > {output}"
SNAKEFILE
"$folder/venv/bin/snakemake" --cores 1 > log 2>&1 || { cat log; exit 1; }
seen=""
for limit in 30s 90s 119s 150s 2.9m; do
  read -r minutes megabytes < "$limit.txt"
  echo "$limit: $minutes min, $megabytes MB"
  seen="$seen $minutes"
done
[ "$seen" = " 1 1 1 2 2" ] && [ "$megabytes" = 2 ]
