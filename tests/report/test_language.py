"""Numbers, lists and citations as prose writes them."""

import pandas as pd

from blinkpair.report.citations import citation
from blinkpair.report.language import (
    as_set,
    counted,
    fixed,
    grouped,
    known,
    listed,
    per_cent,
    plain,
    spread,
)

NAN = float("nan")


def test_citations_follow_the_file():
    content = {
        "title": "blinkpair: a workflow",
        "type": "software",
        "authors": [{"name": "The developers"}],
        "version": "0.0.1",
        "doi": "10.1/x",
        "date-released": "2026-02-03",
        "references": [
            {
                "type": "article",
                "title": "Why do they\n  blink?",
                "authors": [
                    {"family-names": "Wang", "given-names": "Dong"},
                    {
                        "family-names": "Broek",
                        "name-particle": "van den",
                        "given-names": "J.-P. M.",
                    },
                ],
                "journal": "J. Blink.",
                "volume": 12,
                "start": 3,
                "end": 9,
                "year": 2024,
            }
        ],
    }
    assert citation(content, "1.2.0") == [
        "The developers. blinkpair: a workflow. Version 1.2.0 (2026). https://doi.org/10.1/x",
        "D. Wang and J.-P. M. van den Broek. Why do they blink? J. Blink. 12, 3–9 (2024).",
    ]


def test_numbers_are_written_as_prose_writes_them():
    thin = "\N{NARROW NO-BREAK SPACE}"
    assert [grouped(n) for n in (0, 9999, 20_000)] == ["0", "9999", f"20{thin}000"]
    written = [plain(v) for v in (0.0003, 1234, -0.5, 20.0, 0, 1e-5, 1.2345, 99_999.6)]
    assert written == ["0.0003", "1234", "−0.5", "20", "0", "0.00001", "1.23", "100000"]
    assert [as_set(v) for v in (1250, 1023.0, 123.4, 0.0003)] == ["1250", "1023", "123.4", "0.0003"]
    assert [per_cent(v) for v in (0.95, 0.125, 0.999)] == ["95 %", "12.5 %", "99.9 %"]
    assert [fixed(v, 1) for v in (-0.04, -0.06, 12)] == ["0.0", "−0.1", "12.0"]
    assert [counted(n, "field") for n in (0, 1, 2)] == ["0 fields", "1 field", "2 fields"]
    assert listed([]) == ""
    assert listed(["a", "", "b", "c"]) == "a, b and c"
    assert (spread([20.0, 20.0]), spread([20, 40])) == ("20", "20 to 40")
    assert [known(v) for v in (1, "2", NAN, None, pd.NA, "")] == [True, True, *[False] * 4]
