#!/usr/bin/env bash
# phconvert 0.10.2: load_spc() of a Becker & Hickl file with the markers of a scan returns none of them, and one that
# carries the overflow of the clock moves all later photons by 0.85 s.
#
# An SPC-130 file of 32-bit records, made here by the format: four photons and two markers of lines. A marker has the
# bits INVALID and MARK set; the overflow of the clock of 12 bits, MTOV, may be set in it as in a photon. load_spc()
# drops all records with INVALID, and marker_ids is empty, although its documentation describes the markers. A record
# with INVALID and MTOV it takes for a count of overflows, whose 28 bits are then the routing and the time of the
# marker: 4,146 overflows instead of one, and with a clock of 50 ns the photons after it come 0.85 s late. One expects
# the times of tttrlib, which reads both markers and one overflow. A line of a scan or a trace has a dark gap that
# looks like an off period, and each such marker adds another; the number of photons and their delays are right.
# A remedy: read such files with tttrlib.
#
# Seen (photons in ticks of 50 ns): phconvert 100, 300, 16982216, 16982316; tttrlib 100, 300, 4296, 4396
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  phconvert==0.10.2 tttrlib==0.26.2 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - > log 2>&1 <<'PYTHON' && tail -2 log || { cat log; exit 1; }
import struct
import sys

import phconvert
import tttrlib

TICK_100_PS = 500


def record(tick, routing=0, delay=2000, mark=0, overflow=0, invalid=0):
    """A record of 32 bits: INVALID, MTOV, GAP, MARK, 12 bits of delay, 4 of routing, 12 of time."""
    return invalid << 31 | overflow << 30 | mark << 28 | delay << 16 | routing << 12 | tick


def line(tick, overflow=0):
    """The marker of a line, with or without an overflow of the clock."""
    return record(tick, routing=1, delay=0, mark=1, invalid=1, overflow=overflow)


records = [record(100), line(200), record(300), line(50, overflow=1), record(200), record(300)]
with open("scan.spc", "wb") as file:
    file.write(struct.pack("<7I", 1 << 31 | 1 << 25 | TICK_100_PS, *records))
text = b"*IDENTIFICATION\r\n  ID : SPC Setup & Data File\r\n*END\r\n"
text += b"*SETUP\r\nSYS_PARA_BEGIN:\r\nSYS_PARA_END:\r\n*END\r\n"
with open("scan.set", "wb") as file:
    file.write(struct.pack("<h", 0x20 << 4).ljust(phconvert.bhreader._sethead_dtype.itemsize, b"\0") + text)

loaded = phconvert.bhreader.load_spc("scan.spc")
photons = loaded.get("photon_data", loaded)
times, markers = photons["timestamps"].tolist(), photons["marker_ids"].tolist()
beside = tttrlib.TTTR("scan.spc", "SPC-130")
is_photon = beside.event_types == 0
right = beside.macro_times[is_photon].tolist()
print(f"phconvert: {times}, {len(markers)} kinds of markers; late by {(times[-1] - right[-1]) * 50e-9:.2f} s")
print(f"tttrlib: {right}, {int((~is_photon).sum())} markers")
as_seen = times == [100, 300, 16_982_216, 16_982_316] and not markers
sys.exit(0 if as_seen and right == [100, 300, 4296, 4396] and (~is_photon).sum() == 2 else 1)
PYTHON
