"""The paragraph for a paper, from the counts on: states, dwell times, photostability, statistics.

Constants that are no settings are taken from the modules that use them.

Input: settings and result tables of a run. Output: sentences.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from blinkpair.blinking.field import MAX_SE
from blinkpair.dwell_fits.result import MAX_FALSE_SHARE
from blinkpair.labels import CONTROL, as_bool, exclusions_in, temperature_label
from blinkpair.photometry.counts import MIN_RING_PIXELS, NEIGHBOUR_RADIUS_PX
from blinkpair.photometry.ring import RING_INNER_PX, RING_OUTER_PX
from blinkpair.populations.table import (
    BY_ASSUMPTION,
    BY_OTHER_FIELDS,
    BY_OTHER_SAMPLES,
    BY_SAMPLES,
)
from blinkpair.report.language import as_set, counted, grouped, listed, per_cent, verb
from blinkpair.report.verdicts import by_treatment
from blinkpair.statistics.design_effects import ALIKE, OWN_SPREAD, STEEPNESS

Settings = Mapping[str, Any]


def measured(
    settings: Settings,
    populations: pd.DataFrame,
    nanocrystals: pd.DataFrame,
    shown: Sequence[Mapping[str, Any]],
    *,
    all_shown: bool,
) -> Iterator[str]:
    """Yield the sentences.

    Parameters
    ----------
    settings, populations, nanocrystals, shown
        As `methods_text.methods` takes them.
    all_shown : bool
        Whether `shown` holds every field.
    """
    yield _counts(settings["photometry"])
    yield _focus(settings["threshold"])
    yield from _states(settings)
    yield from _numbers(settings, nanocrystals)
    yield from by_treatment(populations)
    yield from _dwell_times(settings["dwell_times"])
    yield from _photostability(settings["photostability"])
    yield _kept(settings, shown, all_shown=all_shown)
    yield from _statistics(settings["statistics"], populations)


def _counts(photometry: Settings) -> str:
    background = {
        "annulus_median": f"less the median of a ring of {as_set(RING_INNER_PX)} to "
        f"{as_set(RING_OUTER_PX)} px radius in each frame; pixels within "
        f"{as_set(NEIGHBOUR_RADIUS_PX)} px of other nanocrystals were left out of it where at "
        f"least {MIN_RING_PIXELS} remained, and the mean difference of the ring’s mean and median "
        "over the movie, which skewed noise makes, was taken off as well",
        "none": "without subtraction of a background",
    }[photometry["background"]]
    width = as_set(photometry["aperture_px"])
    return (
        f"Counts were summed in each frame over a square aperture {width} px wide that followed "
        f"the drift of the sample, {background}."
    )


def _focus(threshold: Settings) -> str:
    as_read = threshold["method"] == "fixed" and not threshold.get("fixed_follows_focus")
    counts = "counts, except those compared with the threshold," if as_read else "counts"
    return (
        "Where the width of the PSF, measured on bright nanocrystals in each stretch of a movie, "
        f"changed significantly, {counts} were divided by the share of the light in the aperture, "
        "relative to its mean over the movie."
    )


def _states(settings: Settings) -> Iterator[str]:
    own = settings["threshold"]
    counts = f"{as_set(own['counts'])} counts"
    if own["method"] == "fixed":
        yield (
            f"A nanocrystal was taken as on in frames with more than {counts}. For comparison, "
            "states were also found with a hidden Markov model of its counts."
        )
        fraction = "the share of the frames in which it was on"
    else:
        yield (
            "Frames were assigned to on and off by a hidden Markov model of off, on and partly "
            "lit frames for each nanocrystal, the latter on where more than half of them was lit, "
            "with a grey level, counted as on, where the counts had three levels. Level, noise and "
            "skewness of off were those of a place without a nanocrystal beside it, measured in "
            "the same way; the on level was its own."
        )
        yield (
            "Nanocrystals whose on-fraction had a standard error above "
            f"{as_set(MAX_SE)} were excluded as undetermined."
        )
        fraction = "the expected share of the time in which it was on"
    yield (
        f"The on-fraction is {fraction}; below "
        f"{per_cent(settings['dark_cutoff'])} a nanocrystal was called dark."
    )


def _numbers(settings: Settings, nanocrystals: pd.DataFrame) -> Iterator[str]:
    found = len(nanocrystals)
    if not found:
        return
    analysed = int(as_bool(nanocrystals["analysed"]).sum())
    text = f"Of {counted(found, 'nanocrystal')}, {grouped(analysed)} "
    text += f"{verb(analysed, 'was', 'were')} analysed"
    separation = as_set(settings["nanocrystals"]["min_separation_px"])
    because = nanocrystals["excluded_because"]
    counts = because.value_counts()
    excluded = [
        f"{grouped(counts[name])} {words.clause.format(min_separation_px=separation)}"
        for name, words in exclusions_in(because).items()
    ]
    yield f"{text}; excluded were {listed(excluded)}." if excluded else f"{text}."


def _dwell_times(dwell_times: Settings) -> Iterator[str]:
    who = (
        "On- and off-times of analysed nanocrystals that were emissive in the epoch, with at least "
        f"{dwell_times['min_events']} complete events, were fitted by a power law and by one with "
        "an exponential cut-off"
    )
    significance = as_set(dwell_times["significance"])
    if dwell_times["method"] == "least_squares":
        yield (
            f"{who}, as least-squares lines through their log-log histograms; an F-test at a "
            f"significance of {significance} decided between the two. Events cut by either end of "
            "the movie were left out."
        )
        return
    yield (
        f"{who}, by maximum likelihood of their distributions over whole frames. The first event "
        "of a trace, whose age is unknown, was left out; the last, cut by the end of the movie, "
        "entered by its probability to last longer. Where the shortest events clearly "
        "contradicted whole frames, those of one or two frames were set aside, durations shifted "
        "by a part of a frame, or both. α and τ are those of events of two frames and more (or of "
        "three), with durations shifted by a part of a frame, so that their errors contain what "
        "the cut to frames may change."
    )
    yield (
        "The cut-off was accepted (type A, of on-times) where a likelihood-ratio test at a "
        f"significance of {significance} rejected all cut-offs longer than a tenth of the movie, "
        "the pure law (type B) where it did not and all cut-offs within 1 s were rejected; the "
        "others are undecided, and so are those of which noise makes more than "
        f"{per_cent(MAX_FALSE_SHARE)} of the events. Neither law was accepted where a test of fit, "
        "against a smooth bend of the law at its best, rejected it at the same significance."
    )


def _photostability(photostability: Settings) -> Iterator[str]:
    each = as_set(photostability["significance"] / 2)
    change = photostability["min_change"]
    yield (
        "Trends within a movie were tested of the on level, against its own slow fluctuations in "
        "long on events, and of the off-fraction, by the order of the events, each at a "
        f"significance of {each}; changes of the on level below {per_cent(change)} of its start, "
        f"and of the off-fraction below {as_set(100 * change)} points, were taken as stable."
    )


def _kept(settings: Settings, shown: Sequence[Mapping[str, Any]], *, all_shown: bool) -> str:
    """Return which ends of the movies are compared: short movies have shorter ones."""
    reference_s = settings["photostability"]["reference_s"]
    reference = f"{as_set(reference_s)} s"
    short = {
        frames < 3 * round(reference_s / field["exposure_s"])
        for field in shown
        for frames in field["frames"].values()
        if frames
    }
    if all_shown and short == {True}:
        ends = (
            "the last tenth of a movie with the first tenth, as the movies are shorter than three "
            f"times {reference}"
        )
    elif all_shown and short == {False}:
        ends = f"the last {reference} of a movie with the first {reference}"
    else:
        ends = (
            f"the last {reference} of a movie with the first {reference}, or tenths of movies "
            "shorter than three times that"
        )
    local = settings["photometry"]["background"] == "annulus_median"
    above = " above their local background" if local else ""
    return (
        f"The PL kept compares {ends}, in counts of the analysed nanocrystals{above}, each in "
        "units of its field’s mean at the start."
    )


def _statistics(statistics: Settings, populations: pd.DataFrame) -> Iterator[str]:
    used = set(populations["interval_method"])
    yield (
        f"Intervals are {per_cent(statistics['confidence'])} intervals: Wilson’s of shares, "
        "Student’s of means and Woodruff’s order statistics of medians, each averaged over the "
        "design effects that are possible, because nanocrystals of one field are alike."
    )
    text = (
        "The probability of a design effect follows from a random-effects model (restricted "
        "likelihood of the fields’ means, the variance between over that within fields being "
        f"common to all treatments with a probability of {per_cent(1 - OWN_SPREAD)}) and a weak "
        f"prior (fields do not differ with a probability of {per_cent(ALIKE)}, else one over the "
        f"design effect of a median field is Beta(1, {as_set(STEEPNESS)}))"
    )
    if BY_ASSUMPTION in used:
        text += "; no treatment had two fields, so that it is the prior"
    elif BY_OTHER_FIELDS in used:
        text += "; a treatment with one field took that of the others"
    yield f"{text}."
    if used & {BY_SAMPLES, BY_OTHER_SAMPLES}:
        text = "The fields of one sample counted as one field in this"
        if BY_OTHER_SAMPLES in used:
            text += "; a treatment with one sample took the design effect of the others"
        yield f"{text}."
    labels = [temperature_label(value) for value in populations["temperature_c"]]
    if CONTROL in labels and len(labels) > 1:
        yield "Those of differences from the control follow Newcombe’s square-and-add rule."
    yield "The p values of changes belong to the same distributions."
