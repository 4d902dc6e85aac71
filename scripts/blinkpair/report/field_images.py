"""The images of a field, to be swiped between before and after.

Input: brightfield images and projections of both movies, and the transforms. Output: small lossy
pictures as data URIs, in the pixels before; those after are laid onto them, and are transparent
where the sensor did not see the place after.
"""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blinkpair.arrays import BoolArray, FloatArray
from blinkpair.figures.overlay import even_light, fill_missing, match_contrast, warped_back

LONGEST_SIDE_PX = 768
QUALITY = 75
# Where the curve of the PL turns from proportional to logarithmic, in standard deviations of the
# background: weak nanocrystals are seen beside bright ones.
_SOFTENING = 10.0
_DARKEST = -1.0  # in the same unit: darker is black
_BRIGHTEST_PERCENTILE = 99.8


def field_images(
    brightfield_pre: ArrayLike | None,
    brightfield_post: ArrayLike | None,
    pl_pre: ArrayLike | None,
    pl_post: ArrayLike | None,
    *,
    matrix_brightfield: ArrayLike | None,
    matrix: ArrayLike | None,
) -> dict[str, Any]:
    """Picture a field before and after.

    Parameters
    ----------
    brightfield_pre, brightfield_post : (y, x) array, optional
        None where it could not be read.
    pl_pre, pl_post : (y, x) array, optional
        A projection of each movie, counts; NaN where unknown.
    matrix_brightfield, matrix : (3, 3) array, optional
        From pixels before to pixels after, of brightfield and of PL; where one is missing the
        other takes its place, and without both nothing is laid onto anything.

    Returns
    -------
    dict
        `width`, `height` of brightfield before and `pl_width`, `pl_height` of PL before, in px
        (of the other where one is missing, null without both): positions count in these, whatever
        the size of the pictures, whose longest side is `LONGEST_SIDE_PX` at most. `registered`:
        whether the images after lie in the pixels before. `inverted`: whether brightfield after
        was inverted, to be compared. `bf_pre`, `bf_post`, `pl_pre`, `pl_post`: data URIs, null
        without an image. Brightfield is evened (`overlay.even_light`); both PL images have one
        scale, counts above their own background.
    """
    brightfield = [_image(image) for image in (brightfield_pre, brightfield_post)]
    pl = [_image(image) for image in (pl_pre, pl_post)]
    inverted = False
    bf_shown = [None if image is None else even_light(image) for image in brightfield]
    if bf_shown[0] is not None and bf_shown[1] is not None:
        bf_shown[1], inverted = match_contrast(bf_shown[0], bf_shown[1])
    pl_shown = _stretched(pl)
    matrices = [m for m in (matrix_brightfield, matrix) if m is not None]
    sizes = [_size(*brightfield, *pl), _size(*pl, *brightfield)]
    content: dict[str, Any] = {"registered": bool(matrices), "inverted": inverted}
    for prefix, size in zip(("", "pl_"), sizes, strict=True):
        content |= {f"{prefix}width": size and size[1], f"{prefix}height": size and size[0]}
    for name, shown, size, place in (("bf", bf_shown, sizes[0], 0), ("pl", pl_shown, sizes[1], -1)):
        pre, post = shown
        content[f"{name}_pre"] = None if pre is None else picture(pre)
        if post is None or size is None:
            content[f"{name}_post"] = None
        elif matrices:
            content[f"{name}_post"] = picture(*warped_back(post, matrices[place], size))
        else:
            content[f"{name}_post"] = picture(post)
    return content


def picture(grey: FloatArray, seen: BoolArray | None = None) -> str:
    """Write an image as a data URI of lossy WebP; the same image gives the same text.

    Parameters
    ----------
    grey : (y, x) array
        0 black to 1 white.
    seen : (y, x) bool array, optional
        False where transparent.
    """
    from PIL import Image

    codes = np.rint(255 * np.clip(grey, 0, 1)).astype(np.uint8)
    if seen is None or seen.all():
        image = Image.fromarray(codes).convert("RGB")
    else:
        alpha = Image.fromarray(np.where(seen, 255, 0).astype(np.uint8))
        image = Image.merge("RGBA", [Image.fromarray(codes)] * 3 + [alpha])
    image.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, "WEBP", quality=QUALITY, method=6)
    return "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def _image(image: ArrayLike | None) -> FloatArray | None:
    """Take an image as floats; one pixel stands for a movie that could not be used."""
    if image is None:
        return None
    pixels = np.asarray(image, dtype=np.float64)
    return fill_missing(pixels) if pixels.size > 1 else None


def _size(*images: FloatArray | None) -> tuple[int, int] | None:
    return next(((i.shape[0], i.shape[1]) for i in images if i is not None), None)


def _stretched(images: list[FloatArray | None]) -> list[FloatArray | None]:
    """Bring both PL images to 0 to 1 by one curve, of the counts above each one's background."""
    above: list[FloatArray | None] = []
    noises, highest = [], []
    for image in images:
        if image is None:
            above.append(None)
            continue
        low, background = np.percentile(image, (16, 50))
        noises.append(float(background - low))
        above.append(image - background)
        highest.append(float(np.percentile(image, _BRIGHTEST_PERCENTILE) - background))
    if not noises:
        return above
    unit = max(noises) or 1.0
    black, white = (np.arcsinh(v / _SOFTENING) for v in (_DARKEST, max(highest) / unit))

    def curve(counts: FloatArray) -> FloatArray:
        lifted = np.arcsinh(counts / (unit * _SOFTENING)) - black
        return np.asarray(np.clip(lifted / max(white - black, 1e-9), 0, 1))

    return [None if image is None else curve(image) for image in above]
