# Counts of every nanocrystal in both movies and their analysis; every movie is read once more,
# unless it is so long that its counts were taken when it was searched.
#
# REQUIRED INPUTS: the movies of the sample sheet, places, drift and images.
# OUTPUTS: results/fields/{field}/ traces_*.nc, traces.nc, nanocrystals.csv, on_fractions.csv,
# durations.csv, integrated_pl.csv
# The counts of each epoch are kept: without them another threshold would read all movies again.


rule extract_traces:
    input:
        pre=movie_of("pre_pl"),
        post=movie_of("post_pl"),
        places="results/fields/{field}/places.csv",
        drifts=both_epochs("results/fields/{field}/drift_{epoch}.csv"),
        images=both_epochs("results/fields/{field}/images_{epoch}.nc"),
    output:
        traces=both_epochs("results/fields/{field}/traces_{epoch}.nc"),
    log:
        "logs/{field}/extract_traces.log",
    benchmark:
        "logs/benchmarks/{field}/extract_traces.tsv"
    priority: 1  # what was begun is finished first: its movies are still at hand
    group:
        "field"
    conda:
        "../../envs/blinkpair.yaml"
    threads: movies_at_once
    resources:
        mem_mb=for_movies(SNAKEMAKE_MB + 400, per_gigabyte=10, movies=movies_at_once),
        runtime=for_movies(3, per_gigabyte=0.7),
    params:
        pl=of_epochs("{epoch}_pl"),
        content=content_of_epochs("{epoch}_pl"),
        exposure_s=of_field("exposure_s"),
        aperture_px=SETTINGS["photometry"]["aperture_px"],
        background=SETTINGS["photometry"]["background"],
        code=source_digest.of_step("extract_traces"),
    script:
        "../../scripts/extract_traces.py"


rule analyse_blinking:
    input:
        epochs=both_epochs("results/fields/{field}/traces_{epoch}.nc"),
        places="results/fields/{field}/places.csv",
    output:
        traces="results/fields/{field}/traces.nc",
        table="results/fields/{field}/nanocrystals.csv",
        on_fractions="results/fields/{field}/on_fractions.csv",
        durations="results/fields/{field}/durations.csv",
        integrated_pl="results/fields/{field}/integrated_pl.csv",
    log:
        "logs/{field}/analyse_blinking.log",
    benchmark:
        "logs/benchmarks/{field}/analyse_blinking.tsv"
    priority: 1  # what was begun is finished first: its movies are still at hand
    group:
        "field"
    conda:
        "../../envs/blinkpair.yaml"
    threads: movies_at_once
    resources:
        mem_mb=for_movies(SNAKEMAKE_MB + 300, per_gigabyte=40, movies=movies_at_once),
        runtime=for_movies(2, per_gigabyte=0.25),
    params:
        field=lambda wildcards: {c: ROW_OF[wildcards.field][c] for c in CARRIED},
        settings={
            "threshold": SETTINGS["threshold"],
            "dark_cutoff": SETTINGS["dark_cutoff"],
            "dwell_times": SETTINGS["dwell_times"],
            "photostability": SETTINGS["photostability"],
        },
        sensitivity_counts=SETTINGS["sensitivity"]["counts"],
        equal_length_s=(
            EQUAL_LENGTH_S if SETTINGS["statistics"]["equal_length"] else None
        ),
        verdicts=lambda wildcards: VERDICTS.get(wildcards.field, []),
        code=source_digest.of_step("analyse_blinking"),
    script:
        "../../scripts/analyse_blinking.py"
