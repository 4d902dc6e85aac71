"""Whether every coding pass of a JPEG 2000 stream is there, against what two encoders left out."""

import io

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from blinkpair.movie.formats.jpeg2000 import is_whole

RNG = np.random.default_rng(8)
IMAGES = {
    "noise": RNG.poisson(300, (128, 128)),
    "odd sides": RNG.poisson(20, (77, 131)),
    "all bits": RNG.integers(0, 65536, (150, 200)),
}


def by_level(image, **how):
    return imagecodecs.jpeg2k_encode(image.astype(np.uint16), codecformat="J2K", **how)


def by_layers(image, layers=(), **how):
    out = io.BytesIO()
    rates = {"quality_mode": "rates", "quality_layers": list(layers)} if layers else {}
    Image.fromarray(image.astype(np.uint16)).save(
        out, "JPEG2000", irreversible=False, no_jp2=True, **rates, **how
    )
    return out.getvalue()


@pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES)
@pytest.mark.parametrize("level", [0, 150, 110, 95, 80])
@pytest.mark.parametrize("resolutions", [1, 3, None])
def test_what_a_quality_level_leaves_out_is_missed(image, level, resolutions):
    stream = by_level(image, level=level, reversible=True, resolutions=resolutions)
    assert is_whole(stream) == np.array_equal(imagecodecs.jpeg2k_decode(stream), image)


@pytest.mark.parametrize("order", ["LRCP", "RLCP", "RPCL", "PCRL", "CPRL"])
@pytest.mark.parametrize(
    ("layers", "whole"), [((), True), ((4, 2, 0), True), ((20, 10, 1), True), ((20, 10, 5), False)]
)
@pytest.mark.parametrize(
    "how",
    [{}, {"codeblock_size": (32, 32)}, {"num_resolutions": 2}, {"plt": True}],
    ids=["plain", "small blocks", "two resolutions", "with lengths"],
)
def test_layers_and_progressions(order, layers, whole, how):
    assert is_whole(by_layers(IMAGES["noise"], layers, progression=order, **how)) is whole


@pytest.mark.parametrize("how", [{"tile_size": (50, 64)}, {"precinct_size": (64, 64)}])
def test_tiles_and_precincts(how):
    image = IMAGES["noise"]
    assert is_whole(by_layers(image, progression="LRCP", **how)) is True
    assert is_whole(by_layers(image, (20, 10), progression="RLCP", **how)) is False


def test_what_cannot_be_followed_is_not_known():
    whole = by_level(IMAGES["noise"])
    assert is_whole(whole[:60]) is None
    assert is_whole(b"") is None
    assert is_whole(by_level(np.stack([IMAGES["noise"]] * 3, axis=-1))) is None
    position = by_layers(IMAGES["noise"], progression="PCRL", precinct_size=(64, 64))
    assert is_whole(position) is None


def test_damage_gives_an_answer():
    stream = bytearray(by_level(IMAGES["odd sides"]))
    for k in range(2, len(stream), 97):
        changed = bytearray(stream)
        changed[k] ^= 0x55
        assert is_whole(bytes(changed)) in (True, False, None)
