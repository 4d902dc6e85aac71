"""Fields whose files can all be read, and that mean something else than they seem to."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import pandas as pd
import pytest

from blinkpair.errors import InputError
from blinkpair.pairing.checks import (
    FEW_CROWDED,
    FILES,
    GROUNDS,
    PAIRED,
    REGISTERED,
    Found,
    grounds_table,
    refuse,
)
from blinkpair.pairing.places import Pairing
from tests.helpers.tiny_experiment import ROOT

SOUND = {"status": "ok", "reason": ""}


def of(pre, post, n_pre=20, n_post=20):
    digests = ((pre, n_pre), (post, n_post))
    movies = [SOUND | {"stretch_digests": list(some), "n_nanocrystals": n} for some, n in digests]
    return Found((movies[0], movies[1]), (SOUND, SOUND))


def refusals(stage, found):
    """Every ground of a stage that refuses the field."""
    return [g.refused for g in GROUNDS if g.stage == stage and g.check and g.check(found)]


def test_two_movies_of_different_frames_pass():
    assert refusals(FILES, of("a", "b")) == []
    assert refusals(REGISTERED, of("a", "b", 1, 1)) == []
    assert refusals(FILES, of("", "")) == []  # no stretch in which the light changes
    assert refusals(FILES, of("ab", "cb")) == ["both movies hold the same frames, all or some"]


def test_a_movie_cannot_be_its_own_after():
    with pytest.raises(InputError, match="hold the same frames"):
        refuse(FILES, of("a", "a"))


def test_what_could_not_be_read_is_the_first_reason():
    broken = {"status": "failed", "reason": "image.tif: is empty"}
    with pytest.raises(InputError, match=r"^image.tif: is empty; image.tif: is empty$"):
        refuse(FILES, Found(of("a", "a").movies, (broken, broken)))


@pytest.mark.parametrize(
    ("pre", "post", "reason"),
    [
        (0, 20, "movie before the treatment:"),
        (20, 0, "movie after the treatment:"),
        (0, 0, "before the treatment nor in the one after the treatment:"),
    ],
)
def test_a_movie_without_nanocrystals_shows_nothing_of_annealing(pre, post, reason):
    with pytest.raises(InputError, match=reason):
        refuse(REGISTERED, of("a", "b", pre, post))


def pairing(**numbers):
    because = [reason for reason, n in numbers.items() for _ in range(n)]
    table = pd.DataFrame({"excluded_because": ["" if b == "none" else b for b in because]})
    table = table.assign(detected_pre=True, detected_post=True)
    found = of("a", "b")
    return Found(found.movies, found.images, Pairing(table, 0.0))


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
    assert refusals(PAIRED, pairing(**numbers)) == []


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        ({"registration_uncertain": 5, "crowded": 2, "outside": 3}, "nanocrystals do not"),
        ({"none": 20, "registration_uncertain": 3}, "3 of 23 nanocrystals in view"),
        ({"none": 20, "crowded": 11, "outside": 30}, "11 of 31 nanocrystals"),
    ],
)
def test_pairings_of_uncertain_or_crowded_places_are_refused(numbers, reason):
    with pytest.raises(InputError, match=reason):
        refuse(PAIRED, pairing(**numbers))


def test_the_page_of_methods_lists_the_grounds_as_they_are():
    page = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    assert page.count(grounds_table() + "\n") == 1
    for ground in GROUNDS:
        for module in ground.module.split(", "):
            import_module(f"blinkpair.{module}")


def test_crowding_by_nanocrystals_that_moved_names_the_motion():
    """Each is two rows, which are close to each other; the sample need not be diluted."""
    found = pairing(crowded=30, none=30)
    found = replace(found, pairing=replace(found.pairing, moved_remark="some moved on the glass"))
    with pytest.raises(InputError, match=r"30 of 60.*: some moved on the glass"):
        refuse(PAIRED, found)
