"""Samples as the units that vary: fields of one coverslip were annealed together.

What differs from one annealing to the next is common to all fields of a sample. Where a treatment
has several samples, taking its fields as independent makes the intervals too short: at a design
effect of 6 of a sample 76 to 83 % of the 95 % intervals then hold the truth, and 93 to 97 % with
samples (docs/statistics.md). Where no treatment has two samples, nothing shows how much samples
differ, and the intervals are those of fields.

Input: the nanocrystal table with the column `sample`. Output: the same with the sample that each
row counts for in the intervals.
"""

from __future__ import annotations

import pandas as pd

from blinkpair.labels import CONTROL, is_simulated, temperature_label
from blinkpair.populations.counted import SAMPLE

COLUMN = "sample"


def mark_samples(nanocrystals: pd.DataFrame) -> pd.DataFrame:
    """Add the column by which intervals take the fields of one sample as one field.

    Parameters
    ----------
    nanocrystals : DataFrame
        One row a nanocrystal: `temperature_c` and, if the sheet has it, `sample`. The word for
        simulated fields names no sample.

    Returns
    -------
    DataFrame
        The table as it is, unless a treatment other than the control has two samples.
    """
    if COLUMN not in nanocrystals:
        return nanocrystals
    pairs = nanocrystals[["temperature_c", COLUMN]].drop_duplicates().dropna().astype(str)
    # Names of fields hold no space, so that none is that of a sample.
    names = {
        name: "" if not name.strip() or is_simulated(name) else f"sample {name.strip()}"
        for name in pairs[COLUMN].unique()
    }
    treated = pairs[pairs["temperature_c"].map(temperature_label) != CONTROL]
    known = treated.assign(**{COLUMN: treated[COLUMN].map(names)})
    several = known[known[COLUMN] != ""].groupby("temperature_c")[COLUMN].nunique()
    if not (several > 1).any():
        return nanocrystals
    return nanocrystals.assign(**{SAMPLE: nanocrystals[COLUMN].astype(object).map(names)})
