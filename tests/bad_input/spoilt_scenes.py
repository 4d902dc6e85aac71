"""Files that can be read and show something else than they should."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw

from blinkpair.epochs import EPOCHS
from blinkpair.registration.rigid import apply_matrix
from blinkpair.simulate import simulate_field
from blinkpair.simulate.brightfield import render_brightfield
from tests.bad_input.cases import case, slow_case
from tests.bad_input.field_files import SEED, SOUND, Files, simulated

AFTER = ("post_brightfield", "post_pl")


def _closed(frames: int) -> np.ndarray:
    """Frames of the simulated camera (offset 100, read-out noise 2) without light."""
    noise = np.random.default_rng(1).normal(100, 2, (frames, *SOUND.camera.shape))
    return noise.round().astype(np.uint16)


# --- frames


@slow_case("all frames constant", "refused", "its frames are all the same")
def _(files):
    files.arrays["post_pl"][:] = 100


@slow_case("one frame again and again", "refused", "its frames are all the same")
def _(files):
    files.arrays["post_pl"][:] = files.arrays["post_pl"][0]


@slow_case("camera stuck for 30 of 200 frames", "refused", "30 of 200 frames.*frame 100,")
def _(files):
    files.arrays["post_pl"][101:130] = files.arrays["post_pl"][100]


@case("shutter closed for 50 of 200 frames", "refused", "50 of 200 frames.*::frames=120")
def _(files):
    files.arrays["post_pl"][120:170] = _closed(50)


@slow_case("shutter closed throughout", "refused", "no nanocrystal was found in the movie after")
def _(files):
    files.arrays["post_pl"] = _closed(200)


@slow_case("five of 200 frames saturated", "refused", "2 % of its pixel values are saturated")
def _(files):
    files.arrays["post_pl"][120:125] = 65535


@case("lamp still on in the first frame", "analysed", "1 of 200 frames.*frame 0,.*are left out")
def _(files):
    files.arrays["post_pl"][0] = files.arrays["post_brightfield"]


@case("the time written into the frames", "refused", "text that changes is written into its frames")
def _(files):
    for k, frame in enumerate(files.arrays["post_pl"]):
        page = Image.new("1", (40, 12))
        ImageDraw.Draw(page).text((0, 0), f"{0.02 * k:.2f} s", fill=1)
        frame[-14:-2, 2:42][np.asarray(page)] = 4000


@slow_case("every frame saturated", "refused", "100 % of its pixel values are saturated")
def _(files):
    files.arrays["post_pl"][:] = 65535


def _cut_off(files: Files, top: int, share: float) -> None:
    """Scale a movie so that a share of its values would lie above the top of its camera."""
    frames = files.arrays["post_pl"]
    scaled = frames * (top / np.quantile(frames, 1 - share))
    files.arrays["post_pl"] = np.minimum(scaled.round(), top).astype(np.uint16)


@slow_case(
    "12 bits in 16, 5 % cut off", "refused", "5 % of its pixel values are saturated .at 4095"
)
def _(files):
    _cut_off(files, 4095, 0.05)


@slow_case(
    "14 bits in 16, 2 % cut off", "refused", "2 % of its pixel values are saturated .at 16383"
)
def _(files):
    _cut_off(files, 16383, 0.02)


@slow_case("an offset subtracted from 16 bits, 5 % cut off", "refused", "saturated .at 65435")
def _(files):
    _cut_off(files, 65435, 0.05)


@case("the brightest nanocrystals cut off", "analysed")
def _(files):
    frames = files.arrays["post_pl"]
    files.arrays["post_pl"] = np.minimum(frames, np.quantile(frames, 0.998).astype(np.uint16))


@case("a flash in one of 200 frames", "analysed")
def _(files):
    files.arrays["post_pl"][50] += np.uint16(3000)


@slow_case("room light in ten of 200 frames", "refused", "10 of 200 frames")
def _(files):
    light = np.random.default_rng(1).normal(900, 95, (10, *SOUND.camera.shape))
    files.arrays["post_pl"][50:60] += light.round().astype(np.uint16)


@slow_case("a cosmic ray in one frame", "analysed")
def _(files):
    files.arrays["post_pl"][50, 60:62, 60:63] = 20000


@slow_case("each frame twice", "refused", "several times in a row")
def _(files):
    files.arrays["post_pl"] = np.repeat(files.arrays["post_pl"][:100], 2, axis=0)


@slow_case("bytes of the counts exchanged", "excluded", "noisy")
def _(files):
    for epoch in EPOCHS:
        files.arrays[f"{epoch}_pl"] = files.arrays[f"{epoch}_pl"].byteswap()


@case("twenty times the gain, threshold of 100 counts", "excluded", "noisy")
def _(files):
    for epoch in EPOCHS:
        files.arrays[f"{epoch}_pl"] = files.arrays[f"{epoch}_pl"] * np.uint16(20)


@slow_case("a black border of 10 px", "refused", "of its pixels never change")
def _(files):
    files.arrays["post_pl"][:, :10] = 0


# --- the wrong movie, the wrong optics


@slow_case("the movie before, copied as the one after", "refused", "hold the same frames")
def _(files):
    files.arrays["post_pl"] = files.arrays["pre_pl"]


@slow_case(
    "the movie before, from frame 10 on, as the one after", "refused", "hold the same frames"
)
def _(files):
    movie = files.arrays["pre_pl"]
    files.arrays["post_pl"] = np.concatenate([movie[10:], files.arrays["post_pl"][:10]])


@slow_case(
    "the movie before, one pixel changed, as the one after", "refused", "hold the same frames"
)
def _(files):
    movie = files.arrays["pre_pl"].copy()
    movie[len(movie) // 2, 0, 0] += 1
    files.arrays["post_pl"] = movie


@case("both files before, copied as those after", "refused", "hold the same frames")
def _(files):
    for kind in ("pl", "brightfield"):
        files.arrays[f"post_{kind}"] = files.arrays[f"pre_{kind}"]


@case("movies exchanged, images not", "refused", "contradict each other")
def _(files):
    a = files.arrays
    a["pre_pl"], a["post_pl"] = a["post_pl"], a["pre_pl"]


@case("files of another field after annealing", "refused", "no alignment")
def _(files):
    other = simulated(seed=SEED + 1)
    for column in AFTER:
        files.arrays[column] = other.arrays[column]


@slow_case(
    "movie of another field after annealing", "refused", "microspheres match, the nanocrystals"
)
def _(files):
    files.arrays["post_pl"] = simulated(seed=SEED + 1).arrays["post_pl"]


@case("a brightfield series in the movie's place", "refused", "microspheres match, the nanocr")
def _(files):
    image = files.arrays["post_brightfield"].astype(float)
    series = np.random.default_rng(1).poisson(image, (200, *image.shape))
    files.arrays["post_pl"] = series.astype(np.uint16)


@case("a short PL movie in the brightfield's place", "analysed")
def _(files):
    files.arrays["post_brightfield"] = files.arrays["post_pl"][:20]


@slow_case("another magnification, the files do not say it", "refused", "no alignment")
def _(files):
    for column in AFTER:
        middle = files.arrays[column][..., 32:96, 32:96]
        files.arrays[column] = np.repeat(np.repeat(middle, 2, axis=-1), 2, axis=-2)


@slow_case("another binning, padded to the same size", "refused", "no alignment")
def _(files):
    for column in AFTER:
        a = files.arrays[column].astype(np.uint32)
        binned = a.reshape(*a.shape[:-2], 64, 2, 64, 2).sum(axis=(-3, -1)).clip(0, 65535)
        around = [(0, 0)] * (a.ndim - 2) + [(32, 32)] * 2
        files.arrays[column] = np.pad(binned, around, mode="edge").astype(np.uint16)


@slow_case("a mirrored camera after annealing", "refused", "is one image flipped")
def _(files):
    for column in AFTER:
        files.arrays[column] = files.arrays[column][..., ::-1].copy()


# --- what is on the sample


@case("no microspheres", "analysed")
def _(files):
    spoilt = simulated(n_microspheres=0, n_dust=0)
    for epoch in EPOCHS:
        files.arrays[f"{epoch}_brightfield"] = spoilt.arrays[f"{epoch}_brightfield"]


@case("neither microspheres nor nanocrystals", "refused", "0 points before and 0 after")
def _(files):
    files.arrays = simulated(n_microspheres=0, n_nanocrystals=0, n_dust=0).arrays


def _lattice(files: Files) -> None:
    sites = np.stack(np.meshgrid(*[np.arange(-160.0, 320.0, 16.0)] * 2), -1).reshape(-1, 2)
    matrix = simulate_field(SOUND, SEED).matrix
    for epoch, xy in (("pre", sites), ("post", apply_matrix(matrix, sites))):
        rng = np.random.default_rng(3)
        equal = np.ones(len(xy))
        image = render_brightfield(SOUND.camera.shape, xy, sizes=equal, rng=rng, defocus=0.9)
        files.arrays[f"{epoch}_brightfield"] = image


@case("microspheres in a perfect lattice", "analysed")
def _(files):
    _lattice(files)


@slow_case("a perfect lattice, no nanocrystal in common", "refused", "about as good \\(a lattice")
def _(files):
    files.arrays["post_pl"] = simulated(seed=SEED + 1).arrays["post_pl"]
    _lattice(files)


@case("no nanocrystal after annealing", "refused", "found in the movie after the treatment")
def _(files):
    files.arrays["post_pl"] = simulated(n_nanocrystals=0).arrays["post_pl"]


@slow_case("no nanocrystal before annealing", "refused", "found in the movie before the treatment")
def _(files):
    files.arrays["pre_pl"] = simulated(n_nanocrystals=0).arrays["pre_pl"]


@slow_case("no nanocrystal in either epoch", "refused", "before the treatment nor in the one after")
def _(files):
    files.arrays = simulated(n_nanocrystals=0).arrays


@slow_case("too crowded to tell one from two", "refused", "have a neighbour closer than")
def _(files):
    crowd = replace(SOUND, n_nanocrystals=700, min_distance_px=0.1, crowded_share=1.0)
    files.arrays = simulated(crowd).arrays


# --- names


@case("file names with spaces, quotes, umlauts and shell characters", "analysed")
def _(files):
    files.names["post_pl"] = 'a b\'c "d" ü$(touch owned);&|<>`x`*.tif'
    files.names["pre_pl"] = "é #1 !.tif"


@slow_case("paths with ../ in them", "analysed")
def _(files):
    files.names["post_pl"] = "../movies/../post movie.tif"


@case("quotes, tags and formulas in the sheet's cells", "analysed")
def _(files):
    files.cells = {"sample": "simulated", "note": "<script>alert(1)</script> =1+1 'x' \"y\""}
