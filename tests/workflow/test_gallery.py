"""The code of the gallery and of the notebook draws the figures from the results of a run."""

from __future__ import annotations

import json
import re

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.figure import Figure

from tests.helpers.tiny_experiment import ROOT

GALLERY = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
NOTEBOOK = ROOT / "docs" / "replot_fig6.ipynb"


@pytest.fixture
def in_results(experiment, monkeypatch):
    """Run in the folder of the tiny experiment, without a screen."""
    monkeypatch.chdir(experiment)
    mpl.use("agg")
    return experiment / "results"


def test_each_piece_of_the_gallery_draws_its_figure(in_results):
    first, *pieces = re.findall(r"```python\n(.*?)```", GALLERY, re.DOTALL)
    names: dict = {}
    exec(first, names)
    figures = []
    for piece in pieces:
        names.pop("figure", None)
        exec(piece, names)
        assert isinstance(names["figure"], Figure)
        assert names["figure"].axes, piece
        figures.append(names["figure"])
    shown = re.findall(r"!\[\]\(images/gallery/(\w+)\.png\)", GALLERY)
    assert len(figures) == len(shown) == len(set(shown))


def test_the_gallery_has_every_pooled_figure(in_results):
    written = {path.stem for path in (in_results / "figures").glob("*.png")}
    assert written <= set(re.findall(r"`(\w+)`", GALLERY))
    assert len(written) > 10
    missing = [
        name
        for name in re.findall(r"images/gallery/\w+\.png", GALLERY)
        if not (ROOT / "docs" / name).is_file()
    ]
    assert not missing


def test_the_notebook_counts_as_the_table_of_populations(in_results):
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    names: dict = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    table = pd.read_csv(in_results / "populations.csv", dtype={"temperature_c": str})
    table = table[table.n > 0].set_index("temperature_c")
    summary = names["summary"]
    assert summary.n.to_dict() == table.n.to_dict()
    assert summary.became_dark.to_dict() == table.n_became_dark.to_dict()
    change = 100 * table.mean_delta
    assert (summary.mean_change_points - change).abs().max() < 1e-4  # the table is rounded
    assert len(names["axes"][0]) == len(table)
