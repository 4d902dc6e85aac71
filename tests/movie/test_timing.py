"""The time per frame: one rule for all formats, on stamps and on what stands beside them."""

import re

import numpy as np
import pytest

from blinkpair.movie.formats.stamps import Measured, measure
from blinkpair.movie.formats.timing import Statement, Times, frame_time, frame_time_of_parts

N = 300
STAMPS = 0.02 * np.arange(N)  # 20 ms a frame
RNG = np.random.default_rng(2)


def changed(at, value):
    stamps = STAMPS.copy()
    stamps[at] = value
    return stamps


@pytest.mark.parametrize(
    ("stamps", "note"),
    [
        (STAMPS, ""),
        (STAMPS + 1e6, ""),
        (np.round(STAMPS / 20 * 16.667, 3) * 20 / 16.667, ""),  # 60 frames a second, in ms
        (STAMPS + RNG.normal(0, 0.002, N), ""),
        (STAMPS + RNG.uniform(-0.006, 0.006, N), ""),  # a step of up to 32 ms is no gap
        (changed(100, np.nan), "299 of 300 frames have a time stamp"),
        (changed(0, np.nan), "299 of 300"),
        (changed(np.arange(N) % 2 == 0, np.nan), "150 of 300"),
        (changed(np.arange(150, N), np.nan), "150 of 300"),
        (changed(100, STAMPS[99] - 0.001), "1 of 300 step back"),
        (changed(100, STAMPS[99]), "1 of 300 frames share"),
        (changed(100, STAMPS[100] + 0.015), ""),  # late once: no gap
        (changed(100, STAMPS[100] - 0.015), ""),
        (changed(np.arange(N - 5, N), 0.0), "5 of 300 step back"),
        (STAMPS + 60 * (np.arange(N) >= 150), "1 gap .*before frame 150.*about 3000 frames"),
        (STAMPS + 3 * (np.arange(N) >= 1), "1 gap .*before frame 1.*about 150 frames"),
        (STAMPS + 5 * (np.arange(N) >= N - 1), "before frame 299"),
        (STAMPS - 4294.967296 * (np.arange(N) >= 200), "100 of 300 step back"),
        (changed(0, 1e6), "1 of 300 step back"),
        (0.08 * (np.arange(N) // 4), "225 of 300 frames share"),
    ],
)
def test_the_median_of_the_steps_whatever_single_stamps_do(stamps, note):
    measured = measure(stamps, "the stamps")
    assert measured.seconds == pytest.approx(0.02, rel=0.005)
    assert bool(measured.notes) == bool(note)
    assert re.search(note, "\n".join(measured.notes))


BURSTS = 0.08 * (np.arange(N) // 4) + 0.001 * (np.arange(N) % 4)  # read out of a buffer
EPISODES = 0.02 * np.arange(N) + 1.0 * (np.arange(N) // 6)  # a pause after every sixth frame


@pytest.mark.parametrize(
    ("stamps", "exposure_s", "seconds"),
    [
        (BURSTS, 0.02, 0.02),
        (BURSTS, None, None),
        (BURSTS[:25], 0.02, 0.02),
        (BURSTS[:13], 0.02, None),  # three groups
        (EPISODES, 0.02, 0.02),
        (EPISODES, None, None),
        (np.full(N, 5.0), 0.02, None),
        (STAMPS[::-1], 0.02, None),
        (np.where(np.arange(N) < 200, 5.0, 3.0), 0.02, None),
        (RNG.permutation(STAMPS), 0.02, None),
        (np.where(np.arange(N) % 299 == 0, STAMPS, np.nan), 0.02, None),  # first and last only
    ],
)
def test_stamps_in_groups_need_an_exposure_and_contradictory_ones_are_refused(
    stamps, exposure_s, seconds
):
    measured = measure(stamps, "the stamps", exposure_s=exposure_s)
    if seconds is None:
        assert measured.seconds is None
        assert measured.refused
    else:
        assert measured.seconds == pytest.approx(seconds, rel=0.01)
        assert measured.notes


def ticks(stamps, tick_s):
    return np.floor(stamps / tick_s) * tick_s


@pytest.mark.parametrize(
    ("stamps", "within"),
    [
        # Twice the error of a line's slope through 25 stamps that scatter by 4 ms is 1.1 %.
        *((STAMPS[:25] + np.random.default_rng(k).normal(0, 0.004, 25), 0.011) for k in range(5)),
        (STAMPS + RNG.normal(0, 0.01, N), 0.002),
        (STAMPS + RNG.normal(0, 0.004, N) + 5 * (np.arange(N) > 120), 0.002),
        (ticks(STAMPS, 0.015625), 0.001),  # the clock of Windows
        (ticks(STAMPS[:25], 0.015625), 0.02),
        (ticks(STAMPS, 0.0185), 0.001),  # seems to lose every thirteenth frame
        (ticks(STAMPS, 0.1), 0.005),
        (ticks(0.02 * np.arange(6000), 1.0), 0.002),
    ],
)
def test_noise_and_a_coarse_clock_do_not_shift_the_time(stamps, within):
    assert measure(stamps, "the stamps").seconds == pytest.approx(0.02, rel=within)


@pytest.mark.parametrize(("scatter_s", "most_refused"), [(0.001, 0), (0.002, 2), (0.004, 50)])
def test_a_frame_lost_among_noisy_stamps_is_found_or_the_time_is_not_known(scatter_s, most_refused):
    # Of 25 frames. A line that takes the lost one for noise is 4 to 6 % too long.
    wrong = refused = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        lost = 0.02 * (np.arange(25) >= rng.integers(1, 25))
        measured = measure(STAMPS[:25] + lost + rng.normal(0, scatter_s, 25), "the stamps")
        refused += measured.seconds is None
        wrong += measured.seconds is not None and abs(measured.seconds / 0.02 - 1) > 0.03
    assert wrong <= 2
    assert refused <= most_refused


@pytest.mark.parametrize(
    ("n", "lost", "scatter_s", "most_refused"),
    [(25, 2, 0.002, 40), (25, 3, 0.002, 50), (50, 3, 0.003, 20), (50, 5, 0.003, 40)],
)
def test_several_frames_lost_among_noisy_stamps(n, lost, scatter_s, most_refused):
    # By the line alone, 4 to 16 of 100 were more than 3 % too long.
    wrong = refused = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        behind = 0.02 * (np.arange(n)[:, None] >= rng.integers(1, n, lost)).sum(axis=1)
        measured = measure(STAMPS[:n] + behind + rng.normal(0, scatter_s, n), "the stamps")
        refused += measured.seconds is None
        wrong += measured.seconds is not None and abs(measured.seconds / 0.02 - 1) > 0.03
    assert wrong <= 2
    assert refused <= most_refused


def test_stamps_too_coarse_or_noisy_for_their_number_are_refused():
    paused = STAMPS[:60] + 5 * (np.arange(60) > 24)
    for stamps in (ticks(STAMPS[:60], 1.0), ticks(STAMPS, 1.0), ticks(paused, 1.0)):
        assert "so that the time per frame follows from them to" in measure(stamps, "x").refused
    for noise_s in (0.012, 0.03):
        stamps = STAMPS[:25] + RNG.normal(0, noise_s, 25)
        assert measure(stamps, "x", exposure_s=0.02).refused


def test_frames_lost_at_even_distances_are_lost_where_the_exposure_says_so():
    stamps = ticks(STAMPS, 0.0185)
    measured = measure(stamps, "the stamps", exposure_s=0.0185)
    assert measured.seconds == pytest.approx(0.0185)
    assert "frames were not recorded" in measured.notes[0]


def test_zeros_are_no_stamps():
    for stamps in (np.zeros(N), np.full(N, np.nan), changed(np.arange(1, N), np.nan)):
        assert measure(stamps, "the stamps") == Measured()


def planned(value):
    return Statement("the plan", value, planned=True)


EXPOSED = Statement("the exposure", 0.02)


@pytest.mark.parametrize(
    ("times", "seconds", "note"),
    [
        (Times(STAMPS, intervals=(planned(5.0),)), 0.02, "the plan gives 5 s; the time stamps"),
        (
            Times(intervals=(planned(0.02),)),
            0.02,
            "no time stamps; the plan gives 20 ms, a planned",
        ),
        (Times(intervals=(planned(0.02), planned(0.03))), None, "no time stamps decide"),
        (Times(intervals=(planned(0.03),), exposure=EXPOSED), 0.03, "exposure gives 20 ms but"),
        (Times(intervals=(planned(1.0),), exposure=EXPOSED), None, "whether the camera waited"),
        (Times(intervals=(planned(0.01),), exposure=EXPOSED), 0.02, "less than the exposure"),
        (Times(intervals=(planned(0.0),), exposure=EXPOSED), 0.02, "no interval between frames"),
        (Times(intervals=(Statement("the cycle", 0.5),), exposure=EXPOSED), 0.5, "but frames"),
        (Times(intervals=(planned(20.0),)), None, "20 s a frame, outside of 0.1 ms to 10 s"),
        (Times(STAMPS * 1e3), None, "20 s a frame, outside"),
        (Times(STAMPS * 1e-3), None, "0.02 ms a frame, outside"),
        (
            Times(ticks(STAMPS, 1.0), intervals=(Statement("the cycle", 0.02),)),
            0.02,
            "the time stamps: they scatter by",
        ),
        (Times(ticks(STAMPS, 1.0), intervals=(planned(0.02),)), None, "they scatter by"),
        (Times(np.full(N, 5.0), intervals=(planned(0.01),)), None, "all 300 stamps are equal"),
        (Times(np.full(N, 5.0), exposure=EXPOSED), None, "all 300 stamps are equal"),
        (Times(np.full(N, 5.0), intervals=(planned(0.02), planned(0.03))), None, "are equal"),
        (
            Times(np.full(N, 5.0), intervals=(planned(0.02),), exposure=EXPOSED),
            0.02,
            "all 300 stamps are equal\nthe plan gives 20 ms, a planned value, used that",
        ),
        (Times(np.full(N, 5.0), intervals=(Statement("the cycle", 0.5),)), 0.5, "are equal"),
        (Times(), None, None),
    ],
)
def test_what_is_believed_and_what_is_reported(times, seconds, note):
    found = frame_time(times, N)
    assert found.seconds == (None if seconds is None else pytest.approx(seconds, rel=0.01))
    assert bool(found.source) == (note is not None)
    assert note is None or note in "\n".join(found.notes)


def test_a_single_image_has_its_exposure():
    times = Times(intervals=(planned(30.0),), exposure=EXPOSED)
    assert frame_time(times, 1) == (0.02, "the exposure", (), 0.02)


@pytest.mark.parametrize("every_s", [0.02, 0.0333])
def test_the_exposure_of_the_camera_is_kept_beside_the_time_per_frame(every_s):
    exposure = Statement("the exposure", 0.02)
    stamps = every_s * np.arange(N)
    found = frame_time(Times(stamps, exposure=exposure), N)
    assert found.seconds == pytest.approx(every_s)
    assert found.camera_exposure_s == 0.02
    assert bool(found.notes) == (every_s > 0.02)
    parts = [Times(stamps, exposure=exposure), Times(stamps + 60, exposure=exposure)]
    assert frame_time_of_parts(parts, [N, N], ["a", "b"]).camera_exposure_s == 0.02
    assert frame_time(Times(stamps, exposure=Statement("it", 0.0)), N).camera_exposure_s is None


def test_files_of_one_frame_each_share_a_clock_and_longer_ones_have_their_own():
    single = [Times(STAMPS[k : k + 1], exposure=Statement("the exposure", 0.01)) for k in range(N)]
    names = [f"{k}.tif" for k in range(N)]
    assert frame_time_of_parts(single, [1] * N, names).seconds == pytest.approx(0.02)
    halves = [Times(STAMPS[:150]), Times(STAMPS[:150] * 1.5)]
    found = frame_time_of_parts(halves, [150, 150], names[:2])
    assert found.seconds == pytest.approx(0.02)
    assert found.notes == ("frame times differ: 0.02 in 0.tif, 0.03 in 1.tif; used the first",)
