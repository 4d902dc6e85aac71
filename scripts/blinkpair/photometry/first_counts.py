"""Counts that were taken before the places of the nanocrystals were final.

A movie that is too long to be read twice is measured while it is searched, at places that a part of
its frames shows. These counts are used where the final places are the same.

Input: counts, the places they were taken at, the final places. Output: which of them are theirs, or
nothing where the movie has to be read again; variables of a dataset, and back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from blinkpair.arrays import FloatArray, IntArray
from blinkpair.photometry.counts import Measured, PhotometrySettings

# Half of the steps between the positions of a part of the frames and of all is 0.015 px, 95 % is
# 0.04 px. An aperture of 3 px that is 0.3 px off holds 2 % less of the light (sigma 0.9 px).
SAME_PX = 0.3
# What is on for less than this is placed less exactly. It may be off by as much as two detections
# of one nanocrystal: the aperture then holds 70 % of its light.
RARELY_ON = 0.05
NEAR_PX = 1.2
ON_NOISES = 3.0
COMPARED_FRAMES = 400


@dataclass(frozen=True)
class FirstCounts:
    """What was measured, where and how.

    Attributes
    ----------
    xy : (n, 2) float
        Places at the first frame, pixels.
    drift : (frames, 2) float
        By which the apertures followed the sample.
    measured : Measured
    settings : PhotometrySettings
    """

    xy: FloatArray
    drift: FloatArray
    measured: Measured
    settings: PhotometrySettings

    def rows_of(
        self, xy: FloatArray, drift: FloatArray, settings: PhotometrySettings
    ) -> IntArray | None:
        """Return the row of each of the final places (m, 2), with their drift (frames, 2).

        None if one of them was not measured: no aperture stayed within `SAME_PX` of it in 99 % of
        the frames, nor within `NEAR_PX` with counts that show it to be on rarely.
        """
        from scipy.spatial import KDTree

        if settings != self.settings or len(drift) != len(self.drift) or not len(self.xy):
            return None
        _, row = KDTree(self.xy).query(xy)
        some = slice(None, None, max(1, len(drift) // COMPARED_FRAMES))
        paths = (drift - self.drift)[some]
        away = np.hypot(*((xy - self.xy[row])[:, None] + paths).transpose(2, 0, 1))
        farthest = np.quantile(away, 0.99, axis=1)
        rare = self.share_above_noise()[row] < RARELY_ON
        return row if ((farthest <= SAME_PX) | (rare & (farthest <= NEAR_PX))).all() else None

    def share_above_noise(self) -> FloatArray:
        """Return the share of the frames, (n,), whose counts stand out of the empty places'."""
        counts, empty = self.measured
        known = empty[np.isfinite(empty)]
        noise = 1.4826 * np.median(np.abs(known)) if known.size else np.inf
        return np.asarray((counts > ON_NOISES * noise).mean(axis=1))

    def of_rows(self, rows: IntArray) -> Measured:
        """Return the counts of some of the places."""
        return Measured(self.measured.counts[rows], self.measured.empty[rows])

    def variables(self) -> dict[str, Any]:
        """Return all of it as variables and attributes of a dataset of the movie."""
        counts = {"units": "counts", "long_name": "counts at the places that some frames showed"}
        empty = {"units": "counts", "long_name": "counts at an empty place beside each"}
        pixel = {"units": "px", "long_name": "place at the first frame"}
        shift = {"units": "px", "long_name": "drift that the apertures followed"}
        photometry = {
            "aperture_px": self.settings.aperture_px,
            "background": self.settings.background,
        }
        return {
            "counts": (("place", "frame"), self.measured.counts, counts | photometry),
            "empty": (("place", "sample"), self.measured.empty, empty),
            "place_xy": (("place", "axis"), self.xy, pixel),
            "drift_xy": (("frame", "axis"), self.drift, shift),
        }


def read_first_counts(path: str) -> FirstCounts | None:
    """Return what `FirstCounts.variables` wrote; None if the movie is read twice."""
    import h5py  # a tenth of a small step's time is what xarray takes for this

    with h5py.File(path) as images:
        if "counts" not in images:
            return None
        found = {name: images[name][...] for name in ("counts", "empty", "place_xy", "drift_xy")}
        how = dict(images["counts"].attrs)  # NetCDF: one number is an array
    return FirstCounts(
        found["place_xy"],
        found["drift_xy"],
        Measured(found["counts"], found["empty"]),
        PhotometrySettings(float(how["aperture_px"][0]), str(how["background"])),
    )
