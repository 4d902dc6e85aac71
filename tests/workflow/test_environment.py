"""The lock files, the conda environment and the wish lists name the same versions."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.helpers.tiny_experiment import ROOT

CONDA_NAMES = {"matplotlib-base": "matplotlib", "snakemake-minimal": "snakemake"}


def plain(name: str) -> str:
    return name.lower().replace("_", "-")


def pins(lock: str) -> dict[str, set[str]]:
    """Versions by package; several where they depend on Python's version."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / "envs" / lock).read_text().splitlines():
        if match := re.match(r"([A-Za-z0-9_.-]+)==([^ ;\\]+)", line):
            found.setdefault(plain(match[1]), set()).add(match[2])
    return found


def wished(name: str) -> set[str]:
    lines = (ROOT / "envs" / name).read_text().splitlines()
    return {plain(re.match(r"[A-Za-z0-9_.-]+", line)[0]) for line in lines if line[:1].isalpha()}


def test_every_requirement_is_locked():
    assert wished("run.in") <= pins("run.lock").keys()
    assert wished("dev.in") <= pins("dev.lock").keys()


def test_the_run_lock_is_a_part_of_the_dev_lock():
    dev = pins("dev.lock")
    assert {name: dev[name] for name in pins("run.lock")} == pins("run.lock")


def test_the_conda_environment_has_the_locks_versions():
    lock = pins("run.lock")
    environment = yaml.safe_load((ROOT / "envs" / "blinkpair.yaml").read_text())
    named = set()
    for entry in environment["dependencies"]:
        entries = entry["pip"] if isinstance(entry, dict) else [entry]
        for one in entries:
            name, _, version = one.replace("==", "=").partition("=")
            name = plain(CONDA_NAMES.get(name, name))
            if name in ("python", "pip"):
                continue
            named.add(name)
            assert version in lock[name], f"{name}: {version} is not in run.lock"
    # Plugins serve the process that plans; it does not run in this environment.
    assert named == {name for name in wished("run.in") if "-plugin-" not in name}


def test_the_lock_names_no_server():
    for lock in ("run.lock", "dev.lock"):
        assert "://" not in (ROOT / "envs" / lock).read_text()


@pytest.mark.parametrize("lock", ["run.lock", "dev.lock"])
def test_every_package_is_pinned_to_a_version_and_to_its_files(lock):
    text = (ROOT / "envs" / lock).read_text().replace("\\\n", " ")
    requirements = [line for line in text.splitlines() if line.strip()[:1] not in ("", "#")]
    assert len(requirements) > 90
    for requirement in requirements:
        assert re.match(r"[A-Za-z0-9_.\[\]-]+==[^ ;*]+ ", requirement), requirement
        assert re.search(r" --hash=sha256:[0-9a-f]{64}\b", requirement), requirement
