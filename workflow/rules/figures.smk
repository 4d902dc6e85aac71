# The figures, each as SVG, PDF and PNG, with its caption as text.
#
# REQUIRED INPUTS: the pooled tables; the traces and images of every field.
# OUTPUTS: results/figures/

POPULATION_FIGURES = [
    "delta_histograms",
    "before_after_scatter",
    "population_fractions",
    "sensitivity",
]
BLINKING_FIGURES = [
    "types",
    "type_transitions",
    "delta_by_type",
    "alpha_by_change",
    "dwell_times",
    "photostability",
    "integrated_pl",
]
EXAMPLE_FIGURES = [
    "example_traces",
    "example_dwell_times",
    "example_photostability",
]
# Where the report of Snakemake shows each, and under which name.
FIGURES = {
    "delta_histograms": ("Populations", "Change in on-fraction"),
    "before_after_scatter": ("Populations", "On-fraction before and after"),
    "population_fractions": ("Populations", "Populations with intervals"),
    "sensitivity": ("Populations", "Other thresholds and cutoffs"),
    "example_traces": ("Populations", "Example traces"),
    "types": ("Blinking", "Types before and after"),
    "type_transitions": ("Blinking", "What became of each type"),
    "delta_by_type": ("Blinking", "Change in on-fraction by type"),
    "alpha_by_change": ("Blinking", "Alpha of gainers and losers"),
    "dwell_times": ("Blinking", "Durations, all together"),
    "example_dwell_times": ("Blinking", "Durations, single nanocrystals"),
    "integrated_pl": ("Photostability", "Integrated PL"),
    "photostability": ("Photostability", "Stable, brightening, dimming, going dark"),
    "example_photostability": ("Photostability", "Example traces"),
}


report: "../report/workflow.rst"


rule plot_populations:
    input:
        nanocrystals="results/nanocrystals.csv",
        populations="results/populations.csv",
        sensitivity="results/sensitivity.csv",
    output:
        shown_figures(POPULATION_FIGURES),
    log:
        "logs/plot_populations.log",
    benchmark:
        "logs/benchmarks/plot_populations.tsv"
    conda:
        "../../envs/blinkpair.yaml"
    resources:
        mem_mb=for_fields(SNAKEMAKE_MB + 350, per_thousand=20),
        runtime=for_fields(5, per_thousand=1),
    params:
        stems=figure_stems,
        captions=captions_of(POPULATION_FIGURES),
        dark_cutoff=SETTINGS["dark_cutoff"],
        method=SETTINGS["threshold"]["method"],
        threshold_counts=SETTINGS["threshold"]["counts"],
        note=sheet_columns.figure_note(FIELDS),
        code=source_digest.of_step("plot_populations"),
    script:
        "../../scripts/plot_populations.py"


rule plot_blinking:
    input:
        **{name: f"results/{name}.csv" for name in BLINKING_TABLES},
        nanocrystals="results/nanocrystals.csv",
    output:
        shown_figures(BLINKING_FIGURES),
    log:
        "logs/plot_blinking.log",
    benchmark:
        "logs/benchmarks/plot_blinking.tsv"
    conda:
        "../../envs/blinkpair.yaml"
    resources:
        mem_mb=for_fields(SNAKEMAKE_MB + 400, per_thousand=30),
        runtime=for_fields(5, per_thousand=1),
    params:
        tables=BLINKING_TABLES,
        stems=figure_stems,
        captions=captions_of(BLINKING_FIGURES),
        reference_s=SETTINGS["photostability"]["reference_s"],
        note=sheet_columns.figure_note(FIELDS),
        code=source_digest.of_step("plot_blinking"),
    script:
        "../../scripts/plot_blinking.py"


rule plot_examples:
    input:
        nanocrystals="results/nanocrystals.csv",
        traces=expand("results/fields/{field}/traces.nc", field=FIELDS.index),
    output:
        shown_figures(EXAMPLE_FIGURES),
    log:
        "logs/plot_examples.log",
    benchmark:
        "logs/benchmarks/plot_examples.tsv"
    conda:
        "../../envs/blinkpair.yaml"
    resources:
        mem_mb=for_fields(SNAKEMAKE_MB + 500, per_thousand=30),
        runtime=for_fields(5, per_thousand=1),
    params:
        fields=list(FIELDS.index),
        stems=figure_stems,
        captions=captions_of(EXAMPLE_FIGURES),
        fits=SETTINGS["dwell_times"],
        significance=SETTINGS["photostability"]["significance"],
        note=sheet_columns.figure_note(FIELDS),
        code=source_digest.of_step("plot_examples"),
    script:
        "../../scripts/plot_examples.py"


rule plot_registration:
    input:
        brightfields=files_of_epochs("{epoch}_brightfield"),
        microspheres=both_epochs("results/fields/{field}/microspheres_{epoch}.csv"),
        nanocrystals=both_epochs("results/fields/{field}/nanocrystals_{epoch}.csv"),
        images=both_epochs("results/fields/{field}/images_{epoch}.nc"),
        registration="results/fields/{field}/registration.json",
    output:
        multiext("results/figures/registration/{field}", ".svg", ".pdf", ".txt"),
        report(
            "results/figures/registration/{field}.png",
            caption="../report/figures/registration.rst",
            category="Registration",
            subcategory=treatment_of,
            labels={"field": "{field}"},
        ),
    log:
        "logs/{field}/plot_registration.log",
    benchmark:
        "logs/benchmarks/{field}/plot_registration.tsv"
    group:
        "field"
    conda:
        "../../envs/blinkpair.yaml"
    resources:
        mem_mb=for_movies(SNAKEMAKE_MB + 300, per_megapixel=200),
        runtime=for_movies(2),
    params:
        brightfields=of_epochs("{epoch}_brightfield"),
        content=content_of_epochs("{epoch}_brightfield"),
        stem=lambda wildcards, output: output[0].removesuffix(".svg"),
        captions=captions_of(["registration"]),
        pixel_size_um=of_field("pixel_size_um"),
        note=note_of_field,
        code=source_digest.of_step("plot_registration"),
    script:
        "../../scripts/plot_registration.py"
