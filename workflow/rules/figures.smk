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

# The fields that are shown one by one, their brightfield images, and what their registration is
# judged by, by the names in results/fields/FIELD/.
SHOWN = sheet_columns.fields_to_show(FIELDS, SETTINGS["report"]["max_fields"])
SHOWN_IMAGES = FIELDS.loc[SHOWN, list(BRIGHTFIELD_COLUMNS)].to_numpy().ravel().tolist()
JUDGED_BY = ["registration.json"] + [
    f"{name}_{epoch}.{kind}"
    for name, kind in (
        ("microspheres", "csv"),
        ("nanocrystals", "csv"),
        ("images", "nc"),
    )
    for epoch in EPOCHS
]


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
    priority: 1  # it draws the most: begun last, the other processors would wait for it
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


# The registrations of the fields that the report shows are drawn by one job; that of any other when it
# is asked for: snakemake --cores 1 results/figures/registration/FIELD.png
ruleorder: plot_registration > plot_one_registration


rule plot_registration:
    input:
        brightfields=lambda _: [f for p in SHOWN_IMAGES for f in listed(p)],
        results=expand("results/fields/{field}/{file}", field=SHOWN, file=JUDGED_BY),
    output:
        expand(
            "results/figures/registration/{field}.{kind}",
            field=SHOWN,
            kind=["svg", "pdf", "txt"],
        ),
        [registration_figure(field) for field in SHOWN],
    log:
        "logs/plot_registration.log",
    benchmark:
        "logs/benchmarks/plot_registration.tsv"
    conda:
        "../../envs/blinkpair.yaml"
    resources:
        mem_mb=SNAKEMAKE_MB + 300 + 200 * max(movie_size(f)[0] for f in FIELDS.index),
        runtime=5 + len(SHOWN) // 10,
    params:
        fields=[row_of_figure(field) for field in SHOWN],
        note=sheet_columns.figure_note(FIELDS.loc[SHOWN]),
        content=[RECORD[path].content for path in SHOWN_IMAGES],
        stems=figure_stems,
        captions=captions_of(["registration"]),
        code=source_digest.of_step("plot_registration"),
    script:
        "../../scripts/plot_registration.py"


rule plot_one_registration:
    input:
        brightfields=files_of_epochs("{epoch}_brightfield"),
        results=expand(
            "results/fields/{field}/{file}", file=JUDGED_BY, allow_missing=True
        ),
    output:
        multiext("results/figures/registration/{field}", ".svg", ".pdf", ".txt"),
        registration_figure("{field}"),
    log:
        "logs/{field}/plot_registration.log",
    benchmark:
        "logs/benchmarks/{field}/plot_registration.tsv"
    conda:
        "../../envs/blinkpair.yaml"
    resources:
        mem_mb=for_movies(SNAKEMAKE_MB + 300, per_megapixel=200),
        runtime=for_movies(2),
    params:
        fields=lambda wildcards: [row_of_figure(wildcards.field)],
        note=lambda wildcards: row_of_figure(wildcards.field)["note"],
        content=content_of_epochs("{epoch}_brightfield"),
        stems=figure_stems,
        captions=captions_of(["registration"]),
        code=source_digest.of_step("plot_registration"),
    script:
        "../../scripts/plot_registration.py"
