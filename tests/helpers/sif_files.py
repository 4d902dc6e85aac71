"""Writes headers of Andor SIF files, and spool folders, for the tests of the readers."""

import numpy as np

WIDTH, HEIGHT = 16, 10


def sif_header(stamps_us, *, cycle_s=0.02, exposure_s=0.02, tracks=1) -> bytes:
    """Write the header of a SIF file of version 65559, that of a DU897 camera."""
    n = len(stamps_us)
    area = WIDTH * HEIGHT
    text = "Andor Technology Multi-Channel File\n65538 1\n"
    text += f"65559 0 0 1 1254330082 -100 {' ' * 10}0 {exposure_s} {cycle_s} {cycle_s} 1 \0 "
    text += f"{cycle_s} 1e-07 0 1 300 0 0 1e-08 {'0 ' * 16}5e-07 0\n"
    text += f"DU897_BV\n{WIDTH} {HEIGHT} 5\nx.sif \n65538 4\ntext\n65538 \1 \2 \3 \4 0 0\n"
    text += "0\n" * 8 + "5 SR163\n65539 \n0 1 0 0\n0 1 0 0\n0\n422\n13\n13\n"
    text += "12\nPixel number6\nCounts12\nPixel number"
    text += f"65541 1 {WIDTH} {HEIGHT} 1 {n} {tracks} {n * area} {area}\n"
    text += f"65538 1 {HEIGHT} {WIDTH} 1 1 1 0\n" * tracks
    return (text + "".join(f"{int(stamp):10d}\n" for stamp in stamps_us)).encode()


def write_spool(folder, frames, *, per_file=5, encoding="Mono16", pad=4, tail=48):
    """Write a spool folder whose rows and frames end in bytes that are not pixels."""
    folder.mkdir()
    (folder / "Spooled files.sifx").write_bytes(sif_header(np.zeros(len(frames))))
    dtype = np.dtype({"Mono16": "<u2", "Mono32": "<u4"}[encoding])
    stride = WIDTH * dtype.itemsize + pad
    size = HEIGHT * stride + tail
    (folder / "acquisitionmetadata.ini").write_text(
        f"[data]\nAOIHeight = {HEIGHT}\nAOIWidth = {WIDTH}\nAOIStride = {stride}\n"
        f"PixelEncoding = {encoding}\nImageSizeBytes = {size}\n"
        f"[multiimage]\nImagesPerFile = {per_file}\n",
        encoding="utf-8-sig",
    )
    for k in range(0, len(frames), per_file):
        data = b""
        for frame in frames[k : k + per_file]:
            rows = np.full((HEIGHT, stride), 0xEE, np.uint8)
            rows[:, : stride - pad] = frame.astype(dtype).view(np.uint8)
            data += rows.tobytes() + b"\xdd" * tail
        # Solis fills the last file up, and writes the number of a file backwards.
        name = f"{k // per_file:010d}"[::-1] + "spool.dat"
        (folder / name).write_bytes(data.ljust(per_file * size, b"\0"))
    return folder
