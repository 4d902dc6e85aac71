"""On-fractions in any light: fields of traces from a forward model of their own.

The model is not `blinkpair.simulate`: counts of an aperture are drawn from photo-electrons, behind
a multiplying register (EMCCD) or with one gain for each place (sCMOS), less the noise of a ring.
Blinking is a power law or exponential in continuous time, down to a third of a frame; on levels are
log-normal in a field; each nanocrystal emits up to 2 % of its on level when it is off, some have a
grey level of 0.55, and the light may fade by up to 30 %. The truth is the time on in the movie.

Input: a pool of processes and the number of fields. Output: tables.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from blinkpair.blinking.field import DROWNED_NOISES, MAX_SE
from blinkpair.blinking.off_levels import estimate_off_levels
from blinkpair.blinking.on_fractions import DARK_CUTOFF, threshold_error
from blinkpair.blinking.states.registry import METHODS, assign_states
from blinkpair.blinking.states.settings import ThresholdSettings

Rng = np.random.Generator
NANOCRYSTALS = 60
GAIN, READ_NOISE, APERTURE, RING = 5.0, 2.0, 9, 95  # counts an electron, counts, pixels, pixels
GREY, OFF_EMISSION = 0.55, 0.02
LIGHTS = (
    (8.0, np.inf, "8 and more"),
    (5.0, 8.0, "5 to 8"),
    (3.0, 5.0, "3 to 5"),
    (0, 3, "below 3"),
)


@dataclass(frozen=True)
class Light:
    """A field: how it is lit and filmed.

    `ratio` is the median on level in units of the off level's noise, `background` in counts a
    pixel, `fading` the share of the light that is lost by the end.
    """

    camera: str
    law: str
    frames: int
    background: float
    ratio: float
    grey_share: float
    fading: float


def draw_light(rng: Rng) -> Light:
    return Light(
        camera=str(rng.choice(["EMCCD", "sCMOS"])),
        law=str(rng.choice(["power law", "exponential"])),
        frames=int(rng.choice([600, 2000, 2000, 5000])),
        background=float(np.exp(rng.uniform(np.log(5), np.log(100)))),
        ratio=float(np.exp(rng.uniform(np.log(2.0), np.log(30.0)))),
        grey_share=float(rng.choice([0.0, 0.0, 0.3])),
        fading=float(rng.choice([0.0, 0.0, 0.3])),
    )


def power_law(rng: Rng, n: int, alpha: float, shortest: float, longest: float) -> np.ndarray:
    k = 1.0 - alpha
    low, high = shortest**k, longest**k
    return (low + rng.random(n) * (high - low)) ** (1.0 / k)


def lit_trace(rng: Rng, frames: int, law: str, wanted: float) -> np.ndarray:
    """Share of each frame on; of eight draws the one nearest to a wanted on-fraction."""
    if wanted in (0.0, 1.0):
        return np.full(frames, wanted)
    best = np.full(frames, -1.0)
    for _ in range(8):
        n = 4 * frames
        if law == "exponential":
            mean = rng.uniform(3, 60)
            on, off = rng.exponential(mean, n), rng.exponential(mean * (1 - wanted) / wanted, n)
        else:
            shortest = rng.choice([0.3, 1.0])
            on, off = (
                power_law(rng, n, rng.uniform(1.4, 1.9), shortest, frames / 2) for _ in range(2)
            )
            off *= np.clip((1 - wanted) / wanted * on.mean() / off.mean(), 0.3, 50)
        starts_on = rng.random() < wanted
        dwell = np.stack([on, off] if starts_on else [off, on], axis=1).ravel()
        switches = np.concatenate([[0.0], np.cumsum(dwell)])
        is_on = (np.arange(2 * n) % 2 == 0) == starts_on
        time_on = np.concatenate([[0.0], np.cumsum(dwell * is_on)])
        edges = rng.random() * frames + np.arange(frames + 1.0)
        lit = np.clip(np.diff(np.interp(edges, switches, time_on)), 0.0, 1.0)
        if abs(lit.mean() - wanted) < abs(best.mean() - wanted):
            best = lit
    return best


def grey_level(rng: Rng, frames: int) -> np.ndarray:
    """A level that is 1, or for a third of the time 0.55, in stretches of 30 frames on average."""
    lengths = rng.geometric(np.where(np.arange(frames) % 2 == 0, 1 / 40, 1 / 20))
    grey = np.repeat(np.arange(frames) % 2 == 1, lengths)[:frames]
    return np.where(grey, GREY, 1.0)


def film(rng: Rng, signal: np.ndarray, background: np.ndarray, camera: str) -> np.ndarray:
    """Counts of an aperture above the median of its ring; signal in counts, background a pixel."""
    mean = APERTURE * background + signal
    if camera == "EMCCD":
        electrons = rng.poisson(mean / GAIN)
        counts = GAIN * np.where(electrons > 0, rng.gamma(np.maximum(electrons, 1)), 0.0)
        pixel_variance = 2 * GAIN * background + READ_NOISE**2
    else:
        gain = rng.uniform(0.4, 0.6, (len(signal), 1))
        counts = gain * rng.poisson(mean / gain)
        pixel_variance = gain * background + READ_NOISE**2
    counts += rng.normal(0, READ_NOISE * np.sqrt(APERTURE), signal.shape)
    ring = rng.normal(size=signal.shape) * 1.25 * np.sqrt(pixel_variance / RING)
    return (counts - APERTURE * (background + ring)).astype(np.float32)


def field_rows(seed: int) -> pd.DataFrame:
    """One row a nanocrystal, epoch and method of a field."""
    rng = np.random.default_rng([11, seed])
    light = draw_light(rng)
    n, frames = NANOCRYSTALS, light.frames
    background = light.background * np.exp(0.1 * rng.normal(size=(n, 1)))
    noise = film(rng, np.zeros((n, 4000)), background, light.camera).std(axis=1)
    on = light.ratio * np.median(noise) * np.exp(0.3 * rng.normal(size=n))
    parts = []
    for epoch in ("pre", "post"):
        wanted = rng.random(n)
        kind = rng.random(n)
        wanted[kind < 0.2] = np.where(kind < 0.12, 0.0, 1.0)[kind < 0.2]
        lit = np.stack([lit_trace(rng, frames, light.law, w) for w in wanted])
        level = np.ones((n, frames))
        for i in np.flatnonzero(rng.random(n) < light.grey_share):
            level[i] = grey_level(rng, frames)
        level *= 1.0 - light.fading * np.arange(frames) / frames
        emission = lit + OFF_EMISSION * rng.random((n, 1)) * (1.0 - lit)
        traces = film(rng, on[:, None] * level * emission, background, light.camera)
        empty = film(rng, np.zeros((n, min(frames, 2000))), background, light.camera)
        off = estimate_off_levels(empty)
        assigned = {m: assign_states(traces, ThresholdSettings(m), off) for m in METHODS}
        best = assigned["hmm"]
        drowned = np.median(off.level_counts + DROWNED_NOISES * off.noise_counts) > 100.0
        for method, found in assigned.items():
            se = best.on_fractions_se
            none = se > MAX_SE
            if method == "fixed":
                se = threshold_error(found.on_fractions, best.on_fractions, se)
                none = np.full(n, drowned)
            parts.append(
                pd.DataFrame(
                    {
                        "field": seed,
                        "nanocrystal": np.arange(n),
                        "epoch": epoch,
                        "method": method,
                        "noises": on / noise,
                        "true": lit.mean(axis=1),
                        "found": found.on_fractions,
                        "se": se,
                        "none": none,
                    }
                )
            )
    return pd.concat(parts).assign(**vars(light))


def light_rows(pool: Executor, fields: int) -> pd.DataFrame:
    return pd.concat(pool.map(field_rows, range(fields)), ignore_index=True)


def summary(rows: pd.DataFrame) -> dict[str, Any]:
    """The numbers of the on-fractions with a verdict, and of the populations."""
    kept = rows[~rows["none"]]
    error = kept["found"] - kept["true"]
    wrong_side = (rows["found"] < DARK_CUTOFF) != (rows["true"] < DARK_CUTOFF)
    pairs = rows.assign(wrong=wrong_side).groupby(["field", "nanocrystal"])[["none", "wrong"]].any()
    with_verdict = pairs[~pairs["none"]]
    return {
        "on-fractions": len(kept),
        "RMS": np.sqrt((error**2).mean()) if len(kept) else np.nan,
        "bias": error.mean(),
        "off by > 0.1 %": 100 * (error.abs() > 0.1).mean(),
        "wrong population %": 100 * with_verdict["wrong"].mean(),
        "without verdict %": 100 * pairs["none"].mean(),
        "95 % intervals hold %": 100 * (error.abs() <= 1.96 * kept["se"] + 1e-9).mean(),
    }


def light_table(rows: pd.DataFrame) -> pd.DataFrame:
    """By how far on stands above the noise of off."""
    table = []
    for low, high, name in LIGHTS:
        for method in METHODS:
            part = rows[(rows["noises"] >= low) & (rows["noises"] < high)]
            found = summary(part[part["method"] == method])
            table.append({"on, noises of off": name, "states by": method} | found)
    return pd.DataFrame(table)


def condition_table(rows: pd.DataFrame) -> pd.DataFrame:
    """By what the field is like, for on levels of five noises and more."""
    bright = rows[rows["noises"] >= 5.0]
    emccd = bright["camera"] == "EMCCD"
    conditions = {
        "as in the paper: EMCCD, background of 10 to 25 counts": emccd
        & bright["background"].between(10, 25),
        "EMCCD": emccd,
        "sCMOS": bright["camera"] == "sCMOS",
        "power law": bright["law"] == "power law",
        "exponential": bright["law"] == "exponential",
        "600 frames": bright["frames"] == 600,
        "5,000 frames": bright["frames"] == 5000,
        "grey level in a third": bright["grey_share"] > 0,
        "light fades by 30 %": bright["fading"] > 0,
        "background above 50 counts": bright["background"] > 50,
        "always on": bright["true"] == 1.0,
        "never on": bright["true"] == 0.0,
    }
    table = []
    for name, chosen in conditions.items():
        for method in METHODS:
            part = bright[chosen & (bright["method"] == method)]
            table.append({"fields or traces": name, "states by": method} | summary(part))
    return pd.DataFrame(table)


def dark_table(rows: pd.DataFrame) -> pd.DataFrame:
    """What becomes of those that are truly dark in an epoch, by the model."""
    model = rows[rows["method"] == "hmm"]
    table = []
    for low, high, name in LIGHTS:
        part = model[(model["noises"] >= low) & (model["noises"] < high)]
        dark = part["true"] < DARK_CUTOFF
        called_dark = ~part["none"] & (part["found"] < DARK_CUTOFF)
        table.append(
            {
                "on, noises of off": name,
                "truly dark": dark.sum(),
                "without verdict %": 100 * part["none"][dark].mean(),
                "called emissive %": 100 * (~part["none"] & ~called_dark)[dark].mean(),
                "truly emissive": (~dark).sum(),
                "emissive without verdict %": 100 * part["none"][~dark].mean(),
                "emissive called dark %": 100 * called_dark[~dark].mean(),
            }
        )
    return pd.DataFrame(table)
