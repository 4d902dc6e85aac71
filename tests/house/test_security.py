"""What a file from elsewhere must not be able to do: run code, or write outside the results."""

import re
from pathlib import Path

from hypothesis import HealthCheck, given
from hypothesis import settings as trials
from hypothesis import strategies as st

from blinkpair.inputs.problems import UnsoundInputError
from blinkpair.inputs.sheet import read_fields
from tests.helpers.sheet_rows import HEADER, row, text_of

SCRIPTS = Path(__file__).parents[2] / "scripts"
# What can run code that stands in the file it reads; ruff's S rules have the rest (pyproject.toml).
DANGEROUS = re.compile(
    r"allow_pickle=(?!False)|ConfigParser\((?!interpolation=None)|Loader=(?!yaml.SafeLoader)"
    r"|(import|from) (pickle|marshal|shelve|joblib|dill|cloudpickle)\b|\.eval\("
)


def test_no_file_of_the_workflow_runs_code_that_stands_in_data():
    texts = {path: path.read_text(encoding="utf-8") for path in SCRIPTS.rglob("*.py")}
    assert len(texts) > 100
    assert [path for path, text in texts.items() if DANGEROUS.search(text)] == []


NAMES = st.text(max_size=12) | st.text(alphabet="./\\~-_ aB0", max_size=8)


@trials(
    derandomize=True,
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(NAMES, NAMES)
def test_every_name_that_is_accepted_is_one_folder_among_the_results(tmp_path, name, note):
    (tmp_path / "fields.tsv").write_text(
        text_of([*HEADER, "note"], [*row(name, tag="A"), note]), encoding="utf-8"
    )
    try:
        fields = read_fields("fields.tsv", tmp_path)
    except UnsoundInputError:
        return
    parent = Path("results/fields").resolve()
    for accepted in fields["field"]:
        folder = Path("results/fields", accepted).resolve()
        assert folder.parent == parent
        assert folder.name == accepted
        assert not accepted.startswith("-")  # nor is it an option of a command
