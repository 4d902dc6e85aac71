"""Decays of time-correlated photon counting as files hold them.

Input: a path, and what the sheet gives besides. Output: counts a channel, the width of a channel,
and what the file holds on the rate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from blinkpair.arrays import FloatArray
from blinkpair.errors import InputError

CURVE = "::curve="
# From this share of pulses with a photon on, the later photons of a pulse that are lost are noted:
# O'Connor and Phillips (1984) keep below 1 to 5 %; at 5 % a share of 1e5 photons is 1.5 errors off.
PILE_UP = 0.02
_FULL = (2**16 - 1, 2**32 - 1)  # the most that counters of histograms hold
# Relative differences up to which file and sheet agree; counted rates are not exact.
_SAME_WIDTH, _SAME_RATE = 0.01, 0.05
_PICOQUANT = {b"PQTTTR": "ptu", b"PQHISTO": "phu"}


@dataclass(frozen=True)
class Decay:
    """A decay, or an instrument's response.

    Attributes
    ----------
    counts : (n,) array
        One value a channel; photons if `is_counts`.
    bin_ns : float
        Width of a channel in ns.
    period_ns : float
        Time between two pulses in ns; infinity where the file does not hold it.
    photons_per_pulse : float
        NaN where the file does not hold the rate or the time.
    is_scaled : bool
        The values were brought to photons (`channels.in_photons`).
    added : float
        Photons a channel that were added for it, where a background had been subtracted.
    """

    counts: FloatArray
    bin_ns: float
    period_ns: float = np.inf
    photons_per_pulse: float = np.nan
    is_scaled: bool = False
    added: float = 0.0

    @property
    def is_counts(self) -> bool:
        """Whether the values scatter as photons do: scaled so, or whole numbers from 0 on."""
        whole = self.is_scaled or bool(np.all(self.counts == np.round(self.counts)))
        return whole and bool(np.all(self.counts >= 0))


def read_decay(
    path: str, bin_ps: float | None = None, time_unit: str = "", rate_mhz: float | None = None
) -> Decay:
    """Read a decay.

    Parameters
    ----------
    path : str
        A Becker & Hickl .sdt, a PicoQuant .ptu or .phu, or text; with '::curve=N' (from 0) behind
        it where the file holds several curves.
    bin_ps : float, optional
        Width of a channel in ps where the file does not hold it (text), or the wanted one for time
        tags (T2).
    time_unit : str, optional
        's', 'ms', 'us', 'ns', 'ps' or 'fs' of a text's time axis that has none.
    rate_mhz : float, optional
        Of the pulses, where the file does not hold it (text).

    Returns
    -------
    Decay

    Raises
    ------
    InputError
        Naming the file, and what is missing or damaged.
    """
    from blinkpair.ensemble.readers import becker_hickl, picoquant, text_decay

    name, _, which = path.partition(CURVE)
    if which and not which.isdecimal():
        raise InputError(f"'{which}' is not the number of a curve", f"write {CURVE}0", path)
    curve = int(which) if which else None
    try:
        with Path(name).open("rb") as file:
            magic = file.read(8)
        kind = next((k for m, k in _PICOQUANT.items() if magic.startswith(m)), "")
        if kind == "phu":
            decay = picoquant.read_phu(name, curve)
        elif kind == "ptu":
            decay = picoquant.read_ptu(name, curve, bin_ps)
        elif Path(name).suffix.lower() == ".sdt":
            decay = becker_hickl.read_sdt(name, curve)
        else:
            decay = text_decay.read_text(name, curve, bin_ps, time_unit)
    except OSError as error:
        raise InputError(
            f"the file cannot be read ({error.strerror or error})", "check path and rights", path
        ) from error
    if rate_mhz:
        if np.isfinite(decay.period_ns) and abs(decay.period_ns * rate_mhz / 1e3 - 1) > _SAME_RATE:
            raise InputError(
                f"the pulses come at {1e3 / decay.period_ns:.4g} MHz by the file and {rate_mhz:g} "
                "MHz by the sheet",
                "empty the cell rate_mhz, or correct it",
                path,
            )
        decay = replace(decay, period_ns=1e3 / rate_mhz)
    if bin_ps and abs(1e3 * decay.bin_ns / bin_ps - 1) > _SAME_WIDTH:
        raise InputError(
            f"a channel is {1e3 * decay.bin_ns:.6g} ps wide by the file and {bin_ps:g} ps by the "
            "sheet",
            "empty the cell bin_ps, or correct it",
            path,
        )
    return _checked(decay, name)


def choose(n_photons: FloatArray, curve: int | None, path: str) -> int:
    """Return the curve of a file to use: the one named, or the only one with photons.

    Parameters
    ----------
    n_photons : (curves,) array
    curve : int or None
    path : str
        For the message.
    """
    filled = [int(i) for i in np.flatnonzero(n_photons)]
    if curve is None and len(filled) == 1:
        return filled[0]
    if curve is not None and curve < len(n_photons):
        return curve
    listed = ", ".join(f"{i} ({n_photons[i]:.0f} photons)" for i in filled[:12]) or "none"
    what = (
        f"there is no curve {curve}"
        if curve is not None
        else "the file holds several curves"
        if filled
        else "the file holds no photons"
    )
    raise InputError(f"{what}; curves with photons: {listed}", f"write {CURVE}N behind it", path)


def _checked(decay: Decay, path: str) -> Decay:
    """Raise where a decay cannot be one."""
    if decay.counts.size < 16:
        raise InputError(f"{decay.counts.size} channels are no decay", "check the file", path)
    if not np.all(np.isfinite(decay.counts)):
        raise InputError("not all values are finite numbers", "remove or correct them", path)
    if decay.counts.max() <= 0:
        raise InputError("the file holds no photons", "name the file of the decay", path)
    if decay.counts.max() in _FULL and np.sum(decay.counts == decay.counts.max()) > 1:
        raise InputError(
            f"{np.sum(decay.counts == decay.counts.max())} channels are full at "
            f"{decay.counts.max():.0f} counts",
            "stop a measurement before its counters are full",
            path,
        )
    if _has_wrapped(decay.counts):
        raise InputError(
            "a counter of 16 bits began again at 0 after 65,535",
            "stop a measurement before its counters are full",
            path,
        )
    if not (np.isfinite(decay.bin_ns) and decay.bin_ns > 0):
        raise InputError(
            "the file does not hold the width of a channel",
            "give it in ps in a column bin_ps of the ensemble sheet",
            path,
        )
    return decay


def _has_wrapped(counts: FloatArray) -> bool:
    """Return whether counts fall and then rise by most of the range of 16 bits at once."""
    jumps = np.diff(counts)
    down = np.flatnonzero(jumps < -0.75 * _FULL[0])
    up = np.flatnonzero(jumps > 0.75 * _FULL[0])
    return bool(counts.max() <= _FULL[0] and down.size and up.size and up[-1] > down[0])
