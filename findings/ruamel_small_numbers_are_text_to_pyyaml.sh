#!/usr/bin/env bash
# ruamel.yaml 0.19.1 and PyYAML 6.0.4: of a config that one writes and the other reads, 1e-07 becomes a text, 12:30 the
# number 750 and "on" True.
#
# A script sets a pixel of 1e-07 m, a camera's state "on" and a time "12:30" in a config with ruamel.yaml, which keeps
# the comments, and dumps it; Snakemake and others load it with PyYAML. yaml.safe_load() gives the text '1e-07', True
# and 750. One expects the values that were written: both write and read YAML, and each reads its own output right. The
# one follows YAML 1.2, where "on" and 12:30 are texts that need no quotes and 1e-07 is a number; the other YAML 1.1,
# where a number with an exponent needs a dot and 12:30 is in base 60. 0.001 and 108.0 come through, so that it shows
# at the first small or large number: 1e+16 is a text too, and a text times 2 is not an error.
# A remedy: yaml.version = (1, 1) before the dump; it writes 1.0e-07 and quotes the others.
#
# Seen: '1e-07', '1e+16', 750, True, and 0.001 right; with version 1.1 all as written
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile ruamel.yaml==0.19.1 pyyaml==6.0.4
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys

import yaml
from ruamel.yaml import YAML

SETTINGS = {"pixel_m": 1e-07, "rate_hz": 1e16, "start": "12:30", "shutter": "on", "exposure_s": 0.001}


def through(version=None):
    """The settings as ruamel.yaml writes them and reads them again, and as PyYAML reads them."""
    writer = YAML()
    writer.version = version
    text = io.StringIO()
    writer.dump(SETTINGS, text)
    return dict(YAML().load(text.getvalue())), yaml.safe_load(text.getvalue())


itself, default = through()
_, older = through((1, 1))
print("PyYAML:", default)
print("PyYAML, written as version 1.1:", older)
pyyaml_alone = yaml.safe_load(yaml.safe_dump(SETTINGS)) == SETTINGS
as_seen = default == SETTINGS | {"pixel_m": "1e-07", "rate_hz": "1e+16", "start": 750, "shutter": True}
sys.exit(0 if as_seen and itself == SETTINGS and pyyaml_alone and older == SETTINGS else 1)
PYTHON
