"""How many nanocrystals stayed as they were during a movie, brightened or dimmed.

Input: the table of photostability classes. Output: a figure.
"""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from blinkpair.figures import style
from blinkpair.figures.panels import fractions_by_epoch
from blinkpair.labels import CLASS_NAMES


@style.styled
def photostability_classes(table: pd.DataFrame, *, note: str = "") -> Figure:
    """Draw the classes of trajectories before and after, with intervals (Figs. 4 and 5).

    Parameters
    ----------
    table : DataFrame
        One row a temperature and epoch: `temperature_c, epoch` (`pre`, `post`), `n`, and for each
        of `stable`, `brightening`, `dimming` and `going_dark` its `n_`, and its `fraction_` of n
        (0 to 1) with `_low` and `_high`.
    note : str
        Written in the corner, for example `simulated`.

    Returns
    -------
    Figure
        A panel a temperature; the counts stand below the classes.
    """
    return fractions_by_epoch(table, CLASS_NAMES, of_what="n", note=note)
