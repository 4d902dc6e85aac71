"""The workflow as snakedeploy deploys it: Snakemake fetches it from a hosted repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.helpers.tiny_experiment import ROOT

# As snakedeploy 0.17.1 writes it.
SNAKEFILE = """
from snakemake.utils import min_version


min_version("6.10.0")


configfile: "config/config.yaml"


# declare https://github.com/owner/blinkpair as a module
module blinkpair:
    snakefile:
        github("owner/blinkpair", path="workflow/Snakefile", tag="v0")
    config:
        config


# use all rules from https://github.com/owner/blinkpair
use rule * from blinkpair
"""


def git(*arguments):
    named = ["-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "core.hooksPath=/dev/null"]
    subprocess.run(["git", *named, *arguments], check=True, capture_output=True)


@pytest.fixture
def deployed(experiment, tmp_path):
    """A folder with the settings and a Snakefile, and an environment in which GitHub is local."""
    hosted = tmp_path / "hosted" / "owner" / "blinkpair"
    hosted.mkdir(parents=True)
    for name in ("Snakefile", "CITATION.cff"):
        shutil.copy(ROOT / name, hosted)
    for name in ("workflow", "scripts", "envs"):
        shutil.copytree(ROOT / name, hosted / name, ignore=shutil.ignore_patterns("__pycache__"))
    git("init", "-q", str(hosted))
    git("-C", str(hosted), "add", ".")
    git("-C", str(hosted), "commit", "-q", "-m", "all")
    git("-C", str(hosted), "tag", "v0")
    folder = tmp_path / "deployed"
    (folder / "workflow").mkdir(parents=True)
    (folder / "workflow" / "Snakefile").write_text(SNAKEFILE)
    shutil.copytree(experiment / "config", folder / "config")
    shutil.copy(experiment / "sheet.tsv", folder)
    (folder / "movies").symlink_to(experiment / "movies")
    redirected = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{tmp_path / 'hosted'}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return folder, os.environ | redirected


def test_a_deployed_workflow_has_its_target_and_its_library(deployed):
    folder, environment = deployed

    def run(*arguments):
        command = [sys.executable, "-m", "snakemake", "--cores", "1", *arguments]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout + done.stderr

    assert "build_report" in run("-n")
    # A step, too, which Snakemake fetches as a single file, imports the library.
    run("results/fields/blank/nanocrystals_pre.csv")
    assert (folder / "results" / "fields" / "blank" / "nanocrystals_post.csv").exists()
    clone = next((folder / ".snakemake" / "blinkpair" / "source").iterdir())
    # Steps keep what Python compiled, whatever the user's environment says.
    assert list(clone.glob("scripts/blinkpair/**/*.pyc"))
    shown = subprocess.run(
        ["git", "-C", str(clone), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == clone.name
