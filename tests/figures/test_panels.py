"""What figures are made of."""

import numpy as np

from blinkpair.figures.panels import percent_of


def test_a_change_on_the_edge_of_a_bin_belongs_to_the_bin_above():
    # On-fractions of 100 frames: their differences are whole percents, but not in binary numbers.
    before, after = np.divmod(np.arange(101 * 101), 101)
    edges = np.arange(-100, 101, 5)
    exact = np.histogram(after - before, edges)[0]
    drawn = percent_of(100 * (after / 100 - before / 100), edges, 100)
    assert (drawn == exact).all()
