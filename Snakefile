# blinkpair: what did annealing do to each single nanocrystal?
#
#   brightfield -> find_microspheres  \
#                                      register -> pair -> extract_traces -> analyse_blinking
#   PL movie    -> find_nanocrystals  /                                             |
#                                       all fields -> summarise -> plot_populations, plot_field
from snakemake.utils import min_version

min_version("9.9")


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/find.smk"
include: "workflow/rules/register.smk"
include: "workflow/rules/measure.smk"
include: "workflow/rules/summarise.smk"
include: "workflow/rules/figures.smk"


rule all:
    default_target: True
    input:
        "results/populations.csv",
        "results/nanocrystals.csv",
        "results/sensitivity.csv",
        "results/provenance.json",
        expand("results/figures/{figure}.svg", figure=POPULATION_FIGURES),
        "results/figures/example_traces.svg",
        expand("results/figures/registration/{field}.svg", field=FIELDS.index),
