"""Matrices of transient absorption: delays, probes and units as the file has them."""

from __future__ import annotations

import numpy as np
import pytest

from blinkpair.ensemble.readers.matrix import EV_NM, read_matrix
from blinkpair.errors import InputError
from blinkpair.simulate.ensemble import (
    bleach_matrix,
    surface_xplorer_csv,
)


@pytest.fixture
def film():
    return bleach_matrix(2.441, (0.7e-3, 1.2e-3, 1.28e-3), np.random.default_rng(3))


def test_surface_xplorer_and_both_ways_round_are_one_matrix(tmp_path, film):
    delays, wavelengths, change = film
    first, second, third = (tmp_path / name for name in ("a.csv", "b.txt", "c.ascii"))
    first.write_text(surface_xplorer_csv(*film))
    table = np.column_stack([delays, change.T])
    lines = ["0\t" + "\t".join(f"{v:.8g}" for v in wavelengths)]
    lines += ["\t".join(f"{v:.8g}" for v in row) for row in table]
    second.write_text("\n".join(lines))
    rows = [" ".join(f"{v:.8g}" for v in row) for row in np.column_stack([wavelengths, change])]
    head = ["Header", "simulated", "Time explicit", f"intervalnr {delays.size}"]
    third.write_text("\n".join([*head, " ".join(f"{v:.8g}" for v in delays), *rows]))
    matrices = [read_matrix(str(path)) for path in (first, second, third)]
    for one in matrices:
        assert one.delay_ps == pytest.approx(delays, rel=1e-6, abs=1e-6)
        assert one.probe_ev == pytest.approx(np.sort(EV_NM / wavelengths))
        assert one.change == pytest.approx(change.T[:, np.argsort(EV_NM / wavelengths)], abs=1e-9)


def test_an_orientation_that_values_do_not_show_is_asked_for(tmp_path):
    axis = np.linspace(400, 700, 31)
    table = np.column_stack([axis, np.ones((31, 31))])
    lines = [",".join(["0", *(f"{v:g}" for v in axis)])]
    lines += [",".join(f"{v:g}" for v in row) for row in table]
    path = tmp_path / "matrix.csv"
    path.write_text("\n".join(lines))
    with pytest.raises(InputError, match="column first_row"):
        read_matrix(str(path))
    assert read_matrix(str(path), first_row="probe").delay_ps[0] == 400


def test_the_unit_below_a_matrix_is_read(tmp_path, film):
    path = tmp_path / "matrix.csv"
    text = surface_xplorer_csv(*film)
    path.write_text(text.replace("Time units: ps", "Time units: ns"))
    assert read_matrix(str(path)).delay_ps == pytest.approx(1e3 * film[0], rel=1e-6, abs=1e-3)
    with pytest.raises(InputError, match="ns by the file and ps by the sheet"):
        read_matrix(str(path), time_unit="ps")


@pytest.mark.parametrize(
    ("corner", "ps"),
    [
        ("delay_fs", 1e-3),
        ("fs\\nm", 1e-3),
        ("Delay/fs", 1e-3),
        ("Delay (femtoseconds)", 1e-3),
        ("Delay (s)", 1e12),
        ("time in sec \\ wavelength in nm", 1e12),
        ("Delay (\u03bcs)", 1e6),
        ("the film's delays", 1.0),
    ],
)
def test_the_unit_in_the_corner_of_a_matrix_is_read(tmp_path, film, corner, ps):
    delays, wavelengths, change = film
    path = tmp_path / "matrix.txt"
    rows = [[corner, *wavelengths], *np.column_stack([delays, change.T]).tolist()]
    path.write_text("\n".join("\t".join(map(str, row)) for row in rows))
    assert read_matrix(str(path)).delay_ps == pytest.approx(ps * delays)


def test_a_unit_above_a_matrix_that_is_not_ps_is_asked_for(tmp_path, film):
    # It may be that of the axis or of the stage's range: time constants would be 1,000 times off.
    delays, wavelengths, change = film
    path = tmp_path / "matrix.txt"
    rows = [["", *wavelengths], *np.column_stack([delays, change.T]).tolist()]
    text = "\n".join("\t".join(map(str, row)) for row in rows)
    path.write_text(f"# delays in fs\n{text}")
    with pytest.raises(InputError, match=r"may be in fs, by '# delays in fs'.*time_unit"):
        read_matrix(str(path))
    assert read_matrix(str(path), time_unit="fs").delay_ps == pytest.approx(1e-3 * delays)
    path.write_text(f"# delays in ps\n{text}")
    assert read_matrix(str(path)).delay_ps == pytest.approx(delays)


def test_decimal_commas_and_cells_without_a_number(tmp_path, film):
    delays, wavelengths, change = film
    table = [["", *wavelengths], *([t, *row] for t, row in zip(delays, change.T, strict=True))]
    lines = ["\t".join(f"{v:.8g}" if v != "" else "" for v in row) for row in table]
    lines[5] = lines[5].rpartition("\t")[0] + "\tinf"
    path = tmp_path / "matrix.txt"
    path.write_text("\n".join(lines).replace(".", ","))
    matrix = read_matrix(str(path))
    assert matrix.delay_ps == pytest.approx(delays, rel=1e-6, abs=1e-6)
    assert np.isnan(matrix.change).sum() == 1
    path.write_text("\n".join([lines[0].replace("480", "48o"), *lines[1:]]))
    with pytest.raises(InputError, match="not all values of its axes are numbers"):
        read_matrix(str(path))


def test_a_last_probe_without_values_does_not_move_the_others(tmp_path, film):
    """Behind a header whose corner is empty, rows one cell shorter had the probe before theirs."""
    delays, wavelengths, change = film
    table = [["", *wavelengths], *([t, *row] for t, row in zip(delays, change.T, strict=True))]
    lines = ["\t".join(f"{v:.8g}" if v != "" else "" for v in row) for row in table]
    lines[1:] = [line.rpartition("\t")[0] + "\t" for line in lines[1:]]
    path = tmp_path / "matrix.txt"
    path.write_text("\n".join(lines))
    with pytest.raises(InputError, match="rows differ in length"):
        read_matrix(str(path))


def test_delays_in_any_order_are_one_matrix(tmp_path, film):
    delays, wavelengths, change = film
    order = np.random.default_rng(5).permutation(delays.size)
    path = tmp_path / "matrix.csv"
    path.write_text(surface_xplorer_csv(delays[order], wavelengths, change[:, order]))
    with pytest.raises(InputError, match="column first_row"):
        read_matrix(str(path))
    matrix = read_matrix(str(path), first_row="delay")
    assert matrix.delay_ps == pytest.approx(delays, rel=1e-6, abs=1e-6)
