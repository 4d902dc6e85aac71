#!/usr/bin/env bash
# snakedeploy 0.17.1: deploy-workflow of a local folder writes a Snakefile that names itself.
#
# `snakedeploy deploy-workflow /path/to/workflow my_experiment --tag v1` reports success. The Snakefile that it
# writes, my_experiment/workflow/Snakefile, declares a module whose snakefile is "workflow/Snakefile" (or
# "Snakefile", where the repository has it at its top): the path within the source, without the folder of the
# source. Snakemake reads it from the folder of the file it stands in, so that it is
# my_experiment/workflow/workflow/Snakefile, which does not exist, or my_experiment/workflow/Snakefile itself. One
# expects a deployed workflow to run; with an address at GitHub it does. The tag is required and not used.
# A remedy: put the whole path of the source's Snakefile into the file.
#
# Seen: "workflow/Snakefile" for a source with it, "Snakefile" for a source without
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check snakedeploy==0.17.1
mkdir -p "$folder/inside/workflow" "$folder/top"
echo 'rule all:' | tee "$folder/inside/workflow/Snakefile" > "$folder/top/Snakefile"
seen=""
for source in inside top; do
  "$folder/venv/bin/snakedeploy" deploy-workflow "$folder/$source" "$folder/of_$source" --tag v1 2> /dev/null
  line=$(grep -A1 'snakefile:' "$folder/of_$source/workflow/Snakefile" | tail -1 | tr -d ' ')
  echo "$source: $line"
  seen="$seen$line"
done
[ "$seen" = '"workflow/Snakefile""Snakefile"' ]
