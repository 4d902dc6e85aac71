"""Traces, states and dwell times of a field, small enough for a page.

Input: counts and states (nanocrystal, frame) of both epochs. Output: the smallest and the largest
counts of successive frames in 8 bits, so that no event is lost, however short; the states
themselves, frame by frame; and how many events fell into bins of duration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray, IntArray, row_runs
from blinkpair.dwell_fits.histograms import bin_edges
from blinkpair.epochs import EPOCHS
from blinkpair.report.packing import leb128, pack
from blinkpair.report.rounding import round_down, round_up

NO_FRAME = 255
_STEPS = 254  # codes 0..254
# A trace is as precise as its noise: steps finer than this share of it only take space.
_STEP_IN_NOISE = 0.2
_SAMPLED_FRAMES = 1000  # pairs of successive frames that the noise is estimated from


def thin_traces(intensity: Mapping[str, NDArray[np.float32]], bins: int) -> dict[str, Any]:
    """Thin the traces of both epochs for a page, on one scale a nanocrystal.

    Parameters
    ----------
    intensity : mapping of str to (n, frames) float32
        Counts of 'pre' and 'post', not necessarily of equal length; NaN is 'no such frame'.
    bins : int
        Largest number of bins of an epoch.

    Returns
    -------
    dict
        `offset`, `step`: n numbers each, counts = offset + step * code. `pre` and `post`:
        `frames_per_bin`, `bins`, `low` and `high`: packed uint8 of shape (n, bins), codes 0 to
        254, and 255 where there is no frame. `low` is rounded down and `high` up, so that the
        trace lies between them; `high` is null where a bin is one frame, and `low` is then
        rounded to the nearest. A step is a fifth of the noise, or more where 254 of them would
        not hold the trace.
    """
    ends, widths = {}, {}
    for epoch, counts in intensity.items():
        widths[epoch] = max(1, -(-counts.shape[1] // bins))
        ends[epoch] = _ends(counts, widths[epoch])
    noise = np.fmin(*(_noise(intensity[epoch]) for epoch in EPOCHS))
    scale = _common_scale([ends[epoch] for epoch in EPOCHS], noise)
    offset, step = scale
    content: dict[str, Any] = {"offset": offset.tolist(), "step": step.tolist()}
    for epoch, (low, high) in ends.items():
        one_frame = widths[epoch] == 1
        content[epoch] = {
            "frames_per_bin": widths[epoch],
            "bins": low.shape[1],
            "low": pack(_codes(low, *scale, np.rint if one_frame else np.floor)),
            "high": None if one_frame else pack(_codes(high, *scale, np.ceil)),
        }
    return content


def _ends(
    counts: NDArray[np.float32], width: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Take the smallest and the largest of every `width` frames, (n, bins) each."""
    if width == 1:
        return counts, counts
    starts = np.arange(0, counts.shape[1], width)
    # fmin and fmax pass over NaN unless there is nothing else.
    return np.fmin.reduceat(counts, starts, axis=1), np.fmax.reduceat(counts, starts, axis=1)


def _noise(counts: NDArray[np.float32]) -> FloatArray:
    """Return each trace's noise, from differences of successive frames, mostly of one state."""
    every = max(1, counts.shape[1] // _SAMPLED_FRAMES)
    steps = np.abs(counts[:, 1::every] - counts[:, :-1:every])
    noise = np.zeros(len(counts))
    some = np.isfinite(steps).any(axis=1)
    if some.any():
        noise[some] = np.nanmedian(steps[some], axis=1) / (0.6745 * np.sqrt(2.0))
    return noise


def _common_scale(
    ends: list[tuple[NDArray[np.float32], NDArray[np.float32]]], noise: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return offset and step, (n,) each: counts = offset + step * code."""
    lowest = _reduced(np.fmin, [low for low, _ in ends])
    highest = _reduced(np.fmax, [high for _, high in ends])
    # The page gets short numbers; rounded outwards, they still hold all of the trace.
    offset = round_down(np.nan_to_num(lowest), 0.01)
    span = np.nan_to_num(highest) - offset
    step = np.fmax(span / _STEPS, _STEP_IN_NOISE * noise)
    return offset, np.where(span > 0, round_up(step, digits=4), 1.0)


def _reduced(ufunc: Any, arrays: list[NDArray[np.float32]]) -> FloatArray:
    rows = [ufunc.reduce(array, axis=1, initial=np.nan) for array in arrays]
    return np.asarray(ufunc.reduce(rows, axis=0), dtype=np.float64)


def _codes(
    values: NDArray[np.float32], offset: FloatArray, step: FloatArray, rounded: Any
) -> NDArray[np.uint8]:
    codes = rounded((values - offset[:, None]) / step[:, None])
    codes = np.clip(codes, 0, _STEPS)
    return np.asarray(np.where(np.isnan(values), NO_FRAME, codes), dtype=np.uint8)


class Runs(NamedTuple):
    """Every run of one state: its row, state, first frame and length, (m,) each; in order.

    `frames` is the number of frames of each row, (n,).
    """

    row: IntArray
    state: NDArray[np.int8]
    start: IntArray
    length: IntArray
    frames: IntArray


def find_runs(on: NDArray[np.int8]) -> Runs:
    """List the runs of every trace.

    Parameters
    ----------
    on : (n, frames) int8
        1 on, 0 off, -1 no such frame; the latter at the end only.

    Raises
    ------
    ValueError
        If frames are missing elsewhere.
    """
    n, frames = on.shape
    if on.size == 0:
        none = np.zeros(0, dtype=np.int64)
        return Runs(none, none.astype(np.int8), none, none, np.zeros(n, dtype=np.int64))
    row, start, length, state = row_runs(on)
    there = state >= 0
    if np.any(start[~there] + length[~there] < frames):
        at = int(row[~there][np.argmax(start[~there] + length[~there] < frames)])
        raise ValueError(f"row {at} of the states has -1, 'no such frame', before its end")
    known = np.bincount(row[there], weights=length[there], minlength=n).astype(np.int64)
    return Runs(row[there], state[there], start[there], length[there], known)


def pack_runs(on: NDArray[np.int8]) -> str:
    """Pack the states of every frame without loss.

    Parameters
    ----------
    on : (n, frames) int8
        As `find_runs` takes it.

    Returns
    -------
    str
        `packing.pack` of LEB128 numbers; for each nanocrystal the number of its runs, the state of
        the first one (1 on, 0 off; 0 where it has none), then the length of each in frames.
    """
    runs = find_runs(on)
    n = on.shape[0]
    n_runs = np.bincount(runs.row, minlength=n)
    begins = np.cumsum(n_runs + 2) - (n_runs + 2)
    numbers = np.zeros(int(n_runs.sum()) + 2 * n, dtype=np.int64)
    numbers[begins] = n_runs
    first = runs.start == 0
    numbers[begins[runs.row[first]] + 1] = runs.state[first]
    # Before the k-th run of all stand k others and two numbers of its own and each earlier row.
    numbers[np.arange(runs.row.size) + 2 * (runs.row + 1)] = runs.length
    return pack(leb128(numbers))


def dwell_counts(on: Mapping[str, NDArray[np.int8]]) -> dict[str, Any]:
    """Count the complete events of every nanocrystal in bins of duration, the same for all.

    Parameters
    ----------
    on : mapping of str to (n, frames) int8
        States of 'pre' and 'post', as `find_runs` takes them.

    Returns
    -------
    dict
        `edges_frames`: bins + 1 whole numbers; a bin holds the durations from its edge to one
        frame below the next, as in `dwell_fits.histograms.log_binned_density`. `bits`: 16 or 32.
        `on_pre, on_post, off_pre, off_post`: packed uint16 (or uint32) of shape (n, bins). Events
        cut by either end of the trace are not counted.
    """
    runs = {epoch: find_runs(states) for epoch, states in on.items()}
    complete = {
        epoch: (own.start > 0) & (own.start + own.length < own.frames[own.row])
        for epoch, own in runs.items()
    }
    longest = max((int(own.length[complete[e]].max(initial=0)) for e, own in runs.items()))
    edges = bin_edges(longest)
    bins = len(edges) - 1
    counts = {}
    for epoch, own in runs.items():
        for name, state in (("on", 1), ("off", 0)):
            kept = complete[epoch] & (own.state == state)
            place = np.searchsorted(edges, own.length[kept], side="right") - 1
            n = own.frames.size
            flat = np.bincount(own.row[kept] * bins + place, minlength=n * bins)
            counts[f"{name}_{epoch}"] = flat.reshape(n, bins)
    most = max(int(table.max(initial=0)) for table in counts.values())
    kind = np.uint16 if most < 1 << 16 else np.uint32
    content: dict[str, Any] = {"edges_frames": edges.tolist(), "bits": 8 * kind().itemsize}
    return content | {name: pack(table.astype(kind)) for name, table in counts.items()}


def bins_for(n_nanocrystals: int) -> int:
    """Choose how many bins a trace gets, so that a page of so many nanocrystals stays small.

    Parameters
    ----------
    n_nanocrystals : int
        Of all fields together.

    Returns
    -------
    int
        200 to 1000: the traces take 4.5 MB before compression, two bytes a bin and epoch, as long
        as that leaves bins enough to see blinking by.
    """
    budget_bytes, each = 4_500_000, 2 * len(EPOCHS)
    return int(np.clip(budget_bytes // (each * max(n_nanocrystals, 1)), 200, 1000))
