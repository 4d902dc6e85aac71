"""Fields that share a movie have rows of the same nanocrystals, and are one field."""

import numpy as np
import pandas as pd

from blinkpair.blinking.on_fractions import classify
from blinkpair.populations.shared_movies import first_fields, mark_shared, number_nanocrystals
from blinkpair.populations.table import summarise_populations

# A series: the movie after the first anneal is the one before the second.
SERIES = {"first": ["m0", "m1"], "second": ["m1", "m2"]}


def fields_of(temperatures=(100, 100), n=20):
    """Two fields of a series; half of the nanocrystals of the first are in the second."""
    rng = np.random.default_rng(1)
    xy = [np.stack(np.divmod(np.arange(n), 5), axis=1) * 12.0 + 5 for _ in range(3)]
    xy = [places + rng.uniform(-2, 2, places.shape) for places in xy]
    parts = []
    for k, (name, label) in enumerate(zip(SERIES, temperatures, strict=True)):
        before, after = rng.uniform(0.2, 1, (2, n))
        own = {"field": name, "temperature_c": label, "analysed": True}
        shift = 300.0 if k else 0.0  # beyond the first n / 2 the second has others
        places = {}
        for epoch, movie in (("pre", xy[k]), ("post", xy[k + 1])):
            moved = movie + rng.normal(0, 0.1, movie.shape)
            moved[n // 2 :] += shift
            places |= {f"x_{epoch}": moved[:, 0], f"y_{epoch}": moved[:, 1]}
        states = {"on_fraction_pre": before, "on_fraction_post": after}
        parts.append(pd.DataFrame(own | places | states | {"population": classify(before, after)}))
    return pd.concat(parts, ignore_index=True)


def test_rows_at_one_place_of_a_shared_movie_are_one_nanocrystal():
    numbers = number_nanocrystals(fields_of(), SERIES)
    assert len(np.unique(numbers)) == 30
    assert (numbers[:10] == numbers[20:30]).all()
    assert len(np.unique(number_nanocrystals(fields_of(), {}))) == 40


def test_fields_that_share_a_movie_in_turn_are_one():
    movies = SERIES | {"third": ["m2", "m3"], "other": ["m8", "m9"], "last": ["m9", "m7"]}
    first = first_fields(movies)
    assert first == dict.fromkeys(("first", "second", "third"), "first") | dict.fromkeys(
        ("other", "last"), "other"
    )


def test_the_table_counts_each_nanocrystal_once_and_the_interval_one_field():
    table = fields_of()
    apart = summarise_populations(table).iloc[0]
    row = summarise_populations(mark_shared(table, SERIES)).iloc[0]
    assert (row["n"], row["n_nanocrystals"], row["n_also_in_rows_above"]) == (40, 30, 0)
    assert apart["n_nanocrystals"] == 40
    assert row["n_fields"] == 2
    assert row["interval_method"] != apart["interval_method"]
    assert row["mean_delta_high"] > apart["mean_delta_high"]


def test_a_series_of_temperatures_counts_what_is_in_rows_above():
    rows = summarise_populations(mark_shared(fields_of((70, 100)), SERIES))
    assert rows["n"].tolist() == [20, 20]
    assert rows["n_nanocrystals"].tolist() == [20, 20]
    assert rows["n_also_in_rows_above"].tolist() == [0, 10]
