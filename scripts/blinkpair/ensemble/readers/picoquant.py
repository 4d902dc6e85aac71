"""PicoQuant's .ptu (time tags) and .phu (histograms), by ptufile.

Time tags are histogrammed here, photon by photon: the decoder of images drops all that lies outside
of lines and frames. The time axis is the width of a bin, `MeasDesc_Resolution`, which binning makes
larger than the base resolution of the hardware.

Input: a path. Output: a decay.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray
from blinkpair.ensemble.readers.decay import Decay, choose
from blinkpair.errors import InputError

_MOST_BINS = 1 << 20
_PICOHARP_T2 = 0x00010203
_RATE_ERROR = 0.02  # relative; a rate in a header is counted over 0.1 s or so
_LARGEST_DIVIDER = 16  # of the sync input, by the manual of the HydraHarp 400
_INTERVAL_ERROR = 0.05  # of the period; the jitter of lasers is far below
_SYNC = 64  # in the seven highest bits: the special bit, and channel 0


@contextmanager
def _named(path: str) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except (ValueError, KeyError, IndexError, EOFError, TypeError, struct.error) as error:
        raise InputError(
            f"the PicoQuant file cannot be read ({error or type(error).__name__})",
            "copy it again from the computer of the instrument",
            path,
        ) from error


def read_phu(path: str, curve: int | None) -> Decay:
    """Read one histogram of a .phu file."""
    import ptufile

    with _named(path), Path(path).open("rb") as stream, ptufile.PhuFile(stream) as file:
        histograms = [np.asarray(h, dtype=np.float64) for h in file.histograms()]
        expected = list(file.tags["HistResDscr_HistogramBins"])
        which = choose(np.array([h.sum() for h in histograms]), curve, path)
        if histograms[which].size != expected[which]:
            raise InputError(
                f"the file ends after {histograms[which].size} of {expected[which]} channels",
                "copy it again",
                path,
            )
        resolutions = file.tags.get("HistResDscr_MDescResolution")
        width_s = float(resolutions[which]) if resolutions else file.tcspc_resolution
        counts = histograms[which]
        rate = float(_of_curve(file.tags.get("HistResDscr_SyncRate", 0), which))
        duration_s = 1e-3 * float(file.tags.get("MeasDesc_AcquisitionTime", 0))
        return _decay(counts, width_s, rate, duration_s)


def read_ptu(path: str, curve: int | None, bin_ps: float | None) -> Decay:
    """Read the photons of one detector of a .ptu file as a histogram."""
    import ptufile

    with _named(path), Path(path).open("rb") as stream, ptufile.PtuFile(stream) as file:
        records = file.decode_records()
        if records.size < file.number_records:
            raise InputError(
                f"the file ends after {records.size} of {file.number_records} records",
                "copy it again",
                path,
            )
        rate = float(file.tags.get("TTResult_SyncRate", 0))
        duration_s = 1e-3 * float(
            file.tags.get("TTResult_StopAfter", 0) or file.tags.get("MeasDesc_AcquisitionTime", 0)
        )
        if not file.is_t3:
            counts, width_s, seen = _from_time_tags(file, records, curve, bin_ps, rate, path)
            return _decay(counts, width_s, rate or seen, duration_s)
        photons = records[(records["channel"] >= 0) & (records["marker"] == 0)]
        n = np.bincount(photons["channel"], minlength=1).astype(np.float64)
        of_detector = photons[photons["channel"] == choose(n, curve, path)]
        # All bins of a period, also those at its end in which no photon was counted.
        # A quotient just below a whole number is that number: ptufile would drop the last bin.
        bins = min(int(file.global_resolution / file.tcspc_resolution + 1e-6), _MOST_BINS)
        counts = np.bincount(of_detector["dtime"], minlength=bins).astype(np.float64)
        return _decay(counts, file.tcspc_resolution, rate or 1 / file.global_resolution, duration_s)


def _from_time_tags(
    file: Any,
    records: NDArray[Any],
    curve: int | None,
    bin_ps: float | None,
    rate: float,
    path: str,
) -> tuple[FloatArray, float, float]:
    """Return the histogram of times since the last pulse, its bin width and the rate of pulses.

    Pulses on the sync input have a bit of their own in a record, but in PicoHarp's records, where
    they are those of channel 0; ptufile gives both the channel 0. A divider at the sync input
    leaves every second, fourth or eighth pulse: `rate` (Hz), which the header has of the laser, is
    then a multiple of the rate of the records, and the times are counted from the pulses between.
    """
    is_event = records["channel"] >= 0
    events = records[is_event]
    if int(file.tags["TTResultFormat_TTTRRecType"]) == _PICOHARP_T2:
        is_pulse = events["channel"] == 0
    else:
        is_pulse = file.read_records()[is_event] >> 25 == _SYNC
    if is_pulse.sum() < 2 or is_pulse.all():
        raise InputError(
            "these are time tags (T2) without the laser's pulses: no decay can be made of them",
            "record in T3 mode, or with the pulses on the sync input",
            path,
        )
    n = np.bincount(events["channel"][~is_pulse], minlength=1).astype(np.float64)
    channel = choose(n, curve, path)
    times = events["time"].astype(np.int64)
    last = np.maximum.accumulate(np.where(is_pulse, np.arange(events.size), -1))
    photon = (events["channel"] == channel) & ~is_pulse & (last >= 0)
    delays = times[photon] - times[last[photon]]
    recorded = _period(np.diff(times[is_pulse]), path)
    divider = _divider(rate * recorded * file.global_resolution)
    if divider > 1:
        delays = delays * divider % recorded / divider
    delays_s = delays * file.global_resolution
    period_s = recorded * file.global_resolution / divider
    width_s = 1e-12 * bin_ps if bin_ps else file.tcspc_resolution
    # A bin that the period ends in counts for a part of its width only, and is left out.
    bins = min(int(period_s / width_s + 1e-6), _MOST_BINS)
    places = np.floor(delays_s / width_s * (1 + 1e-12)).astype(np.int64)
    return (
        np.bincount(places[places < bins], minlength=bins).astype(np.float64),
        width_s,
        1.0 / period_s,
    )


def _period(intervals: NDArray[np.int64], path: str) -> int:
    """Return the time between two recorded pulses, in ticks; a laser's intervals are multiples.

    A detector at the sync input, as for correlations, has intervals of any length: a tenth of them
    lies as close to a multiple of the median by chance.
    """
    period = max(int(np.median(intervals)), 1)
    beside = np.abs(intervals / period - np.maximum(np.rint(intervals / period), 1))
    if np.mean(beside < _INTERVAL_ERROR) < 0.5:
        raise InputError(
            "the events of the sync input do not come at a constant rate, as a laser's pulses do",
            "record in T3 mode, or with the laser's pulses on the sync input, not a detector",
            path,
        )
    return period


def _divider(pulses: float) -> int:
    """Return the number of the laser's pulses from one recorded pulse to the next."""
    whole = max(round(pulses), 1)
    is_divided = whole <= _LARGEST_DIVIDER and abs(pulses / whole - 1) < _RATE_ERROR
    return whole if is_divided else 1


def _decay(counts: FloatArray, width_s: float, rate: float, duration_s: float) -> Decay:
    pulses = rate * duration_s
    return Decay(
        counts,
        1e9 * width_s,
        1e9 / rate if rate > 0 else np.inf,
        float(counts.sum() / pulses) if pulses > 0 else np.nan,
    )


def _of_curve(values: Any, which: int) -> Any:
    """Return a tag of one curve, which a file may hold once for all."""
    return values[which] if isinstance(values, list | tuple) else values
