# blinkpair: what did annealing do to each single nanocrystal?
#
#   PL movies -> find_nanocrystals -> register -> extract_traces -> analyse_blinking
#   brightfields --------------------/                                            |
#                 all fields -> summarise, summarise_blinking -> plot_populations, plot_blinking
#                                                             -> build_report
#   films       -> fit_ensemble, compare_ensemble -> plot_ensemble (with an ensemble sheet)
from snakemake.utils import min_version

min_version("9.9")


include: "workflow/rules/common.smk"
include: "workflow/rules/common_long_movies.smk"
include: "workflow/rules/find.smk"
include: "workflow/rules/register.smk"
include: "workflow/rules/measure.smk"
include: "workflow/rules/summarise.smk"
include: "workflow/rules/figures.smk"


if SETTINGS["ensemble"]:

    include: "workflow/rules/ensemble.smk"


include: "workflow/rules/report.smk"


rule all:
    input:
        "results/report.html",
        "results/populations.csv",
        "results/nanocrystals.csv",
        "results/sensitivity.csv",
        "results/provenance.json",
        expand("results/{table}.csv", table=BLINKING_TABLES),
        figure_files(POPULATION_FIGURES + BLINKING_FIGURES + EXAMPLE_FIGURES),
        expand("results/figures/registration/{field}.svg", field=SHOWN),
        ENSEMBLE_TABLES,
        figure_files(ENSEMBLE_FIGURES),
