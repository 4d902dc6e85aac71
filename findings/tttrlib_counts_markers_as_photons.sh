#!/usr/bin/env bash
# tttrlib 0.26.2: markers of a PTU file are counted as photons of the detector with the same number.
#
# Time tags (T3) of 10 s at 400 kHz: 20,000 photons at detector 0, 500 at detector 1, and marker 1 every
# millisecond, as a camera or a stage gives it. ptufile counts 20,500 photons and 10,000 markers. TTTR reads
# all 30,500 records, and takes the markers in everywhere: get_selection_by_channel([1]) is 10,500 long
# instead of 500, get_intensity_trace() sums to 30,500, and get_microtime_histogram() begins with a spike
# of 10,000 at time zero, where the decay has none. One expects a trace, a decay and the events of a detector
# to be photons. The mark is there, in event_types (0 a photon, 1 a marker), but these functions do not use it.
# A remedy: TTTR(data, numpy.flatnonzero(data.event_types == 0).astype("i4")) before anything else.
#
# Seen: ptufile 20500 photons, 500 at detector 1; tttrlib 30500 in the trace, 10500 at detector 1, 10000 in the
# first channel of the decay; after the remedy 20500, 500, 0
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tttrlib==0.26.2 ptufile==2026.2.6 numpy==2.4.6
cd "$folder"
cat > seen.py <<'PYTHON'
import sys

import numpy as np
import ptufile
import tttrlib

rng = np.random.default_rng(0)
MARKER = -1
events = [(pulse, MARKER, 0) for pulse in range(200, 4_000_000, 400)]
for detector, photons in ((0, 20_000), (1, 500)):
    pulses = rng.integers(0, 4_000_000, photons)
    delays = np.minimum(rng.exponential(600, photons).astype(int) + 200, 4095)
    events += [(pulse, detector, delay) for pulse, delay in zip(pulses.tolist(), delays.tolist())]
records, overflows = [], 0
for pulse, detector, delay in sorted(events):
    if pulse // 1024 > overflows:  # the counter of pulses has ten bits
        records.append(1 << 31 | 63 << 25 | pulse // 1024 - overflows)
        overflows = pulse // 1024
    if detector == MARKER:
        records.append(1 << 31 | 1 << 25 | pulse % 1024)
    else:
        records.append(detector << 25 | delay << 10 | pulse % 1024)
tags = {
    "Measurement_Mode": 3,  # T3
    "Measurement_SubMode": 1,  # a point
    "MeasDesc_GlobalResolution": 2.5e-6,
    "MeasDesc_Resolution": 50e-12,
    "MeasDesc_AcquisitionTime": 10_000,
    "HW_Type": "HydraHarp 400",
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
    channel = file.decode_records()["channel"]
    true = file.number_photons, int((channel == 1).sum())


def counts(data):
    """Sum of the trace, events of detector 1, and the first channel of the decay."""
    decay, _ = data.get_microtime_histogram(1)
    trace = data.get_intensity_trace(0.1)
    return int(np.sum(trace)), len(data.get_selection_by_channel([1])), int(decay[0])


data = tttrlib.TTTR("point.ptu", "PTU")
photons = tttrlib.TTTR(data, np.flatnonzero(data.event_types == 0).astype(np.int32))
seen, mended = counts(data), counts(photons)
print(f"ptufile: {true[0]} photons, {true[1]} at detector 1")
print("tttrlib: trace {}, detector 1 {}, first channel of the decay {}".format(*seen))
print("tttrlib, photons alone: trace {}, detector 1 {}, first channel {}".format(*mended))
as_seen = true == (20_500, 500) and seen == (30_500, 10_500, 10_000) and mended == (20_500, 500, 0)
sys.exit(0 if as_seen else 1)
PYTHON
"$folder/venv/bin/python" seen.py
