"""A kernel compiled from an older source is never used."""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

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
    changed = compiled.digest(tmp_path)
    assert changed != before
    (tmp_path / "b.py").write_text("from numba.extending import intrinsic")
    assert compiled.digest(tmp_path) != changed


def test_all_kernels_are_kept_there():
    loaded = (
        "from blinkpair import compiled\n"
        "from blinkpair.blinking.states import hmm\n"
        "from blinkpair.dwell_fits import ascent\n"
        "from blinkpair.nanocrystals import projections\n"
        "from blinkpair.photometry import counts\n"
        "from blinkpair.registration.alignment import chance, kernels\n"
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
    assert {
        "refine_motions",
        "log_yardstick",
        "maximise_likelihood",
        "measure_places",
        "_accumulate",
    } <= set(kernels)


# Compiled in half a second; how kernels are kept does not depend on what they do.
SMALL = """
from blinkpair.compiled import njit


@njit()
def total(values):
    result = 0.0
    for value in values:
        result += value
    return result
"""


def run_kernel(folder: Path, dtype: str, **environment: str) -> subprocess.Popen[str]:
    """Start a process that sums 0 to 9 with the kernel of a copy of the package."""
    code = (
        "import numpy as np\n"
        "from blinkpair import compiled, small\n"
        f"print(small.total(np.arange(10, dtype='{dtype}')), compiled._folder,"
        " sum(small.total.stats.cache_misses.values()))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(folder), "PATH": os.environ["PATH"], **environment},
    )


@pytest.fixture
def copy(tmp_path) -> Path:
    """Return the import folder of a copy of the package with one more kernel, not compiled yet."""
    package = tmp_path / "scripts" / "blinkpair"
    package.mkdir(parents=True)
    for name in ("__init__.py", "compiled.py"):
        shutil.copy(PACKAGE / name, package)
    (package / "small.py").write_text(SMALL)
    return package.parent


def test_many_processes_start_at_once_with_nothing_compiled(copy):
    kinds = ["uint16", "float32", "uint16", "float32"]
    jobs = [run_kernel(copy, kind) for kind in kinds]
    said = [job.communicate() for job in jobs]
    assert [job.returncode for job in jobs] == [0] * 4, said
    assert {out.split()[0] for out, _ in said} == {"45.0"}
    compilations = sum(int(out.split()[-1]) for out, _ in said)
    assert compilations == len(set(kinds))  # the others wait for them
    again = [run_kernel(copy, kind) for kind in kinds[:2]]
    assert all("45.0" in job.communicate()[0] for job in again)


def test_a_compiled_kernel_is_loaded_without_what_only_compiling_needs(copy):
    # numba looks for SciPy's linear algebra when it learns what it can compile.
    code = """
        import sys
        import numpy as np
        from blinkpair import small
        assert small.total(np.arange(10, dtype=np.uint16)) == 45
        print(sum(small.total.stats.cache_hits.values()), "scipy.linalg" in sys.modules)
        if sys.argv[1:]:  # both in one process: one is loaded, then another is compiled
            assert small.total(np.arange(10, dtype=np.int32)) == 45
            assert not np.isnan(small.total(np.array([1.5, 2.5], dtype=np.float64)))
            print("scipy.linalg" in sys.modules)
    """

    def run(*arguments: str) -> str:
        command = [sys.executable, "-c", textwrap.dedent(code), *arguments]
        environment = {"PYTHONPATH": str(copy), "PATH": os.environ["PATH"]}
        return subprocess.run(
            command, check=True, capture_output=True, text=True, env=environment
        ).stdout

    assert run().split() == ["0", "True"]
    assert run().split() == ["1", "False"]
    assert run("and more").split() == ["1", "False", "True"]


def test_a_row_is_stored_without_compiling_a_text(copy):
    # numba's error on rows of another length would join texts, each function of which is compiled.
    kernel = SMALL.partition("@njit()")[0]
    kernel += "@njit()\ndef store(table, row):\n    table[0] = row\n"
    (copy / "blinkpair" / "rows.py").write_text(kernel)
    code = """
        import numpy as np
        from numba.core import event
        from blinkpair import rows
        with event.install_recorder("numba:compile") as recorder:
            rows.store(np.zeros((3, 2)), np.ones(2))
        names = [found.data["dispatcher"].py_func.__module__ for _, found in recorder.buffer]
        print(len(names), sum("unicode" in name for name in names))
        try:
            rows.store(np.zeros((3, 2)), np.ones(3))
        except ValueError as error:
            print(error)
    """
    out = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(copy), "PATH": os.environ["PATH"]},
    ).stdout.splitlines()
    n_compiled, n_texts = map(int, out[0].split())
    assert n_compiled > 0
    assert n_texts == 0
    assert "different size" in out[1]


def test_a_read_only_installation_keeps_kernels_elsewhere(copy, tmp_path):
    # Where the folder should be there is a file: nobody can write it, not even root.
    (copy / "blinkpair" / "__pycache__").write_text("")
    cache = tmp_path / "cache"
    out, errors = run_kernel(copy, "uint16", XDG_CACHE_HOME=str(cache)).communicate()
    assert "45.0" in out, errors
    assert str(cache / "blinkpair" / "kernels-") in out
    assert list(cache.rglob("*.nbi"))
    # With no home that can be written, a private folder among the temporary files.
    (tmp_path / "nothing").write_text("")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    nowhere = {"XDG_CACHE_HOME": str(tmp_path / "nothing"), "TMPDIR": str(temporary)}
    out, errors = run_kernel(copy, "uint16", **nowhere).communicate()
    assert "45.0" in out, errors
    assert list(temporary.rglob("*.nbi"))
    # One that others can write is not trusted: kernels are code.
    for private in temporary.iterdir():
        private.chmod(0o777)
    out, errors = run_kernel(copy, "uint16", **nowhere).communicate()
    assert "45.0" in out, errors
    assert out.split()[1] == "None"


def test_no_module_goes_around_it():
    for path in PACKAGE.rglob("*.py"):
        if path.name != "compiled.py":
            assert "njit(cache" not in path.read_text(encoding="utf-8"), path
