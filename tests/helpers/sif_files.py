"""Writes the header of an Andor SIF file, for the tests of the readers."""

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
