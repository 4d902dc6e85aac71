# The configuration, checked, and the sample sheet as FIELDS: one row a field, by name.
#
# REQUIRED INPUTS: the configuration and the sample sheet it names.
import re
import sys
from pathlib import Path

# The library lies beside the steps; Snakemake puts that folder on the path of steps only.
sys.path.insert(0, str(Path(workflow.basedir) / "scripts"))

from blinkpair import launch
from blinkpair.errors import InputError
from blinkpair.movie import movie_files
from snakemake.exceptions import WorkflowError

try:
    SETTINGS, FIELDS = launch.prepare(
        config, workflow.configfiles, check_files=workflow.is_main_process
    )
except InputError as error:
    raise WorkflowError(str(error)) from None

EPOCHS = ["pre", "post"]


wildcard_constraints:
    field="|".join(map(re.escape, FIELDS.index)),
    epoch="|".join(EPOCHS),


def of_field(column):
    """What the sheet says of a job's field; {epoch} in the column's name is the job's."""
    return lambda wildcards: FIELDS.at[
        wildcards.field, column.format(epoch=wildcards.get("epoch", ""))
    ]


def files_of(column):
    """The files behind a path of the sheet: one, or the parts of a movie."""
    return lambda wildcards: [
        str(path) for path in movie_files(of_field(column)(wildcards))
    ]


def both(pattern):
    """A field's file of either epoch, pre first."""
    return expand(pattern, epoch=EPOCHS, allow_missing=True)


def figure_stems(names):
    """Paths of figures without the suffix, by name."""
    return {name: f"results/figures/{name}" for name in names}


def figure_files(names):
    """All files of figures."""
    return expand(
        "results/figures/{figure}.{kind}", figure=names, kind=["svg", "pdf", "png"]
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
        expand("results/figures/{figure}.{kind}", figure=names, kind=["svg", "pdf"])
        + pixels
    )


def annealed_at(wildcards):
    """How a job's field was annealed, in words."""
    temperature = of_field("temperature_c")(wildcards)
    return temperature if temperature == "control" else f"{temperature} °C"
