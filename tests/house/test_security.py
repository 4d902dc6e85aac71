"""What a file from elsewhere must not be able to do: run code, or write outside the results."""

import ast
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trials
from hypothesis import strategies as st

from blinkpair.inputs.problems import UnsoundInputError
from blinkpair.inputs.settings import load_schema
from blinkpair.inputs.sheet import read_fields
from tests.helpers.sheet_rows import HEADER, row, text_of

SCRIPTS = Path(__file__).parents[2] / "scripts"
# Each of these can run code that stands in the file it reads, or in the text it is given.
MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "code", "pty"}
CALLS = {"eval", "exec", "compile", "__import__", "input"}
METHODS = {
    *("eval", "system", "popen", "read_pickle", "to_pickle", "getoutput"),
    *("unsafe_load", "full_load", "load_all", "unsafe_load_all", "full_load_all"),
}


def dangers(source):
    """Lines of a program, each with what is dangerous about it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            named = [a.name for a in node.names] + [getattr(node, "module", None) or ""]
            for name in named:
                if name.split(".")[0] in MODULES:
                    yield node.lineno, f"imports {name}"
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        options = {one.arg: ast.unparse(one.value) for one in node.keywords}
        if name in CALLS:
            yield node.lineno, f"calls {name}"
        if isinstance(node.func, ast.Attribute):
            owner, method = ast.unparse(node.func.value), node.func.attr
            if method in METHODS or (owner, method) == ("yaml", "load"):
                yield node.lineno, f"calls {name}"
            if (owner, method) in (("np", "load"), ("numpy", "load")):
                yield node.lineno, f"calls {name}, which can unpickle"
            if method == "ConfigParser" and options.get("interpolation") != "None":
                yield node.lineno, "reads % in a file as an instruction"
        if options.get("shell", "False") != "False":
            yield node.lineno, "goes through a shell"
        if options.get("allow_pickle", "False") != "False":
            yield node.lineno, "unpickles"
        if options.get("Loader", "yaml.SafeLoader") != "yaml.SafeLoader":
            yield node.lineno, "reads YAML that can make objects"


@pytest.mark.parametrize(
    "line",
    [
        *("import pickle", "from pickle import loads", "eval('1')", "exec(text)", "yaml.load(f)"),
        *("np.load(f)", "np.fromfile(f, allow_pickle=True)", "pd.read_pickle(f)", "table.eval(t)"),
        *("subprocess.run(text, shell=True)", "os.system(text)", "configparser.ConfigParser()"),
        *("yaml.compose(t, Loader=yaml.Loader)", "import joblib.parallel", "run(t, shell=a)"),
    ],
)
def test_the_check_finds_what_is_dangerous(line):
    assert list(dangers(line))


def test_no_file_of_the_workflow_runs_code_that_stands_in_data():
    files = sorted(SCRIPTS.rglob("*.py"))
    assert len(files) > 100
    found = [
        f"{file.relative_to(SCRIPTS)}, line {line}: {what}"
        for file in files
        for line, what in dangers(file.read_text(encoding="utf-8"))
    ]
    assert found == []


LEADS_OUT = ["..", "a/../../b", "/etc/passwd", "a/b", "..\\b", "~", "~root", "$HOME", "`id`", "a;b"]
NAMES = st.text(max_size=12) | st.text(alphabet="./\\~-_ aB0", max_size=8)
PATTERN = load_schema("fields")["properties"]["field"]["pattern"]


@pytest.mark.parametrize("name", LEADS_OUT)
def test_a_name_that_leads_out_of_the_results_is_refused_by_reader_and_schema(tmp_path, name):
    (tmp_path / "fields.tsv").write_text(text_of(HEADER, row(name, tag="A")), encoding="utf-8")
    with pytest.raises(UnsoundInputError, match="cannot be a field's name"):
        read_fields("fields.tsv", tmp_path)
    assert not re.search(PATTERN, name)


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
