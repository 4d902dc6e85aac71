#!/usr/bin/env bash
# trattoria 0.3.7: the time trace of a PTU file counts each overflow of the clock as a photon: an emitter that is 50
# times as bright when it is on is 1.5 times as bright.
#
# Time tags (T3) of 2 s with a laser of 20 MHz; 1,000 photons in 0.1 s while the emitter is on, from 0.5 to 1.2 s,
# and 20 while it is off. The counter of laser pulses has ten bits, so that the file has a record for each of its
# 38,961 overflows. timetrace() with channel=None, "integrated across channels", has 1,974 and 2,968 counts in a bin
# instead of 20 and 1,015, and 1,953 of them do not depend on the emitter. One expects the photons of all channels;
# ptufile counts 7,365 in all. The overflows are events of channel 0, the photons of the detector that ptufile calls
# 0 those of channel 1: channel=0, the first number one tries, is the overflows alone, a flat trace. A slow laser
# hides it: 39 counts a bin at 400 kHz. Nothing is reported, and a threshold between the levels of the true trace
# finds the emitter always on.
# A remedy: the number of the detector plus one, each detector by itself.
#
# Seen (mean counts of a bin off and on): None 1974 and 2968, channel 0 1953 and 1953, channel 1 20 and 1015
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  trattoria==0.3.7 trattoria-core==0.4.6 ptufile==2026.2.6 numpy==2.4.6
cd "$folder"
cat > seen.py <<'PYTHON'
import sys

import numpy as np
import ptufile
import trattoria

RATE, BIN_S, BINS = 20_000_000, 0.1, 20
rng = np.random.default_rng(0)
on = np.isin(np.arange(BINS), range(5, 12))
events = []
for number, photons in enumerate(rng.poisson(np.where(on, 1000, 20))):
    pulses = rng.integers(int(number * BIN_S * RATE), int((number + 1) * BIN_S * RATE), photons)
    delays = np.minimum(rng.exponential(100, photons).astype(int) + 50, 900)
    events += zip(pulses.tolist(), delays.tolist())
records, overflows = [], 0
for pulse, delay in sorted(events):
    while pulse // 1024 > overflows:  # the counter of pulses has ten bits
        records.append(1 << 31 | 63 << 25 | 1)
        overflows += 1
    records.append(delay << 10 | pulse % 1024)  # the first detector
tags = {
    "Measurement_Mode": 3,  # T3
    "Measurement_SubMode": 1,  # a point
    "MeasDesc_GlobalResolution": 1 / RATE,
    "MeasDesc_Resolution": 50e-12,
    "MeasDesc_AcquisitionTime": 2000,
    "HW_Type": "HydraHarp 400",
    "TTResult_SyncRate": RATE,
    "TTResult_StopAfter": 2000,
    "TTResult_NumberOfRecords": len(records),
    "TTResultFormat_TTTRRecType": 0x01010304,  # HydraHarp, T3, version 2
    "TTResultFormat_BitsPerRecord": 32,
}
encode = ptufile.ptufile.encode_tag
header = b"".join(encode(name, value) for name, value in tags.items()) + encode("Header_End", None)
with open("point.ptu", "wb") as file:
    file.write(b"PQTTTR\0\0" + b"1.0.00\0\0" + header + np.array(records, "<u4").tobytes())

with ptufile.PtuFile("point.ptu") as file:
    decoded, total = file.decode_records(), file.number_photons
seconds = decoded["time"][decoded["channel"] == 0] / RATE
true = np.histogram(seconds, np.arange(BINS + 1) * BIN_S)[0]
print(f"ptufile: {total} photons; off {true[~on].mean():.0f}, on {true[on].mean():.0f}; overflows: {overflows}")
levels = {}
for channel in (None, 0, 1):
    parameters = trattoria.TimeTraceParameters(resolution=BIN_S, channel=channel)
    trace = np.asarray(trattoria.PTUFile("point.ptu").timetrace(parameters).tt)
    off, bright = trace[~on[: trace.size]].mean(), trace[on[: trace.size]].mean()
    levels[channel] = round(off), round(bright)
    print(f"trattoria, channel {channel}: off {off:.0f}, on {bright:.0f}, in {trace.size} bins")
photons_of_detector = np.array_equal(trace, true[: trace.size])
as_seen = {None: (1974, 2968), 0: (1953, 1953), 1: (20, 1015)}
sys.exit(0 if total == true.sum() == 7365 and photons_of_detector and levels == as_seen else 1)
PYTHON
"$folder/venv/bin/python" seen.py
