"""Measurements of films with known truth, as the files that spectrometers write.

Decays are histograms of exponentials behind a Gaussian response, integrated exactly over each
channel, with Poisson noise; bleaches are sums of exponentials with Gaussian noise.

Input: a folder. Output: .sdt and .csv files and the ensemble sheet that names them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from blinkpair.arrays import FloatArray

N_CHANNELS, TAC_RANGE_S = 4096, 2.048e-7  # channels of 50 ps
FWHM_PER_SIGMA = 2.3548
RESPONSE_FWHM_NS, RESPONSE_AT_NS = 0.2, 10.0
PULSES_HZ = 400e3
# The paper's: tau_1 0.75 to 1.3, tau_2 4.3 to 5.7, tau_3 23.4 to 38.8 ns, alike at all
# temperatures, and an A_3 that falls. The shares are ours; the supplement has the paper's.
TAU_NS = (1.0, 5.0, 30.0)
AMPLITUDES = {
    "unannealed": (0.60, 0.30, 0.10),
    "70": (0.61, 0.30, 0.09),
    "100": (0.63, 0.30, 0.07),
    "120": (0.66, 0.29, 0.05),
}
# Probe energy (eV), amplitudes (OD) at 200, 830 and 7,500 ps: short shares of 22 and 5 %.
BLEACH_TAU_PS = (200.0, 830.0, 7500.0)
BLEACHES = {
    "unannealed": (2.441, (0.70e-3, 1.20e-3, 1.28e-3)),
    "100": (2.419, (0.20e-3, 1.90e-3, 1.91e-3)),
}
BLEACH_WIDTH_EV = 0.045
NOISE_OD = 5.5e-5


def expected_decay(
    photons: float,
    amplitudes: Sequence[float],
    tau_ns: Sequence[float] = TAU_NS,
    *,
    n_channels: int = N_CHANNELS,
    bin_ns: float = 1e9 * TAC_RANGE_S / N_CHANNELS,
    at_ns: float = RESPONSE_AT_NS,
    fwhm_ns: float = RESPONSE_FWHM_NS,
    background: float = 0.0,
) -> FloatArray:
    """Return expected counts a channel of exponentials behind a Gaussian response.

    Parameters
    ----------
    photons : float
        Of the decay, were the window endless.
    amplitudes, tau_ns : sequences of float
    n_channels, bin_ns
        Of the histogram.
    at_ns, fwhm_ns : float
        Of the response.
    background : float
        Counts a channel.

    Notes
    -----
    The distribution function of an exponentially modified Gaussian, at the edges of the channels.

    Examples
    --------
    >>> round(float(expected_decay(1000.0, [1.0], [2.0]).sum()))
    1000
    """
    from scipy.special import erfcx, ndtr

    z = (np.arange(n_channels + 1) * bin_ns - at_ns) / (fwhm_ns / FWHM_PER_SIGMA)
    shares = np.array(amplitudes) * np.array(tau_ns)
    up_to = np.zeros(n_channels + 1)
    for share, tau in zip(shares / shares.sum(), tau_ns, strict=True):
        s = fwhm_ns / FWHM_PER_SIGMA / tau
        # exp(s^2/2 - s z) Phi(z - s); the scaled error function avoids overflow before the pulse.
        left = (s - z) / np.sqrt(2.0)
        early = 0.5 * np.exp(-z * z / 2) * erfcx(np.maximum(left, 0.0))
        late = np.exp(np.minimum(s * s / 2 - s * z, 700.0)) * ndtr(z - s)
        up_to += share * (ndtr(z) - np.where(left > 0, early, late))
    # Rounding may leave less than nothing before the pulse.
    return np.asarray(photons * np.maximum(np.diff(up_to), 0.0) + background)


def response(photons: float = 1e6, *, at_ns: float = RESPONSE_AT_NS) -> FloatArray:
    """Return expected counts a channel of the response itself."""
    from scipy.special import ndtr

    edges = np.arange(N_CHANNELS + 1) * 1e9 * TAC_RANGE_S / N_CHANNELS
    return np.asarray(photons * np.diff(ndtr((edges - at_ns) * FWHM_PER_SIGMA / RESPONSE_FWHM_NS)))


def sdt_bytes(
    counts: FloatArray, *, tac_range_s: float = TAC_RANGE_S, duration_s: float = 60.0
) -> bytes:
    """Return a histogram as a Becker & Hickl 'SPC Setup & Data File'.

    Parameters
    ----------
    counts : (n,) array
        Below 65,536 each: the format counts in 16 bits.
    tac_range_s, duration_s : float
    """
    import sdtfile.sdtfile as layout

    if counts.max() > np.iinfo(np.uint16).max:
        raise ValueError("a channel of an .sdt file counts to 65,535")
    text = b"*IDENTIFICATION\r\n  ID : SPC Setup & Data File\r\n  Title : simulated\r\n*END\r\n"
    info_type = np.dtype(layout.MEASURE_INFO)
    header_type, block_type = np.dtype(layout.FILE_HEADER), np.dtype(layout.BLOCK_HEADER)
    info = np.zeros(1, info_type)
    info["tac_r"], info["tac_g"], info["adc_re"] = tac_range_s, 1, counts.size
    info["col_t"], info["mod_type"] = duration_s, b"SPC-130"
    info["StopInfo"]["min_sync_rate"] = info["StopInfo"]["max_sync_rate"] = PULSES_HZ
    at_info = header_type.itemsize + len(text)
    at_block = at_info + info_type.itemsize
    at_data = at_block + block_type.itemsize
    header = np.zeros(1, header_type)
    for name, value in {
        "revision": 15,
        "info_offs": header_type.itemsize,
        "info_length": len(text),
        "data_block_offs": at_block,
        "no_of_data_blocks": 1,
        "data_block_length": 2 * counts.size,
        "meas_desc_block_offs": at_info,
        "no_of_meas_desc_blocks": 1,
        "meas_desc_block_length": info_type.itemsize,
        "header_valid": 0x5555,
        "chksum": 0x55AA,
    }.items():
        header[name] = value
    block = np.zeros(1, block_type)
    block["data_offs"], block["next_block_offs"] = at_data, at_data + 2 * counts.size
    block["block_type"], block["block_length"] = 1, 2 * counts.size  # a decay of 16 bits
    parts = (header.tobytes(), text, info.tobytes(), block.tobytes())
    return b"".join([*parts, counts.astype("<u2").tobytes()])


def bleach_matrix(
    probe_ev: float, amplitudes: Sequence[float], rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return delays (ps), wavelengths (nm) and changes in absorbance of a film, with noise."""
    delays = np.concatenate([np.linspace(-2.0, 4.0, 21), np.geomspace(4.2, 7000.0, 101)])
    wavelengths = np.linspace(480.0, 540.0, 61)
    energies = 1239.841984 / wavelengths
    decay = sum(
        a * np.exp(-np.maximum(delays, 0.0) / tau)
        for a, tau in zip(amplitudes, BLEACH_TAU_PS, strict=True)
    )
    # A response of 200 fs; the strongest bleach lies at the sampled energy next to the probe's.
    rise = 1.0 / (1.0 + np.exp(-np.clip(delays / 0.08, -60.0, 60.0)))
    line = np.exp(-0.5 * ((energies - probe_ev) / BLEACH_WIDTH_EV) ** 2)
    change = -line[:, None] * (decay * rise)
    return delays, wavelengths, change + rng.normal(0.0, NOISE_OD, change.shape)


def surface_xplorer_csv(delays: FloatArray, wavelengths: FloatArray, change: FloatArray) -> str:
    """Return a matrix as Surface Xplorer writes it: delays across, wavelengths down."""
    out = io.StringIO()
    out.write(",".join(["0.0000000E+0", *(f"{t:.7E}" for t in delays)]) + "\n")
    for nm, row in zip(wavelengths, change, strict=True):
        out.write(",".join([f"{nm:.7E}", *(f"{v:.7E}" for v in row)]) + "\n")
    out.write("File info\nSimulated\nTime units: ps\nZ axis title: DA\n")
    return out.getvalue()


def write_ensemble(folder: Path, photons: float = 3e5, seed: int = 2024) -> pd.DataFrame:
    """Write decays and bleaches with the paper's numbers as truth; return the ensemble sheet.

    Parameters
    ----------
    folder : Path
    photons : float
        Of each decay.
    seed : int

    Examples
    --------
    >>> import tempfile
    >>> sheet = write_ensemble(Path(tempfile.mkdtemp()))
    >>> sheet["technique"].tolist()
    ['tcspc', 'tcspc', 'tcspc', 'tcspc', 'ta', 'ta']
    """
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    irf = folder / "response.sdt"
    irf.write_bytes(sdt_bytes(rng.poisson(response(2e5) + 0.2).astype(float)))
    rows = []
    for label, amplitudes in AMPLITUDES.items():
        # Between response and decay the time base moves by some ten picoseconds.
        at_ns = RESPONSE_AT_NS + rng.uniform(-0.05, 0.05)
        expected = expected_decay(photons, amplitudes, at_ns=at_ns, background=0.5)
        file = folder / f"decay_{label}.sdt"
        # Of 60 s at 400 kHz: 1.3 % of the pulses bring a photon.
        file.write_bytes(sdt_bytes(rng.poisson(expected).astype(float)))
        rows.append({"measurement": f"PL_{label}", "technique": "tcspc", "temperature_c": label,
                     "file": str(file), "irf": str(irf)})  # fmt: skip
    for label, (probe_ev, bleach) in BLEACHES.items():
        file = folder / f"bleach_{label}.csv"
        text = surface_xplorer_csv(*bleach_matrix(probe_ev, bleach, rng))
        file.write_text(text, encoding="utf-8")
        rows.append({"measurement": f"TA_{label}", "technique": "ta", "temperature_c": label,
                     "file": str(file), "probe_ev": f"{probe_ev:g}"})  # fmt: skip
    sheet = pd.DataFrame(rows).fillna("")
    sheet.insert(3, "sample", "simulated")
    return sheet
