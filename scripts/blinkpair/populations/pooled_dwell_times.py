"""Dwell times of all nanocrystals of a temperature together.

Pooling different nanocrystals mixes their laws, and a mixture of power laws is not a power law:
steep laws dominate the short events and shallow ones the long, so that the mixture bends upwards on
log-log axes, and nanocrystals that blink often have more weight than those that blink seldom. With
the hundred thousand events of a temperature any such bend is significant, and the test of fit then
rejects both laws (`neither`): here a verdict describes the curve, not a mechanism. Mechanisms are
determined for each nanocrystal separately. The law that is drawn is the one that fits best,
whatever the verdict.

For the same reason the error of alpha and the interval of tau are not those of so many independent
events: they come from a jackknife, which fits again without one subset of nanocrystals after
another, and without one field (or sample) after another; the larger error is used. Between two
simulated treatments of three fields whose exponents scatter by 0.2 between nanocrystals, and by 0,
0.05 or 0.1 between fields, two errors are exceeded without a difference in 2, 8 and 15 %: by
subsets alone in 6, 28 and 53 %, of independent events in 27, 50 and 69 %. The p values remain those
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
from blinkpair.dwell_fits.fits import fit_counted_events
from blinkpair.dwell_fits.histograms import bin_edges, log_binned_density
from blinkpair.dwell_fits.result import DwellFit, DwellTimeSettings, LawFit
from blinkpair.populations.pools import KEYS, Pool

# Two curves whose densities and shares of longer events differ by less than this factor, a tenth
# of a decade, lie on each other in the figure.
_VISIBLE = 1.25
_NORMAL_95 = 1.96
# The scatter of n fields gives a standard error to 1 / sqrt(2 (n - 1)) of it, here a quarter.
_ENOUGH_FIELDS = 8

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
        (see `law_of`); `reason` where there is no verdict.
    """
    rows = []
    fits: dict[tuple[Any, ...], DwellFit] = {}
    for pool in pools:
        fitted = pool
        for other in pools:
            if other.epoch != pool.epoch and other.keys() == {**pool.keys(), "epoch": other.epoch}:
                fitted = _together(pool, other, settings)
        together = fitted is not pool
        same = (*(pool.keys() | {"epoch": "both" if together else pool.epoch}).values(),)
        if same not in fits:
            # With cut events the laws do not end at the window, so windows may differ.
            fits[same] = _fit(fitted, settings)
        fit = fits[same]
        law = fit.law
        row: dict[str, Any] = {
            **pool.keys(),
            "n_fields": pool.n_fields,
            "n_events": pool.events.n_complete,
            "n_cut_by_end": pool.events.n_cut,
            "epochs_together": together,
            "short": law.short,
            "log_amplitude": law.log_amplitude,
        }
        row |= {name: getattr(fit, name) for name in _FIT_COLUMNS if name not in row}
        rows.append(row)
    return pd.DataFrame(rows, columns=list(_FIT_COLUMNS))


def _fit(pool: Pool, settings: DwellTimeSettings) -> DwellFit:
    """Return the fit of a pool; its errors are those of a jackknife where they are larger.

    Leaving out one of G groups after another, the variance of an estimate is (G - 1) / G times the
    sum of the squared deviations (B. Efron and C. Stein, Annals of Statistics 9, 586, 1981). That
    of tau is taken from its rate, which is 0 where no truncation is found. Groups are the fields
    (or samples), and, unless these are many, the subsets of the nanocrystals of all of them too: of
    two fields that happen to agree, the first alone would give hardly any error.
    """

    def fitted(events: Events) -> DwellFit:
        return fit_counted_events(
            events,
            exposure_s=pool.exposure_s,
            window_frames=pool.window_frames,
            settings=settings,
            pooled=True,
        )

    def parameters(fit: DwellFit) -> tuple[float, float]:
        return fit.alpha, 1.0 / fit.tau_s if np.isfinite(fit.tau_s) else 0.0

    fit = fitted(pool.events)
    if fit.model == "not_fitted":
        return fit
    errors = np.zeros(2)
    for groups in _groupings(pool):
        others = [fitted(merge_events(groups[:k] + groups[k + 1 :])) for k in range(len(groups))]
        if any(other.model == "not_fitted" for other in others):  # few events
            continue
        estimates = np.array([parameters(other) for other in others])
        squares = ((estimates - estimates.mean(axis=0)) ** 2).sum(axis=0)
        errors = np.maximum(errors, np.sqrt((1 - 1 / len(groups)) * squares))
    alpha_se, rate_se = errors.tolist()
    fit = replace(fit, alpha_se=max(fit.alpha_se, alpha_se))
    if not np.isfinite(fit.tau_s):
        return fit
    rate = 1.0 / fit.tau_s
    slowest = rate - _NORMAL_95 * rate_se
    return replace(
        fit,
        tau_low_s=min(fit.tau_low_s, 1.0 / (rate + _NORMAL_95 * rate_se)),
        tau_high_s=max(fit.tau_high_s, 1.0 / slowest if slowest > 0 else float("inf")),
    )


def _groupings(pool: Pool) -> list[list[Events]]:
    """Return the events of a pool in groups: by field, and by subset unless fields are many."""
    found = []
    for place in (0, 1):
        of_names: dict[int, list[Events]] = {}
        for name, events in pool.groups.items():
            of_names.setdefault(name[place], []).append(events)
        if len(of_names) > 1:
            found.append([merge_events(own) for own in of_names.values()])
        if len(of_names) >= _ENOUGH_FIELDS:
            break
    return found


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


def _together(pool: Pool, other: Pool, settings: DwellTimeSettings) -> Pool:
    """Return the pool of both epochs where their events coincide, else the first."""
    few = min(own.events.n_complete for own in (pool, other)) < settings.min_events
    if few or not coincide(pool.events, other.events, significance=settings.significance):
        return pool
    window_frames = max(pool.window_frames, other.window_frames)
    groups = {
        name: merge_events([own.groups[name] for own in (pool, other) if name in own.groups])
        for name in sorted(pool.groups | other.groups)
    }
    return replace(pool, groups=groups, window_frames=window_frames)


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
