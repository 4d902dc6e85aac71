"""Light that fell elsewhere on a field after annealing."""

import re

import numpy as np
import pandas as pd

from blinkpair.populations.light_slope import remarks


def spot(xy, centre):
    """Light of a beam whose edge, 150 px from its centre, has 0.37 of the middle's."""
    return np.exp(-((np.asarray(xy) - centre) ** 2).sum(axis=1) / 150**2)


def measured(rng, moved_px, field, n=60):
    xy = rng.uniform(0, 256, (n, 2))
    own = rng.lognormal(6, 0.3, n)
    # Annealing changes the brightness of each, and of every tenth by a factor of four.
    annealed = rng.lognormal(-0.3, 0.25, n) * np.where(rng.random(n) < 0.1, 0.25, 1.0)
    return pd.DataFrame(
        {
            "field": field,
            "analysed": True,
            "x_pre": xy[:, 0],
            "y_pre": xy[:, 1],
            "on_level_counts_pre": own * spot(xy, (128, 128)),
            "on_level_counts_post": own * annealed * spot(xy, (128 + moved_px, 128)),
        }
    )


def test_light_that_moved_between_the_epochs_is_stated_with_its_size():
    rng = np.random.default_rng(1)
    # exp(2 x 45 px x 256 px / (150 px)^2) = 2.8 from the left to the right edge.
    found = remarks(measured(rng, 45, "moved"), ["moved"])
    (factor,) = re.findall(r"([\d.]+) times", found["moved"])
    assert abs(np.log(float(factor) / 2.8)) < 0.3


def test_annealing_itself_is_no_light_that_moved():
    rng = np.random.default_rng(2)
    fields = pd.concat([measured(rng, 0, f"f{k}", n) for k, n in enumerate([8, 12, 30, 60] * 100)])
    # One in a thousand of 400 by chance, fewer that are large as well.
    assert len(remarks(fields, [])) <= 1
    dark = fields.assign(on_level_counts_post=np.nan)
    assert remarks(dark, []) == {}
