#!/usr/bin/env bash
# snakemake 9.27.1: `--config drift=false` gives the text "false", so that `if config["drift"]` is true.
#
# A config file with "drift: false" and a workflow that corrects the drift if config["drift"]. From the file the value
# is False, and the step is left out. `snakemake --config drift=false`, the same word, is the text "false", which is
# true: the step that one switches off runs, without a warning, and where it is switched on in the file, it stays on.
# One expects that a value means on the command line what it means in the file. "off" and "null" become texts as well;
# "False" and "True", as Python writes them, are read. Numbers differ too: the field "010" is 8 in the file and 10 on
# the command line, "1e3" a text in the file and 1000.0 on the command line, and a time of 12:30 the number 750 in the
# file.
# A remedy: False with a capital letter; or a schema for the config, with the types.
#
# Seen: file: no drift, 8, text 1e3, 750; command line: drift, 10, 1000.0, text 12:30; drift=False: no drift
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile snakemake==9.27.1
cd "$folder"
cat > config.yaml <<'YAML'
drift: false
field: 010
scale: 1e3
start: 12:30
YAML
cat > Snakefile <<'SNAKEFILE'
configfile: "config.yaml"

rule all:
    output: "seen.txt"
    run:
        step = "drift" if config["drift"] else "no drift"
        with open(output[0], "w") as file:
            print(step, *(repr(config[key]) for key in ("field", "scale", "start")), sep=", ", file=file)
SNAKEFILE

seen() {
  rm -f seen.txt
  "$folder/venv/bin/snakemake" --cores 1 "$@" > log 2>&1 || { cat log; exit 1; }
  cat seen.txt
}

file=$(seen)
typed=$(seen --config drift=false field=010 scale=1e3 start=12:30)
capital=$(seen --config drift=False)
echo "file: $file"
echo "command line: $typed"
echo "drift=False on the command line: $capital"
[ "$file" = "no drift, 8, '1e3', 750" ] && [ "$typed" = "drift, 10, 1000.0, '12:30'" ] && [ "$capital" = "$file" ]
