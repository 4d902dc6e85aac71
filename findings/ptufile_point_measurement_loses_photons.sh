#!/usr/bin/env bash
# ptufile 2026.2.6: imread() and decode_image() of a T3 point measurement leave out most of its photons.
#
# A decay is recorded as time tags (T3) at one point: 50,000 photons in 10 s at 400 kHz, no markers. The
# histogram of imread() and decode_image(), by time (ms), channel and delay, should have 10,000 ms and all
# photons. It has 125 ms and 632 photons: the length of its time axis is the number of photons divided by the
# pulses a pixel (50,000 // 400), where one expects the pulses of the recording (4,000,000 // 400), and
# what comes later is left out. No error, no warning; the decay looks right and is weaker, and another rate of
# photons gives another part. PtuFile.is_image is False for such a file, number_photons is 50,000.
# A remedy: decode_histogram(), or numpy.bincount of decode_records(), which have all photons.
#
# Seen: number_photons 50000, imread 632, decode_image 632, decode_histogram 50000, decode_records 50000
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ptufile==2026.2.6 numpy==2.3.5
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import ptufile

rng = np.random.default_rng(0)
pulses = np.sort(rng.integers(0, 4_000_000, 50_000))
delays = np.minimum(rng.exponential(600, pulses.size).astype(int) + 200, 4095)
records, overflows = [], 0
for pulse, delay in zip(pulses.tolist(), delays.tolist()):
    if pulse // 1024 > overflows:  # the counter of pulses has ten bits
        records.append(1 << 31 | 63 << 25 | pulse // 1024 - overflows)
        overflows = pulse // 1024
    records.append(delay << 10 | pulse % 1024)
tags = {
    "Measurement_Mode": 3,  # T3
    "Measurement_SubMode": 1,  # a point
    "MeasDesc_GlobalResolution": 2.5e-6,
    "MeasDesc_Resolution": 50e-12,
    "MeasDesc_AcquisitionTime": 10_000,
    "TTResult_SyncRate": 400_000,
    "TTResult_StopAfter": 10_000,
    "TTResult_NumberOfRecords": len(records),
    "TTResultFormat_TTTRRecType": 0x01010304,  # HydraHarp, T3, version 2
    "TTResultFormat_BitsPerRecord": 32,
}
encode = ptufile.ptufile.encode_tag
header = b"".join(encode(name, value) for name, value in tags.items()) + encode("Header_End", None)
with open("point.ptu", "wb") as file:
    file.write(b"PQTTTR\0\0" + b"1.0.00\0\0" + header + np.array(records, "<u4").tobytes())

with ptufile.PtuFile("point.ptu") as file:
    decoded = file.decode_records()
    seen = {
        "number_photons": file.number_photons,
        "imread": int(ptufile.imread("point.ptu").sum()),
        "decode_image": int(file.decode_image().sum()),
        "decode_histogram": int(file.decode_histogram().sum()),
        "decode_records": int(np.sum(decoded["channel"] >= 0)),
    }
print(", ".join(f"{name} {n}" for name, n in seen.items()))
sys.exit(0 if list(seen.values()) == [50_000, 632, 632, 50_000, 50_000] else 1)
PYTHON
