"""Strongly uneven light of a brightfield image, divided out.

The contrast of a sphere is a share of the light at its place. Where the light varies severalfold,
spheres of one kind differ in contrast by as much, and its slope displaces their centres. A smooth
function of the place describes it; dark objects and frames are no part of it.

Input: an image. Output: the image relative to its light.
"""

from __future__ import annotations

import numpy as np

from blinkpair.arrays import FloatArray

# The light is left as it is where it varies less than this factor from the darkest to the brightest
# twentieth of the image.
LEAST_FACTOR = 2.0
# Side of the blocks whose medians show the light, and the degree of the polynomial of its
# logarithm. A straight rise by a factor of 10 is left to 1 %.
BLOCK_PX, DEGREE = 16, 4
# Blocks that differ from the light by so many standard deviations of the others count half as much,
# and the least deviation, as a share of the light.
ROBUST, LEAST_DEVIATION, ROUNDS = 2.0, 0.02, 20
# Blocks a coefficient, the share of them that has to be lit, and that which has to agree with the
# light as closely as this: real images with electrodes or of large dark objects are off by more.
FEWEST_A_COEFFICIENT, LIT, AGREEING, AGREEMENT = 3, 0.9, 0.75, 0.1


def without_uneven_light(image: FloatArray) -> FloatArray:
    """Return an image as under even light, or itself where its light is about even or unknown.

    Parameters
    ----------
    image
        (rows, columns) values in proportion to the light; with an offset that is not, its light
        appears less uneven than it is.
    """
    rows, columns = (n // BLOCK_PX for n in image.shape)
    terms = (DEGREE + 1) * (DEGREE + 2) // 2
    if rows * columns < FEWEST_A_COEFFICIENT * terms or min(rows, columns) <= DEGREE:
        return image
    inside = image[: rows * BLOCK_PX, : columns * BLOCK_PX]
    blocks = inside.reshape(rows, BLOCK_PX, columns, BLOCK_PX)
    medians = np.median(blocks, axis=(1, 3)).ravel()
    lit = medians > 0
    if lit.mean() < LIT:
        return image
    low, high = np.quantile(medians[lit], [0.05, 0.95])
    if high < LEAST_FACTOR * low:
        return image
    y, x = ((np.arange(n) + 0.5) * BLOCK_PX - 0.5 for n in (rows, columns))
    design = _polynomials(y, x, image.shape).reshape(-1, terms)[lit]
    logarithms = np.log(medians[lit])
    weights = np.ones(len(logarithms))
    for _ in range(ROUNDS):
        root = np.sqrt(weights)
        fitted = np.linalg.lstsq(design * root[:, None], logarithms * root, rcond=None)[0]
        off = logarithms - design @ fitted
        spread = max(1.4826 * float(np.median(np.abs(off))), LEAST_DEVIATION)
        weights = 1 / (1 + (off / (ROBUST * spread)) ** 2)
    if np.mean(np.abs(off) < AGREEMENT) < AGREEING:
        return image
    y, x = (np.arange(float(n)) for n in image.shape)
    light = np.exp(_polynomials(y, x, image.shape) @ fitted)
    low, high = np.quantile(light[::4, ::4], [0.05, 0.95])
    return image * (light.mean() / light) if high >= LEAST_FACTOR * low else image


def _polynomials(y: FloatArray, x: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Return (rows, columns, terms) products of Legendre polynomials at places of an image."""
    along_y, along_x = (
        np.polynomial.legendre.legvander(2 * at / (n - 1) - 1, DEGREE)
        for at, n in zip((y, x), shape, strict=True)
    )
    terms = [(i, k) for i in range(DEGREE + 1) for k in range(DEGREE + 1 - i)]
    return np.stack([along_y[:, None, i] * along_x[:, k] for i, k in terms], axis=-1)
