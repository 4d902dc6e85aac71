"""The error of a transform of brightfield, as one of the movies, where no nanocrystals measure it.

Input: a registration of the brightfield images. Output: the same with a larger stated error.
"""

from __future__ import annotations

import numpy as np

from blinkpair.registration.nanocrystal_pattern import with_shift
from blinkpair.registration.result import Registration

# Standard deviations per axis, used only where the nanocrystals do not measure the shift: of the
# offset between the brightfield and the PL channel (filter cubes displace by a pixel or two), and
# of the stage's creep between a brightfield image and its movie, both epochs together.
CHANNEL_OFFSET_PX = 1.5
STAGE_CREEP_PX = 0.7
# The largest offset by light from one side, in standard deviations per axis; measured on 40
# simulated images.
LIGHT_OFFSET_SIGMAS = 3.5


def without_nanocrystals(brightfield: Registration, light_offset_px: float) -> Registration:
    """Return a registration of brightfield with what only nanocrystals measure in its error."""
    # An offset d between the channels leaves d - R d, of length 2 |d sin(angle / 2)|.
    offset = 2 * CHANNEL_OFFSET_PX * abs(np.sin(np.deg2rad(brightfield.rotation_deg) / 2))
    unknown = float(np.hypot(offset, STAGE_CREEP_PX))
    return with_light(with_shift(brightfield, unknown), light_offset_px)


def with_light(brightfield: Registration, light_offset_px: float) -> Registration:
    """Return a registration with the error by light from one side, which moves all spheres."""
    return with_shift(brightfield, light_offset_px / LIGHT_OFFSET_SIGMAS)
