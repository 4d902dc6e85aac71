"""Becker & Hickl's .sdt, by sdtfile.

Input: a path. Output: a decay; an image's pixels are summed.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from blinkpair.ensemble.readers.decay import Decay, choose
from blinkpair.errors import InputError


def read_sdt(path: str, curve: int | None) -> Decay:
    """Read one curve of an .sdt file; the time axis is TAC range / (gain x channels)."""
    import sdtfile

    damaged = (ValueError, IndexError, KeyError, EOFError, NotImplementedError, zipfile.BadZipFile)
    try:
        # Opened here, because sdtfile leaves a damaged file open.
        with Path(path).open("rb") as stream, sdtfile.SdtFile(stream) as file:
            curves, bins, rates = [], [], []
            for block, (data, times) in enumerate(zip(file.data, file.times, strict=True)):
                # A block holds curves, or pixels of an image: rows of a decay each.
                rows = np.asarray(data, dtype=np.float64).reshape(-1, data.shape[-1])
                rows = rows.sum(axis=0, keepdims=True) if data.ndim > 2 else rows
                width = 1e9 * float(times[1] - times[0]) if times.size > 1 else np.nan
                info = file.block_measure_info(block)
                rate = _sync_rate(info)
                for row in rows:
                    curves.append(row)
                    bins.append(width)
                    rates.append((rate, float(info.col_t)))
    except damaged as error:
        raise InputError(
            f"the .sdt file cannot be read ({error or type(error).__name__})",
            "export it again from SPCM as 'SPC Setup & Data File'",
            path,
        ) from error
    if not curves:
        raise InputError("the file holds no curve", "name the file of the decay", path)
    which = choose(np.array([one.sum() for one in curves]), curve, path)
    rate, duration_s = rates[which]
    pulses = rate * duration_s
    counts = curves[which]
    return Decay(
        counts,
        bins[which],
        1e9 / rate if rate > 0 else np.inf,
        float(counts.sum() / pulses) if pulses > 0 else np.nan,
    )


def _sync_rate(info: object) -> float:
    """Return the mean of the smallest and the largest rate of the pulses, Hz; 0 if unknown."""
    stop = getattr(info, "StopInfo", None)
    if stop is None:
        return 0.0
    low, high = float(stop.min_sync_rate), float(stop.max_sync_rate)
    return (low + high) / 2 if 0 < low <= high and np.isfinite(high) else 0.0
