"""Simulated experiments of a few fields, and how often each interval holds the truth.

Two rules: that of `statistics.intervals`, and the one it replaced (before: Student's quantile for
the number of fields, the design effect of resampled fields, at least one). Every row of a table has
its own seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from blinkpair.statistics import intervals

N_FIELDS = (1, 2, 3, 4, 8)
SIZES = (20, 200)
N_TEMPERATURES = (1, 2, 4)
DESIGN_EFFECTS = (1.0, 2.0, 4.0, 6.0)
RULES = ("differ", "before", "independent")
# Of the paper: 11, 24 and 66 % became dark or emissive.
SHARES = (0.11, 0.24, 0.66)

Floats = NDArray[np.float64]
Ends = tuple[float, float]


@dataclass(frozen=True)
class Cell:
    """One kind of experiment: all temperatures alike, all fields of one size."""

    kind: str  # mean, share or difference
    n_fields: int
    size: int
    n_temperatures: int
    design_effect: float
    uneven: bool = False  # fields of a third to three times the size
    first_alone: bool = False  # only the first temperature has this design effect, the others 1
    control: bool = False  # the last temperature is the control


def _sizes(cell: Cell, rng: np.random.Generator) -> NDArray[np.intp]:
    if not cell.uneven:
        return np.full(cell.n_fields, cell.size)
    return np.rint(cell.size * 3.0 ** rng.uniform(-1, 1, cell.n_fields)).astype(int)


def _effect(cell: Cell, temperature: int) -> float:
    return 1.0 if cell.first_alone and temperature else cell.design_effect


def _changes(cell: Cell, rng: np.random.Generator, temperature: int) -> tuple[Floats, Floats]:
    """Changes about 0: a fifth lost most of their on-fraction, the others scatter; skewed."""
    sizes = _sizes(cell, rng)
    n = int(sizes.sum())
    lost = rng.random(n) < 0.2
    own = np.where(lost, rng.normal(-0.48, 0.2, n), rng.normal(0.12, 0.15, n))
    within = 0.2 * (0.2**2 + 0.48**2) + 0.8 * (0.15**2 + 0.12**2)
    between = (_effect(cell, temperature) - 1) / cell.size * within
    fields = np.repeat(np.arange(cell.n_fields), sizes)
    return own + rng.normal(0, np.sqrt(between), cell.n_fields)[fields], fields


def _flags(
    cell: Cell, rng: np.random.Generator, temperature: int, share: float
) -> tuple[Floats, Floats]:
    """Flags of which a share is 1, that of each field from a beta distribution."""
    sizes = _sizes(cell, rng)
    rho = (_effect(cell, temperature) - 1) / (cell.size - 1)
    own = np.full(cell.n_fields, share)
    if rho > 0:
        own = rng.beta(share * (1 / rho - 1), (1 - share) * (1 / rho - 1), cell.n_fields)
    fields = np.repeat(np.arange(cell.n_fields), sizes)
    return (rng.random(int(sizes.sum())) < own[fields]).astype(float), fields


def before(values: Sequence[Floats], fields: Sequence[Floats], *, is_share: bool) -> list[Ends]:
    """The rule before: one design effect pooled over temperatures, Student's quantile."""
    ratios, freedom = [], []
    for value, field in zip(values, fields, strict=True):
        sizes = np.bincount(field)
        sums = np.bincount(field, weights=value - value.mean())
        over = (sums**2).sum() / value.size**2 * len(sizes) / max(len(sizes) - 1, 1)
        known = len(sizes) > 1 and np.ptp(value) > 0
        ratios.append(over / (np.var(value, ddof=1) / value.size) if known else np.nan)
        freedom.append(len(sizes) - 1)
    own, df = np.array(ratios), float(sum(freedom))
    known = np.isfinite(own)
    pooled = np.average(own[known], weights=np.array(freedom)[known]) if known.any() else 1.0
    ends = []
    for value, ratio in zip(values, own, strict=True):
        effect = max(1.0, pooled, np.nan_to_num(ratio, nan=1.0))
        n, mean = value.size, float(value.mean())
        if is_share:
            z2_n = stdtrit(df if df else np.inf, 0.975) ** 2 * effect / n
            centre = (mean + z2_n / 2) / (1 + z2_n)
            half = np.sqrt(z2_n * mean * (1 - mean) + z2_n**2 / 4) / (1 + z2_n)
        else:
            t = stdtrit(min(n - 1.0, df) if df else n - 1.0, 0.975)
            centre, half = mean, t * np.std(value, ddof=1) * np.sqrt(effect / n)
        ends.append((centre - half, centre + half))
    return ends


def _one(cell: Cell, rng: np.random.Generator) -> Iterator[tuple[str, bool, float]]:
    """Yield of an experiment's intervals: the rule, whether it held, and its width."""
    is_share = cell.kind == "share"
    share = float(rng.choice(SHARES))
    drawn = [
        _flags(cell, rng, k, share) if is_share else _changes(cell, rng, k)
        for k in range(cell.n_temperatures)
    ]
    values, fields = [list(one) for one in zip(*drawn, strict=True)]
    estimate = intervals.pooled_fractions if is_share else intervals.pooled_means
    found = estimate(values, fields, control_last=cell.control)
    ends = {
        "differ": [(one.low, one.high) for one in found],
        "before": before(values, fields, is_share=is_share),
        "independent": [one.independent for one in found],
    }
    truth, means = share if is_share else 0.0, [one.value for one in found]
    if cell.kind == "difference":  # from the last temperature, the control
        ends = {
            rule: [
                intervals.difference_interval(means[k], own[k], means[-1], own[-1])
                for k in range(len(means) - 1)
            ]
            for rule, own in ends.items()
        }
    for rule, own in ends.items():
        for low, high in own[:1] if cell.first_alone else own:
            yield rule, low <= truth <= high, high - low


def coverage(cell: Cell, wanted: int) -> dict[str, float]:
    """Percent of at least so many intervals that held the truth, and their mean widths."""
    drawn = [v for name, v in vars(cell).items() if name != "control"]  # no part of what is drawn
    seed = [int(v * 10) if isinstance(v, float) else sum(map(ord, str(v))) for v in drawn]
    rng = np.random.default_rng(seed)
    held: dict[str, list[bool]] = {rule: [] for rule in RULES}
    widths: dict[str, list[float]] = {rule: [] for rule in RULES}
    while len(held["differ"]) < wanted:
        for rule, holds, width in _one(cell, rng):
            held[rule].append(holds)
            widths[rule].append(width)
    usual = np.median(widths["independent"])
    row = {f"{rule} %": 100 * float(np.mean(held[rule])) for rule in RULES}
    return row | {f"{rule} wide": float(np.median(widths[rule]) / usual) for rule in RULES[:2]}


def cells_of(kind: str) -> list[Cell]:
    """All experiments of the issue's grid; a difference needs two temperatures."""
    return [
        Cell(kind, *rest, control=kind == "difference")
        for rest in product(N_FIELDS, SIZES, N_TEMPERATURES, DESIGN_EFFECTS)
        if kind != "difference" or rest[2] > 1
    ]


def coverage_table(pool: Executor, kind: str, wanted: int) -> pd.DataFrame:
    """Coverage and width of every cell of a kind."""
    cells = cells_of(kind)
    rows = pool.map(partial(coverage, wanted=wanted), cells, chunksize=4)
    return pd.DataFrame([vars(cell) | row for cell, row in zip(cells, rows, strict=True)])


def odd_table(pool: Executor, wanted: int) -> pd.DataFrame:
    """Uneven sizes, fields of one temperature that alone differ, large design effects."""
    cells = [
        Cell("mean", n_fields, 60, 4, effect, uneven=uneven, first_alone=not uneven)
        for uneven in (True, False)
        for n_fields in (2, 3, 4)
        for effect in (2.0, 6.0)
    ]
    cells += [
        Cell("mean", n_fields, 60, 2, effect, first_alone=True, control=True)
        for n_fields in (1, 2, 3, 4)
        for effect in (2.0, 6.0)
    ]
    cells += [
        Cell("mean", n_fields, 60, 1, effect) for n_fields in (2, 3, 4) for effect in (20.0, 50.0)
    ]
    rows = pool.map(partial(coverage, wanted=wanted), cells)
    return pd.DataFrame([vars(cell) | row for cell, row in zip(cells, rows, strict=True)])


def nested(case: tuple[int, int, int, float], wanted: int) -> dict[str, float]:
    """Fields in samples that alone differ: percent of the intervals that hold, by what varies.

    `case`: temperatures, samples of each, fields of each of 60 nanocrystals, and the design effect
    of a sample.
    """
    n_temperatures, n_samples, n_fields, effect = case
    rng = np.random.default_rng([*case[:3], int(10 * effect)])
    cell = Cell("mean", n_samples, 60 * n_fields, n_temperatures, effect)
    fields = np.repeat(np.arange(n_samples * n_fields), 60)
    held: dict[str, list[bool]] = {"samples": [], "fields": []}
    widths: dict[str, list[float]] = {"samples": [], "fields": []}
    while len(held["samples"]) < wanted:
        drawn = [_changes(cell, rng, k) for k in range(n_temperatures)]
        values, samples = [list(one) for one in zip(*drawn, strict=True)]
        for unit, own in (("samples", samples), ("fields", [fields] * n_temperatures)):
            for one in intervals.pooled_means(values, own):
                held[unit].append(one.low <= 0 <= one.high)
                widths[unit].append(one.high - one.low)
    row: dict[str, float] = {
        "temperatures": n_temperatures,
        "samples": n_samples,
        "fields of each": n_fields,
        "design effect of a sample": effect,
    }
    row |= {f"{unit} %": 100 * float(np.mean(own)) for unit, own in held.items()}
    ratio = np.median(widths["samples"]) / np.median(widths["fields"])
    return row | {"width, samples over fields": float(ratio)}


def nested_table(pool: Executor, wanted: int) -> pd.DataFrame:
    """Two and three samples of two to four fields, for every design effect."""
    layouts = ((1, 2, 4), (1, 3, 2), (3, 2, 3), (3, 3, 2))
    cases = [(*layout, effect) for layout in layouts for effect in DESIGN_EFFECTS]
    return pd.DataFrame(list(pool.map(partial(nested, wanted=wanted), cases)))


def agreeing_table() -> pd.DataFrame:
    """Two fields at one temperature: the width of the interval against their difference."""
    rows = []
    for size, apart in product((20, 60, 200), (0.0, 0.5, 1.0, 2.0, 4.0)):
        own = np.linspace(-1, 1, size)
        error = np.std(np.tile(own, 2), ddof=1) / np.sqrt(2 * size)  # of the mean of both
        values = np.concatenate([own - apart * error, own + apart * error])
        fields = np.repeat([0, 1], size)
        (found,) = intervals.pooled_means([values], [fields])
        (ends,) = before([values], [fields], is_share=False)
        usual = found.independent[1] - found.independent[0]
        rows.append(
            {
                "nanocrystals a field": size,
                "apart, standard errors of the difference": apart,
                "wide": (found.high - found.low) / usual,
                "before, wide": (ends[1] - ends[0]) / usual,
            }
        )
    return pd.DataFrame(rows)
