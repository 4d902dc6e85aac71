"""The figure by which a person judges the registration of a field.

Input: images and positions of both epochs, and the registration. Output: one figure.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import ArrayLike, NDArray

from blinkpair.arrays import FloatArray
from blinkpair.figures import style
from blinkpair.figures.overlay import even_light, fill_missing, no_image, residuals
from blinkpair.figures.registration_panels import (
    LIME,
    MAGENTA,
    draw_brightfield,
    draw_enlarged,
    draw_pl,
    draw_residuals,
    draw_rotations,
    draw_tiles,
    frame_image,
)
from blinkpair.labels import EPOCH_NAMES

__all__ = ["EpochView", "no_image", "registration_check"]


FEWEST_EXPECTED = 0.001  # a smaller number of accidental alignments is written as below this
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


class EpochView(NamedTuple):
    """Images and positions of one epoch of a field, in its own pixels."""

    brightfield: ArrayLike  # (y, x); `no_image()` for one that could not be read
    microspheres: ArrayLike  # (n, 2), x and y of those detected
    nanocrystals: ArrayLike  # (n, 2), x and y of those detected
    projection: ArrayLike | None = None  # (y, x) of the movie, shown under the nanocrystals


@style.styled
def registration_check(
    pre: EpochView,
    post: EpochView,
    registration: Mapping[str, Any],
    *,
    pixel_size_um: float = float("nan"),
    field: str = "",
    note: str = "",
) -> Figure:
    """Draw what the registration of a field rests on, or why it failed.

    Parameters
    ----------
    pre, post : EpochView
        Images and positions before and after annealing.
    registration : mapping
        Content of `registration.json`. `status` and `reason` decide what is drawn;
        `matrix_brightfield` and `matrix` map pixels before to pixels after, of brightfield and of
        PL, and where one is missing the other takes its place; `microsphere_pairs` and
        `nanocrystal_pairs` hold the rows of what was matched. The other entries are written in
        the title where they are known.
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
    images = [even_light(np.asarray(view.brightfield, dtype=float)) for view in (pre, post)]
    spheres = [_points(view.microspheres) for view in (pre, post)]
    by_images = str(registration.get("evidence", "")).startswith("brightfield images")
    height_mm = 84 + (4 if note else 0) + (62 if by_images else 0)
    figure = style.new_figure(style.DOUBLE_COLUMN_MM, height_mm, note=note)
    # A field may be registered by its nanocrystals alone, or by its microspheres alone.
    matrices = [registration.get(name) for name in ("matrix_brightfield", "matrix")]
    known = [np.asarray(matrix, dtype=float) for matrix in matrices if matrix is not None]
    if registration.get("status") != "ok" or not known:
        _draw_failed(figure, images, spheres, registration, field, pixel_size_um)
        return figure
    to_post, to_post_pl = known[0], known[-1]
    sphere_pairs = _pairs(registration.get("microsphere_pairs"))
    projections = [
        None if view.projection is None else fill_missing(view.projection) for view in (pre, post)
    ]
    shape = next((i.shape for i in (*projections, *images) if i is not None and i.size), (1, 1))
    shape_brightfield = images[0].shape if images[0].size else shape
    if by_images:
        evidence = registration["image_evidence"]
        panels: dict[str, Axes] = figure.subplot_mosaic("abc;dde")
        left, middle, right = (panels[name] for name in "abc")
        draw_tiles(left, images, evidence, to_post)
        draw_rotations(panels["d"], evidence)
        draw_enlarged(panels["e"], images, evidence, to_post)
        style.scale_bar(panels["e"], pixel_size_um, float(np.ptp(panels["e"].get_xlim())))
    else:
        left, middle, right = figure.subplots(1, 3)
        panels = {}
        draw_brightfield(left, images, spheres, sphere_pairs, to_post)
    dots = [_points(view.nanocrystals) for view in (pre, post)]
    dot_pairs = _pairs(registration.get("nanocrystal_pairs"))
    draw_pl(middle, projections, dots, dot_pairs, to_post_pl)
    arrows = [
        residuals(dots[0], dots[1], dot_pairs, to_post_pl),
        residuals(spheres[0], spheres[1], sphere_pairs, to_post),
    ]
    draw_residuals(right, arrows, shape[1])
    for ax, size in ((left, shape_brightfield), (middle, shape), (right, shape)):
        frame_image(ax, size)
    style.scale_bar(left, pixel_size_um, shape_brightfield[1])
    style.scale_bar(middle, pixel_size_um, shape[1])
    style.letter_panels([left, middle, right, *(panels[name] for name in "de" if panels)])
    _explain_colours(figure)
    figure.suptitle(_title(registration, field), x=0.01, ha="left")
    return figure


def _explain_colours(figure: Figure) -> None:
    handles = [
        Patch(facecolor=MAGENTA, label="before"),
        Patch(facecolor=LIME, label="after"),
        Line2D([], [], ls="", marker="o", mfc="none", mec=style.GREY, label="matched"),
        Line2D([], [], ls="", marker="x", color=style.GREY, label="in one epoch only"),
        Line2D([], [], color=style.BLUE, label="residual of a nanocrystal"),
        Line2D([], [], color=style.ORANGE, lw=2, label="of a microsphere"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=6)


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
        frame_image(ax, image.shape if image.size else (1, 1))
        if image.size:
            style.scale_bar(ax, pixel_size_um, image.shape[1])
    style.letter_panels(panels)
    reason = str(info.get("reason") or "no reason given")
    heading = ": ".join(part for part in (field, "registration failed") if part)
    text = textwrap.fill(reason, 115, break_long_words=True, break_on_hyphens=False)
    figure.suptitle(f"{heading}\n{text}", x=0.01, ha="left", color=style.VERMILLION)


def _title(info: Mapping[str, Any], field: str) -> str:
    """Return the field's name and the known numbers of its registration, in two or three lines."""
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


def _points(xy: ArrayLike) -> FloatArray:
    return np.asarray(xy, dtype=float).reshape(-1, 2)


def _pairs(pairs: ArrayLike | None) -> NDArray[np.intp]:
    return np.asarray([] if pairs is None else pairs).astype(np.intp).reshape(-1, 2)
