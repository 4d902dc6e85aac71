#!/usr/bin/env bash
# sif_parser 0.3.6: np_spool_open() of a region of the camera's chip keeps the bytes that pad its rows, as
# columns of the image.
#
# A spool folder of Andor's sCMOS cameras has rows of AOIWidth pixels in AOIStride bytes, which may be more.
# A folder with 16 pixels in 40 bytes, 4 of padding: if the whole chip is 16 pixels wide, frames of 10 x 16
# come back. If it is 64, and 16 of it were read out, frames are 10 x 20, the last four columns of which are
# padding. One expects the width that the .ini file states. It is compared with that of the chip
# (DetectorDimensions) instead, and the cut that follows from it has no effect. Four columns of a constant
# shift means, medians and the noise of a frame, and edges look like spots.
# A remedy: data[:, :, :AOIWidth], with the number of the .ini file.
#
# Seen: whole chip (10, 10, 16); region (10, 10, 20), the last 4 columns 61166; cut to AOIWidth the counts
# written
# Exits with 1 if the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sif-parser==0.3.6 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from pathlib import Path

import numpy as np
import sif_parser

WIDTH, HEIGHT, FRAMES, STRIDE = 16, 10, 10, 40
frames = np.random.default_rng(0).integers(0, 1000, (FRAMES, HEIGHT, WIDTH)).astype("<u2")


def header(chip):
    """Text of a SIF file of version 65559, for a chip of so many columns and rows."""
    text = "Andor Technology Multi-Channel File\n65538 1\n"
    text += f"65559 0 0 1 1254330082 -100 {' ' * 10}0 0.02 0.02 0.02 1 \0 "
    text += f"0.02 1e-07 0 1 300 0 0 1e-08 {'0 ' * 16}5e-07 0\n"
    text += f"Camera\n{chip[0]} {chip[1]} 5\nx.sif \n65538 4\ntext\n65538 \1 \2 \3 \4 0 0\n"
    text += "0\n" * 8 + "5 SR163\n65539 \n0 1 0 0\n0 1 0 0\n0\n422\n13\n13\n"
    text += "12\nPixel number6\nCounts12\nPixel number"
    area = WIDTH * HEIGHT
    text += f"65541 1 {WIDTH} {HEIGHT} 1 {FRAMES} 1 {FRAMES * area} {area}\n"
    text += f"65538 1 {HEIGHT} {WIDTH} 1 1 1 0\n"
    return (text + f"{0:10d}\n" * FRAMES).encode()


def read(name, chip):
    """What sif_parser reads from a spool folder."""
    folder = Path(name)
    folder.mkdir()
    (folder / "Spooled files.sifx").write_bytes(header(chip))
    (folder / "acquisitionmetadata.ini").write_text(
        f"[data]\nAOIHeight = {HEIGHT}\nAOIWidth = {WIDTH}\nAOIStride = {STRIDE}\n"
        f"PixelEncoding = Mono16\nImageSizeBytes = {HEIGHT * STRIDE}\n"
        f"[multiimage]\nImagesPerFile = {FRAMES}\n",
        encoding="utf-8-sig",
    )
    rows = np.full((FRAMES, HEIGHT, STRIDE // 2), 0xEEEE, "<u2")
    rows[..., :WIDTH] = frames
    (folder / "0000000000spool.dat").write_bytes(rows.tobytes())
    return sif_parser.np_spool_open(name)[0]


whole, region = read("whole", (WIDTH, HEIGHT)), read("region", (64, 40))
padding = np.unique(region[..., WIDTH:]).tolist()
same = bool((region[..., :WIDTH] == frames).all())
print(f"whole chip {whole.shape}; region {region.shape}, columns behind AOIWidth {padding}")
print(f"cut to AOIWidth, the counts written: {same}")
as_seen = whole.shape == frames.shape and region.shape[2] == STRIDE // 2 and padding == [0xEEEE]
sys.exit(0 if as_seen and same else 1)
PYTHON
