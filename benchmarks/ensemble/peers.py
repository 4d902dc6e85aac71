"""Films beside other programs: the same files and decays, fitted by lmfit, pyglotaran and KiMoPack.

They are no dependency: install them beside this library's own dependencies, in an environment of
their own, and run `python -m benchmarks.ensemble.peers` there. What is not installed is left out.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import io
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.ensemble.__main__ import AMPLITUDES, HEAD, PHOTONS, TAUS, draw
from benchmarks.ensemble.trials import trials
from benchmarks.page import run, text_of
from blinkpair.ensemble import bleach, decays
from blinkpair.ensemble.matrix_fit import fit_matrix
from blinkpair.ensemble.readers.matrix import read_matrix
from blinkpair.simulate.ensemble import BLEACHES, bleach_matrix

START_TAUS_PS = (100.0, 1500.0)
Fitted = Callable[[Path], list[float]]


def versions(names: Iterable[str]) -> str:
    """Return the versions of what is installed."""
    found = [n for n in names if importlib.util.find_spec({"pyglotaran": "glotaran"}.get(n, n))]
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in found)


def write_matrix(path: Path) -> None:
    """Write 122 delays by 21 wavelengths, delays down, as all of them read it."""
    change = bleach_matrix(*BLEACHES["unannealed"], np.random.default_rng(3))
    delays, wavelengths, values = change[0], change[1][::3], change[2][::3]
    table = pd.DataFrame(values.T, index=pd.Index(delays, name="0"), columns=wavelengths)
    table.to_csv(path, sep="\t", float_format="%.10g")


def ours(path: Path) -> list[float]:
    matrix = read_matrix(str(path))
    one = fit_matrix(matrix, bleach.trace_at(matrix, 2.441), equal_noise=True)
    return [float(t) for t in one.taus()[:2]]


def pyglotaran(path: Path) -> list[float]:
    import xarray as xr
    from glotaran.io import load_model, load_parameters
    from glotaran.optimization.optimize import optimize
    from glotaran.project import Scheme

    table = pd.read_csv(path, sep="\t", index_col=0)
    table = table[table.index >= bleach.START_PS]
    data = xr.DataArray(
        table.to_numpy(),
        coords=[("time", table.index.to_numpy()), ("spectral", table.columns.astype(float))],
    ).to_dataset(name="data")
    model = load_model(
        """
default_megacomplex: decay-parallel
megacomplex:
  bleach: {type: decay-parallel, compartments: [a, b, c], rates: [rates.1, rates.2, rates.3]}
dataset:
  film: {megacomplex: [bleach]}
""",
        format_name="yml_str",
    )
    first, second = (1 / tau for tau in START_TAUS_PS)
    held = 1 / bleach.FIXED_TAU_PS
    parameters = load_parameters(
        f"rates: [{first}, {second}, [{held}, {{vary: false}}]]", format_name="yml_str"
    )
    scheme = Scheme(model, parameters, {"film": data}, maximum_number_function_evaluations=200,
                    ftol=1e-12, xtol=1e-12, gtol=1e-14)  # fmt: skip
    result = optimize(scheme, verbose=False)
    return sorted(1 / result.optimized_parameters.get(f"rates.{k}").value for k in (1, 2))


def kimopack(path: Path) -> list[float]:
    import lmfit
    from KiMoPack import plot_func

    film = plot_func.TA(filename=path.name, path=str(path.parent), sep="\t")
    film.timelimits = [bleach.START_PS, 1e4]
    film.par = lmfit.Parameters()
    for k, tau in enumerate((*START_TAUS_PS, bleach.FIXED_TAU_PS)):
        film.par.add(f"k{k}", value=1 / tau, vary=k < 2, min=1e-6, max=1)
    film.par.add("t0", value=0, vary=False)
    film.par.add("resolution", value=0.01, vary=False)
    film.mod = "exponential"
    film.Fit_Global(tol=1e-10)
    return sorted(1 / film.par_fit[f"k{k}"].value for k in (0, 1))


def matrices(pool: Executor, share: float) -> Iterable[str]:
    """The whole matrix, constants common to all probes."""
    yield "## Bleaches beside other programs"
    yield (
        "One file of 122 delays by 21 wavelengths, noise of 5.5e-5 OD, from 4 ps on; two time "
        "constants are free, 7,500 ps is held, all values weigh alike. CPU milliseconds with "
        "reading the file, the smallest of five; imports are not in them. "
        f"{versions(('pyglotaran', 'KiMoPack'))}."
    )
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "matrix.txt"
        write_matrix(path)
        programs: list[tuple[str, str, Fitted]] = [
            ("blinkpair", "blinkpair", ours),
            ("glotaran", "pyglotaran", pyglotaran),
            ("KiMoPack", "KiMoPack", kimopack),
        ]
        for module, name, function in programs:
            if importlib.util.find_spec(module) is None:
                continue
            taken = []
            for _ in range(5):
                clock = time.process_time()
                with (
                    warnings.catch_warnings(),
                    contextlib.redirect_stdout(io.StringIO()),
                    contextlib.redirect_stderr(io.StringIO()),
                ):
                    warnings.simplefilter("ignore")
                    taus = function(path)
                taken.append(1e3 * (time.process_time() - clock))
            rows.append({"program": name, "tau_1, ps": f"{taus[0]:.4f}",
                         "tau_2, ps": f"{taus[1]:.4f}", "CPU ms": f"{min(taken):.0f}"})  # fmt: skip
    yield text_of(pd.DataFrame(rows))


def by_lmfit(photons: float, seed: int) -> list[float]:
    """Return time constants, shares and CPU ms by lmfit with weights 1/sqrt(N)."""
    import lmfit

    prepared = draw(photons, seed)
    model, data = prepared.model(3), prepared.data
    own = decays.fit_components(prepared, 3).parameters

    weights = 1 / np.sqrt(np.maximum(data, 1.0))

    def values(parameters: lmfit.Parameters) -> np.ndarray:
        return np.array([parameters[f"p{i}"].value for i in range(own.size)])

    def residuals(parameters: lmfit.Parameters) -> np.ndarray:
        return (model.evaluate(values(parameters))[0] - data) * weights

    start = lmfit.Parameters()
    for i, value in enumerate(own):
        start.add(f"p{i}", value=value)
    clock = time.process_time()
    p = values(lmfit.minimize(residuals, start, method="leastsq").params)
    taken = 1e3 * (time.process_time() - clock)
    amplitudes = model.amplitudes(p)[0]
    order = np.argsort(p[:3])
    return [*np.exp(p[:3][order]), *(amplitudes / amplitudes.sum())[order], taken]


def by_lmfit_decays(pool: Executor, share: float) -> Iterable[str]:
    """Decays by lmfit with weights 1/sqrt(N), as most programs are used."""
    yield "## Decays beside other programs"
    n = max(round(45 * share), 3)
    yield (
        f"The first {n} decays of each row of the table of biases, the same model started at the "
        "fit by Poisson likelihood, weights 1/sqrt(N) with N of at least 1: bias of the mean in "
        f"per cent, of the shares in points, with standard errors. {versions(['lmfit'])}."
    )
    rows = []
    truth = np.concatenate([TAUS, AMPLITUDES])
    for photons in PHOTONS:
        found = np.array(trials(pool, by_lmfit, [(photons, s) for s in range(1000, 1000 + n)]))
        off = 100 * (found[:, :6] - truth)
        off[:, :3] /= truth[:3]
        bias, error = off.mean(axis=0), off.std(axis=0, ddof=1) / np.sqrt(n)
        row = {"photons": f"{photons:.0e}"}
        for k in range(3):
            row[f"tau_{k + 1}"] = f"{bias[k]:+.1f} ± {error[k]:.1f}"
        k = 3 + int(np.argmax(np.abs(bias[3:])))
        row["shares"] = f"{bias[k]:+.2f} ± {error[k]:.2f}"
        rows.append(row | {"CPU ms": f"{np.median(found[:, 6]):.0f}"})
    yield text_of(pd.DataFrame(rows))


if __name__ == "__main__":
    parts = {"lmfit": by_lmfit_decays, "glotaran": matrices}
    installed = {name: part for name, part in parts.items() if importlib.util.find_spec(name)}
    if not installed:
        print("Neither lmfit nor pyglotaran is installed: nothing to compare with.")
    else:
        run(__doc__ or "", HEAD, installed)
