"""Fields whose files can all be read, and that mean something else than they seem to."""

from __future__ import annotations

import pandas as pd
import pytest

from blinkpair.errors import InputError
from blinkpair.pairing.checks import FEW_CROWDED, check_found, check_movies, check_pairing
from blinkpair.pairing.places import Pairing


def movie(digest, n=20):
    return {"frames_digest": digest, "n_nanocrystals": n}


def test_two_movies_of_different_frames_pass():
    check_movies(movie("a"), movie("b"))
    check_found(movie("a", 1), movie("b", 1))


def test_a_movie_cannot_be_its_own_after():
    with pytest.raises(InputError, match="hold the same frames"):
        check_movies(movie("a"), movie("a"))


@pytest.mark.parametrize(
    ("pre", "post", "said"),
    [
        (0, 20, "movie before annealing:"),
        (20, 0, "movie after annealing:"),
        (0, 0, "before annealing nor in the one after annealing:"),
    ],
)
def test_a_movie_without_nanocrystals_says_nothing_about_annealing(pre, post, said):
    with pytest.raises(InputError, match=said):
        check_found(movie("a", pre), movie("b", post))


def pairing(**numbers):
    because = [reason for reason, n in numbers.items() for _ in range(n)]
    table = pd.DataFrame({"excluded_because": ["" if b == "none" else b for b in because]})
    return Pairing(table, 0.0)


@pytest.mark.parametrize(
    "numbers",
    [
        {"none": 20, "outside": 30, "edge": 10},
        {"none": 20, "registration_uncertain": 2},
        {"none": 20, "crowded": 10},
        {"none": 2, "crowded": FEW_CROWDED},  # by chance, in a sparse field
        {"outside": 5},
        {},
    ],
)
def test_pairings_that_leave_something_to_analyse_pass(numbers):
    check_pairing(pairing(**numbers))


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"registration_uncertain": 5, "crowded": 2, "outside": 3}, "nanocrystals do not"),
        ({"none": 20, "registration_uncertain": 3}, "3 of 23 nanocrystals in view"),
        ({"none": 20, "crowded": 11, "outside": 30}, "11 of 31 nanocrystals"),
    ],
)
def test_pairings_in_which_nothing_can_be_told_are_refused(numbers, said):
    with pytest.raises(InputError, match=said):
        check_pairing(pairing(**numbers))
