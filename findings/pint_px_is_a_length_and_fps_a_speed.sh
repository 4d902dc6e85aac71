#!/usr/bin/env bash
# Pint 0.25.3: "px" is the pixel of a web page, 1/96 inch, so that pixels become micrometres without a
# calibration; and "fps" is feet per second.
#
# A distance of 4 px is converted into micrometres. One expects DimensionalityError, as the size of a
# camera's pixel is not known, and "pixel" does raise it: it has a dimension of its own. "px" is not its
# short form but that of CSS: 4 px are 1058 um, and 1 um + 1 px is 265.6 um. Nothing is reported, and a
# forgotten calibration, the very error for which units are carried along, goes through. A calibration of
# "0.16 um/px" is a number without a unit, 0.0006. "20 fps" is 6.1 m/s.
# A remedy: write "pixel"; or ureg.define("pixel = [printing_unit] = px") after
# pint.UnitRegistry(on_redefinition="ignore").
#
# Seen: 4 px 1058.3 um; 4 pixel DimensionalityError; 0.16 um/px dimensionless; 20 fps 6.096 m/s
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pint==0.25.3
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import pint

ureg = pint.UnitRegistry()


def micrometres(text):
    """What Pint makes of a distance."""
    try:
        return round(ureg(text).to("um").magnitude, 1)
    except pint.DimensionalityError as error:
        return type(error).__name__


short, written_out = micrometres("4 px"), micrometres("4 pixel")
calibration = ureg("0.16 um/px").check("[]")
speed = round(ureg("20 fps").to("m/s").magnitude, 3)
mended = pint.UnitRegistry(on_redefinition="ignore")
mended.define("pixel = [printing_unit] = px")
try:
    remedy = mended("4 px").to("um")
except pint.DimensionalityError as error:
    remedy = type(error).__name__
print(f"4 px {short} um; 4 pixel {written_out}; 0.16 um/px dimensionless {calibration}")
print(f"20 fps {speed} m/s; 4 px after the remedy {remedy}")
as_seen = (short, written_out, calibration, speed) == (1058.3, "DimensionalityError", True, 6.096)
sys.exit(0 if as_seen and remedy == "DimensionalityError" else 1)
PYTHON
