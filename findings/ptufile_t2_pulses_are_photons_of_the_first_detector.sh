#!/usr/bin/env bash
# ptufile 2026.2.6: of time tags (T2) with the laser on the sync input, each pulse is a photon of the first detector:
# 5,800 photons are counted where there are 1,800.
#
# A HydraHarp file, T2: 4,000 pulses of a laser on the sync input in 10 ms, 1,500 photons on input 1 and 300 on input 2.
# One expects pulses to be set apart, as the format does: a record of the sync input has the special bit, as overflows
# and markers have it, and decode_records() says that a channel >= 0 is a photon. The sync input and input 1 are both
# channel 0, with the same marker 0: number_photons is 5,800, decode_histogram() counts them too, and the pulses cannot
# be separated from the photons any more. A decay of delays behind the pulse has none to start from, a trace of
# detector 0 has a constant background of 400 kHz, and its correlation with detector 1 is that of the laser.
# A remedy: the raw records beside the decoded ones, read_records() >> 25 == 64 for a pulse.
#
# Seen: number_photons 5800; channel 0: 5500, channel 1: 300; by the special bit 4000 pulses, 1500 and 300 photons
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ptufile==2026.2.6 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import ptufile

PERIOD_PS, PULSES, WRAP = 2_500_000, 4000, 1 << 25
SYNC = 64  # the seven highest bits of a record of the sync input: the special bit and channel 0
rng = np.random.default_rng(0)
events = [(pulse * PERIOD_PS, SYNC) for pulse in range(PULSES)]
for channel, photons in ((0, 1500), (1, 300)):  # inputs 1 and 2
    pulses = rng.choice(PULSES, photons, replace=False)
    times = pulses * PERIOD_PS + 1000 + np.minimum(rng.exponential(20_000, photons).astype(int), 2_000_000)
    events += [(time, channel) for time in times.tolist()]
records, overflows = [], 0
for time, high in sorted(events):
    while time // WRAP > overflows:  # the time has 25 bits
        records.append(1 << 31 | 63 << 25 | 1)
        overflows += 1
    records.append(high << 25 | time % WRAP)
tags = {
    "Measurement_Mode": 2,  # T2
    "Measurement_SubMode": 1,  # a point
    "MeasDesc_GlobalResolution": 1e-12,
    "MeasDesc_Resolution": 1e-12,
    "MeasDesc_AcquisitionTime": 10,
    "HW_Type": "HydraHarp 400",
    "TTResult_SyncRate": 400_000,
    "TTResult_StopAfter": 10,
    "TTResult_NumberOfRecords": len(records),
    "TTResultFormat_TTTRRecType": 0x01010204,  # HydraHarp, T2, version 2
    "TTResultFormat_BitsPerRecord": 32,
}
encode = ptufile.ptufile.encode_tag
header = b"".join(encode(name, value) for name, value in tags.items()) + encode("Header_End", None)
with open("tags.ptu", "wb") as file:
    file.write(b"PQTTTR\0\0" + b"1.0.00\0\0" + header + np.array(records, "<u4").tobytes())

with ptufile.PtuFile("tags.ptu") as file:
    decoded, raw, total = file.decode_records(), file.read_records(), file.number_photons
seen = [int((decoded["channel"] == channel).sum()) for channel in (0, 1)]
true = [int((raw >> 25 == high).sum()) for high in (SYNC, 0, 1)]
markers = int((decoded["marker"] > 0).sum())
print(f"number_photons {total}, channel 0: {seen[0]}, channel 1: {seen[1]}, markers: {markers}")
print("by the special bit: {} pulses, {} and {} photons".format(*true))
sys.exit(0 if (total, seen, true, markers) == (5800, [5500, 300], [4000, 1500, 300], 0) else 1)
PYTHON
