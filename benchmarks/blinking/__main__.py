"""How right is the blinking analysis? Simulated events and traces; the tables of docs/blinking.md.

Run as `PYTHONPATH=scripts python -m benchmarks.blinking [--share 0.1] [--parts fits states]
[--write docs/blinking.md]`. Every row has its own seed, so the tables do not depend on the number
of processes.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor

from benchmarks.blinking import (
    doubles,
    fits,
    goodness,
    light,
    other_light,
    others,
    photostability,
    states,
)
from benchmarks.page import Part, run, text_of

HEAD = """# How right the blinking analysis is

**In short.** Of pure power laws in whole frames at most 6 % are called truncated, and cut-offs are
recognised nearly as often as any test could: in more than 95 % of cases from 200 events on where
alpha is 1.5 or less, in 58 to 81 % where it is 1.8. The test of fit rejects a law that is right in
4 to 6 % of cases and two exponentials a decade apart, of 500 events, in more than 90 %. Events
that noise makes or that frames cut change alpha and types by more than chance does. The 95 %
intervals of alpha that a run states allow for the cut to frames and hold in 88 to 100 % of pure
power laws, at 1.3 to 2.6 times the width; without that they hold in 15 to 95 %. Read *Continuous
time cut to frames* and *What the states do* before a conclusion rests on single types.

Made by `make accuracy`; every number on this page is of simulated data with known truth: frames
of 20 ms, a window of 20,000 of them.
"""


def pure_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Pure power laws"
    yield (
        "Durations drawn in whole frames from Eq. 1 within the window. At most 6 % may be called "
        "truncated at the 5 % level, alpha may be biased by 0.02 at 500 events, and its 95 % "
        "interval has to hold the truth in 93 to 97 %. (Draws of fewer than three different "
        "durations are not fitted.)"
    )
    yield text_of(fits.pure_table(pool, round(10_000 * share)), 2)


def truncated_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Truncated power laws"
    yield (
        "Durations drawn in whole frames from Eq. 2. 90 % are to be recognised from 200 events on. "
        "*Best possible* is what the likelihood ratio of the true law against the nearest pure one "
        "recognises, both being known: no test that holds its 5 % for every pure law can do more, "
        "and where it is below 90 % nothing can reach 90 %."
    )
    yield text_of(fits.truncated_table(pool, round(2000 * share)), 3)


def quantised_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Continuous time cut to frames"
    yield (
        "Durations drawn in continuous time and cut to whole frames in several ways. The cut "
        "shifts the durations by up to half a frame and bends the law of the shortest; the fit "
        "allows for it where the data show it (`short_events='auto'`), and otherwise trusts them. "
        "The traces of a run are fitted with `camera`, whose errors allow for it unseen. The "
        "intervals are of those called power laws."
    )
    yield text_of(fits.quantised_table(pool, round(1000 * share)), 2)


def window_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Events cut by the window"
    yield (
        "Traces of on and off events without an upper bound, in whole frames, seen through the "
        "window. The last event is cut off: flagged, it enters by its survival function; dropped, "
        "the longest events are missing."
    )
    yield text_of(fits.window_table(pool, round(600 * share)), 2)


def goodness_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Test of fit"
    yield (
        "How often the test of fit rejects a law that is right, in percent, at the 5 % level; "
        "4 to 6 is meant, with a standard error of 0.4 here. Durations in whole frames, as above. "
        "In 2,500 other draws of each, on those of 50 to 500 events of which the correction was "
        "set, all lay between 4.2 and 5.8."
    )
    yield text_of(goodness.size_table(pool, round(3000 * share)), 2)
    yield (
        "How often it rejects both laws where neither is right. At least 80 % of 500 events are "
        "to be rejected of two exponentials a decade apart."
    )
    yield text_of(goodness.power_table(pool, round(400 * share)), 3)
    yield (
        "What leads to `neither` in practice: traces of power laws of 1.5, on and off, with false "
        "frames as of noise, with events that merge because what is between them is shorter than "
        "a frame, or with a third level. Single false frames make events of one frame, which the "
        "fit sets aside, and cut long events."
    )
    yield text_of(goodness.cause_table(pool, round(400 * share)), 3)


def states_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## What the states do to on-fraction, alpha and type"
    yield (
        "Traces with gamma-skewed background noise and the shot noise of an electron-multiplying "
        "camera. Each fit is compared with that of the true states (on for more than half of the "
        "frame) of the same trace, under the law that those have. `fixed` is the paper's 100 "
        "counts, `hmm` the hidden Markov model. *Expected false* is "
        "`expected_false_on_events`: one-frame events that the off level's noise makes alone. "
        "RMS errors of alpha are to stay under 0.1 with `hmm`. They do not where nanocrystals of a "
        "truncated law switch at any time: there a few half-lit frames decide how the fit treats "
        "the shortest events, and where it differs from that of the true states (2 to 5 of 53 "
        "traces) alpha differs by 0.2 to 0.4."
    )
    yield text_of(states.states_table(pool, round(60 * share)), 3)


def weak_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Weak emitters"
    yield (
        "Fields of blinkers, pure power laws of 1.5 and 1.5 with true on-fractions of 0.2 to 0.9: "
        "none is dark. The on levels scatter by 30 % about a multiple of the off level's noise, "
        "40 counts."
    )
    yield text_of(states.weak_table(pool, max(round(60 * share), 10)))


def other_light_part(pool: Executor, share: float) -> Iterable[str]:
    fields = max(round(24 * share), 4)
    yield "## On-fractions against another forward model"
    yield (
        f"{fields} fields of {other_light.NANOCRYSTALS} nanocrystals in two epochs of "
        f"{other_light.FRAMES} frames, pixel by pixel (`benchmarks/blinking/other_light.py`): Airy "
        "disks whose rings reach the neighbours, an sCMOS with an offset, gain and read noise of "
        "each pixel, power laws down to a tenth of a frame and less, on levels that fluctuate by "
        "5 %, and in some fields on events of 0.35 to 0.7 of the level, of any length. None of the "
        "method's numbers was fitted to them; it was tried on other fields of this model. "
        "Columns as above, by the model. *Two levels*: of nanocrystals without dimmer events. The "
        "wrong populations from three noises up are on-fractions within 0.02 of the cut-off of 0.1 "
        "in truth, and all but one within 1.6 of their standard errors."
    )
    yield text_of(other_light.other_light_table(pool, fields), 3)


def doubles_part(pool: Executor, share: float) -> Iterable[str]:
    fields = max(round(40 * share), 8)
    yield "## Two nanocrystals in one spot"
    yield (
        "Nanocrystals closer than the PSF are one spot, and the on-fraction of the spot is the "
        "share of the time in which at least one of them is on. It is a property of neither of "
        "them. Where the counts show the levels of two emitters, which add up, "
        "`two_emitters_pre` and `two_emitters_post` in `nanocrystals.csv` are True: such a "
        "nanocrystal can be left out (`verdicts.csv`). A second emitter with less than 0.37 of "
        "the light of the first may also be dirt or a neighbour; below 0.30 this is as likely. "
        "The standard error holds both cases, so many of these spots are undetermined. The "
        "levels of what switches within frames do not persist. Where two emitters are likelier "
        "all the same, neither result is trusted, and the standard error is that of a time on "
        "anywhere between the two."
    )
    yield (
        f"{fields} fields of {doubles.SINGLES} single nanocrystals and "
        f"{doubles.DOUBLES + doubles.RARE} doubles (`benchmarks/blinking/doubles.py`): "
        "exponentials and power laws "
        "with and without a cut-off, EMCCD and sCMOS, the brighter one of 4 to 20 noises. The "
        "first column has the ratio of the levels. *Shown*: `two_emitters` is True. Other "
        "columns as below, by the model. The method was made on other fields of a similar "
        "model."
    )
    yield text_of(doubles.doubles_table(pool, fields), 3)


def light_part(pool: Executor, share: float) -> Iterable[str]:
    fields = max(round(60 * share), 6)
    rows = light.light_rows(pool, fields)
    yield "## On-fractions in any light"
    yield (
        f"{fields} fields of {light.NANOCRYSTALS} nanocrystals in two epochs, from a forward model "
        "of their own (`benchmarks/blinking/light.py`): EMCCD and sCMOS, power laws and "
        "exponentials, 600 to 5,000 frames, backgrounds of 5 to 100 counts a pixel, on-fractions "
        "from 0 to 1 with both ends, up to 2 % emission when off, grey levels of 0.55 in some, "
        "light that fades by 30 % in some. The truth is the time on in the movie. Each on-fraction "
        "stands in the row of its own on level. *Without verdict*: excluded as `undetermined` "
        "(`hmm`) or `noisy` (`fixed`), in one epoch at least; the other columns are of the rest. "
        "*Intervals*: the on-fraction and 1.96 of its standard error to each side. The method was "
        "tried on other fields of this model while it was made."
    )
    yield text_of(light.light_table(rows), 3)
    yield (
        "The bounds for `hmm`: RMS 0.010, 0.015 and 0.04; off by more than 0.1 none, 0.1 % and "
        "1 %; wrong population 0.3, 0.5 and 2 %, the last also below 3; without verdict 1, 3 and "
        "20 %; bias below 0.003 from three noises up; intervals that hold the truth in 93 to 97 %. "
        "100 counts mean something else in most of these fields: the first rows of the next table "
        "are those like the paper's."
    )
    yield "### By the kind of field, on levels of five noises and more"
    yield text_of(light.condition_table(rows), 3)
    yield "### Dark in one epoch"
    yield (
        "On-fractions that are truly below 0.1, and what the model says of them: *without verdict* "
        "is a loss that is not at random, *called emissive* an error. *Emissive called dark* is of "
        "all that are truly emissive."
    )
    yield text_of(light.dark_table(rows), 3)
    yield (
        "**Which method should be the default?** By these tables `hmm`: it needs no number that "
        "belongs to one microscope, its errors are a fraction of those of the threshold "
        "everywhere, and nanocrystals that it cannot decide are excluded. The default stays "
        "`fixed`, because it is the paper's recipe, and numbers are compared with the paper's; "
        "both are in `nanocrystals.csv` whatever the setting."
    )


def photostability_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Photostability"
    yield (
        "Trajectories of 400 s, classified with the default settings. At most 5 % of nanocrystals "
        "whose blinking does not change may be called anything but stable. The usual tests (a line "
        "through the on-fraction, a t test of its halves, Mann-Kendall's) take bins of time as "
        "independent, which power-law dwell times are not. Power is small where single events "
        "last minutes: *stable* means that no trend was shown."
    )
    for title, table in photostability.photostability_tables(pool, max(round(400 * share), 20)):
        yield f"### {title}"
        yield text_of(table)


def others_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Beside the powerlaw package"
    yield "The same pure power laws in whole frames, called truncated at the 5 % level."
    yield text_of(others.comparison_table(pool, round(100 * share)), 3)


def time_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Time a fit"
    yield "One nanocrystal's on events, both laws and the verdict, on one core; at most 10 ms."
    yield text_of(fits.time_table(), 2)


PARTS: dict[str, Part] = {
    "pure": pure_part,
    "truncated": truncated_part,
    "quantised": quantised_part,
    "window": window_part,
    "goodness": goodness_part,
    "states": states_part,
    "weak": weak_part,
    "doubles": doubles_part,
    "light": light_part,
    "other_light": other_light_part,
    "photostability": photostability_part,
    "others": others_part,
    "time": time_part,
}


if __name__ == "__main__":
    run(__doc__.splitlines()[0], HEAD, PARTS)
