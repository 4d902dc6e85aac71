"""The panels of the figure of a registration.

All panels have the pixel coordinates of the image before annealing; images and positions after
annealing are mapped back to them. Before is magenta and after is green: structures that coincide
are grey to white, all others are coloured.

Input: images, positions, their pairs and the transform. Output: drawings on axes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from blinkpair.arrays import FloatArray
from blinkpair.figures import style
from blinkpair.figures.overlay import map_back, match_contrast, warped_back

MAGENTA, LIME = "#ff00ff", "#00ff00"
EXAGGERATIONS = (10, 20, 50, 100, 200)  # of the residuals' arrows
TYPICAL_ARROW = 0.05  # of the image's width, at most: longer ones hide each other


def draw_brightfield(
    ax: Axes,
    images: list[FloatArray],
    points: list[FloatArray],
    pairs: NDArray[np.intp],
    to_post: FloatArray,
) -> None:
    """Draw the overlay of two images, and which microspheres were matched."""
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


def draw_tiles(
    ax: Axes, images: list[FloatArray], evidence: Mapping[str, Any], to_post: FloatArray
) -> None:
    """Draw the overlay of two whole images, and which of their parts agree."""
    _overlay(ax, images[0], match_contrast(*images)[0], to_post)
    tiles = np.reshape(evidence["tiles_pre"], (-1, 2))
    agree = np.asarray(evidence["tiles_agree"], bool)
    for those, marker, colour in ((agree, "s", "white"), (~agree, "x", style.ORANGE)):
        ax.plot(*tiles[those].T, marker, mfc="none", mec=colour, ms=4, mew=0.6)
    style.panel_title(ax, "Brightfield", f"{agree.sum()} of {len(agree)} parts agree (squares)")


def draw_rotations(ax: Axes, evidence: Mapping[str, Any]) -> None:
    """Draw how well two images fit at each rotation, at the best shift for it."""
    angles, scores = (np.asarray(evidence[key], float) for key in ("rotations_deg", "scores"))
    order = np.argsort(angles)
    ax.plot(angles[order], scores[order], color=style.BLUE, lw=0.8)
    ax.set(xlabel="rotation (°)", ylabel="correlation (σ of all shifts)", xlim=(-180, 180))
    style.panel_title(ax, "Fit of the images", "best shift at each rotation")


def draw_enlarged(
    ax: Axes, images: list[FloatArray], evidence: Mapping[str, Any], to_post: FloatArray
) -> None:
    """Draw a part of the overlay so large that single microspheres can be checked."""
    _overlay(ax, images[0], match_contrast(*images)[0], to_post)
    tiles = np.reshape(evidence["tiles_pre"], (-1, 2))[np.asarray(evidence["tiles_agree"], bool)]
    height, width = images[0].shape
    half = min(height, width) / 8
    # Enlarge the place with the most agreeing parts around it.
    around = np.hypot(*(tiles[:, None] - tiles[None]).transpose(2, 0, 1)) < half
    x, y = tiles[np.argmax(around.sum(axis=1))] if len(tiles) else (width / 2, height / 2)
    x, y = np.clip(x, half, width - 1 - half), np.clip(y, half, height - 1 - half)
    frame_image(ax, (1, 1))
    ax.set(xlim=(x - half, x + half), ylim=(y + half, y - half))
    style.panel_title(ax, "A part of it", f"{2 * half:.0f} px wide")


def draw_pl(
    ax: Axes,
    images: list[FloatArray | None],
    points: list[FloatArray],
    pairs: NDArray[np.intp],
    to_post: FloatArray,
) -> None:
    """Draw the overlay of two projections, and which nanocrystals were matched."""
    pre, post = images
    if pre is not None and post is not None:
        _overlay(ax, _stretch(pre), _stretch(post), to_post)
    else:
        ax.set_facecolor("black")
    _marks(ax, points, pairs, to_post, size=5)
    if not len(points[0]) + len(points[1]):
        style.no_data(ax)
    style.panel_title(ax, "PL", f"{len(pairs)} nanocrystals matched")


def draw_residuals(ax: Axes, residuals: list[tuple[FloatArray, FloatArray]], width_px: int) -> None:
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


def _overlay(ax: Axes, pre: FloatArray, post: FloatArray, to_post: FloatArray) -> None:
    """Draw before in magenta and after, mapped back by the matrix, in green; both are 0 to 1."""
    green, _ = warped_back(post, to_post, (pre.shape[0], pre.shape[1]))
    ax.imshow(np.dstack([pre, green, pre]).clip(0, 1))


def _marks(
    ax: Axes, points: list[FloatArray], pairs: NDArray[np.intp], to_post: FloatArray, *, size: float
) -> None:
    """Draw circles at matched points, and crosses in the epoch's colour at the other ones."""
    here = [points[0], map_back(points[1], to_post)]
    matched = here[0][pairs[:, 0]]
    ax.plot(matched[:, 0], matched[:, 1], "o", mfc="none", mec="white", ms=size, mew=0.6)
    for side, colour in ((0, MAGENTA), (1, LIME)):
        single = np.delete(here[side], pairs[:, side], axis=0)
        ax.plot(single[:, 0], single[:, 1], "x", color=colour, ms=size / 2, mew=0.7)


def _exaggeration(lengths: FloatArray, width_px: int) -> int:
    """Return the factor by which arrows are lengthened, so that most are distinct."""
    typical = float(np.sqrt(np.mean(lengths**2)))
    fitting = [times for times in EXAGGERATIONS if times * typical <= TYPICAL_ARROW * width_px]
    return max(fitting, default=EXAGGERATIONS[0])


def _arrows(ax: Axes, start: FloatArray, arrow: FloatArray, colour: str, width: float) -> None:
    if len(start):
        look: dict[str, Any] = {"angles": "xy", "scale_units": "xy", "scale": 1, "minlength": 0}
        look |= {"headwidth": 3.5, "headlength": 3.5, "headaxislength": 3}
        ax.quiver(*start.T, *arrow.T, color=colour, width=width, **look)


def _scale_key(ax: Axes, times: int) -> None:
    """Draw a scale below the panel: the length of a residual of a round number of pixels."""
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


def frame_image(ax: Axes, shape: tuple[int, ...]) -> None:
    """Set the limits of a panel to the sensor's outline, y downwards as in the images."""
    ax.set(xlim=(-0.5, shape[1] - 0.5), ylim=(shape[0] - 0.5, -0.5), aspect="equal")
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(True)


def _stretch(image: FloatArray) -> FloatArray:
    """Return a projection scaled to 0 to 1; the square root keeps weak nanocrystals visible."""
    low, high = np.percentile(image, (50, 99.7))
    return np.asarray(np.sqrt(np.clip((image - low) / ((high - low) or 1.0), 0, 1)))
