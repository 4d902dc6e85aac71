#!/usr/bin/env bash
# readlif 0.6.6: get_plane(c=1) of a 16-bit LIF movie with two channels is the first channel of the next frame.
#
# A Leica LIF file holds three frames of two channels of 16 bits. get_plane(c=0, requested_dims={4: t}) is right
# for each t. With c=1, frame 0 comes back as channel 0 of frame 1, frame 1 as channel 0 of frame 2, and the last
# one raises "not enough image data". One expects the channel asked for, as get_frame(t, c=1) returns it and
# liffile reads it: the file is sound. The step to the channel is counted in bytes and then multiplied by the
# bytes of a pixel once more, which changes nothing at 8 bits. A second channel then blinks with the
# first, one frame early. get_frame() refuses scans that are not of x and y first, and get_plane() is for these.
# A remedy: get_frame(), or liffile.
#
# Seen (channel 1 of frames 0, 1, 2 is): get_frame 0/1, 1/1, 2/1; get_plane 1/0, 2/0, ValueError
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  readlif==0.6.6 liffile==2026.2.16 numpy==2.4.6 pillow==13.0.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import struct
import sys

import liffile
import numpy as np
from readlif.reader import LifFile

TIMES, CHANNELS, HEIGHT, WIDTH = 3, 2, 8, 10
frames = np.arange(TIMES * CHANNELS * HEIGHT * WIDTH, dtype="<u2").reshape(TIMES, CHANNELS, HEIGHT, WIDTH)
plane_bytes = 2 * WIDTH * HEIGHT


def element(name, **attributes):
    """An empty element of XML."""
    return f"<{name} " + " ".join(f'{key}="{value}"' for key, value in attributes.items()) + "/>"


channels = "".join(
    element("ChannelDescription", DataType=0, ChannelTag=0, Resolution=16, NameOfMeasuredQuantity="", Min=0,
            Max=65535, Unit="", LUTName="Gray", IsLUTInverted=0, BytesInc=channel * plane_bytes, BitInc=0)
    for channel in range(CHANNELS)
)
dimensions = "".join(
    element("DimensionDescription", DimID=number, NumberOfElements=size, Origin=0, Length=(size - 1) * step,
            Unit=unit, BitInc=0, BytesInc=increment)
    for number, size, step, unit, increment in (
        (1, WIDTH, 1e-7, "m", 2),
        (2, HEIGHT, 1e-7, "m", 2 * WIDTH),
        (4, TIMES, 0.02, "s", CHANNELS * plane_bytes),
    )
)
header = (
    '<LMSDataContainerHeader Version="2"><Element Name="file" Visibility="1" CopyOption="1" UniqueID="a">'
    '<Memory Size="0" MemoryBlockID="MemBlock_0"/><Children><Element Name="movie" UniqueID="b"><Data><Image>'
    f"<ImageDescription><Channels>{channels}</Channels><Dimensions>{dimensions}</Dimensions></ImageDescription>"
    f'</Image></Data><Memory Size="{frames.nbytes}" MemoryBlockID="MemBlock_1"/></Element></Children></Element>'
    "</LMSDataContainerHeader>"
)


def text(words):
    """Text behind its length in characters."""
    return struct.pack("<I", len(words)) + words.encode("utf-16-le")


def block(content):
    """A block behind its mark and its length in bytes."""
    return struct.pack("<II", 0x70, len(content)) + content


with open("movie.lif", "wb") as file:
    file.write(block(b"*" + text(header)))
    file.write(block(b"*" + struct.pack("<Q", frames.nbytes) + b"*" + text("MemBlock_1")))
    file.write(frames.tobytes())

with liffile.LifFile("movie.lif") as file:
    sound = bool((file.images[0].asarray().ravel() == frames.ravel()).all())
image = LifFile("movie.lif").get_image(0)


def which(read):
    """Frame and channel of the pixels that `read` returns, or the kind of its error."""
    try:
        pixels = np.asarray(read())
    except ValueError as error:
        return type(error).__name__
    return "/".join(str(int(at[0])) for at in np.nonzero((frames == pixels).all((2, 3))))


by_frame = [which(lambda t=t: image.get_frame(t=t, c=1)) for t in range(TIMES)]
by_plane = [which(lambda t=t: image.get_plane(c=1, requested_dims={4: t})) for t in range(TIMES)]
print(f"liffile reads what was written: {sound}; get_frame {by_frame}; get_plane {by_plane}")
as_seen = sound and by_frame == ["0/1", "1/1", "2/1"] and by_plane == ["1/0", "2/0", "ValueError"]
sys.exit(0 if as_seen else 1)
PYTHON
