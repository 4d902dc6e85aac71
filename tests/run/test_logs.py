"""The start of a step: what it loads, and what it does not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from blinkpair import RUN_PROCESS
from tests.helpers.tiny_experiment import ROOT

STEPS = sorted(path.stem for path in (ROOT / "scripts").glob("*.py"))


def test_no_step_loads_half_a_second_of_libraries_it_hardly_uses(tmp_path):
    """All of dask for a table of arrays; all distributions for the tail of one."""
    pytest.importorskip("dask")
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'scripts')!r}); import {', '.join(STEPS)}\n"
        f"from blinkpair.run.logs import log_to; log_to({str(tmp_path / 'log')!r})\n"
        "import blinkpair.registration.images.images\n"
        "assert 'scipy.stats' not in sys.modules\n"
        "import numpy as np, xarray as xr\n"
        f"path = {str(tmp_path / 'a.nc')!r}\n"
        "from blinkpair import files\n"
        "files.write_netcdf(xr.Dataset({'a': ('x', np.arange(3.0))}), path)\n"
        "assert files.read_netcdf(path)['a'].to_numpy().tolist() == [0, 1, 2]\n"
        "assert 'dask.base' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={RUN_PROCESS: str(os.getpid())})


def test_a_step_loads_scipy_without_its_docstrings_and_finds_the_same():
    """A distribution and a filter, which have docstrings to be parsed; a notebook keeps them."""
    code = (
        "import blinkpair; import numpy as np\n"
        "from scipy import ndimage, optimize, signal, spatial, special, stats\n"
        "print(np.median(ndimage.median_filter(np.arange(9.0) ** 2, 3)), special.erfinv(0.5),"
        " stats.wilcoxon([1.0, 2, -3, 4, 5]).pvalue, stats.norm.sf(2.0))\n"
        "print('median' in (ndimage.median_filter.__doc__ or '').lower())\n"
    )

    def run(**more: str) -> list[str]:
        environment = {"PYTHONPATH": str(ROOT / "scripts"), **more}
        command = [sys.executable, "-c", code]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, env=environment
        ).stdout.splitlines()

    step, notebook = run(**{RUN_PROCESS: str(os.getpid())}), run()
    assert step[0] == notebook[0]
    assert (step[1], notebook[1]) == ("False", "True")
