"""The paragraph for the experimental section in at most 120 words; `methods_text` has the long one.

Input: settings, provenance and result tables of a run. Output: plain text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from blinkpair.labels import BY_HAND, CONTROL, as_bool, temperature_label, treatment_word
from blinkpair.report.cells import two_digits
from blinkpair.report.language import as_set, counted, grouped, per_cent, verb
from blinkpair.report.methods_text import software
from blinkpair.report.tables import is_simulated

MOST_WORDS = 120


def methods_short(
    settings: Mapping[str, Any],
    provenance: Mapping[str, Any],
    fields: pd.DataFrame,
    nanocrystals: pd.DataFrame,
) -> str:
    """Write the paragraph; the arguments are those of `methods_text.methods`."""
    word = treatment_word(fields["temperature_c"])
    sentences = [
        software(provenance, word),
        *_registration(settings, fields),
        *_states(settings),
        *_numbers(nanocrystals),
        *_statistics(settings, fields),
    ]
    return " ".join(sentences)


def _registration(settings: Mapping[str, Any], fields: pd.DataFrame) -> Iterator[str]:
    ok = fields[fields["status"] == "ok"]
    text = f"{counted(len(ok), 'field')} {verb(len(ok), 'was', 'were')} registered by a "
    text += f"{settings['registration']['model']} transform, from {_evidence(ok)}"
    errors = ok["tre_px"].dropna()
    if len(errors):
        text += f" (median error {two_digits(errors.median())} px)"
    simulated = int(is_simulated(fields).sum())
    if simulated:
        text += "; the data are " + ("" if simulated == len(fields) else "partly ") + "simulated"
    refused = len(fields) - len(ok)
    yield (
        f"{text}; {grouped(refused)} {verb(refused, 'was', 'were')} refused."
        if refused
        else (f"{text}.")
    )


def _evidence(ok: pd.DataFrame) -> str:
    evidence = ok["evidence"].astype(str)
    by_hand = int(evidence.str.startswith("landmarks").sum())
    if by_hand:
        return f"brightfield and nanocrystals, {grouped(by_hand)} of them with landmarks by hand"
    if evidence.str.startswith("microspheres").all():
        return "microspheres in brightfield and the nanocrystals"
    return "brightfield and nanocrystals"


def _states(settings: Mapping[str, Any]) -> Iterator[str]:
    yield "Each nanocrystal detected in either movie was measured in both."
    dark = f"dark means an on-fraction below {per_cent(settings['dark_cutoff'])}."
    threshold = settings["threshold"]
    if threshold["method"] == "fixed":
        yield f"On means more than {as_set(threshold['counts'])} counts above background; {dark}"
    else:
        yield f"A hidden Markov model assigned on and off; {dark}"
    how = "least squares"
    if settings["dwell_times"]["method"] == "maximum_likelihood":
        how = "maximum likelihood"
    yield f"On- and off-times were fitted by power laws with and without a cut-off ({how})."


def _numbers(nanocrystals: pd.DataFrame) -> Iterator[str]:
    if not len(nanocrystals):
        return
    analysed = int(as_bool(nanocrystals["analysed"]).sum())
    by_hand = int((nanocrystals["excluded_because"].astype(str) == BY_HAND).sum())
    text = f"Of {counted(len(nanocrystals), 'nanocrystal')}, {grouped(analysed)} "
    text += f"{verb(analysed, 'was', 'were')} analysed"
    yield (
        f"{text}; {grouped(by_hand)} of the others were left out by eye."
        if by_hand
        else (f"{text}.")
    )


def _statistics(settings: Mapping[str, Any], fields: pd.DataFrame) -> Iterator[str]:
    confidence = per_cent(settings["statistics"]["confidence"])
    yield f"{confidence} intervals allow for fields that differ."
    if CONTROL in map(temperature_label, fields["temperature_c"]):
        yield "Fields that were only re-mounted are the control."
