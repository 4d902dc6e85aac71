"""Damaged files of every kind are read or refused: in time, in little memory, with one error."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trials
from hypothesis import strategies as st

from tests.helpers.mutants import (
    FRAMES,
    TIFF_KINDS,
    configs,
    damage,
    fate,
    limits,
    nd2s,
    read_config,
    read_movie,
    read_sheet,
    scribble,
    sheets,
    sifs,
    tiff_of,
    tiffs,
)
from tests.helpers.set_files import stack_bytes

# A mutant takes milliseconds; the alarm is for those that would take for ever.
SECONDS, MEGABYTES = 20, 600


def fates(tmp_path, name, read, spoil, sound, of, n):
    """What becomes of n mutants of a sound file; anything but these two is an error."""
    path = tmp_path / name
    found = {"read": 0, "refused": 0}
    for k in range(n):
        rng = np.random.default_rng([17, k])
        path.write_bytes(spoil(of, rng, sound))
        with limits(SECONDS, MEGABYTES):
            found[fate(read, path)] += 1
    return found


@pytest.mark.parametrize("kind", TIFF_KINDS)
def test_damaged_tiff(tmp_path, kind):
    found = fates(tmp_path, "a.tif", read_movie, damage, tiffs(), tiff_of(kind), 50)
    assert found["refused"] > 0
    assert found["read"] > 0 or kind == "RGB"  # which is refused unless damage hides the colours


@pytest.mark.parametrize(
    ("name", "sound"),
    [("a.nd2", nd2s()), ("a.sif", sifs()), ("a.tif", [*tiffs(), stack_bytes(FRAMES)])],
)
def test_damaged_nd2_sif_and_micromanager(tmp_path, name, sound):
    found = fates(tmp_path, name, read_movie, damage, sound, sound[-1], 120)
    assert min(found.values()) > 0


@pytest.mark.parametrize(
    ("name", "read", "sound"),
    [("a.tsv", read_sheet, sheets()), ("a.yaml", read_config, configs())],
    ids=["sheet", "configuration"],
)
def test_damaged_text(tmp_path, name, read, sound):
    found = [fates(tmp_path, name, read, scribble, sound, of, 50) for of in sound]
    assert all(sum(one[fate] for one in found) > 0 for fate in ("read", "refused"))


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda t: t.encode(errors="replace")))
@trials(
    derandomize=True,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_bytes_as_sheet_and_as_configuration(tmp_path, data):
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    assert fate(read_sheet, path) == "refused"
    fate(read_config, path)
