"""What the Makefile keeps away from the commands it runs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_modules_of_another_environment_do_not_reach_its_commands():
    show = "show: ; @env"
    done = subprocess.run(
        ["make", "--silent", "-f", str(ROOT / "Makefile"), "--eval", show, "show"],
        env=os.environ | {"PYTHONPATH": "/elsewhere", "PYTHONHOME": "/elsewhere"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "PATH=" in done.stdout
    assert "elsewhere" not in done.stdout
