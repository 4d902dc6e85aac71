"""Dwell times of all nanocrystals of a temperature together.

Pooling different nanocrystals mixes their laws, and a mixture of power laws is not a power law:
steep laws dominate the short events and shallow ones the long, so that the mixture bends upwards on
log-log axes, and nanocrystals that blink often have more weight than those that blink seldom. With
the hundred thousand events of a temperature any such bend is significant, and the test of fit then
rejects both laws (`neither`): here a verdict describes the curve, not a mechanism. Mechanisms are
determined for each nanocrystal separately. The law that is drawn is the one that fits best,
whatever the verdict.

The errors allow for nanocrystals and fields that differ (`pooled_errors`); the p values are those
of independent events.

By p values alone, two curves of so many events that lie on each other can get two verdicts. The
events before and after are therefore fitted together, with one verdict and one law, unless they
differ visibly (`coincide`).

Durations are whole frames, and events of 20 ms frames are not simply half as long as those of 40 ms
frames: an event shorter than a frame is lost in one and not in the other. Fields of different
exposure are therefore pooled separately, each exposure in rows of its own. They are not refused,
because the other tables of the experiment do not depend on the exposure.

Input: how often each duration occurred, field by field. Output: the probability densities of the
pooled on and off events of each temperature and epoch, and the laws fitted to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import betainc

from blinkpair.arrays import FloatArray
from blinkpair.dwell_fits.events import Events, merge_events
from blinkpair.dwell_fits.histograms import bin_edges, log_binned_density
from blinkpair.dwell_fits.result import DwellFit, DwellTimeSettings, LawFit
from blinkpair.populations.pooled_errors import fits_with_errors
from blinkpair.populations.pools import KEYS, Pool

# Two curves whose densities and shares of longer events differ by less than this factor, a tenth
# of a decade, lie on each other in the figure.
_VISIBLE = 1.25

_FIT_COLUMNS = (
    *KEYS,
    "n_fields",
    "n_events",
    "n_cut_by_end",
    "epochs_together",
    "model",
    "alpha",
    "alpha_se",
    "tau_s",
    "tau_low_s",
    "tau_high_s",
    "p_value",
    "p_value_fit",
    "fitted_from_frames",
    "short",
    "log_amplitude",
    "reason",
)


def pool_densities(pools: Sequence[Pool]) -> pd.DataFrame:
    """Return the probability densities P(t) of the pooled complete events.

    Parameters
    ----------
    pools : sequence of Pool
        From `pools.pool_durations`.

    Returns
    -------
    DataFrame
        `temperature_c, exposure_s, epoch, state` and the columns of
        `histograms.log_binned_density`, a row a bin. Temperatures ascend, the control
        comes last; `exposure_s` is the median of the fields pooled.
    """
    parts = []
    for pool in pools:
        density = log_binned_density(
            pool.events.frames, pool.events.complete, exposure_s=pool.exposure_s
        )
        for place, (name, value) in enumerate(pool.keys().items()):
            density.insert(place, name, value)
        parts.append(density)
    if not parts:
        none = log_binned_density([], exposure_s=1.0)
        return pd.DataFrame(columns=[*KEYS, *none.columns])
    return pd.concat(parts, ignore_index=True)


def pool_fits(
    pools: Sequence[Pool], settings: DwellTimeSettings = DwellTimeSettings()
) -> pd.DataFrame:
    """Return both laws fitted to the pooled events.

    Parameters
    ----------
    pools : sequence of Pool
        From `pools.pool_durations`.
    settings : DwellTimeSettings

    Returns
    -------
    DataFrame
        One row a temperature, exposure, epoch and state: `n_fields, n_events` (complete),
        `n_cut_by_end` of the epoch; `epochs_together`, whether the law is that of the events of
        both epochs; `model, alpha, alpha_se, tau_s, tau_low_s, tau_high_s, p_value, p_value_fit`
        as in `DwellFit`, and `fitted_from_frames, short, log_amplitude` of the law to draw, which
        is P(t) = exp(log_amplitude + short / t - t / tau) t^-alpha per frame, t and tau in frames
        (see `law_of`); `reason` where there is no verdict. All rows of an exposure and state have
        the same `fitted_from_frames`, unless they have too few events of so many frames.
    """
    fitted = _with_other_epochs(pools, settings)
    rows = []
    for pool, used, fit in zip(pools, fitted, fits_with_errors(fitted, settings), strict=True):
        row: dict[str, Any] = {
            **pool.keys(),
            "n_fields": pool.n_fields,
            "n_events": pool.events.n_complete,
            "n_cut_by_end": pool.events.n_cut,
            "epochs_together": used.groups is not pool.groups,
            "short": fit.law.short,
            "log_amplitude": fit.law.log_amplitude,
        }
        row |= {name: getattr(fit, name) for name in _FIT_COLUMNS if name not in row}
        if fit.model == "neither":
            row["reason"] += ": alpha and tau describe the curve alone"
        rows.append(row)
    return pd.DataFrame(rows, columns=list(_FIT_COLUMNS))


def _with_other_epochs(pools: Sequence[Pool], settings: DwellTimeSettings) -> list[Pool]:
    """Return each pool with the events of both epochs, or itself where these do not coincide."""
    fitted = list(pools)
    alike: dict[tuple[Any, ...], list[int]] = {}
    for place, pool in enumerate(pools):
        alike.setdefault((pool.temperature_c, pool.exposure_s, pool.state), []).append(place)
    for places in alike.values():
        if len(places) < 2:
            continue
        own = [pools[place] for place in places]
        few = min(pool.events.n_complete for pool in own) < settings.min_events
        if few or not coincide(
            *(own[k].events for k in (0, -1)), significance=settings.significance
        ):
            continue
        groups = {
            name: merge_events([pool.groups[name] for pool in own if name in pool.groups])
            for name in sorted(set().union(*(pool.groups for pool in own)))
        }
        # With cut events the laws do not end at the window, so windows may differ.
        window_frames = max(pool.window_frames for pool in own)
        for place in places:
            fitted[place] = replace(pools[place], groups=groups, window_frames=window_frames)
    return fitted


def coincide(first: Events, second: Events, *, significance: float = 0.05) -> bool:
    """Return whether nothing shows that two distributions of durations differ visibly.

    In each logarithmic bin, and from each edge of one on, the share of the events of `first` may
    be 1.25 times that of `second` at most, or the reverse; a share that is larger by more than
    chance explains is a visible difference.

    Parameters
    ----------
    first, second : Events
        Their complete events are compared.
    significance : float
        Probability that curves within that factor are taken for different, at most: it is divided
        by the number of comparisons (Bonferroni).
    """
    longest = int(max(own.durations.max(initial=0) for own in (first, second)))
    edges = bin_edges(longest)
    bins = np.stack(
        [np.histogram(own.frames, edges, weights=own.complete)[0] for own in (first, second)]
    )
    longer = bins[:, ::-1].cumsum(axis=1)[:, ::-1]
    counts = np.concatenate([bins, longer], axis=1).astype(float)
    totals = counts[:, bins.shape[1]]  # events from one frame on
    return all(
        _least_p_of_more(counts[rows], totals[rows]) > significance / (2 * counts.shape[1])
        for rows in ([0, 1], [1, 0])
    )


def _least_p_of_more(counts: FloatArray, totals: FloatArray) -> float:
    """Return the least p value of the first share being `_VISIBLE` times the second or less.

    Of the events of both in a bin those of the first are binomial (J. Przyborowski and H.
    Wilenski, Biometrika 31, 313, 1940). `counts` is (2, bins), `totals` (2,).
    """
    most = _VISIBLE * totals[0] / (_VISIBLE * totals[0] + totals[1])
    some = counts[0] > 0
    # So many or more of a binomial number: the incomplete beta function.
    p = betainc(counts[0, some], counts[1, some] + 1, most)
    return float(p.min(initial=1.0))


def law_of(row: Any) -> DwellFit:
    """Bring a row of `pool_fits` back into a `DwellFit`, whose `density` draws the law.

    Parameters
    ----------
    row : mapping
        A row, also one that has been through a CSV file.
    """
    tau_s = float(row["tau_s"])
    law = LawFit(
        alpha=float(row["alpha"]),
        tau_s=tau_s if np.isfinite(tau_s) else float("inf"),
        short=float(row["short"]),
        log_amplitude=float(row["log_amplitude"]),
    )
    return DwellFit(
        model=row["model"],
        alpha=float(row["alpha"]),
        alpha_se=float(row["alpha_se"]),
        tau_s=tau_s,
        tau_low_s=float(row["tau_low_s"]),
        tau_high_s=float(row["tau_high_s"]),
        p_value=float(row["p_value"]),
        p_value_fit=float(row["p_value_fit"]),
        n_events=int(row["n_events"]) + int(row["n_cut_by_end"]),
        n_censored=int(row["n_cut_by_end"]),
        fitted_from_frames=int(row["fitted_from_frames"]),
        exposure_s=float(row["exposure_s"]),
        power_law=law,
        truncated_power_law=law,
    )
