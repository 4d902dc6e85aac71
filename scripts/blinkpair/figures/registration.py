"""The registration of a field, for a person to judge at a glance.

Everything is drawn in the pixels before annealing: what comes from after is brought back. Before
is magenta and after is green, so that what coincides is grey to white, and what does not is
coloured.

Input: the images and positions of both epochs, which of them were matched, and what the
registration reports. Output: one figure.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import ArrayLike, NDArray

from blinkpair.arrays import FloatArray
from blinkpair.figures import style
from blinkpair.figures.overlay import (
    even_light,
    fill_missing,
    map_back,
    match_contrast,
    no_image,
    residuals,
    warped_back,
)
from blinkpair.labels import EPOCH_NAMES

__all__ = ["no_image", "registration_check"]


MAGENTA, LIME = "#ff00ff", "#00ff00"
FEWEST_EXPECTED = 0.001  # a smaller number of accidental alignments is written as below this
EXAGGERATIONS = (10, 20, 50, 100, 200)  # of the residuals' arrows
# How a field was registered, where that is not by its microspheres.
BY = {
    "landmarks": "registered by hand",
    "landmarks and nanocrystals": "registered by hand, refined on nanocrystals",
    "brightfield images": "registered by its brightfield images as wholes",
    "brightfield images and nanocrystals": (
        "registered by its brightfield images as wholes, refined on nanocrystals"
    ),
    "nanocrystals": "registered by its nanocrystals",
    "microspheres together with nanocrystals": "registered by both patterns together",
    "brightfield images together with nanocrystals": (
        "registered by brightfield images and nanocrystals together"
    ),
    "microspheres together with brightfield images": (
        "registered by microspheres and brightfield images together"
    ),
    "microspheres together with brightfield images and nanocrystals": (
        "registered by microspheres, brightfield images and nanocrystals together"
    ),
}
TYPICAL_ARROW = 0.05  # of the image's width, at most: longer ones hide each other


@style.styled
def registration_check(
    brightfield_pre: ArrayLike,
    brightfield_post: ArrayLike,
    matrix_brightfield: ArrayLike | None,
    microspheres_pre: ArrayLike,
    microspheres_post: ArrayLike,
    microsphere_pairs: ArrayLike | None,
    nanocrystals_pre: ArrayLike | None,
    nanocrystals_post: ArrayLike | None,
    nc_pairs: ArrayLike | None,
    matrix: ArrayLike | None,
    info: Mapping[str, Any],
    *,
    pl_pre: ArrayLike | None = None,
    pl_post: ArrayLike | None = None,
    pixel_size_um: float = float("nan"),
    field: str = "",
    note: str = "",
) -> Figure:
    """Draw what the registration of a field rests on, or why it failed.

    Parameters
    ----------
    brightfield_pre, brightfield_post : array_like, shape (y, x)
        Brightfield images; `no_image()` for one that could not be read.
    matrix_brightfield, matrix : array_like, shape (3, 3), optional
        From pixels before to pixels after, of brightfield and of PL; where one is missing the
        other takes its place.
    microspheres_pre, microspheres_post : array_like, shape (n, 2)
        Detected microspheres, x and y.
    microsphere_pairs : array_like of int, shape (pairs, 2), optional
        Rows before and after of the matched microspheres.
    nanocrystals_pre, nanocrystals_post : array_like, shape (n, 2), optional
        Detected nanocrystals, x and y.
    nc_pairs : array_like of int, shape (pairs, 2), optional
        Rows before and after of the matched nanocrystals.
    info : mapping
        Content of `registration.json`; `status` and `reason` decide what is drawn, and the other
        entries are written in the title where they are known.
    pl_pre, pl_post : array_like, shape (y, x), optional
        Projections of the movies, shown under the nanocrystals.
    pixel_size_um : float
        Width of a pixel on the sample, for the scale bars; NaN: they are in pixels.
    field : str
        Name of the field, for the title.
    note : str
        Written in the corner, for example `simulated`.

    Returns
    -------
    Figure
        Brightfield overlay, PL overlay, residuals as exaggerated arrows with a scale; below them,
        where the brightfield images were registered as wholes, how well they fit at each rotation
        and a part of the overlay enlarged. For a failed field the two brightfield images, with
        their microspheres and the reason.
    """
    images = [even_light(np.asarray(i, dtype=float)) for i in (brightfield_pre, brightfield_post)]
    spheres = [_points(microspheres_pre), _points(microspheres_post)]
    dots = [_points(nanocrystals_pre), _points(nanocrystals_post)]
    by_images = str(info.get("evidence", "")).startswith("brightfield images")
    height_mm = 84 + (4 if note else 0) + (62 if by_images else 0)
    figure = style.new_figure(style.DOUBLE_COLUMN_MM, height_mm, note=note)
    # A field may be registered by its nanocrystals alone, or by its microspheres alone.
    known = [m for m in (matrix_brightfield, matrix) if m is not None]
    if info.get("status") != "ok" or not known:
        _draw_failed(figure, images, spheres, info, field, pixel_size_um)
        return figure
    to_post, to_post_pl = (np.asarray(m, dtype=float) for m in (known[0], known[-1]))
    sphere_pairs, dot_pairs = _pairs(microsphere_pairs), _pairs(nc_pairs)
    projections = [None if image is None else fill_missing(image) for image in (pl_pre, pl_post)]
    shape = next((i.shape for i in (*projections, *images) if i is not None and i.size), (1, 1))
    if by_images:
        panels: dict[str, Axes] = figure.subplot_mosaic("abc;dde")
        left, middle, right = (panels[name] for name in "abc")
        _draw_tiles(left, images, info["image_evidence"], to_post)
        _draw_rotations(panels["d"], info["image_evidence"])
        _draw_enlarged(panels["e"], images, info["image_evidence"], to_post)
    else:
        left, middle, right = figure.subplots(1, 3)
        _draw_brightfield(left, images, spheres, sphere_pairs, to_post)
    _draw_pl(middle, projections, dots, dot_pairs, to_post_pl)
    arrows = [
        residuals(dots[0], dots[1], dot_pairs, to_post_pl),
        residuals(spheres[0], spheres[1], sphere_pairs, to_post),
    ]
    _draw_residuals(right, arrows, shape[1])
    _frame(left, images[0].shape if images[0].size else shape)
    for ax in (middle, right):
        _frame(ax, shape)
    letters = [left, middle, right]
    style.scale_bar(left, pixel_size_um, images[0].shape[1] if images[0].size else shape[1])
    style.scale_bar(middle, pixel_size_um, shape[1])
    if by_images:
        letters += [panels["d"], panels["e"]]
        style.scale_bar(panels["e"], pixel_size_um, float(np.ptp(panels["e"].get_xlim())))
    style.letter_panels(letters)
    handles = [
        Patch(facecolor=MAGENTA, label="before"),
        Patch(facecolor=LIME, label="after"),
        Line2D([], [], ls="", marker="o", mfc="none", mec=style.GREY, label="matched"),
        Line2D([], [], ls="", marker="x", color=style.GREY, label="in one epoch only"),
        Line2D([], [], color=style.BLUE, label="residual of a nanocrystal"),
        Line2D([], [], color=style.ORANGE, lw=2, label="of a microsphere"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=6)
    figure.suptitle(_title(info, field), x=0.01, ha="left")
    return figure


def _draw_brightfield(
    ax: Axes,
    images: list[FloatArray],
    points: list[FloatArray],
    pairs: NDArray[np.intp],
    to_post: FloatArray,
) -> None:
    inverted = ""
    if all(image.size for image in images):
        pre, post = images
        post, flipped = match_contrast(pre, post)
        inverted = ", contrast inverted" if flipped else ""
        _overlay(ax, pre, post, to_post)
    else:
        style.no_data(ax, "no image")
    _marks(ax, points, pairs, to_post, size=9)
    style.panel_title(ax, "Brightfield", f"{len(pairs)} microspheres matched{inverted}")


def _draw_tiles(
    ax: Axes, images: list[FloatArray], evidence: Mapping[str, Any], to_post: FloatArray
) -> None:
    """Draw the overlay of two whole images, and which of their parts agree."""
    _overlay(ax, images[0], match_contrast(*images)[0], to_post)
    tiles, agree = _points(evidence["tiles_pre"]), np.asarray(evidence["tiles_agree"], bool)
    for those, marker, colour in ((agree, "s", "white"), (~agree, "x", style.ORANGE)):
        ax.plot(*tiles[those].T, marker, mfc="none", mec=colour, ms=4, mew=0.6)
    style.panel_title(ax, "Brightfield", f"{agree.sum()} of {len(agree)} parts agree (squares)")


def _draw_rotations(ax: Axes, evidence: Mapping[str, Any]) -> None:
    """Draw how well two images fit at each rotation, at the best shift for it."""
    angles, scores = (np.asarray(evidence[key], float) for key in ("rotations_deg", "scores"))
    order = np.argsort(angles)
    ax.plot(angles[order], scores[order], color=style.BLUE, lw=0.8)
    ax.set(xlabel="rotation (°)", ylabel="correlation (σ of all shifts)", xlim=(-180, 180))
    style.panel_title(ax, "Fit of the images", "best shift at each rotation")


def _draw_enlarged(
    ax: Axes, images: list[FloatArray], evidence: Mapping[str, Any], to_post: FloatArray
) -> None:
    """Draw a part of the overlay so large that single microspheres can be checked."""
    _overlay(ax, images[0], match_contrast(*images)[0], to_post)
    tiles = _points(evidence["tiles_pre"])[np.asarray(evidence["tiles_agree"], bool)]
    height, width = images[0].shape
    half = min(height, width) / 8
    # Where most parts that agree lie.
    around = np.hypot(*(tiles[:, None] - tiles[None]).transpose(2, 0, 1)) < half
    x, y = tiles[np.argmax(around.sum(axis=1))] if len(tiles) else (width / 2, height / 2)
    x, y = np.clip(x, half, width - 1 - half), np.clip(y, half, height - 1 - half)
    _frame(ax, (1, 1))
    ax.set(xlim=(x - half, x + half), ylim=(y + half, y - half))
    style.panel_title(ax, "A part of it", f"{2 * half:.0f} px wide")


def _draw_pl(
    ax: Axes,
    images: list[FloatArray | None],
    points: list[FloatArray],
    pairs: NDArray[np.intp],
    to_post: FloatArray,
) -> None:
    pre, post = images
    if pre is not None and post is not None:
        _overlay(ax, _stretch(pre), _stretch(post), to_post)
    else:
        ax.set_facecolor("black")
    _marks(ax, points, pairs, to_post, size=5)
    if not len(points[0]) + len(points[1]):
        style.no_data(ax)
    style.panel_title(ax, "PL", f"{len(pairs)} nanocrystals matched")


def _draw_residuals(
    ax: Axes, residuals: list[tuple[FloatArray, FloatArray]], width_px: int
) -> None:
    """Draw the residuals of nanocrystals and of microspheres as arrows, all to one scale."""
    lengths = np.concatenate([np.hypot(*residual.T) for _, residual in residuals])
    if not lengths.size:
        style.no_data(ax, "nothing matched")
        style.panel_title(ax, "Residuals", "")
        return
    times = _exaggeration(lengths, width_px)
    looks = ((style.BLUE, 0.003), (style.ORANGE, 0.005))
    for (start, residual), (colour, width) in zip(residuals, looks, strict=True):
        _arrows(ax, start, times * residual, colour, width)
    _scale_key(ax, times)
    longest = f"longest {lengths.max():.2f} px"
    style.panel_title(ax, f"Residuals, drawn {times} times as long", longest)


def _draw_failed(
    figure: Figure,
    images: list[FloatArray],
    spheres: list[FloatArray],
    info: Mapping[str, Any],
    field: str,
    pixel_size_um: float,
) -> None:
    panels = figure.subplots(1, 2)
    for ax, image, points, epoch in zip(panels, images, spheres, ("pre", "post"), strict=True):
        if image.size:
            ax.imshow(image, cmap="gray", vmin=0, vmax=1)
        else:
            style.no_data(ax, "no image")
        ax.plot(points[:, 0], points[:, 1], "o", mfc="none", mec=style.ORANGE, ms=9, mew=0.8)
        count = f"{len(points)} microspheres found"
        style.panel_title(ax, f"Brightfield {EPOCH_NAMES[epoch]}", count)
        _frame(ax, image.shape if image.size else (1, 1))
        if image.size:
            style.scale_bar(ax, pixel_size_um, image.shape[1])
    style.letter_panels(panels)
    reason = str(info.get("reason") or "no reason given")
    heading = ": ".join(part for part in (field, "registration failed") if part)
    text = textwrap.fill(reason, 115, break_long_words=True, break_on_hyphens=False)
    figure.suptitle(f"{heading}\n{text}", x=0.01, ha="left", color=style.VERMILLION)


def _title(info: Mapping[str, Any], field: str) -> str:
    """Name the field and put what is known of its registration in two lines or three."""
    how = BY.get(str(info.get("evidence")), "registered")
    first = ": ".join(part for part in (field, how) if part)
    known: list[str] = []
    if _known(info, "rotation_deg"):
        known.append(f"rotation {info['rotation_deg']:.2f}°".replace("-", "−"))
    shift = info.get("translation_px")
    if shift is not None and np.all(np.isfinite(np.asarray(shift, dtype=float))):
        known.append(f"shift {shift[0]:.1f}, {shift[1]:.1f} px".replace("-", "−"))
    matched = [info.get(f"n_microspheres_{which}") for which in ("matched", "pre", "post")]
    if all(count is not None for count in matched):
        known.append(f"microspheres {matched[0]} of {matched[1]} before, {matched[2]} after")
    quality = [
        f"{name} {info[key]:.2f} px"
        for key, name in (("rms_px", "rms"), ("tre_px", "expected error"))
        if _known(info, key)
    ]
    if _known(info, "chance_alignments"):
        expected = float(info["chance_alignments"])
        about = f"{expected:.2g}" if expected >= FEWEST_EXPECTED else f"< {FEWEST_EXPECTED:g}"
        quality.append(f"accidental alignments expected {about}")
    if info.get("n_nanocrystals_matched") is not None:
        quality.append(f"{info['n_nanocrystals_matched']} nanocrystals in both epochs")
    # More words than the usual one need a line of their own.
    gap = ", " if how == "registered" else "\n"
    return f"{first}{gap}{', '.join(known)}\n{', '.join(quality)}" if known or quality else first


def _known(info: Mapping[str, Any], key: str) -> bool:
    value = info.get(key)
    return value is not None and bool(np.isfinite(value))


def _overlay(ax: Axes, pre: FloatArray, post: FloatArray, to_post: FloatArray) -> None:
    """Show before in magenta and after in green, both 0 to 1, after brought back by the matrix."""
    green, _ = warped_back(post, to_post, (pre.shape[0], pre.shape[1]))
    ax.imshow(np.dstack([pre, green, pre]).clip(0, 1))


def _marks(
    ax: Axes, points: list[FloatArray], pairs: NDArray[np.intp], to_post: FloatArray, *, size: float
) -> None:
    """Circle the matched; cross out, in its epoch's colour, what only one epoch has."""
    here = [points[0], map_back(points[1], to_post)]
    matched = here[0][pairs[:, 0]]
    ax.plot(matched[:, 0], matched[:, 1], "o", mfc="none", mec="white", ms=size, mew=0.6)
    for side, colour in ((0, MAGENTA), (1, LIME)):
        single = np.delete(here[side], pairs[:, side], axis=0)
        ax.plot(single[:, 0], single[:, 1], "x", color=colour, ms=size / 2, mew=0.7)


def _exaggeration(lengths: FloatArray, width_px: int) -> int:
    """Return how many times its length an arrow is drawn, so that most are distinct."""
    typical = float(np.sqrt(np.mean(lengths**2)))
    fitting = [times for times in EXAGGERATIONS if times * typical <= TYPICAL_ARROW * width_px]
    return max(fitting, default=EXAGGERATIONS[0])


def _arrows(ax: Axes, start: FloatArray, arrow: FloatArray, colour: str, width: float) -> None:
    if len(start):
        look: dict[str, Any] = {"angles": "xy", "scale_units": "xy", "scale": 1, "minlength": 0}
        look |= {"headwidth": 3.5, "headlength": 3.5, "headaxislength": 3}
        ax.quiver(*start.T, *arrow.T, color=colour, width=width, **look)


def _scale_key(ax: Axes, times: int) -> None:
    """Draw under the panel how long a residual of a round number of pixels is."""
    length, y = 50.0, -0.06
    across = ax.get_xaxis_transform()
    ax.plot([0, length], [y, y], color=style.BLACK, lw=1.5, transform=across, clip_on=False)
    ax.annotate(
        f"residual of {length / times:g} px",
        (length, y),
        xycoords=across,
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        annotation_clip=False,
    )


def _frame(ax: Axes, shape: tuple[int, ...]) -> None:
    """Give every panel the sensor's outline, y downwards as in the images."""
    ax.set(xlim=(-0.5, shape[1] - 0.5), ylim=(shape[0] - 0.5, -0.5), aspect="equal")
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(True)


def _stretch(image: FloatArray) -> FloatArray:
    """Bring a projection to 0 to 1; the square root keeps weak nanocrystals visible."""
    low, high = np.percentile(image, (50, 99.7))
    return np.asarray(np.sqrt(np.clip((image - low) / ((high - low) or 1.0), 0, 1)))


def _points(xy: ArrayLike | None) -> FloatArray:
    return np.asarray([] if xy is None else xy, dtype=float).reshape(-1, 2)


def _pairs(pairs: ArrayLike | None) -> NDArray[np.intp]:
    return np.asarray([] if pairs is None else pairs).astype(np.intp).reshape(-1, 2)
