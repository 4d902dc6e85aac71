"""Formats of microscopes and cameras that cannot be read, and how to export from each.

Input: a path and the first bytes of the file. Output: the format's name and what to do.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_FIJI = "or open it in Fiji with the Bio-Formats importer and save it as TIFF"
# What an export must keep, and two numbers that plain TIFF does not hold.
_KEEP = (
    "Export 16 bits, every frame, without scaling, display range or lossy compression; check that "
    "the time per frame and the pixel size are in the TIFF, or write them into the sheet"
)

EXPORT_ZARR = f"open it in Fiji or napari and save it as TIFF. {_KEEP}"


class Foreign(NamedTuple):
    """A format: its name, a pattern of its first bytes, the suffixes of its files, and the way out.

    A format without bytes of its own has an empty pattern.
    """

    name: str
    starts: bytes
    suffixes: tuple[str, ...]
    export: str


FOREIGN = (
    Foreign(
        "a CZI file of Zeiss ZEN",
        rb"ZISRAWFILE",
        (".czi",),
        f"export it from ZEN as OME-TIFF, {_FIJI}. {_KEEP}",
    ),
    Foreign(
        "a LIF file of Leica LAS",
        rb"\x70\0\0\0.{4}\x2a",
        (".lif",),
        f"export its series from LAS X as OME-TIFF or TIFF, {_FIJI}. {_KEEP}",
    ),
    Foreign(
        "a DCIMG file of Hamamatsu",
        rb"DCIMG",
        (".dcimg",),
        f"export it from HCImage as TIFF (Bio-Formats does not read it). {_KEEP}",
    ),
    Foreign(
        "an SPE file of Princeton Instruments",
        rb"",
        (".spe",),
        # Bio-Formats 7.3.1 reads the time stamps between the frames of such a file as pixels.
        "export it from LightField, WinView or WinSpec as TIFF, not with the Bio-Formats importer "
        f"of Fiji, which displaces the frames of a file with time stamps. {_KEEP}",
    ),
    Foreign(
        "a HIS file of Hamamatsu",
        rb"",  # 'IM', as many other files begin
        (".his",),
        f"export it from HiPic or HCImage as TIFF, {_FIJI}. {_KEEP}",
    ),
    Foreign(
        "a film for the eye (AVI, MP4, MOV, WebM, GIF)",
        rb"RIFF.{4}AVI |.{4}ftyp|\x1aE\xdf\xa3|GIF8",
        (".avi", ".mp4", ".mov", ".webm", ".gif"),
        "its counts were changed and cannot be had back: export the movie again, as TIFF, from the "
        "program that recorded it",
    ),
    Foreign(
        "an HDF5 file (Imaris and others)",
        rb"\x89HDF\r\n\x1a\n",
        (".h5", ".hdf5", ".ims"),
        f"export it as TIFF from the program that wrote it, {_FIJI}. {_KEEP}",
    ),
    Foreign(
        "a FITS file (Andor Solis and others)",
        rb"SIMPLE  =",
        (".fits", ".fit", ".fts"),
        # Bio-Formats 7.3.1 leaves out BZERO, the 32,768 that 16-bit counts are stored without.
        "export the movie as SIF or TIFF from the program that wrote it, not with the Bio-Formats "
        f"importer of Fiji, whose 16-bit counts are 32,768 too low. {_KEEP}",
    ),
    Foreign(
        "a compound file (CXD of HCImage, OIB of Olympus FluoView, ZVI of Zeiss)",
        rb"\xd0\xcf\x11\xe0",
        (".cxd", ".oib", ".zvi"),
        f"export it from the program that wrote it as OME-TIFF or TIFF, {_FIJI}. {_KEEP}",
    ),
    Foreign(
        "a file of Olympus cellSens or FluoView",
        rb"",
        (".oif", ".oir", ".vsi"),
        f"export it from the program that wrote it as OME-TIFF or TIFF, {_FIJI}. {_KEEP}",
    ),
    Foreign(
        "a file of a fast camera (NorPix, Phantom, PCO)",
        rb"\xfe\xed\0\0N\0o\0r\0p\0i\0x|PCO-",
        (".seq", ".cine", ".b16"),
        f"export it as TIFF from the program that wrote it, {_FIJI}. {_KEEP}",
    ),
    Foreign(
        "an OBF or MSR file of Imspector",
        rb"OMAS_BF_",
        (".obf", ".msr"),
        f"export it from Imspector as TIFF, {_FIJI}. {_KEEP}",
    ),
    Foreign(
        "a file of an electron microscope or of DeltaVision",
        rb"",
        (".mrc", ".dv", ".dm3", ".dm4"),
        f"export it as TIFF from the program that wrote it, {_FIJI}. {_KEEP}",
    ),
    Foreign(
        "the description of an OME recording without its pixels",
        rb"",
        (".ome", ".xml"),
        "name the .ome.tif files that it lists, by a pattern if they are several",
    ),
    Foreign(
        "a file of photon arrival times",
        rb"PQTTTR",
        (".ptu", ".ht3", ".sdt", ".spc"),
        "the movie of a camera is needed; decays of films belong into the sheet of films",
    ),
    Foreign(
        "a file of pixels without a header",
        rb"",
        (".raw", ".dat", ".bin", ".img"),
        "give the folder if it is an Andor spool folder; else open it in ImageJ (File > Import > "
        f"Raw) with the size and type that your program documents, and save it as TIFF. {_KEEP}",
    ),
    Foreign(
        "MetaMorph's list of files (ND)",
        rb'"NDInfoFile"',
        (".nd",),
        "name the movie's .stk or .tif files themselves, by a pattern if they are several",
    ),
    Foreign(
        "a file of numbers (NumPy, MATLAB, LabVIEW)",
        rb"\x93NUMPY|MATLAB|TDSm",
        (".npy", ".npz", ".mat", ".tdms"),
        f"write the frames into a TIFF file. {_KEEP}",
    ),
    Foreign(
        "an archive or a compressed file",
        rb"PK\x03\x04|\x1f\x8b\x08|7z\xbc\xaf|Rar!",
        (".zip", ".gz", ".7z", ".rar"),
        "unpack it and name the file that was in it",
    ),
)


def name_and_export(path: Path, start: bytes) -> tuple[str, str] | None:
    """Return a format's name and how to export from it; None for one that is not listed.

    Parameters
    ----------
    path : Path
    start : bytes
        The first 16 bytes of the file or more; they go before the suffix of its name.
    """
    for one in FOREIGN:
        if one.starts and re.match(one.starts, start, re.DOTALL):
            return one.name, one.export
    for one in FOREIGN:
        if path.suffix.lower() in one.suffixes:
            return one.name, one.export
    return None
