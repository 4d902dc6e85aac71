"""The passes of a chain through the frames agree with the sum over all ways through the states."""

from itertools import pairwise, product

import numpy as np
import pytest

from blinkpair.blinking.states import chain
from blinkpair.blinking.states.chain_passes import FIVE, NINE, cannot_reach, pass_frames

FRAMES = {5: 6, 7: 5, 9: 4}  # 5**6, 7**5 and 9**4 ways


def random_chain(states, frames):
    """Return a chain of as many states: densities, transitions and the beginning."""
    rng = np.random.default_rng(states)
    transition = rng.random((states, states))
    if states == FIVE:  # off, and on, does not turn into the other kind of it
        transition[chain.first_guess(0.5, False)[0] == 0.0] = 0.0
    transition /= transition.sum(axis=1, keepdims=True)
    density = np.zeros((frames, FIVE if states == FIVE else NINE))
    density[:, :states] = 10.0 ** rng.uniform(-9, 3, (frames, states))
    return density, transition, rng.dirichlet(np.ones(states))


@pytest.mark.parametrize("states", [5, 7, 9])
def test_probabilities_and_moves_are_those_of_all_ways_through_the_states(states):
    density, transition, begin = random_chain(states, FRAMES[states])
    expected, moves, total = np.zeros((len(density), states)), np.zeros((states, states)), 0.0
    for way in product(range(states), repeat=len(density)):
        p = begin[way[0]] * density[np.arange(len(way)), way].prod()
        p *= np.prod([transition[i, j] for i, j in pairwise(way)])
        total += p
        expected[np.arange(len(way)), way] += p
        for i, j in pairwise(way):
            moves[i, j] += p
    probability = np.empty_like(density)
    log_likelihood, found = pass_frames(density, transition, begin, probability)
    assert log_likelihood == pytest.approx(np.log(total), rel=1e-10)
    assert probability[:, :states] == pytest.approx(expected / total, abs=1e-10)
    assert found == pytest.approx(moves / total, abs=1e-10)


@pytest.mark.parametrize("states", [5, 7, 9])
def test_probabilities_of_many_frames_add_up_to_one(states):
    # The densities of 3,000 frames multiply to less than the smallest number.
    density, transition, begin = random_chain(states, 3000)
    probability = np.empty_like(density)
    log_likelihood, moves = pass_frames(density * 1e-6, transition, begin, probability)
    assert log_likelihood < -10_000
    assert probability.sum(axis=1) == pytest.approx(1.0, abs=1e-9)
    assert moves.sum() == pytest.approx(2999, abs=1e-6)


def test_learning_goes_on_while_the_last_rise_would_be_enough():
    assert not cannot_reach(-100.0, -110.0, 2.0, 6)
    assert cannot_reach(-100.0, -110.0, 2.0, 4)
    assert not cannot_reach(-100.0, -110.0, np.inf, 9)  # before the first rise is known
    assert not cannot_reach(-np.inf, -110.0, 0.0, 9)
