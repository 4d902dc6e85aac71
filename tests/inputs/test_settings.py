"""The configuration: defaults that agree everywhere, and errors that say what to do."""

import pickle
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as trials
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from blinkpair.errors import InputError
from blinkpair.inputs.problems import Problem, UnsoundInputError
from blinkpair.inputs.settings import examine_settings, load_schema, load_settings

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config" / "config.yaml"


def leaves(schema, path=()):
    """Every setting of the schema that is not a section."""
    for key, sub in schema["properties"].items():
        if sub.get("type") == "object":
            yield from leaves(sub, (*path, key))
        else:
            yield (*path, key), sub


LEAVES = dict(leaves(load_schema("config")))


def of(settings, path):
    for key in path:
        settings = settings[key]
    return settings


def problems_of(config, files=()):
    with pytest.raises(UnsoundInputError) as caught:
        load_settings(config, files)
    return caught.value.problems


# --- the defaults


def test_config_yaml_and_schema_state_the_same_settings_and_defaults():
    written = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    assert written == load_settings({})
    assert list(written) == list(load_schema("config")["properties"])


def test_each_default_and_the_schema_itself_are_valid():
    Draft202012Validator.check_schema(load_schema("config"))
    for path, sub in LEAVES.items():
        assert "default" in sub, path
        Draft202012Validator(sub).validate(sub["default"])


@pytest.mark.parametrize("path", LEAVES, ids=".".join)
def test_each_setting_is_explained_in_both_places(path):
    assert len(LEAVES[path]["description"]) > 10
    lines = CONFIG.read_text(encoding="utf-8").splitlines()
    section = 0 if len(path) == 1 else lines.index(f"{path[0]}:")
    indent = "  " * (len(path) - 1)
    at = next(i for i in range(section, len(lines)) if lines[i].startswith(f"{indent}{path[-1]}:"))
    assert lines[at - 1].strip().startswith("#")


def test_the_readme_names_every_section_and_top_level_setting():
    text = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
    for key in load_schema("config")["properties"]:
        assert re.search(rf"`{key}\b", text), key


def test_the_values_that_the_paper_gives_are_the_defaults():
    settings = load_settings(None)
    assert settings["threshold"]["method"] == "fixed"
    assert settings["threshold"]["counts"] == 100
    assert settings["dark_cutoff"] == 0.10


@pytest.mark.parametrize("empty", [None, {}, {"photometry": None}, {"photometry": {}}])
def test_nothing_and_sections_without_lines_mean_the_defaults(empty):
    assert load_settings(empty) == load_settings({})


def test_a_returned_default_is_not_shared_with_the_next_caller():
    load_settings({})["sensitivity"]["counts"].append(7.0)
    assert 7.0 not in load_settings({})["sensitivity"]["counts"]


def test_numbers_have_one_type_however_they_are_written():
    for three in (3, 3.0, "3", "3.0"):
        settings = load_settings(
            {"photometry": {"aperture_px": three}, "registration": {"min_microspheres": three}}
        )
        assert type(settings["photometry"]["aperture_px"]) is float
        assert type(settings["registration"]["min_microspheres"]) is int


def test_texts_from_the_command_line_are_read_as_numbers():
    # What Snakemake makes of --config 'registration={...}' exposure_s=null and of a YAML 1e-3.
    settings = load_settings(
        {
            "registration": {"max_chance_alignments": "1e-3", "min_microspheres": "4"},
            "exposure_s": "null",
            "sensitivity": {"counts": ["60", "80"]},
            "provenance": {"checksums": "False"},
        }
    )
    assert settings["provenance"]["checksums"] is False
    assert settings["registration"] == {
        "model": "rigid",
        "min_microspheres": 4,
        "max_chance_alignments": 0.001,
    }
    assert settings["exposure_s"] is None
    assert settings["sensitivity"]["counts"] == [60, 80]


# --- the errors


@pytest.mark.parametrize(
    ("config", "place", "hint"),
    [
        ({"field": "a.tsv"}, "field", "did you mean fields?"),
        ({"Dark cutoff": 0.1}, "Dark cutoff", "did you mean dark_cutoff?"),
        ({"threshold": {"count": 9}}, "threshold.count", "did you mean counts?"),
        ({"aperture_px": 3}, "aperture_px", "belongs in the section photometry"),
        ({"photometry.aperture_px": 3}, "photometry.aperture_px", "in the section photometry"),
        ({"photometry": {"dark_cutoff": 1}}, "photometry.dark_cutoff", "at the outermost level"),
        ({"zebra": 1}, "zebra", "known here: fields, exposure_s"),
        ({True: 1}, "True", "YAML reads on, off, yes and no as true and false"),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(config, place, hint):
    (problem,) = problems_of(config)
    assert problem.place == f"configuration, {place}"
    assert problem.what == "there is no such setting"
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("config", "place"),
    [({"method": "noise"}, "threshold.method"), ({"noise_sigmas": 4}, "threshold.noise_sigmas")],
)
def test_what_was_removed_names_what_to_use_instead(config, place):
    (problem,) = problems_of({"threshold": config})
    assert problem.place == f"configuration, {place}"
    assert problem.what.endswith("was removed")
    assert "hmm" in problem.hint


@pytest.mark.parametrize(
    ("config", "place", "what", "hint"),
    [
        ({"dark_cutoff": "0,1"}, "dark_cutoff", "'0,1' is not a number", "decimal point: 0.1"),
        ({"exposure_s": "20 ms"}, "exposure_s", "'20 ms' is not", "in seconds: 0.02"),
        ({"exposure_s": 20}, "exposure_s", "20 is out of range", "20 ms is 0.02"),
        ({"pixel_size_um": 16}, "pixel_size_um", "16 is out of range", "at 100x is 0.16"),
        ({"pixel_size_um": "160nm"}, "pixel_size_um", "'160nm'", "in micrometres: 0.16"),
        ({"dark_cutoff": True}, "dark_cutoff", "'true' (a yes or no) is not a number", "write a"),
        ({"dark_cutoff": None}, "dark_cutoff", "no value", "default, 0.1"),
        ({"dark_cutoff": float("nan")}, "dark_cutoff", "'nan' is not a number", "number"),
        ({"threshold": {"counts": float("inf")}}, "threshold.counts", "'inf' is not a", "number"),
        ({"threshold": {"counts": "1e999"}}, "threshold.counts", "'1e999' is not a", "number"),
        ({"dark_cutoff": 10**400}, "dark_cutoff", "'inf' is not a number", "number"),
        ({"dark_cutoff": 2**20_000}, "dark_cutoff", "'inf' is not a number", "number"),
        ({"dark_cutoff": [0.1]}, "dark_cutoff", "a list is not a number", "write a number"),
        ({"dwell_times": {"min_events": 20.5}}, "dwell_times.min_events", "20.5 is not", "point"),
        ({"dwell_times": {"min_events": 3.5}}, "dwell_times.min_events", "3.5 is not", "point"),
        ({"threshold": "fixed"}, "threshold", "not 'fixed'", "'method: ...'"),
        ({"photometry": [{"aperture_px": 3}]}, "photometry", "not a list", "without a dash"),
        ({"threshold": {"method": "fixd"}}, "threshold.method", "'fixd'", "did you mean fixed?"),
        ({"on_failed_field": False}, "on_failed_field", "'false'", "choices: exclude or stop"),
        ({"sensitivity": {"counts": 90}}, "sensitivity.counts", "90 is not a list", "[90]"),
        ({"sensitivity": {"counts": []}}, "sensitivity.counts", "is empty", "[60, 80"),
        ({"sensitivity": {"counts": [9, 9.0]}}, "sensitivity.counts", "same value twice", "[60"),
        ({"provenance": {"checksums": 0}}, "provenance.checksums", "0 is neither true", "write"),
        ({"provenance": {"checksums": "of"}}, "provenance.checksums", "'of' is neither", "write"),
        ({"fields": 3}, "fields", "3 is not text", "sample sheet"),
        ({"fields": ""}, "fields", "the text is empty", "sample sheet"),
    ],
)
def test_a_wrong_value_is_told_with_its_remedy(config, place, what, hint):
    (problem,) = problems_of(config)
    assert problem.place == f"configuration, {place}"
    assert what in problem.what
    assert hint in problem.hint


def test_an_entry_of_a_list_is_named():
    (problem,) = problems_of({"sensitivity": {"dark_cutoffs": [0.1, 5]}})
    assert problem.place == "configuration, sensitivity.dark_cutoffs, entry 2"


@pytest.mark.parametrize("config", [[1, 2], "fields.tsv", 3])
def test_a_configuration_that_is_no_mapping_is_refused(config):
    (problem,) = problems_of(config)
    assert "not settings with a name each" in problem.what


@pytest.mark.parametrize("place", ["z", "photometry", "dark_cutoff", "sensitivity.counts"])
def test_aliases_that_unfold_without_end_are_refused_at_once(place):
    lists = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    config = yaml.safe_load("\n".join(["a0: &a0 [1, 2]", *lists]))
    *section, key = place.split(".")
    value = {key: config["a11"]}
    (problem,) = problems_of({section[0]: value} if section else value)
    assert "holds more than 10000 values" in problem.what
    value[key] = [value]
    (problem,) = problems_of(value)
    assert "one that holds itself" in problem.what


def test_all_problems_are_told_at_once_each_on_its_line_of_the_file(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(
        "# mine\nexposur_s: 0.02\nthreshold:\n  method: fixed\n  counts: many\non: stop\n"
        "dark_cutoff: 7\n",
        encoding="utf-8",
    )
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    with pytest.raises(InputError) as caught:
        load_settings(config, [file])
    head, *lines = str(caught.value).splitlines()
    assert head == "4 problems were found in the input; nothing was started."
    places = [(2, "exposur_s"), (5, "threshold.counts"), (6, "True"), (7, "dark_cutoff")]
    for line, (number, key) in zip(lines, places, strict=True):
        assert line.startswith(f"  {file}, line {number}, {key}: ")
        assert " Hint: " in line


def test_a_key_that_stands_twice_is_refused_because_yaml_keeps_the_last_in_silence(tmp_path):
    file = tmp_path / "config.yaml"
    text = "threshold: {counts: 120}\ndark_cutoff: 0.1\nthreshold:\n  method: hmm\n"
    file.write_text(text, encoding="utf-8")
    (problem,) = problems_of(yaml.safe_load(text), [file])
    assert problem.place == f"{file}, line 3, threshold"
    assert "also on line 1" in problem.what


def test_a_later_file_names_the_line_as_its_value_is_the_one_used(tmp_path):
    for name, text in (("a.yaml", "\n\ndark_cutoff: 0.1"), ("b.yaml", "dark_cutoff: 7")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    (problem,) = problems_of({"dark_cutoff": 7}, [tmp_path / "a.yaml", tmp_path / "b.yaml"])
    assert problem.place == f"{tmp_path / 'b.yaml'}, line 1, dark_cutoff"


@pytest.mark.parametrize("content", [b"a: [", b"\xff\xfe\x00", None])
def test_a_file_that_cannot_be_read_for_its_lines_does_not_hide_the_error(tmp_path, content):
    file = tmp_path / "config.yaml"
    if content is not None:
        file.write_bytes(content)
    (problem,) = problems_of({"dark_cutoff": 7}, [file])
    assert problem.place == "configuration, dark_cutoff"


def test_a_wrong_value_leaves_the_rest_usable_for_further_checks():
    settings, problems = examine_settings({"dark_cutoff": 7, "threshold": {"counts": 120}})
    assert len(problems) == 1
    assert settings["dark_cutoff"] == 0.10
    assert settings["threshold"]["counts"] == 120


def test_the_error_survives_the_way_through_a_process_pool():
    error = UnsoundInputError([Problem("a.tsv, line 1", "is wrong", "mend it")])
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert again.problems == error.problems


def test_a_message_stays_on_its_line_whatever_the_user_wrote():
    assert "\n" not in str(Problem("place", "'a\nb\x1b[31m' is wrong", "mend it"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["counts", "method", "x", 3, None]), inner, max_size=3)
    ),
    max_leaves=5,
)


# The first draw builds tables of Unicode, which is slow on a busy machine; that is no fault.
@trials(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from([*load_schema("config")["properties"], "z", 1]), JSON))
def test_whatever_is_written_gives_complete_settings_or_this_one_error(config):
    try:
        settings = load_settings(config)
    except UnsoundInputError:
        settings, problems = examine_settings(config)
        assert len(str(UnsoundInputError(problems)).splitlines()) == len(problems) + 1 > 1
    for path, sub in LEAVES.items():
        Draft202012Validator(sub).validate(of(settings, path))
