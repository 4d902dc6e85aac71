#!/usr/bin/env bash
# snakemake 9.27.1: max_rss in the benchmark of a job that held 300 MB for eight seconds is 13 MB.
#
# A job of 31 s: it waits for 20 s, holds 300 MB for 8 s and frees them, as a step that reads a movie, then loads a
# stack of it, and writes a table. The operating system's own count of its peak is 299 MB; the column max_rss of
# `benchmark:` is less than 50. One expects the peak, as the name says and as `/usr/bin/time -v` gives it. Snakemake
# looks at the memory every half a second for 15 s, then once in 30 s, and takes the largest value it happened to see.
# mem_mb that is set by such a benchmark is too low for just the long jobs. cpu_time lacks all that was used after the
# last look.
# A remedy: the job itself reports resource.getrusage().ru_maxrss.
#
# Seen (MB): the job's own peak 299, max_rss 13
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile snakemake==9.27.1
cd "$folder"
cat > job.py <<'PYTHON'
import resource
import sys
import time

time.sleep(20)
stack = bytearray(b"1") * 300_000_000
time.sleep(8)
del stack
time.sleep(3)
with open(sys.argv[1], "w") as file:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=file)
PYTHON
cat > Snakefile <<'SNAKEFILE'
rule all:
    output: "peak.txt"
    benchmark: "benchmark.tsv"
    shell: "python3 job.py {output}"
SNAKEFILE
"$folder/venv/bin/snakemake" --cores 1 > log 2>&1 || { cat log; exit 1; }
peak=$(cat peak.txt)
column=$(head -1 benchmark.tsv | tr '\t' '\n' | grep -n '^max_rss$' | cut -d: -f1)
max_rss=$(tail -1 benchmark.tsv | cut -f "$column" | cut -d. -f1)
echo "the job's own peak $peak MB, max_rss $max_rss MB"
[ "$peak" -gt 250 ] && [ "$max_rss" -lt 50 ]
