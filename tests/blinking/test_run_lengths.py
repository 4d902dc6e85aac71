"""Events are runs of frames; the window cuts the first and the last."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from blinkpair.blinking.run_lengths import COLUMNS, count_durations, events_to_fit, run_lengths
from blinkpair.errors import InputError


def test_a_short_trace_by_hand():
    events = run_lengths(np.array([[0, 1, 1, 0, 0, 0, 1]], dtype=bool))
    assert list(events.columns) == list(COLUMNS)
    assert events["state"].tolist() == [False, True, False, True]
    assert events["start_frame"].tolist() == [0, 1, 3, 6]
    assert events["duration_frames"].tolist() == [1, 2, 3, 1]
    assert events["censored_start"].tolist() == [True, False, False, False]
    assert events["censored_end"].tolist() == [False, False, False, True]


def test_equal_states_across_two_traces_are_two_events():
    events = run_lengths(np.array([[0, 1], [1, 0]], dtype=bool))
    assert events["nanocrystal"].tolist() == [0, 0, 1, 1]
    assert events["duration_frames"].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("state", [True, False])
def test_a_trace_in_one_state_is_one_event_cut_at_both_ends(state):
    events = run_lengths(np.full((2, 9), state))
    assert events["duration_frames"].tolist() == [9, 9]
    assert events["censored_start"].all()
    assert events["censored_end"].all()
    assert (events["state"] == state).all()


def test_one_frame_is_cut_at_both_ends():
    events = run_lengths(np.array([True]))
    assert events["duration_frames"].tolist() == [1]
    assert events["censored_start"].all()
    assert events["censored_end"].all()


@pytest.mark.parametrize("shape", [(0, 10), (3, 0)])
def test_nothing_in_nothing_out(shape):
    events = run_lengths(np.zeros(shape, dtype=bool))
    assert len(events) == 0
    assert list(events.columns) == list(COLUMNS)


# Same examples every time, and no limit on their duration: a busy machine is no failure.
STEADY = trials(derandomize=True, deadline=None, max_examples=100)
TRACE = arrays(bool, st.integers(1, 30))


@STEADY
@given(arrays(bool, st.tuples(st.integers(1, 4), st.integers(1, 30))))
def test_the_events_rebuild_the_states(states):
    events = run_lengths(states)
    rebuilt = np.repeat(events["state"].to_numpy(), events["duration_frames"]).reshape(states.shape)
    np.testing.assert_array_equal(rebuilt, states)
    assert (events["duration_frames"] >= 1).all()
    n = len(states)
    assert events["censored_start"].sum() == n
    assert events["censored_end"].sum() == n
    # maximal runs: neighbours of one nanocrystal alternate
    same = np.diff(events["nanocrystal"]) == 0
    assert (np.diff(events["state"].astype(int))[same] != 0).all()


@STEADY
@given(TRACE)
def test_backwards_in_time_the_first_event_is_the_last(states):
    there, back = run_lengths(states), run_lengths(states[::-1].copy()).iloc[::-1]
    np.testing.assert_array_equal(
        there[["state", "duration_frames", "censored_start", "censored_end"]],
        back[["state", "duration_frames", "censored_end", "censored_start"]],
    )
    np.testing.assert_array_equal(
        there["start_frame"], states.size - back["start_frame"] - back["duration_frames"]
    )


@STEADY
@given(TRACE)
def test_on_and_off_exchanged_are_the_same_events(states):
    one, other = run_lengths(states), run_lengths(~states)
    assert (one.pop("state") != other.pop("state")).all()
    assert one.equals(other)


@STEADY
@given(TRACE, TRACE)
def test_two_traces_in_a_row_lose_only_the_cut_between_them(first, second):
    parts = [run_lengths(first), run_lengths(second)]
    durations = [part["duration_frames"].tolist() for part in parts]
    if first[-1] == second[0]:  # the last event of the one goes on as the first of the other
        durations[1][0] += durations[0].pop()
    whole = run_lengths(np.concatenate([first, second]))
    assert whole["duration_frames"].tolist() == durations[0] + durations[1]


@STEADY
@given(arrays(bool, st.tuples(st.integers(1, 4), st.integers(1, 30))))
def test_what_is_counted_and_the_first_events_are_all_frames(states):
    events = run_lengths(states)
    table = count_durations(events, np.arange(len(states)))
    counted = (table["duration_frames"] * (table["n_events"] + table["n_cut_by_end"])).sum()
    first = events.loc[events["censored_start"], "duration_frames"].sum()
    assert counted + first == states.size


def test_a_fit_takes_what_began_in_the_window_and_flags_what_was_cut():
    states = np.array([[1, 0, 1, 1, 0, 1, 1, 1], [0, 1, 0, 0, 0, 1, 0, 0]], dtype=bool)
    events = run_lengths(states)
    durations, censored = events_to_fit(events, 0)
    assert durations.tolist() == [2, 3]
    assert censored.tolist() == [False, True]
    durations, censored = events_to_fit(events, 1, state=False)
    assert durations.tolist() == [3, 2]
    assert censored.tolist() == [False, True]
    assert len(events_to_fit(events, 2)[0]) == 0


@pytest.mark.parametrize("states", [np.zeros((2, 3)), np.zeros((1, 2, 3), dtype=bool)])
def test_anything_but_a_table_of_booleans_is_refused(states):
    with pytest.raises(InputError, match="Hint"):
        run_lengths(states)


def test_durations_are_counted_without_the_first_event_and_with_the_last_apart():
    states = np.array([[0, 1, 0, 0, 1, 0, 0, 1], [1, 1, 0, 1, 0, 1, 0, 0]], dtype=bool)
    table = count_durations(run_lengths(states), [0, 1])
    keys = ["state", "duration_frames"]
    sums = table.groupby(keys)[["n_events", "n_cut_by_end"]].sum()
    rows = dict(zip(sums.index, sums.itertuples(index=False, name=None), strict=True))
    # Complete: on 1, 1 of the first and 1, 1 of the second; off 2, 2 and 1, 1.
    assert rows == {("off", 1): (2, 0), ("off", 2): (2, 1), ("on", 1): (4, 1)}
    assert table.groupby("subset")["n_events"].sum().to_dict() == {0: 4, 1: 4}
    only = count_durations(run_lengths(states), [1])
    assert only["n_events"].sum() == 4
    assert count_durations(run_lengths(states), np.array([], int)).empty
