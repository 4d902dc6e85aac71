"""A kernel compiled from an older source is never used."""

import subprocess
import sys
from pathlib import Path

import blinkpair
from blinkpair import compiled

PACKAGE = Path(blinkpair.__file__).parent


def test_a_change_in_any_file_with_kernels_changes_where_they_are_kept(tmp_path):
    (tmp_path / "a.py").write_text("from numba import njit")
    (tmp_path / "b.py").write_text("no kernel")
    before = compiled.digest(tmp_path)
    (tmp_path / "b.py").write_text("nor here")
    assert compiled.digest(tmp_path) == before
    (tmp_path / "a.py").write_text("from numba import njit  # changed")
    assert compiled.digest(tmp_path) != before


def test_all_kernels_are_kept_there():
    loaded = (
        "from blinkpair import alignment_kernels, chance, compiled, dwell_ascent, photometry, "
        "projections, states_hmm\n"
        "from blinkpair.simulate import camera\n"
        "for module in list(globals().values()):\n"
        "    for kernel in vars(module).values() if hasattr(module, '__file__') else ():\n"
        "        if hasattr(kernel, 'stats') and kernel.stats.cache_path:\n"
        "            assert f'kernels-{compiled.digest()}' in kernel.stats.cache_path, kernel\n"
        "            print(kernel.__name__)\n"
    )
    kernels = subprocess.run(
        [sys.executable, "-c", loaded],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(PACKAGE.parent)},
    ).stdout.split()
    assert {"refine_motions", "log_yardstick", "climb", "_measure", "_accumulate"} <= set(kernels)


def test_no_module_goes_around_it():
    for path in PACKAGE.rglob("*.py"):
        if path.name != "compiled.py":
            assert "njit(cache" not in path.read_text(encoding="utf-8"), path
