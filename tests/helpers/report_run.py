"""A small run's tables, for the tests of the report's words."""

import itertools

import numpy as np
import pandas as pd

from blinkpair.blinking.on_fractions import classify
from blinkpair.populations.table import summarise_populations

NAN = float("nan")


def a_run(labels=(70, "control"), n=40, fields_each=1, refused=()):
    rng = np.random.default_rng(1)
    parts, fields = [], []
    for label, k in itertools.product(labels, range(fields_each)):
        name = f"{label}_{k}"
        row = {"field": name, "temperature_c": label, "sample": "chip 3", "status": "ok"}
        row |= {"reason": "", "evidence": "microspheres and nanocrystals", "rotation_deg": -97.04}
        row |= {"scale": 1.0, "n_microspheres_matched": 26, "tre_px": 0.031, "n_pairs": 32}
        row |= {"expected_chance_pairs": 1.5}
        if name in refused:
            row |= dict.fromkeys(["rotation_deg", "scale", "tre_px"], NAN)
            row |= {"status": "failed", "reason": "too few", "evidence": "none"}
            fields.append(row | {"n_microspheres_matched": 0, "n_pairs": 0})
            continue
        fields.append(row)
        before, after = rng.uniform(0, 1, (2, n))
        part = {"field": name, "temperature_c": label, "analysed": True, "excluded_because": ""}
        part |= {"on_fraction_pre": before, "on_fraction_post": after}
        parts.append(pd.DataFrame(part | {"population": classify(before, after)}))
    nanocrystals = pd.concat(parts, ignore_index=True)
    nanocrystals.loc[:2, ["analysed", "population"]] = [False, ""]
    nanocrystals.loc[:2, "excluded_because"] = ["edge", "crowded", "crowded"]
    table = pd.DataFrame(fields)
    return table, summarise_populations(nanocrystals, table), nanocrystals
