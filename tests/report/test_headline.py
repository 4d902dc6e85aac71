"""The first sentences of the page: what was analysed, and what changed by how much."""

from blinkpair.report import run_summary
from tests.helpers.report_run import a_run


def headline(dark_cutoff=0.1, **run):
    fields, populations, _ = a_run(**run)
    return run_summary.headline(populations, fields, dark_cutoff), populations.set_index(
        "temperature_c"
    )


def test_the_headline_counts_the_annealed_and_the_control_apart():
    text, rows = headline(labels=(70, 120, "control"), fields_each=2, refused=("70_1",))
    assert text.startswith(
        f"{rows.loc[[70, 120], 'n'].sum()} annealed nanocrystals in 3 fields and "
        f"{rows.at['control', 'n']} in 2 control fields were emissive (on in at least 10 % of the "
        "frames) before or after; 1 field was refused."
    )
    assert "assumed in the intervals" not in text
    assert "at least 12.5 %" in headline(dark_cutoff=0.125)[0]


def test_the_headline_has_an_interval_for_every_change():
    text, rows = headline(labels=(70, 120, "control"))
    points = {
        label: [f"{100 * row[f'mean_delta{end}']:+.1f}" for end in ("", "_low", "_high")]
        for label, row in rows.iterrows()
    }
    for label, said in ((70, " points ({} to {}) at 70 °C"), (120, " ({} to {}) at 120 °C")):
        mean, low, high = points[label]
        assert f"{mean}{said.format(low, high)}".replace("-", "−") in text
    mean, low, high = points["control"]
    assert f"the control, changed it by {mean} points ({low} to {high}).".replace("-", "−") in text
    assert text.endswith("because no treatment has two.")
    single, _ = headline(labels=(70,), n=4)  # one of which is analysed
    assert "points (too few for an interval) at 70 °C" in single


def test_the_headline_states_why_there_is_no_control():
    text, _ = headline(labels=(70,), fields_each=2)
    assert text.endswith("There is no control that was re-mounted without annealing.")
    text, _ = headline(labels=(70, "control"), refused=("control_0",))
    assert "annealed nanocrystals in 1 field were emissive" in text
    assert "The control was refused." in text
    assert "There is no control" not in text
    text, rows = headline(labels=("control",))
    assert text.startswith(f"{rows.at['control', 'n']} nanocrystals in 1 control field were")
