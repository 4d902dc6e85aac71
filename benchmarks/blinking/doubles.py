"""On-fractions of spots that hold two nanocrystals, closer than the PSF.

Each of the two is on and off by durations of its own in continuous time: exponentials, power laws,
or power laws that are truncated on. The brighter one has an on level of 4 to 20 noises, the dimmer
one down to a quarter of it; levels fluctuate by 4 % in a third of the fields. Beside them are
single nanocrystals. The truth is the time in which at least one is on.

Input: a pool of processes and the number of fields. Output: a table.
"""

from __future__ import annotations

from concurrent.futures import Executor
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.blinking.light import Rng, film, power_law
from blinkpair.blinking.field import MAX_SE
from blinkpair.blinking.off_levels import estimate_off_levels
from blinkpair.blinking.states.registry import assign_states
from blinkpair.blinking.states.settings import ThresholdSettings

FRAMES = (2000, 20_000)
SINGLES, DOUBLES, RARE = 20, 12, 4
MEMORY_FRAMES, FLUCTUATION = 25, 0.04
KINDS = ("one", "two, of 1 to 1.7", "two, of 1.7 to 4", "two, one of them on for < 5 %")


class Switching(NamedTuple):
    """Times at which an emitter may switch, frames, and whether it is on from each to the next."""

    times: np.ndarray
    is_on: np.ndarray

    def lit(self, frames: int) -> np.ndarray:
        time_on = np.concatenate([[0.0], np.cumsum(np.diff(self.times) * self.is_on)])
        return np.clip(np.diff(np.interp(np.arange(frames + 1.0), self.times, time_on)), 0.0, 1.0)


def durations(rng: Rng, n: int, law: str, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """On and off times in frames."""
    if law == "exponential":
        mean = rng.uniform(4, 60)
        return rng.exponential(mean, n), rng.exponential(mean, n)
    shortest = rng.choice([0.3, 1.0])
    on, off = (power_law(rng, n, rng.uniform(1.4, 1.9), shortest, frames / 2) for _ in range(2))
    if law == "truncated power law":
        kept = on[rng.random(n) < np.exp(-on / rng.uniform(5, 100))]
        on = rng.choice(kept, n)
    return on, off


def switching(rng: Rng, frames: int, law: str, wanted: float) -> Switching:
    """An emitter; of eight draws the one whose on-fraction is nearest to a wanted one."""
    best, nearest = None, np.inf
    for _ in range(8):
        on, off = durations(rng, 4 * frames, law, frames)
        off *= np.clip((1 - wanted) / wanted * on.mean() / off.mean(), 0.3, 50)
        times = np.concatenate([[0.0], np.cumsum(np.stack([on, off], axis=1).ravel())])
        times -= rng.random() * frames
        inside = (times[1:] > 0) & (times[:-1] < frames)
        is_on = (np.arange(len(inside)) % 2 == 0)[inside]
        one = Switching(np.append(np.maximum(times[:-1][inside], 0.0), frames), is_on)
        if (away := abs(one.lit(frames).mean() - wanted)) < nearest:
            best, nearest = one, away
    assert best is not None
    return best


def either(first: Switching, second: Switching) -> Switching:
    """When at least one of two is on."""
    times = np.unique(np.concatenate([first.times, second.times]))
    middle = 0.5 * (times[1:] + times[:-1])
    on = [one.is_on[np.searchsorted(one.times, middle) - 1] for one in (first, second)]
    return Switching(times, on[0] | on[1])


def field_rows(seed: int) -> pd.DataFrame:
    """One row a spot of a field."""
    rng = np.random.default_rng([36, seed])
    frames = FRAMES[seed % 4 == 0]
    law = str(rng.choice(["exponential", "power law", "truncated power law"]))
    camera = str(rng.choice(["EMCCD", "sCMOS"]))
    background = np.array([[np.exp(rng.uniform(np.log(5), np.log(60)))]])
    noise = film(rng, np.zeros((8, 3000)), background, camera).std()
    typical = np.exp(rng.uniform(np.log(5), np.log(16)))
    fluctuation = rng.choice([0.0, 0.0, FLUCTUATION])
    signal, rows = [], []
    for k in range(SINGLES + DOUBLES + RARE):
        on = noise * np.clip(typical * np.exp(0.3 * rng.normal()), 4, 20)
        ratio = rng.uniform(1, 4)
        first = switching(rng, frames, law, rng.uniform(0.1, 0.9))
        light, spot, kind = first.lit(frames), first, KINDS[0]
        if k >= SINGLES:
            rare = k >= SINGLES + DOUBLES
            wanted = rng.uniform(0.005, 0.05) if rare else rng.uniform(0.1, 0.9)
            second = switching(rng, frames, law, wanted)
            shares = rng.permutation([1.0, 1.0 / ratio])
            light = shares[0] * light + shares[1] * second.lit(frames)
            spot = either(first, second)
            kind = KINDS[3] if rare else KINDS[1 + (ratio > 1.7)]
        wander = np.repeat(rng.normal(size=frames // MEMORY_FRAMES + 1), MEMORY_FRAMES)[:frames]
        signal.append(on * light * (1 + fluctuation * wander))
        rows.append({"emitters": kind, "frames": frames, "true": spot.lit(frames).mean()})
    counts = film(rng, np.array(signal), background, camera)
    empty = film(rng, np.zeros((len(rows), 2000)), background, camera)
    found = assign_states(counts, ThresholdSettings("hmm"), estimate_off_levels(empty))
    return pd.DataFrame(rows).assign(
        found=found.on_fractions, se=found.on_fractions_se, shown=found.two_emitters
    )


def doubles_table(pool: Executor, fields: int) -> pd.DataFrame:
    """By what a spot holds and the length of the movie."""
    rows = pd.concat(pool.map(field_rows, range(fields)), ignore_index=True)
    table = []
    for (frames, kind), spots in rows.groupby(["frames", "emitters"]):
        known = spots[spots["se"] <= MAX_SE]
        error = known["found"] - known["true"]
        table.append(
            {
                "emitters in the spot": kind,
                "frames": frames,
                "on-fractions": len(spots),
                "shown %": 100 * spots["shown"].mean(),
                "without verdict %": 100 * (1 - len(known) / len(spots)),
                "RMS": np.sqrt((error**2).mean()),
                "bias": error.mean(),
                "off by > 0.1": int((error.abs() > 0.1).sum()),
                "95 % intervals hold %": 100 * (error.abs() <= 1.96 * known["se"] + 1e-9).mean(),
            }
        )
    return pd.DataFrame(table)
