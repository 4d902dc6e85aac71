"""On-fractions against a second forward model, pixel by pixel.

It shares with `light` and with `blinkpair.simulate` neither code nor shapes: an Airy disk, whose
rings reach the neighbours, on an sCMOS with an offset, gain and read noise of each pixel; the
background is uneven and flickers. Durations are power laws from a tenth of a frame, of exponents
drawn for each nanocrystal and state. On levels are log-normal in a field and fluctuate slowly; in
some nanocrystals each on event has a level of its own. The counts are read by `photometry`, at
places that are a tenth of a pixel off. The truth is the time on in the movie.

Input: a pool of processes and the number of fields. Output: tables.
"""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import j1

from benchmarks.blinking.light import LIGHTS, Rng, power_law, summary
from blinkpair.blinking.field import MAX_SE
from blinkpair.blinking.off_levels import OffLevels, estimate_off_levels
from blinkpair.blinking.states.registry import assign_states
from blinkpair.blinking.states.settings import ThresholdSettings
from blinkpair.movie.movie import from_array
from blinkpair.photometry.counts import Measured, measure

SIZE, NANOCRYSTALS, FRAMES, SEPARATION_PX = 104, 24, 1500, 6.0
STAMP, FINE = 10, 5  # pixels to each side, points a pixel
SHORTEST, PLACE_ERROR_PX = 0.1, 0.1
LEVEL_SPREAD, FLUCTUATION, MEMORY_FRAMES = 0.4, 0.05, 200.0


def airy(x: float, y: float, first_ring_px: float) -> np.ndarray:
    """Share of the light in each pixel of a stamp around the pixel of a place."""
    n = 2 * STAMP + 1
    fine = (np.arange(n * FINE) + 0.5) / FINE - 0.5 - STAMP
    r = np.hypot(fine[None, :] - (x - round(x)), fine[:, None] - (y - round(y)))
    v = np.maximum(r, 1e-6) * 3.8317 / first_ring_px
    light = (2 * j1(v) / v) ** 2
    # Of all light: the stamp holds less, the rings go on.
    light *= (3.8317 / first_ring_px) ** 2 / (4 * np.pi) / FINE**2
    return light.reshape(n, FINE, n, FINE).sum(axis=(1, 3))


def lit_and_level(rng: Rng, wanted: float, grey: bool) -> tuple[np.ndarray, np.ndarray]:
    """Share of each frame on, and the on level in it relative to its mean, (frames,) each."""
    if wanted in (0.0, 1.0):
        lit = emitted = np.full(FRAMES, wanted)
    else:
        best = np.inf
        for _ in range(12):
            n = 20 * FRAMES
            on, off = (power_law(rng, n, rng.uniform(1.4, 2.0), SHORTEST, 300.0) for _ in range(2))
            off *= np.clip((1 - wanted) / wanted * on.mean() / off.mean(), 0.2, 100.0)
            dwell = np.stack([on, off], axis=1).ravel()
            switches = np.concatenate([[0.0], np.cumsum(dwell)])
            edges = rng.random() * 5 * FRAMES + np.arange(FRAMES + 1.0)
            own = np.where(rng.random(n) < 0.3 * grey, rng.uniform(0.35, 0.7, n), 1.0)
            drawn = []
            for level in (np.ones(n), own):
                time_on = np.cumsum(np.stack([on * level, 0 * off], axis=1).ravel())
                drawn.append(np.diff(np.interp(edges, switches, np.concatenate([[0.0], time_on]))))
            if abs(drawn[0].mean() - wanted) < best:
                best = abs(drawn[0].mean() - wanted)
                lit, emitted = drawn
    keep = np.exp(-1.0 / MEMORY_FRAMES)
    step = FLUCTUATION * np.sqrt(1 - keep**2) * rng.normal(size=FRAMES)
    course = np.empty(FRAMES)
    course[0] = FLUCTUATION * rng.normal()
    for t in range(1, FRAMES):
        course[t] = keep * course[t - 1] + step[t]
    return lit, emitted * np.exp(course)


def places(rng: Rng) -> np.ndarray:
    xy: list[np.ndarray] = []
    while len(xy) < NANOCRYSTALS:
        place = rng.uniform(9, SIZE - 10, 2)
        if all(np.hypot(*(place - other)) >= SEPARATION_PX for other in xy):
            xy.append(place)
    return np.array(xy)


def film(
    rng: Rng,
    xy: np.ndarray,
    signal: np.ndarray,
    background: float,
    first_ring_px: float,
    pixels: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> np.ndarray:
    """Frames of an sCMOS in counts; signal and background in electrons."""
    slope = 1 + 0.3 * np.linspace(-1, 1, SIZE)
    flicker = 1 + 0.03 * np.sin(np.arange(FRAMES) / 40.0 + rng.uniform(0, 6))
    frames = background * flicker[:, None, None] * slope[None, None, :] * np.ones((1, SIZE, 1))
    padded = np.pad(frames, ((0, 0), (STAMP, STAMP), (STAMP, STAMP)))
    for (x, y), light in zip(xy, signal, strict=True):
        column, row = round(x), round(y)
        stamp = light[:, None, None] * airy(x, y, first_ring_px)
        padded[:, row : row + 2 * STAMP + 1, column : column + 2 * STAMP + 1] += stamp
    frames = rng.poisson(padded[:, STAMP:-STAMP, STAMP:-STAMP]).astype(np.float32)
    offset, gain, read_noise = pixels
    frames += read_noise * rng.standard_normal(frames.shape, np.float32)
    return np.clip(np.rint(offset + gain * frames), 0, 65535).astype(np.uint16)


def measured_field(seed: int) -> tuple[dict[str, Measured], pd.DataFrame, dict[str, float]]:
    """Counts of both epochs, and the truth of each nanocrystal and epoch."""
    rng = np.random.default_rng([19, seed])
    first_ring_px = rng.uniform(1.9, 3.2)  # 1.22 wavelengths over 2 NA is 0.21 um, and out of focus
    background = float(np.exp(rng.uniform(np.log(3), np.log(60))))
    ratio = float(np.exp(rng.uniform(np.log(2.5), np.log(25.0))))
    pixels = (
        100 + 2 * rng.normal(size=(SIZE, SIZE)),
        2 * (1 + 0.03 * rng.normal(size=(SIZE, SIZE))),
        rng.lognormal(np.log(1.4), 0.3, (SIZE, SIZE)),
    )
    xy = places(rng)
    in_aperture = airy(0.0, 0.0, first_ring_px)[STAMP - 1 : STAMP + 2, STAMP - 1 : STAMP + 2].sum()
    noise = np.sqrt(9 * (background + 2.1) + 81 * 1.57 * (background + 2.1) / 95)
    on = ratio * noise / in_aperture * np.exp(LEVEL_SPREAD * rng.normal(size=NANOCRYSTALS))
    grey = rng.random(NANOCRYSTALS) < rng.choice([0.0, 0.2])
    off_emission = 0.015 * rng.random(NANOCRYSTALS)
    counts, truth = {}, []
    for epoch in ("pre", "post"):
        kind = rng.random(NANOCRYSTALS)
        wanted = np.select(
            [kind < 0.2, kind < 0.25], [0.0, 1.0], rng.uniform(0.02, 0.98, len(kind))
        )
        drawn = [lit_and_level(rng, *pair) for pair in zip(wanted, grey, strict=True)]
        lit = np.stack([a for a, _ in drawn])
        emitted = np.stack([b for _, b in drawn]) + off_emission[:, None] * (1 - lit)
        movie = film(rng, xy, on[:, None] * emitted, background, first_ring_px, pixels)
        found = xy + PLACE_ERROR_PX * rng.normal(size=xy.shape)
        counts[epoch] = measure(from_array(movie), found, empty=True)
        truth.append(
            pd.DataFrame(
                {
                    "field": seed,
                    "nanocrystal": np.arange(NANOCRYSTALS),
                    "epoch": epoch,
                    "noises": on * in_aperture / noise,
                    "true": lit.mean(axis=1),
                    "grey": grey,
                }
            )
        )
    return counts, pd.concat(truth), {"background": background, "ratio": ratio}


def field_rows(seed: int) -> pd.DataFrame:
    """One row a nanocrystal and epoch of a field, by the model."""
    counts, truth, light = measured_field(seed)
    found = []
    for measured in counts.values():
        off: OffLevels = estimate_off_levels(measured.empty)
        found.append(assign_states(measured.counts, ThresholdSettings("hmm"), off))
    se = np.concatenate([f.on_fractions_se for f in found])
    fractions = np.concatenate([f.on_fractions for f in found])
    return truth.assign(found=fractions, se=se, none=se > MAX_SE, **light)


def other_light_table(pool: Executor, fields: int) -> pd.DataFrame:
    """By how far on stands above the noise of off."""
    rows = pd.concat(pool.map(field_rows, range(fields)), ignore_index=True)
    table: list[dict[str, Any]] = []
    for low, high, name in LIGHTS:
        part = rows[(rows["noises"] >= low) & (rows["noises"] < high)]
        for levels, chosen in (("any", part), ("two", part[~part["grey"]])):
            table.append({"on, noises of off": name, "levels": levels} | summary(chosen))
    return pd.DataFrame(table)
