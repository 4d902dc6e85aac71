"""Nanocrystals as regions of interest for Fiji and ImageJ.

ImageJ counts from the corner of the first pixel, blinkpair from its centre: half a pixel is added.

Input: rows of the table of nanocrystals. Output: a zip file that ImageJ's ROI Manager opens.
"""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pandas as pd

# From the centre of a pixel to its corner, where ImageJ's coordinates start.
CORNER_PX = 0.5
# A file in a zip archive carries a date; the same results give the same bytes.
_NO_DATE = (1980, 1, 1, 0, 0, 0)


def roi_set(nanocrystals: pd.DataFrame, epoch: str) -> bytes:
    """Return a set of point regions, one a nanocrystal, each named by number and population.

    Parameters
    ----------
    nanocrystals : DataFrame
        Rows of one field: `nc_id`, `x_pre`, `y_pre`, `x_post`, `y_post` (px), `population` and
        `excluded_because`.
    epoch : str
        pre or post.

    Returns
    -------
    bytes
        The zip archive. A nanocrystal whose place is not known in this epoch is left out.
    """
    from roifile import ROI_TYPE, ImagejRoi

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for row in nanocrystals.to_dict("records"):
            place = np.array([[row[f"x_{epoch}"], row[f"y_{epoch}"]]], float)
            if not np.isfinite(place).all():
                continue
            words = [row["population"], row["excluded_because"]]
            known = [word for word in words if isinstance(word, str) and word]
            name = "_".join([f"{row['nc_id']:05d}", *known[:1]])
            roi = ImagejRoi.frompoints(place + CORNER_PX, name=name)
            roi.roitype = ROI_TYPE.POINT  # frompoints makes an outline
            file.writestr(zipfile.ZipInfo(f"{name}.roi", _NO_DATE), roi.tobytes())
    return archive.getvalue()
