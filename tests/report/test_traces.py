"""What the page holds of traces, states and dwell times, unpacked as a browser does."""

import base64
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from blinkpair.blinking.run_lengths import events_to_fit, run_lengths
from blinkpair.dwell_fits.histograms import bin_edges, log_binned_density
from blinkpair.epochs import EPOCHS
from blinkpair.report.packing import leb128, pack
from blinkpair.report.traces import (
    NO_FRAME,
    bins_for,
    dwell_counts,
    find_runs,
    pack_runs,
    thin_traces,
)


def unpack(text, dtype=np.uint8):
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.dtype(dtype).newbyteorder("<"))


def read_numbers(octets):
    """LEB128, one number after the other."""
    numbers, value, shift = [], 0, 0
    for octet in octets.tolist():
        value += (octet & 127) << shift
        shift += 7
        if octet < 128:
            numbers.append(value)
            value = shift = 0
    return numbers


def read_runs(text, n, frames):
    """Rebuild the states from `pack_runs`, with -1 where there is no frame."""
    numbers = iter(read_numbers(unpack(text)))
    on = np.full((n, frames), -1, np.int8)
    for row in on:
        n_runs, state, at = next(numbers), next(numbers), 0
        for _ in range(n_runs):
            length = next(numbers)
            row[at : at + length] = state
            at, state = at + length, 1 - state
    assert next(numbers, None) is None
    return on


def envelope(content, epoch, n):
    """Lowest and highest counts of every bin, NaN where there is no frame."""
    own = content[epoch]
    offset, step = (np.array(content[name])[:, None] for name in ("offset", "step"))
    ends = []
    for name in ("low", "high"):
        text = own[name] if own[name] is not None else own["low"]
        codes = unpack(text).reshape(n, own["bins"])
        ends.append(np.where(codes == NO_FRAME, np.nan, offset + step * codes))
    return ends


counts = hnp.arrays(
    np.float32,
    st.tuples(st.integers(0, 4), st.integers(0, 40)),
    elements=st.floats(-1e4, 1e5, width=32) | st.just(np.nan),
)


@given(pre=counts, frames_post=st.integers(0, 40), bins=st.integers(1, 50), seed=st.integers(0, 9))
def test_the_envelope_holds_every_frame_of_both_epochs(pre, frames_post, bins, seed):
    n = len(pre)
    post = np.random.default_rng(seed).normal(0, 300, (n, frames_post)).astype("f4")
    traces = {"pre": pre, "post": post}
    content = thin_traces(traces, bins)
    assert len(content["offset"]) == len(content["step"]) == n
    for epoch, trace in traces.items():
        own = content[epoch]
        assert own["bins"] <= bins
        low, high = envelope(content, epoch, n)
        width = own["frames_per_bin"]
        assert own["bins"] == -(-trace.shape[1] // width)
        allowed = 1e-9 * (1 + np.abs(np.nan_to_num(trace)))
        if own["high"] is None:
            assert width == 1
            allowed = allowed + 0.5 * np.array(content["step"])[:, None]
        low, high = (np.repeat(end, width, axis=1)[:, : trace.shape[1]] for end in (low, high))
        there = np.isfinite(trace)
        assert (low <= trace + allowed)[there].all()
        assert (high >= trace - allowed)[there].all()


def test_an_event_of_one_frame_stays_and_missing_frames_are_marked():
    trace = np.zeros((2, 10_000), np.float32)
    trace[0, 5003] = 700.0
    trace[1, 8000:] = np.nan
    content = thin_traces({"pre": trace, "post": np.zeros((2, 300), np.float32)}, 500)
    assert content["pre"]["frames_per_bin"] == 20
    low, high = envelope(content, "pre", 2)
    assert high[0].max() == pytest.approx(700, abs=content["step"][0])
    assert np.flatnonzero(high[0] > 350).tolist() == [5003 // 20]
    assert (low[0] <= 0).all()
    assert np.isnan(low[1]).tolist() == [False] * 400 + [True] * 100
    assert content["post"]["high"] is None
    assert content["post"]["bins"] == 300


def test_a_step_is_a_fifth_of_the_noise_unless_the_trace_reaches_too_far():
    rng = np.random.default_rng(1)
    lit = np.repeat(rng.random((1, 200)) < 0.5, 50, axis=1)
    quiet = (500 * lit + rng.normal(0, 45, lit.shape)).astype("f4")
    high = (60_000 * lit + rng.normal(0, 45, lit.shape)).astype("f4")
    both = np.concatenate([quiet, high])
    steps = thin_traces({"pre": both, "post": both}, 1000)["step"]
    # The median of 1000 differences is known to 1.17 / root 1000, 4 %: four of these.
    assert steps[0] == pytest.approx(0.2 * 45, rel=0.15)
    assert steps[1] == pytest.approx((high.max() - high.min()) / 254, rel=0.01)


states = st.tuples(st.integers(0, 4), st.integers(0, 300)).flatmap(
    lambda shape: st.tuples(
        hnp.arrays(np.int8, shape, elements=st.integers(0, 1)),
        hnp.arrays(np.int64, shape[0], elements=st.integers(0, shape[1])),
    )
)


@given(drawn=states)
def test_states_come_back_frame_by_frame(drawn):
    on, frames = drawn
    on[np.arange(on.shape[1]) >= frames[:, None]] = -1
    assert (read_runs(pack_runs(on), *on.shape) == on).all()


def test_runs_longer_than_a_byte_come_back():
    on = np.zeros((2, 300_000), np.int8)
    on[0, 129:] = 1
    on[0, 17_000:] = 0
    on[1, :] = 1
    assert (read_runs(pack_runs(on), 2, 300_000) == on).all()


def test_a_gap_in_the_middle_is_no_trace():
    with pytest.raises(ValueError, match=r"row 1 .* before its end"):
        find_runs(np.array([[1, 0, -1], [0, -1, 1]], np.int8))


@given(st.lists(st.integers(0, (1 << 35) - 1)))
def test_leb128_is_undone_by_its_definition(numbers):
    assert read_numbers(leb128(np.array(numbers, np.int64))) == numbers


@pytest.mark.parametrize("number", [-1, 1 << 35])
def test_leb128_refuses_what_it_cannot_hold(number):
    with pytest.raises(ValueError, match="outside"):
        leb128(np.array([number]))


def test_packed_bytes_are_little_endian_and_the_same_every_time():
    big = np.array([[1, 258]], dtype=">u2")
    assert zlib.decompress(base64.b64decode(pack(big))) == b"\x01\x00\x02\x01"
    assert pack(big) == pack(big.astype("<u2"))
    with pytest.raises(ValueError, match="float"):
        pack(np.zeros(3))


def test_densities_are_those_of_the_figures():
    rng = np.random.default_rng(2)
    lengths = np.minimum(np.floor(rng.pareto(0.8, (2, 3, 4000)) + 1), 900).astype(int)
    pre, post = (
        np.stack([np.repeat(np.arange(4000) % 2, row)[:4000] for row in rows]).astype(np.int8)
        for rows in lengths
    )
    post[:, 3500:] = -1
    content = dwell_counts({"pre": pre, "post": post})
    edges = np.array(content["edges_frames"])
    assert content["bits"] == 16
    for epoch, on in (("pre", pre), ("post", post[:, :3500])):
        events = run_lengths(on == 1)
        for name, state in (("on", True), ("off", False)):
            table = unpack(content[f"{name}_{epoch}"], "u2").reshape(3, -1)
            for row in range(3):
                durations, cut = events_to_fit(events, row, state=state)
                density = log_binned_density(durations[~cut], exposure_s=0.02)
                seen = len(density)
                assert (edges[:seen] == density["first_frame"]).all()
                assert table[row].sum() == (~cut).sum()
                assert not table[row, seen:].any()
                mine = table[row] / (table[row].sum() * np.diff(edges) * 0.02)
                assert mine[:seen] == pytest.approx(density["density_per_s"].to_numpy())


def test_bins_have_edges_up_to_the_longest_event():
    assert bin_edges(0).tolist() == [1]
    assert bin_edges(1).tolist() == [1, 2]
    for longest in (2, 9, 10, 11, 20_000):
        edges = bin_edges(longest)
        assert edges[-2] <= longest < edges[-1]


def test_counts_beyond_16_bits_take_32():
    on = (np.arange(140_001) % 2)[None].astype(np.int8)
    content = dwell_counts({"pre": on, "post": on})
    assert content["bits"] == 32
    assert unpack(content["on_pre"], "u4").tolist() == [70_000]
    assert unpack(content["off_pre"], "u4").tolist() == [69_999]  # without those at both ends


def test_without_nanocrystals_there_is_nothing_and_no_error():
    nothing = {epoch: np.empty((0, 0), np.float32) for epoch in EPOCHS}
    content = thin_traces(nothing, 500)
    assert content["pre"]["bins"] == 0
    assert content["offset"] == []
    no_states = {epoch: np.empty((0, 0), np.int8) for epoch in EPOCHS}
    assert dwell_counts(no_states)["edges_frames"] == [1]
    assert unpack(pack_runs(no_states["pre"])).size == 0


def test_bins_keep_to_the_budget_between_their_bounds():
    assert bins_for(0) == bins_for(100) == 1000
    assert bins_for(100_000) == 200
    for n in (1200, 2000, 5000):
        assert 4_400_000 < 4 * n * bins_for(n) <= 4_500_000
