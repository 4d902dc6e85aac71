"""Measure how good states, dwell times and their fits are, on seeded draws with known truth.

Run it as `PYTHONPATH=scripts python benchmarks/dwell_fits_accuracy.py [--draws 300] [--seed 1]`.
Prints Markdown tables; same seed and draws, same numbers (but for the timing).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from blinkpair.dwell_fits import DwellFit, fit_dwell_times
from blinkpair.run_lengths import events_to_fit, run_lengths
from blinkpair.states import assign_states, on_fraction

WINDOW_FRAMES = 20_000
EXPOSURE_S = 0.02
SETTINGS = {"exposure_s": EXPOSURE_S, "window_frames": WINDOW_FRAMES}
Rng = np.random.Generator


# ---- draws -------------------------------------------------------------------------------


def draw_whole_frames(rng: Rng, alpha: float, tau: float, n: int) -> np.ndarray:
    """Durations in whole frames, 1..window, of exactly Eq. 1 (tau infinite) or Eq. 2."""
    t = np.arange(1, WINDOW_FRAMES + 1.0)
    cumulative = np.cumsum(t**-alpha * np.exp(-t / tau))
    return np.searchsorted(cumulative, rng.random(n) * cumulative[-1]) + 1


def draw_unbounded(rng: Rng, alpha: float, n: int) -> np.ndarray:
    """Durations in whole frames of Eq. 1 without an upper bound (but a billion frames)."""
    inside = (np.arange(1, WINDOW_FRAMES + 1.0) ** -alpha).sum()
    beyond = (WINDOW_FRAMES + 0.5) ** (1 - alpha) / (alpha - 1)
    tail = (WINDOW_FRAMES + 0.5) * rng.random(n) ** (-1 / (alpha - 1))
    is_tail = rng.random(n) < beyond / (inside + beyond)
    body = draw_whole_frames(rng, alpha, np.inf, n)
    return np.where(is_tail, np.minimum(tail, 1e9), body).astype(np.int64)


def draw_continuous(
    rng: Rng, alpha: float, tau: float, n: int, shortest: float, longest: float = np.inf
) -> np.ndarray:
    """Durations in continuous time, in frames, above a shortest one."""
    out = np.empty(0)
    while len(out) < n:
        t = shortest * rng.random(4 * n + 100) ** (-1.0 / (alpha - 1.0))
        t = t[(rng.random(len(t)) < np.exp(-(t - shortest) / tau)) & (t < longest)]
        out = np.concatenate([out, t])
    return out[:n]


def lit_fraction(rng: Rng, alpha_on: float, tau_on: float, alpha_off: float) -> np.ndarray:
    """Share of each frame that a nanocrystal is on: continuous time, events from half a frame."""
    n = 2 * WINDOW_FRAMES
    on = draw_continuous(rng, alpha_on, tau_on, n, 0.5)
    off = draw_continuous(rng, alpha_off, np.inf, n, 0.5)
    pair = [on, off] if rng.random() < 0.5 else [off, on]
    switches = np.concatenate([[0.0], np.cumsum(np.stack(pair, axis=1).ravel())])
    is_on = (np.arange(2 * n) % 2 == 0) == (pair[0] is on)
    lit = np.concatenate([[0.0], np.cumsum(np.diff(switches) * is_on)])
    return np.diff(np.interp(np.arange(WINDOW_FRAMES + 1.0), switches, lit))


def counts_of(rng: Rng, lit: np.ndarray, on: float, noise: float, skewness: float) -> np.ndarray:
    """Counts: gamma-skewed background noise, and twice the shot noise of the signal (EM gain)."""
    shape = 4.0 / skewness**2
    background = (rng.gamma(shape, size=lit.shape) - shape) / np.sqrt(shape) * noise
    signal = on * lit + rng.normal(size=lit.shape) * np.sqrt(2.0 * on * lit)
    return (signal + background).astype(np.float32)


# ---- tables ------------------------------------------------------------------------------


def table(title: str, header: list[str], rows: list[list[str]]) -> None:
    print(f"\n### {title}\n\n| {' | '.join(header)} |\n|{' --- |' * len(header)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    sys.stdout.flush()


def share(fits: list[DwellFit], model: str) -> str:
    return f"{100 * np.mean([f.model == model for f in fits]):.1f}"


def covered(estimate: np.ndarray, error: np.ndarray, truth: float) -> str:
    return f"{100 * np.mean(np.abs(estimate - truth) < 1.96 * error):.1f}"


def pure_power_laws(rng: Rng, draws: int) -> None:
    rows, verdicts, hits = [], [], []
    for n in (30, 50, 100, 200, 500, 2000):
        for alpha in (1.2, 1.5, 1.8, 2.2):
            samples = [draw_whole_frames(rng, alpha, np.inf, n) for _ in range(draws)]
            fits = [fit_dwell_times(d, **SETTINGS) for d in samples]
            fitted = [f for f in fits if f.model != "not_fitted"]
            a = np.array([f.power_law.alpha for f in fitted])
            se = np.array([f.power_law.alpha_se for f in fitted])
            verdicts += [f.model == "truncated_power_law" for f in fits]
            hits += list(np.abs(a - alpha) < 1.96 * se)
            plain = 100 * np.mean([f.p_value_half_chi_square < 0.05 for f in fitted])
            rows.append(
                [
                    str(n),
                    f"{alpha}",
                    share(fits, "truncated_power_law"),
                    f"{plain:.1f}",
                    share(fits, "undecided"),
                    f"{a.mean() - alpha:+.3f}",
                    f"{a.std():.3f}",
                    covered(a, se, alpha),
                ]
            )
    rows.append(["all", "", f"{100 * np.mean(verdicts):.1f}", "", "", "", ""])
    rows[-1].append(f"{100 * np.mean(hits):.1f}")
    header = ["events", "alpha", "called truncated %", "by half chi-square alone %"]
    header += ["undecided %", "bias of alpha", "sd of alpha", "95 % interval covers %"]
    table("Pure power laws in whole frames", header, rows)


def truncated_power_laws(rng: Rng, draws: int) -> None:
    rows = []
    for n in (100, 200, 500, 2000):
        for alpha in (1.2, 1.5, 1.8):
            for tau in (10.0, 25.0, 50.0):
                samples = [draw_whole_frames(rng, alpha, tau, n) for _ in range(draws)]
                fits = [fit_dwell_times(d, **SETTINGS) for d in samples]
                found = [f for f in fits if f.model == "truncated_power_law"]
                a = np.array([f.truncated_power_law.alpha for f in fits])
                se = np.array([f.truncated_power_law.alpha_se for f in fits])
                tau_s = tau * EXPOSURE_S
                inside = np.mean([f.tau_low_s <= tau_s <= f.tau_high_s for f in found])
                rows.append(
                    [
                        str(n),
                        f"{alpha}",
                        f"{tau_s:.1f}",
                        share(fits, "truncated_power_law"),
                        share(fits, "undecided"),
                        share(fits, "power_law"),
                        f"{np.median(a) - alpha:+.3f}",
                        covered(a, se, alpha),
                        f"{np.median([f.tau_s for f in found]):.2f}",
                        f"{100 * inside:.1f}",
                    ]
                )
    header = ["events", "alpha", "tau, s", "recognised %", "undecided %", "called power law %"]
    header += ["median bias of alpha", "its 95 % interval covers %", "median tau, s"]
    header += ["its 95 % interval covers %"]
    table("Truncated power laws in whole frames", header, rows)


def quantised_continuous_time(rng: Rng, draws: int) -> None:
    def quantiser(cut: Callable[[np.ndarray], np.ndarray], shortest: float):
        def draw(alpha: float, tau: float, n: int) -> np.ndarray:
            t = draw_continuous(rng, alpha, tau, n, shortest, WINDOW_FRAMES - 1)
            return np.maximum(cut(t), 1).astype(int)

        return draw

    ways = {
        "whole frames": lambda a, t, n: draw_whole_frames(rng, a, t, n),
        "ceil, from 0.5 frames": quantiser(np.ceil, 0.5),
        "ceil, from 1 frame": quantiser(np.ceil, 1.0),
        "round, from 0.5 frames": quantiser(np.rint, 0.5),
        "round, from 1 frame": quantiser(np.rint, 1.0),
        "floor, from 1 frame": quantiser(np.floor, 1.0),
        "round up to 1, from 0.1 frames": quantiser(np.rint, 0.1),
    }
    rows = []
    for name, draw in ways.items():
        for alpha in (1.5, 2.0):
            pure = [draw(alpha, np.inf, 500) for _ in range(draws)]
            cut = [draw(alpha, 25.0, 500) for _ in range(draws // 2)]
            row = [name, f"{alpha}"]
            for short_events in ("auto", "trust"):
                fits = [fit_dwell_times(d, **SETTINGS, short_events=short_events) for d in pure]
                a = np.array([f.power_law.alpha for f in fits])
                truncated = [fit_dwell_times(d, **SETTINGS, short_events=short_events) for d in cut]
                row += [
                    share(fits, "truncated_power_law"),
                    f"{np.mean(a) - alpha:+.3f} ({a.std():.3f})",
                    share(truncated, "truncated_power_law"),
                ]
            rows.append(row)
    header = ["durations cut to frames by", "alpha"]
    for way in ("auto", "trust"):
        header += [f"{way}: pure called truncated %", "bias of alpha (sd)", "tau 0.5 s found %"]
    table("Continuous time cut to frames, 500 events", header, rows)


def traces_with_a_window(rng: Rng, draws: int) -> None:
    rows = []
    for alpha_on, alpha_off in ((1.4, 2.0), (1.5, 1.5), (1.5, 2.0), (1.8, 1.5), (2.0, 1.6)):
        flagged, dropped = [], []
        for _ in range(draws):
            on = draw_unbounded(rng, alpha_on, WINDOW_FRAMES)
            off = draw_unbounded(rng, alpha_off, WINDOW_FRAMES)
            lengths = np.minimum(np.stack([on, off], axis=1).ravel(), WINDOW_FRAMES)
            enough = int(np.searchsorted(np.cumsum(lengths), WINDOW_FRAMES)) + 1
            states = np.repeat(np.arange(enough) % 2 == 0, lengths[:enough])[:WINDOW_FRAMES]
            durations, censored = events_to_fit(run_lengths(states), 0)
            if (~censored).sum() < 50:
                continue
            flagged.append(fit_dwell_times(durations, censored=censored, **SETTINGS))
            dropped.append(fit_dwell_times(durations[~censored], **SETTINGS))
        row = [f"{alpha_on}", f"{alpha_off}", str(len(flagged))]
        row += [f"{np.median([f.n_events for f in flagged]):.0f}" if flagged else "-"]
        for fits in (flagged, dropped):
            a = np.array([f.power_law.alpha for f in fits])
            row += [
                share(fits, "truncated_power_law"),
                f"{a.mean() - alpha_on:+.3f} ({a.std():.3f})",
            ]
        rows.append(row)
    header = ["alpha on", "alpha off", "traces with 50 events", "median events"]
    for way in ("last event flagged", "last event dropped"):
        header += [f"{way}: called truncated %", "bias of alpha (sd)"]
    table("Pure power laws of any length seen through a window of 20,000 frames", header, rows)


def states_by_method(rng: Rng, draws: int) -> None:
    def fits_of(states: np.ndarray) -> list[DwellFit]:
        events = run_lengths(states)
        pairs = [events_to_fit(events, i) for i in range(len(states))]
        return [fit_dwell_times(d, censored=c, **SETTINGS) for d, c in pairs]

    cases = [  # alpha on, tau on, alpha off, counts when on, noise, its skewness
        (1.5, np.inf, 1.6, 500, 40, 0.3),
        (1.8, np.inf, 1.6, 500, 40, 0.3),
        (1.8, np.inf, 1.6, 500, 25, 0.3),
        (1.5, 25.0, 1.6, 500, 40, 0.3),
        (1.5, 25.0, 1.6, 250, 40, 0.3),
    ]
    rows = []
    for alpha_on, tau, alpha_off, on, noise, skewness in cases:
        lit = np.stack([lit_fraction(rng, alpha_on, tau, alpha_off) for _ in range(draws)])
        counts = counts_of(rng, lit, on, noise, skewness)
        true = fits_of(lit > 0.5)
        true_fraction = lit.mean(axis=1)
        for method in ("truth", "fixed", "noise", "hmm"):
            states = lit > 0.5 if method == "truth" else assign_states(counts, method).states
            fits = true if method == "truth" else fits_of(states)
            both = [
                (f, t)
                for f, t in zip(fits, true, strict=True)
                if "not_fitted" not in (f.model, t.model)
            ]
            a = np.array([_alphas(f, t) for f, t in both])
            if not both:
                continue
            off_alpha = a[:, 0] - a[:, 1]
            called = [f for f, _ in both]
            rows.append(
                [
                    f"{alpha_on}, {tau * EXPOSURE_S:g}, {on}, {noise}",
                    method,
                    str(len(both)),
                    f"{100 * np.mean(on_fraction(states) - true_fraction):+.2f}",
                    f"{np.median([f.n_events for f in called]):.0f}",
                    f"{np.mean(off_alpha):+.3f}",
                    f"{np.sqrt(np.mean(off_alpha**2)):.3f}",
                    f"{np.median(a[:, 0]):.2f}",
                    share(called, "truncated_power_law"),
                    share(called, "undecided"),
                ]
            )
    header = ["alpha, tau (s), counts on, noise", "states by", "traces fitted"]
    header += ["on-fraction off by, points", "median events", "alpha - alpha of true states, mean"]
    header += ["rms", "median alpha", "called truncated %", "undecided %"]
    table(
        "What the states do to the fits (events from half a frame, continuous time)", header, rows
    )


def _alphas(fit: DwellFit, truth: DwellFit) -> tuple[float, float]:
    """Alpha of both fits under the law of the truth's verdict."""
    if truth.model == "truncated_power_law":
        return fit.truncated_power_law.alpha, truth.truncated_power_law.alpha
    return fit.power_law.alpha, truth.power_law.alpha


def timing(rng: Rng) -> None:
    rows = []
    for n, tau in ((200, np.inf), (200, 25.0), (2000, np.inf), (2000, 25.0)):
        d = draw_whole_frames(rng, 1.5, tau, n)
        fit_dwell_times(d, **SETTINGS)
        each = []
        for _ in range(30):
            start = time.perf_counter()
            fit_dwell_times(d, **SETTINGS)
            each.append(time.perf_counter() - start)
        rows.append([str(n), f"{tau * EXPOSURE_S:g}", f"{1e3 * np.median(each):.2f}"])
    table("Time a fit", ["events", "tau, s", "ms"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=150, help="draws a row of the tables")
    parser.add_argument("--traces", type=int, default=25, help="traces a row for the states")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    seeds = np.random.SeedSequence(arguments.seed).spawn(6)
    print(
        f"# Accuracy of the dwell-time fits, seed {arguments.seed}, {arguments.draws} draws a row"
    )
    pure_power_laws(np.random.default_rng(seeds[0]), arguments.draws)
    truncated_power_laws(np.random.default_rng(seeds[1]), max(arguments.draws // 2, 1))
    quantised_continuous_time(np.random.default_rng(seeds[2]), max(arguments.draws // 2, 1))
    traces_with_a_window(np.random.default_rng(seeds[3]), max(arguments.draws // 2, 1))
    states_by_method(np.random.default_rng(seeds[4]), arguments.traces)
    timing(np.random.default_rng(seeds[5]))


if __name__ == "__main__":
    main()
