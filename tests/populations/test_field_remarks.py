"""What a field's nanocrystals say about the field."""

import re

import numpy as np
import pandas as pd

from blinkpair.populations.field_remarks import all_off_remarks


def test_a_field_whose_nanocrystals_were_all_off_together_is_named():
    rows = pd.DataFrame(
        {
            "field": ["A", "A", "B", "C"],
            "excluded_because": ["", "edge", "", "all_off"],
            "n_frames_all_off_pre": [30.0, np.nan, 0.0, 0.0],
            "n_frames_all_off_post": [12.0, np.nan, 0.0, 900.0],
        }
    )
    remarks = all_off_remarks(rows)
    assert set(remarks) == {"A", "C"}
    assert "left out" in remarks["A"]
    assert "none is analysed" in remarks["C"]
    assert re.findall(
        r"(pre|post) movie: .* in (\d+) frames", remarks["A"].replace("; ", "\n")
    ) == [
        ("pre", "30"),
        ("post", "12"),
    ]
    assert all_off_remarks(rows[:0]) == {}
