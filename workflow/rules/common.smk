# The configuration, checked, and the sample sheet as FIELDS: one row a field, by name.
#
# REQUIRED INPUTS: the configuration and the sample sheet it names.
import atexit
import functools
import gc
import inspect
import os
import sys
import tempfile
from pathlib import Path

import smart_open


def checkout(here):
    """Return the folder of the source; of a hosted one Snakemake fetches single files: clone it."""
    if not hasattr(here, "hosted_repo"):
        return Path(str(here)).parents[1]
    repository = here.hosted_repo.repo
    commit = repository.commit(here.ref).hexsha
    folder = Path(".snakemake/blinkpair/source", commit).absolute()
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as aside:
            repository.clone(f"{aside}/clone", no_checkout=True).git.checkout(commit)
            Path(aside, "clone").rename(folder)
    return folder


# The library lies beside the steps; Snakemake puts that folder on the path of steps only, and of
# steps that it fetched on none.
SCRIPTS = checkout(workflow.current_basedir) / "scripts"
sys.path.insert(0, str(SCRIPTS))

from blinkpair import RUN_PROCESS
from blinkpair.epochs import EPOCHS
from blinkpair.errors import InputError
from blinkpair.inputs import movie_record
from blinkpair.inputs.columns import BRIGHTFIELD_COLUMNS
from blinkpair.labels import SIMULATED, is_simulated, treatment_title
from blinkpair.movie.paths import first_file
from blinkpair.run import launch, sheet_columns, source_digest
from blinkpair.run.failures import AtFirstJob, Failures
from blinkpair.run.progress import Progress
from blinkpair.treatments import treatment_in
from snakemake import resources
from snakemake.common import overwrite_function_params
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.settings.enums import RerunTrigger

if hasattr(workflow.current_basedir, "hosted_repo"):
    launch.put_on_path_of_steps(SCRIPTS)

# Used as a module of another workflow, whose configuration file and hooks are its own.
IS_MODULE = not workflow.modifier.is_main_snakefile()
# With the prefix of the module. Snakemake puts it before the paths of rules by itself.
RESULTS = Path(
    workflow.modifier.path_modifier.replace_prefix("results/report.html")
).parent

if not IS_MODULE and launch.has_settings(
    launch.CONFIG_FILE
):  # else all are the defaults

    configfile: str(launch.CONFIG_FILE)


try:
    LAUNCHED = launch.prepare(
        config,
        [] if IS_MODULE else workflow.configfiles,
        submitted=not workflow.is_main_process,
        results=RESULTS,
        in_module=IS_MODULE,
    )
except InputError as error:
    raise WorkflowError(str(error)) from None

SETTINGS, FIELDS, SHAPES = LAUNCHED[:3]
RECORD = LAUNCHED.record
# What ensemble.smk adds, where there is a sheet of films.
ENSEMBLE_TABLES, ENSEMBLE_FIGURES = [], []
# Ten thousand fields are a hundred thousand jobs: what every one of them needs is made quick.
# Of the millions of objects none is garbage: it is looked for rarely, and not at the end.
gc.set_threshold(100_000, 50, 100)
atexit.register(gc.freeze)
ROW_OF = launch.ByField(FIELDS.to_dict("index"))
SHAPE_OF = launch.ByField(zip(SHAPES.index, SHAPES.to_numpy().tolist()))
# Snakemake takes the path of each job's script to pieces six times, each time in a new class.
smart_open.parse_uri = functools.cache(smart_open.parse_uri)


os.environ[RUN_PROCESS] = str(os.getpid())
# A step writes into its log; its figures are files, whatever a notebook's environment says; without
# docstrings scikit-image finds no function; and each step would compile the library again where
# Python must not keep what it compiled, as in some containers.
os.environ.update(TQDM_DISABLE="1", MPLBACKEND="agg")
for name in ("PYTHONOPTIMIZE", "PYTHONDONTWRITEBYTECODE"):
    os.environ.pop(name, None)
FAILURES = Failures()
logger.addHandler(FAILURES)
PROGRESS = Progress(RESULTS)
if workflow.is_main_process and not IS_MODULE:
    logger.addFilter(PROGRESS)


if IS_MODULE:  # of whose hooks Snakemake calls none
    logger.addHandler(AtFirstJob(functools.partial(launch.save_launch, LAUNCHED)))


onstart:
    launch.save_launch(LAUNCHED)


onsuccess:
    # Here, as what it loads would slow down every start, also that of each submitted job.
    from blinkpair.report import terminal

    PROGRESS.close()
    text, status = terminal.exit_summary(RESULTS)
    print(text, file=sys.stderr)
    if status:
        sys.exit(status)


onerror:
    PROGRESS.close()
    sys.stderr.write(FAILURES.summary())


# What results carry on of a field.
CARRIED = sheet_columns.carried_columns(FIELDS)
# Length to which movies are cut to be compared; None where they are all as long.
EQUAL_LENGTH_S = movie_record.equal_length_s(FIELDS)
# Rows of the file of verdicts by field: only the fields that have one run again for it.
VERDICTS = sheet_columns.verdicts_by_field(LAUNCHED.verdicts)
# The movies of fields that share one: their rows are the same nanocrystals.
SHARED_MOVIES = sheet_columns.shared_movies(FIELDS)


wildcard_constraints:
    field="[A-Za-z0-9._-]+",  # as the sheet's schema has it; ten thousand names would take minutes


def with_signature(function):
    """Write on a function which arguments it takes: Snakemake inspects it several times a job."""
    overwrite_function_params(function, inspect.signature(function).parameters)
    return function


if hasattr(resources, "Resource"):  # of newer versions, for every resource of every job
    with_signature(resources.Resource.evaluate)


def of_field(column):
    """Return the sheet's cell of a job's field."""
    return with_signature(lambda wildcards: ROW_OF[wildcards.field][column])


def of_epochs(column):
    """The same for pre and post, which take the place of {epoch} in the column's name."""
    columns = [column.format(epoch=epoch) for epoch in EPOCHS]
    return with_signature(
        lambda wildcards: [ROW_OF[wildcards.field][c] for c in columns]
    )


@functools.cache
def watches_params():
    """Whether changed parameters are a reason to run again; the user may have chosen others."""
    return RerunTrigger.PARAMS in workflow.rerun_triggers


def unprefixed(path):
    """A path of the sheet, which starts at the working directory whatever the module's prefix."""
    return local(path) if IS_MODULE else path


def listed(path):
    """The files behind a path of the sheet, as Snakemake is to know them.

    It would remove what is made of files that are dated ahead of the clock. Dates do not count
    where the checksum of an earlier run shows whether the content, a parameter, has changed.
    """
    if RECORD[path].ahead:
        return []
    if SETTINGS["made_by_rules"]:
        return [unprefixed(str(first_file(path)))]
    files = [unprefixed(name) for name in RECORD[path].names]
    by_content = RECORD[path].checksum and watches_params()
    return [ancient(f) for f in files] if by_content else files


def checked_files(fields):
    """What the check of files made by other rules writes, for these fields; [] if none are."""
    pattern = "results/fields/{field}/inputs.json"
    return expand(pattern, field=fields) if SETTINGS["made_by_rules"] else []


def files_of(column):
    """The files behind a path of the sheet: one, or the parts of a movie."""
    path = of_field(column)
    return with_signature(lambda wildcards: listed(path(wildcards)))


def files_of_epochs(column):
    """The same for pre and post, all together."""
    paths = of_epochs(column)
    return with_signature(
        lambda wildcards: [f for p in paths(wildcards) for f in listed(p)]
    )


def content_of_epochs(column):
    """Digests of the files behind the paths of pre and post, for the params of their readers."""
    paths = of_epochs(column)
    return with_signature(
        lambda wildcards: [RECORD[p].content for p in paths(wildcards)]
    )


if SETTINGS["read_movies"] == "from_copy":

    storage stage:
        provider="fs",


def movie_of(column):
    """The files of a movie: where they are, or with `from_copy` copies of them on the node."""
    path = of_field(column)

    def copies(wildcards):
        return [storage.stage(str(f)) for f in listed(path(wildcards))]

    in_place = SETTINGS["read_movies"] == "in_place"
    return files_of(column) if in_place else with_signature(copies)


@with_signature
def landmarks_of(wildcards):
    """The user's file of common points of a field, if there is one."""
    path = ROW_OF[wildcards.field]["landmarks"]
    return listed(path) if path else []


@with_signature
def content_of_landmarks(wildcards):
    """The digest of that file."""
    path = ROW_OF[wildcards.field]["landmarks"]
    return RECORD[path].content if path else ""


def both_epochs(pattern):
    """A field's file of either epoch, pre first."""
    return expand(pattern, epoch=EPOCHS, allow_missing=True)


# The report is the last and longest of the pooled steps: what it waits for comes before the figures,
# and films, which need no field, before the fields. Those would start in step, and wait for the same
# kernels to be compiled.
REPORT_FIRST = 2


# Memory of a submitted job that is Snakemake's own: one process that was submitted, one that it
# starts on the node. At ten thousand fields each was seen to take 175 MB.
SNAKEMAKE_MB = 350


# The movies of a field are read side by side if they have so many bytes (1e9). Of smaller ones a job
# takes one after the other: while it loads its libraries, the second processor has another job.
SIDE_BY_SIDE_GB = 1
CAN_COPY_PROCESSES = sys.platform == "linux"


def movie_size(field):
    """Megapixels of a frame, and gigabytes (1e9 bytes) of a movie at 2 bytes a pixel."""
    frames, height, width = SHAPE_OF[field]
    megapixels = height * width / 1e6
    return megapixels, 2e-3 * frames * megapixels


@with_signature
def movies_at_once(wildcards):
    """How many movies of its field a job reads at the same time: its threads."""
    large = movie_size(wildcards.field)[1] >= SIDE_BY_SIDE_GB
    return 2 if large and CAN_COPY_PROCESSES else 1


def one_at_once(wildcards):
    return 1


def for_movies(base, per_megapixel=0, per_gigabyte=0, movies=one_at_once):
    """Return a resource of a field's job, times the attempt.

    It grows with the size of a movie and with the number of `movies` that are read at once.
    """

    def amount(wildcards, attempt):
        megapixels, gigabytes = movie_size(wildcards.field)
        each = per_megapixel * megapixels + per_gigabyte * gigabytes
        return round(attempt * (base + movies(wildcards) * each))

    return with_signature(amount)


def for_fields(base, per_thousand):
    """Return a resource of a pooled job: by the number of fields, times the attempt."""
    size = base + per_thousand * len(FIELDS) / 1000
    return with_signature(lambda wildcards, attempt: round(attempt * size))


@with_signature
def figure_stems(wildcards, output):
    """Paths of a job's figures without the suffix, by name."""
    stems = [file.removesuffix(".svg") for file in output if file.endswith(".svg")]
    return {Path(stem).name: stem for stem in stems}


def captions_of(names):
    """Captions of figures, by name: their text, so that a change of it is one of the figure."""
    paths = {name: f"../report/figures/{name}.rst" for name in names}
    texts = {
        name: Path(workflow.source_path(path)).read_text("utf-8")
        for name, path in paths.items()
    }
    # A function, because Snakemake takes braces in a plain text for wildcards.
    return lambda wildcards: texts


def figure_files(names):
    """All files of figures."""
    return expand(
        "results/figures/{figure}.{kind}",
        figure=names,
        kind=["svg", "pdf", "png", "txt"],
    )


def in_report(path, kind, category, name=None):
    """A file that the report of Snakemake shows under a name, with its caption.

    The name is its only label: of several, the report may make switches that hide files.
    """
    caption = f"../report/{kind}s/{Path(path).stem}.rst"
    labels = {kind: name or Path(path).name}
    return report(path, caption=caption, category=category, labels=labels)


def shown_figures(names):
    """All files of figures; the report shows the PNG of each, which fills its page."""
    pixels = [
        in_report(f"results/figures/{name}.png", "figure", *FIGURES[name])
        for name in names
    ]
    return (
        expand(
            "results/figures/{figure}.{kind}", figure=names, kind=["svg", "pdf", "txt"]
        )
        + pixels
    )


def row_of_figure(field):
    """What the figure of a field's registration needs of the sheet, and the note in it."""
    row = ROW_OF[field]
    columns = ["field", "pixel_size_um", *BRIGHTFIELD_COLUMNS]
    note = SIMULATED if is_simulated(row["sample"]) else ""
    return {column: row[column] for column in columns} | {"note": note}


def registration_figure(field):
    """The PNG that shows a field's registration, as Snakemake's report has it."""
    return report(
        f"results/figures/registration/{field}.png",
        caption="../report/figures/registration.rst",
        category="Registration",
        subcategory=lambda w: treatment_title(
            treatment_in(ROW_OF[getattr(w, "field", field)])
        ),
        labels={"field": field},
    )
