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


def test_the_headline_leads_to_the_remarks_on_fields():
    fields, populations, _ = a_run(labels=(70, 120), fields_each=2, refused=("70_1",))
    assert "remark" not in run_summary.headline(populations, fields, 0.1)
    fields.loc[fields["field"] == "120_0", "reason"] = "10 of its nanocrystals count twice"
    text = run_summary.headline(populations, fields, 0.1)
    assert "1 field in these numbers has a remark: see ‘Fields to check’." in text


def test_the_headline_states_that_a_selection_is_counted():
    fields, populations, _ = a_run(labels=(70, 120), fields_each=2)
    fields["undetermined_share"] = [0.1, 0.6, 0.3, float("nan")]
    text = run_summary.headline(populations, fields, 0.1)
    assert "In 2 of 4 fields on and off cannot be distinguished for 30 to 60 % of the" in text
    assert "distinguished" not in headline(labels=(70, 120), fields_each=2)[0]


def test_the_headline_states_that_the_threshold_does_not_fit():
    fields, populations, _ = a_run(labels=(70, 120), fields_each=2)
    fields["otherwise_by_best_share"] = [0.03, 0.85, 0.0, float("nan")]
    text = run_summary.headline(populations, fields, 0.1)
    assert "In 1 of 4 fields the threshold does not fit gain, exposure or light: 85 % of" in text
    assert "does not fit" not in headline(labels=(70, 120), fields_each=2)[0]
