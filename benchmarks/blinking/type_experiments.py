"""Estimated shares of types, and of transitions between them, over many simulated experiments.

Traces are those of `type_shares`, of several laws. Of each law a pool of either type is analysed
once; an experiment draws its nanocrystals from the pools, without replacement.

Input: a pool of processes and the number of nanocrystals of either type. Output: tables.
"""

from __future__ import annotations

from concurrent.futures import Executor
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.blinking.fits import EXPOSURE_S, Rng, Row
from benchmarks.blinking.type_shares import FIELDS, RATIO_COLUMNS, Laws, emissive
from blinkpair.arrays import FloatArray
from blinkpair.blinking.columns import cut_off_columns
from blinkpair.blinking.recipes import Recipes
from blinkpair.blinking.run_lengths import run_lengths
from blinkpair.blinking.states.settings import ThresholdSettings
from blinkpair.populations.transition_shares import PAIRS, pooled_transition_shares
from blinkpair.populations.type_ratios import ratios_within_group
from blinkpair.populations.type_shares import pooled_type_shares
from blinkpair.populations.type_states import TRUNCATED

NANOCRYSTALS, EXPERIMENTS = 150, 80
SHARES_A = (0.0, 0.1, 0.3)
LAWS = [
    Laws(2000, 1.0, 1.0),
    Laws(2000, 1.0, 1.0, alpha_b=1.8, alpha_b_sd=0.3),
    Laws(2000, 1.0, 1.0, alpha_b=1.8, alpha_b_sd=0.2, tau_a=5.0),
    Laws(1000, 0.25, 0.25, alpha_b=1.85, alpha_b_sd=0.25),
    Laws(2000, 1.0, 1.0, alpha_b=2.2),
    Laws(2000, 1.0, 0.4, alpha_b=2.2),
    Laws(2000, 0.4, 0.4, alpha_b=2.2),
    Laws(2000, 0.4, 0.4, alpha_b=2.5),
]
# Nanocrystals of each pair: a tenth is of type A before, of which most become B, as in the paper.
OF_PAIR = dict(zip(PAIRS, (6, 9, 5, 130), strict=True))
NAMES = ("A to A", "A to B", "B to A", "B to B")


class Pools(NamedTuple):
    """Ratios of the analysed nanocrystals of type A and of type B, (n, 5) each."""

    a: FloatArray
    b: FloatArray

    def draw(self, rng: Rng, is_a: np.ndarray) -> FloatArray:
        """Log ratios of nanocrystals of these types, (len(is_a),)."""
        rows = np.empty((len(is_a), self.a.shape[1]))
        for chosen, pool in ((is_a, self.a), (~is_a, self.b)):
            rows[chosen] = pool[rng.permutation(len(pool))[: chosen.sum()]]
        return ratios_within_group(rows).logs


def pools_of(k: int, n: int) -> Pools:
    """Analyse nanocrystals of the k-th laws, n of either type."""
    laws = LAWS[k]
    rng = np.random.default_rng([47, k])
    pools = []
    for share_a in (1.0, 0.0):
        counts, off, _ = emissive(rng, share_a, laws, n)
        events = run_lengths(Recipes.of(counts, counts, off, ThresholdSettings("hmm")).best.states)
        columns = cut_off_columns(events, np.full(n, ""), EXPOSURE_S, laws.movie)
        pools.append(columns[RATIO_COLUMNS].to_numpy(float))
    return Pools(*pools)


def rows_of(k: int, n: int) -> tuple[Row, Row]:
    """Return the errors of the shares, and of the transitions, of the k-th laws."""
    pools, rng = pools_of(k, n), np.random.default_rng([48, k])
    fields = np.arange(NANOCRYSTALS) % FIELDS
    laws = LAWS[k]
    row: Row = {
        "alpha of B": f"{laws.alpha_b:g} +- {laws.alpha_b_sd:g}",
        "tau of A, s": laws.tau_a * EXPOSURE_S,
        "movie, s": laws.movie * EXPOSURE_S,
        "shortest on, off, frames": f"{laws.shortest_on:g}, {laws.shortest_off:g}",
    }
    shares, transitions = dict(row), dict(row)
    for share in SHARES_A:
        found = []
        for _ in range(EXPERIMENTS):
            is_a = np.arange(NANOCRYSTALS) < round(share * NANOCRYSTALS)
            (one,), _ = pooled_type_shares([pools.draw(rng, is_a)], [rng.permutation(fields)])
            found.append((one.value, one.low <= share <= one.high))
        shares[f"A: {100 * share:.0f} %"] = _text(found, share)
    is_a = np.repeat(np.array(PAIRS) == TRUNCATED, list(OF_PAIR.values()), axis=0)
    drawn = []
    for _ in range(EXPERIMENTS):
        logs = [[pools.draw(rng, is_a[:, epoch])] for epoch in (0, 1)]
        drawn += pooled_transition_shares(*logs, [rng.permutation(fields)])
    for (pair, n_pair), name in zip(OF_PAIR.items(), NAMES, strict=True):
        truth = n_pair / NANOCRYSTALS
        found = [(e.value, e.low <= truth <= e.high) for e, _ in (one[pair] for one in drawn)]
        transitions[f"{name}: {100 * truth:.0f} %"] = _text(found, truth)
    return shares, transitions


def _text(found: list[tuple[float, bool]], truth: float) -> str:
    """Error of the mean, deviation of one, in points, and how often the interval holds."""
    values, held = np.array(found).T
    error = 100 * (values.mean() - truth)
    return f"{error:+.1f} +- {100 * values.std():.1f}; {100 * held.mean():.0f} %"


def experiment_tables(pool: Executor, n: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the errors of the shares of type A, and those of the transitions; one row a law."""
    rows = list(pool.map(rows_of, range(len(LAWS)), [n] * len(LAWS)))
    shares, transitions = zip(*rows, strict=True)
    return pd.DataFrame(shares), pd.DataFrame(transitions)
