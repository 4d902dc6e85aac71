"""The recipes of the containers bring all that a run needs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.helpers.tiny_experiment import ROOT, write_tiny_experiment


def copied_by_docker() -> set[str]:
    """The files and folders that the Dockerfile copies from the repository."""
    lines = (ROOT / "envs" / "Dockerfile").read_text(encoding="utf-8").splitlines()
    return {source for line in lines if line.startswith("COPY ") for source in line.split()[1:-1]}


def test_both_recipes_copy_the_same():
    lines = (ROOT / "envs" / "apptainer.def").read_text(encoding="utf-8").splitlines()
    pairs = [line.split() for line in lines if " /blinkpair/" in line and len(line.split()) == 2]
    copied = {source for source, target in pairs if target == f"/blinkpair/{source}"}
    assert copied - {"envs"} == copied_by_docker() - {"envs/run.lock"}


def test_a_plan_is_made_from_what_the_recipe_copies(tmp_path):
    home = tmp_path / "blinkpair"
    for source in copied_by_docker():
        target = home / source
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, target)
    (home / "profiles").symlink_to(Path("workflow") / "profiles")
    experiment = tmp_path / "experiment"
    experiment.mkdir()
    write_tiny_experiment(experiment)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(home / "Snakefile")]
    result = subprocess.run(
        [*command, "--cores", "1", "-n"], cwd=experiment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr[-3000:]
    assert "build_report" in result.stdout
