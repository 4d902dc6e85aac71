"""How often do the tests of photostability fire, on blinkers that change and that do not?

All data are simulated: on and off durations from power laws in continuous time, cut into frames,
with noise, 500 counts when on, the paper's threshold of 100.

Input: a pool of processes and the number of traces a row. Output: titles and tables; each table
has its own seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import Any

import numba
import numpy as np
import pandas as pd
from scipy.signal import lfilter
from scipy.special import ndtr, stdtr

from blinkpair.blinking import trend_tests
from blinkpair.blinking.photostability import classify_trajectories
from blinkpair.blinking.states.registry import assign_states

FRAMES = 20_000
EXPOSURE_S = 0.02
ON_COUNTS = 500.0
NOISE = 40.0
LEVEL = 0.025  # of each test: half of 5 %
Rng = np.random.Generator
Titled = tuple[str, pd.DataFrame]


# ---- draws -------------------------------------------------------------------------------


@numba.njit  # not kept: a kernel of no use outside this file
def lit_fraction(rng, alpha, shortest, longest, growth, memory, lit):
    """Fill `lit` with the share of each frame spent on; pairs are (off, on), times in frames.

    Durations grow linearly to `growth` times the start's. `memory` is the correlation of the normal
    score of a duration with that of the one before in the same state.
    """
    frames = lit.size
    lit[:] = 0.0
    t = -frames * rng.random()  # the window begins in the middle of an event
    state = int(rng.random() < 0.5)
    score = rng.standard_normal(2)
    while t < frames:
        kept = memory * score[state]
        score[state] = kept + math.sqrt(1 - memory**2) * rng.standard_normal()
        u = 0.5 * math.erfc(-score[state] / math.sqrt(2.0))
        a = 1.0 - alpha[state]
        low, high = shortest**a, longest**a
        duration = (low + u * (high - low)) ** (1.0 / a)
        duration *= 1.0 + (growth[state] - 1.0) * min(max(t / frames, 0.0), 1.0)
        begin, end = max(t, 0.0), min(t + duration, float(frames))
        if state == 1 and end > begin:
            first, last = int(begin), int(end)
            if first == last:
                lit[first] += end - begin
            else:
                lit[first] += first + 1 - begin
                lit[first + 1 : last] = 1.0
                if last < frames:
                    lit[last] += end - last
        t += duration
        state = 1 - state


def blinkers(
    rng: Rng,
    n: int,
    alpha_on: float,
    alpha_off: float,
    *,
    shortest: float = 0.25,
    longest_s: float = 400.0,
    off_growth: float = 1.0,
    on_growth: float = 1.0,
    memory: float = 0.0,
    noise: float = NOISE,
    level: Callable[[Rng, int], np.ndarray] | float = 1.0,
) -> np.ndarray:
    """Counts of n nanocrystals: `level` is their on level over 500, a number or of (n, frames)."""
    lit = np.empty((n, FRAMES))
    alpha, growth = np.array([alpha_off, alpha_on]), np.array([off_growth, on_growth])
    for row in lit:
        lit_fraction(rng, alpha, shortest, longest_s / EXPOSURE_S, growth, memory, row)
    signal = ON_COUNTS * lit * (level(rng, n) if callable(level) else level)
    spread = np.sqrt(noise**2 + 2.0 * signal)  # electron multiplication doubles the shot noise
    return (signal + spread * rng.normal(size=signal.shape)).astype(np.float32)


def fluctuating(
    sd: float, memory_s: float, trend: Callable[[np.ndarray], np.ndarray] = np.zeros_like
) -> Callable[[Rng, int], np.ndarray]:
    """On level 1 + trend(time from 0 to 1), times exponentially correlated fluctuations."""

    def level(rng: Rng, n: int) -> np.ndarray:
        keep = math.exp(-1.0 / (memory_s / EXPOSURE_S))
        steps = rng.normal(size=(n, FRAMES)) * math.sqrt(1 - keep**2)
        steps[:, 0] = rng.normal(size=n)
        course = lfilter([1.0], [1.0, -keep], steps, axis=1)
        return (1.0 + sd * course) * (1.0 + trend((np.arange(FRAMES) + 0.5) / FRAMES))

    return level


# ---- the usual tests ---------------------------------------------------------------------


def mann_kendall(y: np.ndarray) -> float:
    i, j = np.triu_indices(y.size, 1)
    s = float(np.sign(y[j] - y[i]).sum())
    _, ties = np.unique(y, return_counts=True)
    variance = (
        y.size * (y.size - 1) * (2 * y.size + 5) - (ties * (ties - 1) * (2 * ties + 5)).sum()
    ) / 18
    return float(2 * ndtr(-max(abs(s) - 1, 0) / math.sqrt(variance))) if variance > 0 else 1.0


def regression(y: np.ndarray) -> float:
    if np.ptp(y) == 0:
        return 1.0
    r = np.corrcoef(y, np.arange(y.size))[0, 1]
    t = abs(r) * math.sqrt((y.size - 2) / (1 - r * r))
    return float(2 * stdtr(y.size - 2, -t))


def halves(y: np.ndarray) -> float:
    a, b = np.array_split(y, 2)
    error = math.sqrt(a.var(ddof=1) / a.size + b.var(ddof=1) / b.size)
    return float(2 * stdtr(y.size - 2, -abs(a.mean() - b.mean()) / error)) if error > 0 else 1.0


def usual_tests(states: np.ndarray) -> np.ndarray:
    """p values (n, 3): line and halves of the on-fraction in 1 s, Mann-Kendall of it in 10 s."""
    seconds = states.reshape(len(states), 400, -1).mean(axis=2)
    tens = seconds.reshape(len(states), 40, -1).mean(axis=2)
    return np.array(
        [[regression(a), halves(a), mann_kendall(b)] for a, b in zip(seconds, tens, strict=True)]
    )


def mean_off_time(states: np.ndarray, rng: Rng, orders: int = 399) -> np.ndarray:
    """p values of the statistic not chosen: mean time of the off frames, same blocks of cycles."""
    found = []
    for on in states:
        duration, is_on = trend_tests.runs(on)
        for state in (True, False):
            duration, is_on = trend_tests.merge_short(duration, is_on, state=state)
        duration, is_on = duration[1:-1], is_on[1:-1]
        cycles = duration.size // 2
        if cycles < 10:
            found.append(1.0)
            continue
        in_block = max(cycles // 20, 1)
        blocks = cycles // in_block
        pair = duration[: 2 * blocks * in_block].reshape(blocks, in_block, 2).sum(axis=1)
        off, whole = pair[:, 1 if is_on[0] else 0].astype(float), pair.sum(axis=1)
        order = rng.permuted(np.tile(np.arange(blocks), (orders + 1, 1)), axis=1)
        order[0] = np.arange(blocks)
        middle = np.cumsum(whole[order], axis=1) - whole[order] / 2
        statistic = (off[order] * middle).sum(axis=1)
        tails = (statistic <= statistic[0]).mean(), (statistic >= statistic[0]).mean()
        found.append(min(1.0, 2 * min(tails)))
    return np.array(found)


def off_fraction_p(states: np.ndarray, **arguments: int) -> np.ndarray:
    """p values of the test of the off-fraction with other arguments than those in use."""
    frame = np.arange(FRAMES)
    trends = [trend_tests.off_fraction_trend(on, frame, FRAMES, **arguments) for on in states]
    return np.array([trend.p_value for trend in trends])


# ---- tables ------------------------------------------------------------------------------


def titled(title: str, header: list[str], rows: list[list[str]]) -> Titled:
    return title, pd.DataFrame(rows, columns=header)


def percent(hits: Any) -> str:
    return f"{100 * np.mean(hits):.1f}"


def classified(counts: np.ndarray) -> Any:
    return classify_trajectories(counts, assign_states(counts).states, exposure_s=EXPOSURE_S)


def stationary(rng: Rng, traces: int) -> Titled:
    rows, everything = [], []
    for alpha_on in (1.4, 1.8, 2.2):
        for alpha_off in (1.3, 1.6, 2.0):
            counts = blinkers(rng, traces, alpha_on, alpha_off)
            states = assign_states(counts).states
            found = classified(counts)
            kind = found["photostability"]
            usual = usual_tests(states) <= LEVEL
            numbers = [
                found["p_off_fraction"] <= LEVEL,
                found["p_on_level"] <= LEVEL,
                ~kind.isin(["stable", "not_tested"]),
                kind == "not_tested",
                *usual.T,
            ]
            everything.append(np.array(numbers, dtype=float))
            rows.append([f"{alpha_on}", f"{alpha_off}", *map(percent, numbers)])
    rows.append(["all", "", *map(percent, np.concatenate(everything, axis=1))])
    header = ["alpha on", "alpha off", "off-fraction test %", "on-level test %"]
    header += ["called changed %", "not tested %", "line, 1 s bins %", "t of halves %"]
    title = f"Blinkers that do not change, {traces} a row: each test at 2.5 %, the call at 5 %"
    return titled(title, [*header, "Mann-Kendall, 10 s bins %"], rows)


def false_events(rng: Rng, traces: int) -> Titled:
    rows = []
    for noise, level in ((20.0, 1.0), (25.0, 1.0), (40.0, 1.0), (40.0, 0.5)):
        counts = blinkers(rng, traces, 1.5, 1.5, noise=noise, level=level)
        found = classified(counts)
        raw = off_fraction_p(assign_states(counts).states, short_frames=0)
        numbers = [
            raw <= LEVEL,
            found["p_off_fraction"] <= LEVEL,
            ~found["photostability"].isin(["stable", "not_tested"]),
        ]
        expected = f"{FRAMES * ndtr(-100.0 / noise):.1f}"
        rows.append([f"{noise:.0f}", f"{500 * level:.0f}", expected, *map(percent, numbers)])
    header = ["noise", "counts when on", "false on frames, if all off", "every run counts: fires %"]
    header += ["runs of one frame merged: fires %", "called changed %"]
    return titled(f"False events, off-fraction test at 2.5 %, {traces} a row", header, rows)


def memory(rng: Rng, traces: int) -> Titled:
    rows = []
    for correlation in (0.0, 0.1, 0.2, 0.4):
        for alpha, longest_s in ((1.5, 10.0), (1.8, 40.0), (2.2, 400.0)):
            counts = blinkers(
                rng, traces, alpha, alpha, shortest=2.0, longest_s=longest_s, memory=correlation
            )
            found = classified(counts)
            single = off_fraction_p(assign_states(counts).states, min_blocks=FRAMES)
            numbers = [
                single <= LEVEL,
                found["p_off_fraction"] <= LEVEL,
                ~found["photostability"].isin(["stable", "not_tested"]),
            ]
            rows.append([f"{correlation}", f"{alpha}", f"{longest_s:.0f}", *map(percent, numbers)])
    header = ["correlation of neighbours", "alpha", "longest event s", "cycles one by one: fires %"]
    header += ["in blocks: fires %", "called changed %"]
    return titled(f"Durations with a memory, {traces} a row", header, rows)


def growing(rng: Rng, traces: int) -> Titled:
    rows = []
    for longest_s in (400.0, 40.0, 10.0):
        for alpha_on, alpha_off in ((1.5, 1.5), (1.8, 1.6)):
            for off_growth, on_growth in ((2.0, 1.0), (4.0, 1.0), (1.0, 0.5), (1.0, 0.25)):
                counts = blinkers(
                    rng,
                    traces,
                    alpha_on,
                    alpha_off,
                    shortest=2.0,
                    longest_s=longest_s,
                    off_growth=off_growth,
                    on_growth=on_growth,
                )
                found = classified(counts)
                p_mean_time = mean_off_time(assign_states(counts).states, rng)
                rows.append(
                    [
                        f"{longest_s:.0f}",
                        f"{alpha_on} / {alpha_off}",
                        f"off x {off_growth:.0f}" if off_growth > 1 else f"on x {on_growth}",
                        f"{found['off_fraction_change'].median():+.2f}",
                        percent(p_mean_time <= LEVEL),
                        percent(found["p_off_fraction"] <= LEVEL),
                        percent(found["photostability"] == "going_dark"),
                        percent(found["photostability"] == "brightening"),
                    ]
                )
    header = ["longest event s", "alpha on / off", "over the movie", "change of off-fraction"]
    header += ["mean off time fires %", "test fires %", "going dark %", "brightening %"]
    return titled(f"Events that lengthen or shorten (shortest 40 ms), {traces} a row", header, rows)


def on_level(rng: Rng, traces: int) -> Titled:
    rows = []
    for sd, memory_s in ((0.0, 1.0), (0.05, 2.0), (0.05, 5.0), (0.05, 20.0), (0.05, 50.0)):
        counts = blinkers(rng, traces, 1.5, 1.5, level=fluctuating(sd, memory_s))
        found = classified(counts)
        tested = found["p_on_level"].notna()
        states = assign_states(counts).states
        whole = np.zeros_like(states)
        whole[:, 1:-1] = states[:, 1:-1] & states[:, :-2] & states[:, 2:]
        naive = [
            mann_kendall(np.median(row[on][: on.sum() // 40 * 40].reshape(40, -1), axis=1))
            for row, on in zip(counts[tested], whole[tested], strict=True)
        ]
        rows.append(
            [
                f"{100 * sd:.0f}",
                f"{memory_s:.0f}",
                percent(tested),
                percent(np.array(naive) <= LEVEL),
                percent(found["p_on_level"][tested] <= LEVEL),
                percent(found["photostability"][tested].isin(["brightening", "dimming"])),
            ]
        )
    header = ["fluctuation %", "its memory s", "tested %", "Mann-Kendall fires %", "test fires %"]
    return titled(
        f"On level without a trend, {traces} a row", [*header, "brightening or dimming %"], rows
    )


def rising(rng: Rng, traces: int) -> Titled:
    rows = []
    shapes = {
        "line": lambda t: t,
        "saturates, 60 s": lambda t: 1 - np.exp(-t / 0.15),
        "saturates, 20 s": lambda t: 1 - np.exp(-t / 0.05),
    }
    for size in (0.1, 0.2, 0.4, -0.2, -0.4):
        for name, shape in shapes.items():
            row = [f"{100 * size:+.0f}", name]
            for sd in (0.0, 0.05):
                level = fluctuating(sd, 5.0, lambda t, s=size, f=shape: s * f(t))
                found = classified(blinkers(rng, traces, 1.5, 1.5, level=level))
                found = found[found["p_on_level"].notna()]
                wanted = "brightening" if size > 0 else "dimming"
                row += [
                    f"{100 * found['on_level_change'].median():+.0f}",
                    percent(found["p_on_level"] <= LEVEL),
                    percent(found["photostability"] == wanted),
                ]
            rows.append(row)
    header = ["change %", "course", "line says %", "fires %", "called %"]
    header += [f"fluctuating: {name}" for name in header[2:]]
    return titled(f"On level with a trend; fluctuations of 5 %, 5 s; {traces} a row", header, rows)


def ends_dark(rng: Rng, traces: int) -> Titled:
    rows = []
    for dark_s in (0.0, 40.0, 100.0, 200.0):
        counts = blinkers(rng, traces, 1.8, 1.6, longest_s=40.0)
        n = round(dark_s / EXPOSURE_S)
        counts[:, FRAMES - n :] = rng.normal(0.0, 25.0, (traces, n))
        found = classified(counts)
        rows.append(
            [
                f"{dark_s:.0f}",
                f"{found['dark_at_end_s'].median():.0f}",
                f"{found['off_fraction_change'].median():+.2f}",
                percent(found["photostability"] == "going_dark"),
                percent(found["photostability"] == "stable"),
            ]
        )
    header = ["dark from the end s", "dark_at_end_s", "change of off-fraction", "going dark %"]
    return titled(f"A single step to dark, {traces} a row", [*header, "stable %"], rows)


TABLES = (stationary, false_events, growing, on_level, rising, ends_dark, memory)


def measure(number: int, traces: int) -> Titled:
    # Each table has draws of its own: one can be changed without the others.
    return TABLES[number](np.random.default_rng([8, number]), traces)


def photostability_tables(pool: Executor, traces: int) -> Iterable[Titled]:
    return pool.map(measure, range(len(TABLES)), [traces] * len(TABLES))
