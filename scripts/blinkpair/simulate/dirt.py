"""What is no microsphere, on the sample and on the camera: dust, debris, fibres, flakes, bands.

Fibres, flakes and bands are pieces of vertices: what lies on the sample turns along by moving the
vertices (`Piece.moved`), what lies on the camera does not.

Input: light and what lies in it. Output: the light behind it, in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.simulate.stamps import over_pixels, stamp_window


@dataclass(frozen=True)
class Dirt:
    """How much dirt of which shape: numbers a field of view (0: none), lengths in pixels.

    Fibres are curved dark lines with bright fringes, flakes angular with a dark outline, bands
    straight strips of less light across the whole field with soft edges. `depth` is the loss of
    light in the middle of a fibre, `band_depth` in a band, relative; single pieces have 0.5 to 1.5
    times that, and the same of the lengths.
    """

    fibres: float = 0.0
    flakes: float = 0.0
    bands: float = 0.0
    fibre_length_px: float = 150.0
    fibre_width_px: float = 1.2
    flake_size_px: float = 15.0
    band_width_px: float = 60.0
    depth: float = 0.15
    band_depth: float = 0.25


@dataclass(frozen=True)
class Piece:
    """A fibre (vertices of its line), a flake (of its outline) or a band (two of its axis)."""

    shape: Literal["fibre", "flake", "band"]
    xy: FloatArray  # (n, 2), pixels
    width_px: float
    depth: float

    def moved(self, matrix: FloatArray, offset_px: FloatArray) -> Piece:
        """Return the piece after a rigid 3x3 transform and a shift."""
        return replace(self, xy=self.xy @ matrix[:2, :2].T + matrix[:2, 2] + offset_px)


def draw_dirt(
    rng: np.random.Generator, dirt: Dirt, low: FloatArray, high: FloatArray, fields: float = 1.0
) -> list[Piece]:
    """Draw the dirt of a box from corner `low` to `high` (x, y) that is so many fields large."""

    def vary() -> float:
        return float(rng.uniform(0.5, 1.5))

    pieces = []
    for _ in range(round(dirt.fibres * fields)):
        length = dirt.fibre_length_px * vary()
        # A heading that wanders by about a radian over the fibre.
        heading = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.25, 20))
        steps = length / 20 * np.column_stack([np.cos(heading), np.sin(heading)])
        path = low + rng.random(2) * (high - low) + np.cumsum(steps, axis=0) - steps.sum(axis=0) / 2
        pieces.append(Piece("fibre", path, dirt.fibre_width_px * vary(), dirt.depth * vary()))
    for _ in range(round(dirt.flakes * fields)):
        angle = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(4, 8)))
        reach = 0.5 * dirt.flake_size_px * vary() * rng.uniform(0.6, 1.2, len(angle))
        stretch = [1.0, rng.uniform(0.3, 1.0)]
        outline = reach[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]) * stretch
        turn = rng.uniform(0, 2 * np.pi)
        turned = outline @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        centre = low + rng.random(2) * (high - low)
        pieces.append(Piece("flake", centre + turned, 1.0, dirt.depth * vary()))
    for _ in range(round(dirt.bands * fields)):
        direction = rng.uniform(0, np.pi)
        along = np.array([np.cos(direction), np.sin(direction)])
        middle = low + rng.random(2) * (high - low)
        axis = np.array([middle - along, middle + along])
        pieces.append(Piece("band", axis, dirt.band_width_px * vary(), dirt.band_depth * vary()))
    return pieces


def add_pieces(light: FloatArray, pieces: Sequence[Piece]) -> None:
    """Shade the light by pieces of dirt, in place."""
    for piece in pieces:
        if piece.shape == "band":
            y, x = np.indices(light.shape, dtype=float)
            where: tuple[slice, slice] = (slice(None), slice(None))
        else:
            centre = (piece.xy.min(axis=0) + piece.xy.max(axis=0)) / 2
            reach = float(np.ptp(piece.xy, axis=0).max()) / 2 + 6 * piece.width_px
            window = stamp_window(light.shape, centre, reach, 1)
            if window is None:
                continue
            where, dx, dy = window
            x, y = dx + centre[0], dy + centre[1]
        light[where] *= 1 - piece.depth * _SHAPES[piece.shape](x, y, piece)


def _fibre(x: FloatArray, y: FloatArray, piece: Piece) -> FloatArray:
    u = _distance_to_line(x, y, piece.xy) / piece.width_px
    return np.asarray(np.exp(-0.5 * u**2) - 0.35 * np.exp(-0.5 * ((u - 2.2) / 0.8) ** 2))


def _flake(x: FloatArray, y: FloatArray, piece: Piece) -> FloatArray:
    outline = np.vstack([piece.xy, piece.xy[:1]])
    s = _distance_to_line(x, y, outline)
    s = np.where(_is_inside(x, y, outline), -s, s) / piece.width_px
    body = 0.5 / (1 + np.exp(np.clip(2 * s, -30, 30)))
    edge = np.exp(-0.5 * s**2) - 0.3 * np.exp(-0.5 * (s - 2.5) ** 2)
    return np.asarray(body + edge)


def _band(x: FloatArray, y: FloatArray, piece: Piece) -> FloatArray:
    along = (piece.xy[1] - piece.xy[0]) / np.hypot(*(piece.xy[1] - piece.xy[0]))
    across = (x - piece.xy[0, 0]) * along[1] - (y - piece.xy[0, 1]) * along[0]
    soft = 0.08 * piece.width_px
    edge = np.clip((np.abs(across) - 0.5 * piece.width_px) / soft, -30, 30)
    return np.asarray(1 / (1 + np.exp(edge)))


_SHAPES = {"fibre": _fibre, "flake": _flake, "band": _band}


def _distance_to_line(x: FloatArray, y: FloatArray, vertices: FloatArray) -> FloatArray:
    """Distance of each pixel from a line through vertices."""
    nearest = np.full(x.shape, np.inf)
    for (x0, y0), (x1, y1) in pairwise(vertices):
        along_x, along_y = x1 - x0, y1 - y0
        square = max(along_x**2 + along_y**2, 1e-12)
        part = np.clip(((x - x0) * along_x + (y - y0) * along_y) / square, 0, 1)
        np.minimum(nearest, np.hypot(x - x0 - part * along_x, y - y0 - part * along_y), out=nearest)
    return nearest


def _is_inside(x: FloatArray, y: FloatArray, outline: FloatArray) -> BoolArray:
    """Whether each pixel is inside a closed outline: an odd number of crossings to its right."""
    inside = np.zeros(x.shape, bool)
    for (x0, y0), (x1, y1) in pairwise(outline):
        if y0 != y1:
            crosses = ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
            inside ^= crosses
    return inside


def add_dust(light: FloatArray, dust_xy: FloatArray, seed: int, size_px: float) -> None:
    """Shade the light by round specks, from sharp to blurred; their shapes depend on `seed` only.

    The same positions and seed give the same dust in another image: it stays on the camera.
    """
    draw = np.random.default_rng(seed)
    for centre in dust_xy:
        radius = size_px * draw.uniform(0.3, 1.5)
        blur = draw.uniform(0.4, 1.0) if draw.random() < 0.5 else 0.6 * radius
        depth = draw.uniform(0.05, 0.35) * (1 if draw.random() < 0.8 else -0.6)
        window = stamp_window(light.shape, centre, radius + 5 * blur, 3)
        if window is None:
            continue
        where, dx, dy = window
        edge = np.clip((np.hypot(dx, dy) - radius) / blur, -30, 30)
        light[where] *= 1 - over_pixels(depth / (1 + np.exp(2 * edge)), 3)


def add_debris(
    light: FloatArray, debris_xy: FloatArray, seed: int, size_px: float, rotation_deg: float
) -> None:
    """Irregular patches on the sample: clumps of elongated blobs, no two alike."""
    draw = np.random.default_rng(seed)
    turn = np.deg2rad(rotation_deg)
    for centre in debris_xy:
        extent = size_px * draw.uniform(0.5, 1.8)
        pieces = draw.integers(3, 8)
        offsets = draw.normal(0, 0.5 * extent, (pieces, 2)) * [1.0, draw.uniform(0.3, 1.0)]
        widths = extent * draw.uniform(0.12, 0.5, (pieces, 2))
        angles = draw.uniform(0, np.pi, pieces)
        depths = draw.uniform(0.05, 0.3, pieces) * np.where(draw.random(pieces) < 0.7, 1, -0.7)
        window = stamp_window(light.shape, centre, 4 * extent, 1)
        if window is None:
            continue
        where, dx, dy = window
        # Into the debris' own axes, so that it turns with the sample.
        own_x = np.cos(turn) * dx + np.sin(turn) * dy
        own_y = -np.sin(turn) * dx + np.cos(turn) * dy
        for offset, width, angle, depth in zip(offsets, widths, angles, depths, strict=True):
            u, v = own_x - offset[0], own_y - offset[1]
            along = (np.cos(angle) * u + np.sin(angle) * v) / max(width[0], 0.8)
            across = (-np.sin(angle) * u + np.cos(angle) * v) / max(width[1], 0.8)
            light[where] *= 1 - depth * np.exp(-0.5 * (along**2 + across**2))
