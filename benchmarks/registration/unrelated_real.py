"""Real images that share nothing, of many samples, and real beside simulated spheres.

The images lie in a folder that is not part of the project, with a table `images.csv` of `file`,
`sample`, `field` and `diameter_px`: images of one field show the same place, and are never paired.
Those of docs/registration.md are 59 images of 51 fields of 23 samples, from public repositories:

- joeljunior05/microspheres-sbrt: 15 tiles of one scan
- catherineogorman/BrownianMotionTracking: 10 fields of spheres in dark field
- pepesanyu00/BTM-microparticles-detector: 6 photographs of debris, taken as one field
- jepietryga/colloidalcrystal_ml: 4 fields of crystals, by electron microscope
- raphey/bead-counting-with-cv: 3 fields of spheres in drops
- HenryHenryYan/AI-Assisted-HCT-microfluidic-particle-detection: 3 images of one field
- soft-matter/trackpy-examples: foam, water, few spheres
- softmatterlab/ParticleTracking: ellipsoids, spheres by AFM, core-shell spheres
- Arcadia-Science/arcadia-microscopy-tools: yeast and two of cells
- decarpentierg/microbeadsTracking: 2 images of one droplet
- camrynlewis/Microparticle-Analyzer, jcnossen/BeadTracker, hugolafaye/BeadTracking and
  Dullens-Lab/Matlab-Particle-Tracking: one image of spheres each
- scikit-image: camera, coins, moon

Some are binned by 2, the photographs of debris by 4. The pattern of their camera (the median of
what is finer than 7 px) is taken from the ten dark fields, which would have it in common.

Pairs are crops of 256 to 512 px, or of all that there is, turned by quarters or by any angle, with
another gain, offset and noise, a fifth of them under light that rises from one side. The diameter
given is 0.7 to 1.4 times the one in the table.

Input: a seed. Output: two images that share nothing, and a diameter.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from scipy import ndimage

from benchmarks.registration.real_images import REAL, Image
from blinkpair.simulate.brightfield import render_brightfield

FOLDER = REAL / "unrelated"
SIDES_PX = (256, 512)
# As often as they are named. A crop of another place of one sample is made at one magnification or,
# in one of three, at a lower one.
KINDS = ("other place", "other place", "apart", "other sample", "real and simulated")
MAGNIFICATIONS = (1.0, 1.0, 0.6)
# Share of the field that spheres are drawn to fill, and how far apart they are, in diameters.
FILLED, APART = (0.02, 0.1, 0.3, 0.5), (0.95, 1.1, 1.5)


def present() -> bool:
    """Return whether the images are there."""
    return (FOLDER / "images.csv").is_file()


@cache
def images() -> pd.DataFrame:
    """Return the table of the images, by file."""
    return pd.read_csv(FOLDER / "images.csv").set_index("file")


@cache
def load(name: str) -> Image:
    """Return an image; colours are averaged."""
    from skimage import io

    image = io.imread(FOLDER / name).astype(float)
    return image[..., :3].mean(axis=-1) if image.ndim == 3 else image


def pair(seed: int) -> tuple[str, Image, Image, float]:
    """Return the kind of a pair that shares nothing, both images and the diameter given."""
    rng = np.random.default_rng([seed, 1711])
    kind = KINDS[seed % len(KINDS)]
    factor = rng.uniform(0.7, 1.4)
    table = images()
    if kind == "other place":
        fields = table.groupby("sample")["field"].nunique()
        several = table[table["sample"].isin(fields.index[fields > 1])]
        first, second = rng.choice(several.index.to_numpy(), 2, replace=False)
        scale = float(rng.choice(MAGNIFICATIONS))
        diameter = scale * table["diameter_px"][first]
        crops = [_crop(load(name), rng, scale) for name in (first, second)]
    else:
        first = _any_of(table, rng)
        diameter = table["diameter_px"][first]
        if kind == "apart":
            halves = np.array_split(load(first), 2, axis=int(rng.integers(2)))
            crops = [_crop(half, rng) for half in halves]
        elif kind == "other sample":
            second = _any_of(table[table["sample"] != table["sample"][first]], rng)
            # The image of smaller spheres keeps its size.
            first, second = sorted((first, second), key=lambda name: table["diameter_px"][name])
            diameter = table["diameter_px"][first]
            scale = diameter / table["diameter_px"][second]
            crops = [_crop(load(first), rng), _crop(load(second), rng, scale)]
        else:
            one = _crop(load(first), rng)
            crops = [one, _like(one, _spheres(rng, one.shape, diameter))]
    if rng.random() < 0.5:
        crops = crops[::-1]
    pre, post = (_exposed(crop, rng) for crop in crops)
    return kind, pre, post, factor * diameter


def _any_of(table: pd.DataFrame, rng: np.random.Generator) -> str:
    """Return an image of any sample, each as likely."""
    samples = sorted(table["sample"].unique())
    names = table.index[table["sample"] == samples[rng.integers(len(samples))]]
    return str(names[rng.integers(len(names))])


def _crop(image: Image, rng: np.random.Generator, scale: float = 1.0) -> Image:
    """Return a square of an image, turned, and with pixels of 1 / scale of its own."""
    by_any_angle = rng.random() < 0.5
    # A square that is turned lies within one that is larger by the root of two.
    wider = np.sqrt(2) if by_any_angle else 1.0
    most = min(SIDES_PX[1], min(image.shape) * scale / wider)
    side = int(rng.uniform(min(SIDES_PX[0], most), most))
    if not by_any_angle and scale == 1.0:
        row, column = (rng.integers(0, n - side + 1) for n in image.shape)
        return np.rot90(image[row : row + side, column : column + side], rng.integers(4)).copy()
    angle = rng.uniform(0, 2 * np.pi) if by_any_angle else rng.integers(4) * np.pi / 2
    half = side / 2 / scale * wider
    middle = [rng.uniform(min(half, n / 2), max(n - half, n / 2)) - 0.5 for n in image.shape]
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / scale
    if scale < 1:
        image = ndimage.gaussian_filter(image, 0.5 * np.sqrt(scale**-2 - 1))
    offset = middle - turn @ np.full(2, (side - 1) / 2)
    return ndimage.affine_transform(
        image, turn, offset, output_shape=(side, side), order=1, mode="reflect"
    )


def _exposed(image: Image, rng: np.random.Generator) -> Image:
    """Return an image under another light, with fresh noise."""
    spread = float(np.ptp(np.percentile(image, [0.5, 99.5])))
    image = rng.uniform(0.8, 1.25) * image + rng.uniform(-0.1, 0.1) * spread
    noise = max(rng.choice([0, 0.01, 0.03]), 0.003)
    if rng.random() < 0.2:
        image = image + rng.uniform(-0.5, 0.5) * spread * np.linspace(0, 1, image.shape[1])
    return image + rng.normal(0, noise * spread, image.shape)


def _like(image: Image, other: Image) -> Image:
    """Return another image with the mean and the range of an image."""
    spreads = [float(np.ptp(np.percentile(one, [1, 99]))) for one in (image, other)]
    return image.mean() + (other - other.mean()) * spreads[0] / max(spreads[1], 1e-9)


def _spheres(rng: np.random.Generator, shape: tuple[int, ...], diameter: float) -> Image:
    """Return simulated spheres that do not overlap, as rings or lit from one side."""
    side = shape[0]
    filled, apart = rng.choice(FILLED), rng.choice(APART) * diameter
    wanted = max(int((side / diameter) ** 2 * filled), 3)
    places = np.empty((0, 2))
    for _ in range(40 * wanted):
        place = rng.uniform(0, side, 2)
        if len(places) < wanted and (np.hypot(*(places - place).T) >= apart).all():
            places = np.vstack([places, place])
    look = rng.integers(3)
    if look < 2:
        dust = rng.uniform(0, side, (8 * look, 2))
        return render_brightfield(
            (side, side), places, diameter_px=diameter, dust_xy=dust, rng=rng
        ).astype(float)
    y, x = np.indices((side, side))
    image = np.zeros((side, side))
    for at in places:
        disc = np.clip((diameter / 2 - np.hypot(x - at[0], y - at[1])) / 1.5 + 0.5, 0, 1)
        image += disc * (0.8 * (x - at[0]) / diameter - rng.uniform(0.5, 1))
    return ndimage.gaussian_filter(image, 1.0)
