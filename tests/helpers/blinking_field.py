"""Analyse the counts of a field as the workflow does, with changes of the settings."""

import numpy as np
import pandas as pd

from blinkpair.blinking.field import BlinkingSettings, analyse_nanocrystals
from blinkpair.epochs import EPOCHS
from blinkpair.inputs.settings import load_settings
from tests.helpers.states import NOISE, empty_counts

FRAMES, EXPOSURE_S = 20_000, 0.02
_SETTINGS = load_settings({})


def analyse(intensity, analysed, light=None, noise=NOISE, because=None, **changed):
    """Return what is found of counts (n, frames) by epoch; `changed` are groups of settings."""
    n = len(analysed)
    places = pd.DataFrame({"nc_id": np.arange(n) + 10, "analysed": analysed})
    if because is not None:
        places["excluded_because"] = because
    settings = _SETTINGS | {
        k: _SETTINGS[k] | changed.get(k, {}) for k in ("threshold", "dwell_times")
    }
    return analyse_nanocrystals(
        places,
        places["nc_id"].to_numpy(),
        intensity,
        {epoch: empty_counts(n, noise=noise) for epoch in EPOCHS},
        exposure_s=EXPOSURE_S,
        settings=BlinkingSettings.of(settings),
        light=light,
    )
