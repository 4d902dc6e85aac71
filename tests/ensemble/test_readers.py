"""What files of spectrometers hold arrives unchanged; what cannot be known is asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import ptufile
import pytest

from blinkpair.ensemble.readers.decay import read_decay
from blinkpair.ensemble.readers.matrix import EV_NM, read_matrix
from blinkpair.errors import InputError
from blinkpair.simulate.ensemble import (
    expected_decay,
    sdt_bytes,
)

REAL = Path(__file__).parents[3] / "shared" / "realdata" / "ensemble"
needs_real = pytest.mark.skipif(not REAL.exists(), reason="the real files are not here")


@pytest.fixture
def counts():
    rng = np.random.default_rng(1)
    return rng.poisson(expected_decay(5e4, [0.6, 0.3, 0.1])).astype(float)


def test_an_sdt_file_holds_counts_and_bin_width(tmp_path, counts):
    path = tmp_path / "decay.sdt"
    path.write_bytes(sdt_bytes(counts, duration_s=60.0))
    decay = read_decay(str(path))
    assert np.array_equal(decay.counts, counts)
    assert decay.bin_ns == pytest.approx(0.05, rel=1e-6)
    assert decay.period_ns == pytest.approx(2500.0)
    assert decay.photons_per_pulse == pytest.approx(counts.sum() / (60.0 * 400e3))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(InputError, match=r"decay\.sdt"):
        read_decay(str(path))


def test_every_photon_of_a_ptu_file_is_counted(tmp_path):
    """T3 records as ptufile writes them, 5,000 photons in 1,000 bins of 50 ps."""
    rng = np.random.default_rng(2)
    image = np.zeros((1, 100, 1000), np.uint8)
    places = rng.integers(0, 100, 5000), rng.integers(0, 700, 5000)
    np.add.at(image[0], places, 1)
    path = tmp_path / "decay.ptu"
    ptufile.imwrite(path, image, global_resolution=50e-9, tcspc_resolution=50e-12, pixel_time=1e-3)
    decay = read_decay(str(path))
    assert decay.counts.sum() == 5000
    assert np.array_equal(decay.counts[:1000], image.sum(axis=(0, 1)))
    # The empty bins at the end of the period are data.
    assert decay.counts.size == 1000
    assert decay.bin_ns == pytest.approx(0.05)


def time_tags(tmp_path, rate=0, divider=1, times=range(1000, 2_001_000, 1000)):
    """T2 records of a HydraHarp: pulses at these ps, a photon 130 ps behind each tenth."""
    special = 1 << 31
    records = []
    for pulse, time in enumerate(map(int, times), 1):
        if pulse % divider == 0:
            records.append(special | time)  # channel 0 with the special bit: sync
        if pulse % 10 == 0:
            records.append((time + 130) | (1 << 25))  # second detector
    return t2_file(tmp_path, records, rate=rate)


def t2_file(tmp_path, records, *, kind=0x01010204, tick_s=1e-12, rate=0):
    tags = {
        "Measurement_Mode": 2, "Measurement_SubMode": 0, "MeasDesc_GlobalResolution": tick_s,
        "MeasDesc_Resolution": 8e-12, "TTResult_SyncRate": rate, "TTResult_StopAfter": 1,
        "TTResultFormat_TTTRRecType": kind, "TTResultFormat_BitsPerRecord": 32,
        "TTResult_NumberOfRecords": len(records), "MeasDesc_AcquisitionTime": 1,
    }  # fmt: skip
    parts = [ptufile.ptufile.encode_tag(name, value) for name, value in tags.items()]
    parts.append(ptufile.ptufile.encode_tag("Header_End", None))
    path = tmp_path / "tags.ptu"
    head = b"PQTTTR\0\0" + b"1.0.00\0\0" + b"".join(parts)
    path.write_bytes(head + np.array(records, "<u4").tobytes())
    return path


def test_time_tags_are_histogrammed_from_the_pulse_before_them(tmp_path):
    path = time_tags(tmp_path)
    decay = read_decay(str(path), bin_ps=10.0)
    assert decay.bin_ns == pytest.approx(0.01)
    assert decay.counts.size == 100
    assert decay.counts[13] == decay.counts.sum() == 200
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(InputError, match=r"tags\.ptu: the file ends after"):
        read_decay(str(path))


def test_time_tags_of_a_divided_sync_are_those_of_the_laser(tmp_path):
    """Each fourth pulse is recorded, the header has the laser's rate, counted with an error."""
    decay = read_decay(str(time_tags(tmp_path, rate=1_002_000_000, divider=4)), bin_ps=10.0)
    assert decay.counts.size == 100
    assert decay.counts[13] == decay.counts.sum() == 200
    # A rate that is no multiple, as of another light source, divides nothing.
    decay = read_decay(str(time_tags(tmp_path, rate=1_600_000_000, divider=1)), bin_ps=10.0)
    assert decay.counts.size == 100


def test_a_detector_at_the_sync_input_is_no_laser(tmp_path):
    """Photons as for a correlation come at intervals of any length; pulses with gaps do not."""
    draw = np.random.default_rng(0)
    photons = np.sort(draw.choice(2_000_000, 2000, replace=False))
    with pytest.raises(InputError, match=r"tags\.ptu: the events of the sync input do not come"):
        read_decay(str(time_tags(tmp_path, times=photons)), bin_ps=10.0)
    lost = 1000 * np.sort(draw.choice(4000, 2000, replace=False))
    decay = read_decay(str(time_tags(tmp_path, times=lost)), bin_ps=10.0)
    assert decay.counts[13] == decay.counts.sum() == 200


def test_detectors_of_a_picoharp_s_time_tags_are_not_summed(tmp_path):
    """Records by PicoQuant's description: 4 bits of channel, of which 0 is the sync input and 15 an
    overflow of 210,698,240 ticks or a marker, and 28 bits of time in ticks of 4 ps."""
    special, overflow = 15 << 28, 210_698_240
    events = [(6250 * pulse, 0) for pulse in range(1, 40_001)]  # 25 ns
    events += [(6250 * pulse + 130, 1) for pulse in range(1, 40_001, 7)]
    events += [(6250 * pulse + 500, 2) for pulse in range(1, 40_001, 9)]
    records, turn = [], 0
    for time, channel in sorted(events):
        if time // overflow > turn:
            turn += 1
            records += [special, special | 4]  # an overflow, and a marker of the scanner
        records.append(channel << 28 | time % overflow)
    path = str(t2_file(tmp_path, records, kind=0x00010203, tick_s=4e-12))
    assert turn == 1
    several = r"curves with photons: 1 \(5715 photons\), 2 \(4445 photons\)\. Hint: write ::curve=N"
    with pytest.raises(InputError, match=several):
        read_decay(path, bin_ps=4.0)
    for curve, bin_, n in ((1, 130, 5715), (2, 500, 4445)):
        decay = read_decay(f"{path}::curve={curve}", bin_ps=4.0)
        assert decay.counts.size == 6250
        assert decay.counts[bin_] == decay.counts.sum() == n


def phu(tmp_path, curves, base_s=4e-12, width_s=32e-12):
    """Write PicoQuant's histogram file: tags, then 32-bit counts."""
    n = len(curves)
    tags = {
        "Measurement_Mode": 0, "Measurement_SubMode": 0, "HW_BaseResolution": base_s,
        "MeasDesc_Resolution": width_s, "MeasDesc_AcquisitionTime": 1000,
        "HistoResult_NumberOfCurves": n, "HistoResult_BitsPerBin": 32,
    }  # fmt: skip

    def header(offset):
        parts = [ptufile.ptufile.encode_tag(name, value) for name, value in tags.items()]
        for i, curve in enumerate(curves):
            for name, value in {
                "HistResDscr_DataOffset": offset + 4 * sum(c.size for c in curves[:i]),
                "HistResDscr_HistogramBins": curve.size,
                "HistResDscr_MDescResolution": width_s,
                "HistResDscr_SyncRate": 1_000_000,
            }.items():
                parts.append(ptufile.ptufile.encode_tag(name, value, i))
        end = ptufile.ptufile.encode_tag("Header_End", None)
        return b"PQHISTO\0" + b"1.0.00\0\0" + b"".join(parts) + end

    offset = len(header(0))
    path = tmp_path / "decay.phu"
    data = b"".join(np.asarray(c, "<u4").tobytes() for c in curves)
    path.write_bytes(header(offset) + data)
    return str(path)


def test_the_time_axis_of_a_phu_file_is_its_bin_width(tmp_path):
    decay = read_decay(phu(tmp_path, [np.arange(100)]))
    assert decay.bin_ns == pytest.approx(0.032)  # not the 4 ps of the hardware
    assert decay.photons_per_pulse == pytest.approx(4950 / 1e6)


def test_a_curve_is_chosen_where_a_file_holds_several(tmp_path):
    path = phu(tmp_path, [np.arange(100), 2 * np.arange(100) + 70_000])
    with pytest.raises(InputError, match=r"several curves.*::curve=N"):
        read_decay(path)
    assert read_decay(path + "::curve=1").counts[3] == 70_006  # 32 bits, not 16
    with pytest.raises(InputError, match="no curve 5"):
        read_decay(path + "::curve=5")


PICOHARP = "#PicoHarp 300  Histogram Data\n#channels per curve\n99\n#ns/channel\n0.0160\n#counts\n"
HORIBA = "Sample: film\nTime calibration = 5.486969E-11 sec/ch\nChan Data\n"
EDINBURGH = "Title\tfilm\nTime (ns)\tCounts\n"


@pytest.mark.parametrize(
    ("header", "line", "bin_ns"),
    [
        (PICOHARP, "{c}", 0.016),
        (HORIBA, "{i} {c}", 0.05486969),
        (EDINBURGH, "{t:.4f}\t{c}", 0.05),
    ],
)
def test_the_width_of_a_channel_is_read_from_texts(tmp_path, header, line, bin_ns):
    path = tmp_path / "decay.txt"
    rows = [line.format(i=i, c=3 * i % 17, t=0.05 * i) for i in range(99)]
    path.write_text(header + "\n".join(rows) + "\n")
    decay = read_decay(str(path))
    assert decay.bin_ns == pytest.approx(bin_ns, rel=1e-4)
    assert decay.counts.tolist() == [3 * i % 17 for i in range(99)]


@pytest.mark.parametrize(
    ("head", "bin_ns"),
    [("t/ns", 0.05), ("time_ps", 5e-5), ("Decay time (nanoseconds)", 0.05), ("Time [µsec]", 50.0)],
)
def test_the_unit_of_the_times_is_read_from_the_head_of_their_column(tmp_path, head, bin_ns):
    path = tmp_path / "decay.txt"
    path.write_text(text_of([(0.05 * i, 3 * i % 17) for i in range(99)], f"{head}\tCounts"))
    assert read_decay(str(path)).bin_ns == pytest.approx(bin_ns)


def test_a_width_that_a_text_does_not_hold_is_asked_for(tmp_path):
    path = tmp_path / "decay.txt"
    path.write_text("\n".join(f"{i} {i % 7}" for i in range(99)))
    with pytest.raises(InputError, match="column bin_ps"):
        read_decay(str(path))
    assert read_decay(str(path), bin_ps=16.0).bin_ns == pytest.approx(0.016)
    path.write_text("\n".join(f"{0.1 * i:.1f} {i % 7}" for i in range(99)))
    with pytest.raises(InputError, match="column time_unit"):
        read_decay(str(path))
    assert read_decay(str(path), time_unit="us").bin_ns == pytest.approx(100.0)


def text_of(rows, head="Time (ns)\tCounts"):
    return "\n".join([head, *("\t".join(f"{v:g}" for v in row) for row in rows)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        # Half of the decay would be lost in silence.
        (lambda rows: text_of(rows[:40]) + "\n###\n" + text_of(rows[40:], ""), "line 43 interr"),
        # A list of the channels with photons only, and time tags.
        (lambda rows: text_of([r for r in rows if r[1] > 2]), "equal steps"),
        (lambda rows: text_of(rows[::-1]), "equal steps"),
        # The time of the measurement is no time axis.
        (lambda rows: text_of(rows, "Integration time (s)\t5\nt\tCounts"), "column time_unit"),
        (lambda rows: text_of(rows, "Exposure\t5\ts\nt\tCounts"), "column time_unit"),
        # Photostability of a film, which fits as a decay of minutes.
        (lambda rows: text_of(rows, "Time (min)\tPL"), "times are in min: this is no decay"),
        (lambda rows: text_of([(t, 65_535 if 9 < i < 13 else 7) for i, (t, _) in enumerate(rows)]),
         "3 channels are full"),
        # Thousands: read as decimals, 1.234 photons.
        (lambda rows: "\n".join(f"{t:.2f};{700 * n:,}".translate(str.maketrans(".,", ",."))
                                for t, n in rows), "with points"),
        (lambda rows: text_of([(t, [60_000, 64_000, 4_464, 64_500, 60_000][min(i, 4)])
                               for i, (t, _) in enumerate(rows)]), "began again at 0"),
    ],
)  # fmt: skip
def test_a_text_that_would_be_read_wrongly_is_an_error(tmp_path, change, message):
    path = tmp_path / "decay.txt"
    path.write_text(change([(0.05 * i, 1 + 3 * i % 17) for i in range(99)]))
    with pytest.raises(InputError, match=message):
        read_decay(str(path))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_microseconds_are_not_read_as_seconds(tmp_path, encoding):
    path = tmp_path / "decay.txt"
    rows = [(0.1 * i, 3 * i % 17) for i in range(99)]
    path.write_text(text_of(rows, "Time (µs)\tCounts"), encoding=encoding)
    assert read_decay(str(path)).bin_ns == pytest.approx(100.0)


def test_a_column_of_shares_with_decimal_commas_is_one_curve(tmp_path):
    path = tmp_path / "decay.txt"
    shares = 0.97 * np.exp(-0.1 * np.arange(99))
    path.write_text("\n".join(f"{v:.5f}".replace(".", ",") for v in shares))
    assert read_decay(str(path), bin_ps=50.0).counts == pytest.approx(shares, abs=1e-5)


def test_widths_and_units_of_file_and_sheet_must_agree(tmp_path):
    path = tmp_path / "decay.txt"
    path.write_text(text_of([(0.05 * i, 3 * i % 17) for i in range(99)]))
    assert read_decay(str(path), bin_ps=50.0).bin_ns == pytest.approx(0.05)
    with pytest.raises(InputError, match="50 ps wide by the file and 16 ps by the sheet"):
        read_decay(str(path), bin_ps=16.0)
    with pytest.raises(InputError, match="ns by the file and ps by the sheet"):
        read_decay(str(path), time_unit="ps")
    path = tmp_path / "decay.sdt"
    path.write_bytes(sdt_bytes(np.arange(4096.0)))
    with pytest.raises(InputError, match="50 ps wide by the file"):
        read_decay(str(path), bin_ps=25.0)


def test_the_rate_of_the_pulses_is_that_of_file_or_sheet(tmp_path, counts):
    path = tmp_path / "decay.txt"
    path.write_text(text_of([(0.05 * i, 3 * i % 17) for i in range(99)]))
    assert read_decay(str(path)).period_ns == np.inf
    assert read_decay(str(path), rate_mhz=20.0).period_ns == pytest.approx(50.0)
    path = tmp_path / "decay.sdt"
    path.write_bytes(sdt_bytes(counts))
    with pytest.raises(InputError, match=r"0\.4 MHz by the file and 40 MHz by the sheet"):
        read_decay(str(path), rate_mhz=40.0)


def test_a_steep_response_is_no_wrapped_counter(tmp_path):
    path = tmp_path / "response.txt"
    path.write_text(text_of([(0.05 * i, 65_000 if i == 20 else 1) for i in range(99)]))
    assert read_decay(str(path)).counts.max() == 65_000


@needs_real
def test_real_files():
    with pytest.raises(InputError, match="without the laser's pulses"):
        read_decay(str(REAL / "tcspc" / "v30_t2.ptu"))
    irf = read_decay(str(REAL / "tcspc" / "metrotrpl_irf_520nm.csv"), time_unit="ns")
    assert (irf.counts.size, irf.counts.max()) == (189, 10169)
    assert irf.bin_ns == pytest.approx(0.025)
    found = list((REAL / "ta").glob("*.ascii"))
    matrix = read_matrix(str(found[0]))
    assert matrix.change.shape == (335, 346)
    assert matrix.probe_ev[-1] == pytest.approx(EV_NM / 377.96045)
