"""How right is the registration? Thousands of simulated trials; the tables of docs/registration.md.

Run as `PYTHONPATH=scripts python -m benchmarks.registration [--share 0.1] [--parts points images]
[--write]`. Every trial has its own seed, so the tables do not depend on the number of processes.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor
from pathlib import Path

import pandas as pd

from benchmarks.page import Part, run, text_of
from benchmarks.registration import (
    images,
    microspheres,
    others,
    patterns_left,
    points,
    real_images,
    scenes,
    small_motions,
    structured,
    together,
    unrelated_images,
)
from blinkpair.registration.images.decision import NOTHING_SHARED

HEAD = """# How right the registration is

**In short.** Points with four microspheres in common are registered in more than 99 of 100 trials;
5 of 20,000 transforms are wrong in silence, four of them where nothing but dust of the camera
matches. From images and movies none is wrong, and the largest error over the field is 0.02 to 0.04
px (median). Where the sample hardly moved, 99.7 % of the fields with eight nanocrystals or more in
both epochs are registered, and none wrongly.

Made by `make accuracy`. The data are simulated with known truth, but for *Whole images*, where real
images are cut in two. The points lie in a field of 512 px, turned by any angle, 0.2 px of
jitter per axis in either image. Success is a transform that is nowhere in the field off by 3 px or
more.
"""

CURVE = Path("docs/images/registration_levels.png")
IMAGES_CURVE = Path("docs/images/registration_image_levels.png")


def points_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Success"
    yield (
        "Trials with four microspheres or more in common have to succeed; those with fewer may be "
        "refused, and must not be wrong."
    )
    yield text_of(points.success_table(pool, round(1000 * share)), 4)


def wrong_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Wrong in silence"
    yield (
        "Half of the trials have nothing in common: unrelated patterns of 5 to 60 points, and 5 to "
        "60 specks of camera dust, which match at the identity, among unrelated points."
    )
    yield text_of(points.wrong_table(pool, round(20_000 * share)))


def structured_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Where the points repeat a structure"
    yield (
        "Fields of 30 to 512 px with 8 to 160 spheres in grains, islands, chains, pairs, rows or "
        "rings, up to a fifth of them lost; the share of a field that both views show varies, so "
        "that not every pair of one sample can be registered. Wrong: off by 3 px or more."
    )
    yield text_of(structured.summary(pool, round(300 * share)))


def levels_part(pool: Executor, share: float) -> Iterable[str]:
    table = points.level_table(pool, round(2000 * share))
    draw_levels(table, CURVE)
    yield "## What chance_alignments means"
    yield (
        "Of unrelated patterns, a share 1 - exp(-e) should have an alignment at or below the level "
        "e. Measured share over expected share; the default accepts e = 0.0003."
    )
    table["ratio"] = table["share"] / table["expected_share"]
    wide = table.pivot_table(
        index=["patterns", "points", "trials"], columns="level", values="ratio", sort=False
    )
    yield text_of(wide.reset_index(), 2)
    yield f"![Measured against promised share](images/{CURVE.name})"


def draw_levels(table: pd.DataFrame, path: Path) -> None:
    """Draw the calibration curve of the chance level."""
    from blinkpair.figures import style

    def draw() -> None:
        figure = style.new_figure(style.SINGLE_COLUMN_MM, 84)
        axes = figure.subplots()
        axes.plot([1e-3, 1], [1e-3, 1], color=style.GREY, lw=1, label="as promised")
        colours = [style.BLUE, style.ORANGE, style.GREEN, style.VERMILLION, style.PURPLE]
        for colour, (kind, group) in zip(
            colours, table.groupby("patterns", sort=False), strict=True
        ):
            mean = group.groupby("level").mean(numeric_only=True)
            # A share of none is nowhere on a logarithmic axis.
            axes.plot(
                mean["expected_share"],
                mean["share"].where(mean["share"] > 0),
                "o-",
                ms=3,
                lw=1,
                color=colour,
                label=kind,
            )
        axes.set(xscale="log", yscale="log", xlabel="promised share of unrelated pairs")
        axes.set(ylabel="measured share at or below the level")
        axes.legend(loc="upper left")
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=200)

    style.styled(draw)()


def radii_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Error bars"
    yield (
        "Share of positions, evenly spread over the field, whose error is within the radius that "
        "`tre(xy, 0.68)` and `tre(xy, 0.95)` predict, over the number of matched fiducials and the "
        "true jitter (which is unknown to the registration). Positions of one trial share its "
        "error: "
        "n trials leave standard errors of about 40 and 19 points over the root of n."
    )
    yield text_of(points.radius_table(pool, round(1000 * share)), 3)


def small_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Where the sample hardly moved"
    yield (
        "Shifts of 0 to 6 px (none in a tenth of the fields) and rotations of 0 to 3 degrees (none "
        "in three tenths); 8 to 40 microspheres among 0 to 60 specks of dust, 20 to 200 "
        "nanocrystals of which 30 to 95 % are seen in either epoch, and, in half of the fields, up "
        "to 40 hot pixels in both. Wrong: off by more than 1 px and by more than the stated 95 %. "
        "Where nothing but dust and hot pixels is common, every field has to be refused."
    )
    trials = small_motions.trials(pool, round(2000 * share))
    yield text_of(small_motions.summary(trials), 4)


def left_over_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## What is not rigid"
    yield (
        "Patterns of points under another magnification, a shear (per cent of the length) or lens "
        "distortion (per cent of the distance to the middle, at a corner), turned by any angle and "
        "shifted by up to 60 px along each axis. 10 to 40 microspheres, 20 to 200 nanocrystals "
        "(error 0.02 px, median). Errors are the largest over the common area, of fields with "
        "nanocrystals in both epochs: of the matrix, and of the places of nanocrystals, which are "
        "corrected for the pattern. Covered: not larger than the largest stated one, at 95 %."
    )
    yield text_of(patterns_left.summary(patterns_left.trials(pool, round(100 * share))))


def images_part(pool: Executor, share: float) -> Iterable[str]:
    trials = images.image_trials(pool, max(round(30 * share), 2))
    yield "## From images and movies"
    yield (
        f"Fields of 512 px and {images.FRAMES} frames, about 200 nanocrystals, brightfield at a "
        "signal-to-noise of 10 to 40, both sphere images, 0.5 to 1.5 diameters out of focus. "
        "Errors are the largest over the common area, of fields with 20 nanocrystals or more in "
        "both epochs. All positions of a field share the error of the drift's zero, so the shares "
        "within the radii are those of as many draws as there are fields."
    )
    yield text_of(images.summary(trials))
    odd = trials[~trials["ok"] | (trials["error_px"] >= 0.15)]
    if len(odd):
        yield "Refused, or off by more than 0.15 px:"
        columns = ["row", "in_common", "evidence", "nanocrystals", "error_px", "reason"]
        yield text_of(odd[columns])


def microspheres_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Microspheres in brightfield"
    yield (
        "Isolated spheres of 6.25 px at a peak signal-to-noise of 10. With the sphere's whole "
        "image known, no method could do better than 0.03 (rings) and 0.05 to 0.07 px "
        "(diffraction)."
    )
    yield text_of(microspheres.centre_table(pool, max(round(6 * share), 1)), 2)
    debris = images.debris_trials(pool, max(round(200 * share), 4))
    wrong = (debris["ok"] & (debris["error_px"] >= 3)).sum()
    yield (
        f"Debris without a microsphere, the same before and after: {debris['ok'].sum()} of "
        f"{len(debris)} fields registered, {wrong} of them wrong, {debris['found'].mean():.2g} "
        "detections an image."
    )


def scenes_part(pool: Executor, share: float) -> Iterable[str]:
    fields = max(round(10 * share), 1)
    yield "## Microspheres as microscopes show them"
    yield (
        f"Both images of {fields} fields of {scenes.SIZE} px, spheres of {scenes.DIAMETER_PX} px "
        f"at a signal-to-noise of {scenes.SNR[0]:.0f} to {scenes.SNR[1]:.0f}, both sphere images, "
        "0.2 to 1.2 diameters out of focus. One offset common to all centres of an image is "
        f"removed, up to {scenes.OFFSET_PX / scenes.DIAMETER_PX:g} diameters, as far as the light "
        f"casts the image; found: within {scenes.MATCH_PX} px after that. Alone: no centre "
        "within 1.5 diameters. Far from all: false, and farther from every microsphere than the "
        "largest common offset; the other false ones are mostly images of microspheres at the "
        "other height, whose offset differs."
    )
    yield text_of(scenes.scene_table(pool, fields), 3)


def real_part(pool: Executor, share: float) -> Iterable[str]:
    related = real_images.related_trials(pool, max(round(20 * share), 1))
    yield "## Whole images"
    yield (
        "Two crops of one real image (of other groups; not part of the project) that overlap by "
        "30 to 90 %, one of them turned, with another gain and offset and fresh noise of 1 % of "
        "the range, the diameter given as 0.7, 1 and 1.4 times the right one. Turned by any angle "
        "(interpolated), a fifth of what stands out is painted out as well, and the crops are "
        "smaller: 330 px of the electrodes, 144 px of the scanner. Right: the largest error in "
        "the overlap is below 0.5 px. The shares within the radii are those of two positions a "
        f"pair. CPU time, median and largest: {related['seconds'].median():.1f} and "
        f"{related['seconds'].max():.1f} s."
    )
    yield text_of(real_images.related_summary(related))
    yield (
        "The same pairs as a field is registered: by the microspheres found in them, and by the "
        "images where these do not decide, or loosely and the images agree. There are no "
        "nanocrystals."
    )
    yield text_of(real_images.together_summary(related))


def unrelated_part(pool: Executor, share: float) -> Iterable[str]:
    trials = unrelated_images.trials(
        pool, round(2000 * share), round(400 * share), round(1000 * share)
    )
    draw_numbers(trials, IMAGES_CURVE)
    too_small, nothing = (
        int(trials["reason"].str.startswith(start).sum())
        for start in ("the images are smaller", NOTHING_SHARED)
    )
    yield "## Images that share nothing"
    yield (
        "Pairs that share nothing of the sample, and how many of them reach a level of "
        "`chance_alignments`; the default accepts 0.0003. Real images of 23 samples (microspheres, "
        "foam, ellipsoids, cells and others; other groups', not part of the project): two crops "
        "of other places of one sample, apart in one image, of two samples magnified alike, and "
        "one beside simulated spheres, of 256 to 512 px, turned by any angle, with another light, "
        "gain and noise. Of the images that are cut in two above, up to "
        f"{unrelated_images.SIDE} px: crops apart, a crop and a mirrored one, crops of two "
        "samples, and crops apart with everything that stands out painted out. Simulated: many or "
        "few pieces of debris, fibres and flakes without a microsphere, with the same dirt and "
        "fringes of the camera in both images. CPU time, median and largest: "
        f"{trials['seconds'].median():.1f} and {trials['seconds'].max():.1f} s. Of all, "
        f"{too_small} were refused because a crop is smaller than 5 spheres, {nothing} because no "
        "structure is common at any rotation."
    )
    yield text_of(unrelated_images.summary(trials))
    yield f"![Observed against expected number, of whole images](images/{IMAGES_CURVE.name})"


def draw_numbers(trials: pd.DataFrame, path: Path) -> None:
    """Draw how many pairs lie at or below each level, over the number expected there."""
    from blinkpair.figures import style

    def draw() -> None:
        figure = style.new_figure(style.SINGLE_COLUMN_MM, 84)
        axes = figure.subplots()
        axes.plot([0.01, 1e3], [0.01, 1e3], color=style.GREY, lw=1, label="as promised")
        simulated = trials["pairs"].isin(unrelated_images.DEBRIS)
        groups = trials["pairs"].where(simulated, "real images")
        groups = groups.mask(trials["lattice"], unrelated_images.LATTICES)
        colours = [style.BLUE, style.VERMILLION, style.GREEN, style.PURPLE]
        for colour, (kind, group) in zip(colours, trials.groupby(groups, sort=False), strict=False):
            level = group["chance"].clip(upper=1).sort_values()
            axes.step(
                level * len(group),
                range(1, len(group) + 1),
                where="post",
                lw=1.2,
                color=colour,
                label=f"{kind} ({len(group)})",
            )
        most = len(trials)
        axes.set(xscale="log", yscale="log", xlim=(0.01, most), ylim=(0.7, most))
        axes.set(xlabel="expected number of pairs at or below the level")
        axes.set(ylabel="observed number")
        axes.legend(loc="upper left")
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=200)

    style.styled(draw)()


def together_part(pool: Executor, share: float) -> Iterable[str]:
    fields = max(round(1000 * share), 10)
    yield "## Microspheres, images and nanocrystals together"
    counts = [
        f"{n} {what} ({fewest} to {most} in common)"
        for n, what, (fewest, most) in (
            (together.SPHERES, "microspheres", together.COMMON_SPHERES),
            (together.DEBRIS, "pieces of debris", together.COMMON_DEBRIS),
            (together.NANOCRYSTALS, "nanocrystals", together.COMMON_NANOCRYSTALS),
        )
    ]
    yield (
        f"{fields} simulated fields of {together.SHAPE[0]} px, turned by any angle, with "
        f"{', '.join(counts)} and {together.DUST} specks of the camera's dust. Wrong: off by more "
        f"than {together.WRONG_PX:g} px in the middle."
    )
    yield text_of(together.related_table(pool, fields))
    yield (
        "Where nothing of the sample is in common: fields whose level of all together is at or "
        "below a level, and how many should be at most."
    )
    yield text_of(together.level_table(pool, fields))


def speed_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Time"
    yield "On one core, compiled; the slowest of five."
    yield text_of(points.speed_table(), 2)


def others_part(pool: Executor, share: float) -> Iterable[str]:
    yield "## Beside other libraries"
    yield (
        "The same patterns with four microspheres or more in common, one call each with the "
        "defaults; wrong: a transform was returned and is off by 3 px or more."
    )
    yield text_of(others.comparison_table(pool, round(100 * share)), 3)


PARTS: dict[str, Part] = {
    "points": points_part,
    "wrong": wrong_part,
    "structured": structured_part,
    "levels": levels_part,
    "radii": radii_part,
    "small": small_part,
    "left_over": left_over_part,
    "images": images_part,
    "microspheres": microspheres_part,
    "scenes": scenes_part,
    "together": together_part,
    "others": others_part,
    "speed": speed_part,
}
if real_images.present():
    PARTS["real"] = real_part
    PARTS["unrelated"] = unrelated_part


if __name__ == "__main__":
    run(__doc__.splitlines()[0], HEAD, PARTS)
