"""The recipes of the containers bring all that a run needs."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.helpers.plans import ROOT, dry_run


def copied_by_docker() -> set[str]:
    """The files and folders that the Dockerfile copies from the repository."""
    lines = (ROOT / "envs" / "Dockerfile").read_text(encoding="utf-8").splitlines()
    return {source for line in lines if line.startswith("COPY ") for source in line.split()[1:-1]}


def test_both_recipes_copy_the_same():
    lines = (ROOT / "envs" / "apptainer.def").read_text(encoding="utf-8").splitlines()
    pairs = [line.split() for line in lines if " /blinkpair/" in line and len(line.split()) == 2]
    copied = {source for source, target in pairs if target == f"/blinkpair/{source}"}
    assert copied - {"envs"} == copied_by_docker() - {"envs/run.lock"}


def test_a_plan_is_made_from_what_the_recipe_copies(experiment, tmp_path):
    home = tmp_path / "blinkpair"
    for source in copied_by_docker():
        target = home / source
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, target)
    (home / "profiles").symlink_to(Path("workflow") / "profiles")
    folder = tmp_path / "experiment"
    folder.mkdir()
    for name in ("movies", "config", "sheet.tsv"):
        (folder / name).symlink_to(experiment / name)
    assert "build_report" in dry_run(folder, home / "Snakefile")
