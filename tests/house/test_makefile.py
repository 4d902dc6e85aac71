"""What the Makefile keeps away from the commands it runs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def test_variables_for_another_python_do_not_reach_its_commands():
    show = "show: ; @env"
    variables = ("PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE")
    done = subprocess.run(
        ["make", "--silent", "-f", str(ROOT / "Makefile"), "--eval", show, "show"],
        env=os.environ | dict.fromkeys(variables, "/elsewhere"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "PATH=" in done.stdout
    assert "elsewhere" not in done.stdout


def test_the_command_it_installs_ignores_modules_of_another_environment(tmp_path):
    for name in (".venv/bin", "envs", "elsewhere/numpy"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "envs/run.lock").touch()
    (tmp_path / "elsewhere/numpy/__init__.py").write_text("raise ImportError('elsewhere')\n")
    python, command = tmp_path / ".venv/bin/python", tmp_path / ".venv/bin/snakemake"
    python.write_text("#!/bin/sh\n")  # in place of pip
    # As pip writes it.
    lines = ("import re", "import sys", "from snakemake.cli import main", "sys.exit(main())")
    command.write_text("\n".join((f"#!{sys.executable}", *lines, "")))
    for file in (python, command):
        file.chmod(0o755)
    env = os.environ | {"PYTHONPATH": str(tmp_path / "elsewhere")}
    how = {"cwd": tmp_path, "env": env, "capture_output": True, "text": True}
    assert subprocess.run([command, "--version"], **how).returncode != 0
    make = ["make", "--silent", "-f", str(ROOT / "Makefile"), ".venv/run.stamp"]
    subprocess.run(make, **how, check=True)
    done = subprocess.run([command, "--version"], **how)
    assert done.returncode == 0, done.stderr
    assert not list(command.parent.glob("*.bak"))
