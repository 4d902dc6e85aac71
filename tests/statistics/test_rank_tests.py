"""Rank tests of changes that are whole numbers of frames."""

import numpy as np
from scipy import stats

from blinkpair.statistics.rank_tests import rank_sum, signed_rank


def test_changes_by_as_many_frames_have_the_same_rank():
    rng = np.random.default_rng(1)
    before, after = rng.integers(0, 101, (2, 200))
    of_frames = stats.wilcoxon(after - before).pvalue
    # 0.3 - 0.2 is not 0.2 - 0.1.
    assert len(np.unique(after / 100 - before / 100)) > len(np.unique(after - before))
    assert signed_rank(after / 100 - before / 100) == of_frames
    p, larger = rank_sum(*np.split(after / 100 - before / 100, 2))
    exact = stats.mannwhitneyu(*np.split(after - before, 2))
    assert (p, larger) == (exact.pvalue, exact.statistic / 100**2)


def test_without_any_change_there_is_nothing_against_no_change():
    assert signed_rank(np.array([0.3, 0.1 + 0.2]) - 0.3) == 1
    assert np.isnan(signed_rank(np.zeros(0)))
