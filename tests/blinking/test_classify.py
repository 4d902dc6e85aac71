"""The population of each nanocrystal by its two on-fractions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blinkpair.blinking.on_fractions import classify
from blinkpair.errors import InputError

# Same examples every time, and no limit on their duration: a busy machine is no failure.
STEADY = settings(derandomize=True, deadline=None, max_examples=60)


def test_dark_is_below_the_cutoff_and_the_cutoff_itself_is_emissive():
    names = classify([0.05, 0.50, 0.10, 0.0999], [0.10, 0.0999, 0.10, 0.0])
    assert names.tolist() == ["became_emissive", "became_dark", "emissive", "dark"]


def test_no_population_without_both_on_fractions_or_when_left_out():
    names = classify([np.nan, 0.5, 0.5, 0.5], [0.5, np.nan, 0.5, 0.5], analysed=[1, 1, 0, 1])
    assert names.tolist() == ["", "", "", "emissive"]


def test_true_and_false_may_have_come_back_from_a_file_as_text():
    assert classify([0.5, 0.5], [0.5, 0.5], analysed=["True", "False"]).tolist() == ["emissive", ""]


def test_percent_in_place_of_fractions_is_refused():
    with pytest.raises(InputError, match="not percent"):
        classify([50.0], [60.0])


@STEADY
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30))
def test_exchanging_the_epochs_exchanges_the_changed_populations(pairs):
    before, after = np.array(pairs).T
    swap = {"became_emissive": "became_dark", "became_dark": "became_emissive"}
    there, back = classify(before, after), classify(after, before)
    assert [swap.get(name, name) for name in there] == back.tolist()
