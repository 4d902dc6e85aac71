"""The pages and docstrings make a site without a warning, as broken links give."""

from __future__ import annotations

import subprocess
import sys

from tests.helpers.tiny_experiment import ROOT


def test_the_site_is_made_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going"]
    command += ["-c", str(ROOT / "docs" / "site"), "-d", str(tmp_path / "trees"), str(ROOT)]
    result = subprocess.run(
        [*command, str(tmp_path / "site")], capture_output=True, text=True, cwd=ROOT
    )
    assert result.returncode == 0, result.stderr
    page = (tmp_path / "site" / "docs" / "api.html").read_text(encoding="utf-8")
    assert "register_points" in page
