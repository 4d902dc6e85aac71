# Films beside the nanocrystals: decays of the PL and of the bleach. Included with a sheet only.
#
# REQUIRED INPUTS: the files of the ensemble sheet; populations.csv.
# OUTPUTS: results/ decays.csv, decay_sensitivity.csv, decay_curves.nc, beside.csv, figures

ENSEMBLE = LAUNCHED.ensemble
ENSEMBLE_FILES = [
    row[column] for row in ENSEMBLE for column in ("file", "irf") if row[column]
]
ENSEMBLE_FIGURES = [
    "ensemble_beside",
    "ensemble_decays",
    "ensemble_bleach",
    "ensemble_bleach_map",
]
ENSEMBLE_TABLES = ["results/decays.csv", "results/beside.csv"]
FIGURES |= {
    "ensemble_beside": ("Ensemble", "Beside single nanocrystals"),
    "ensemble_decays": ("Ensemble", "PL decays"),
    "ensemble_bleach": ("Ensemble", "Decay of the bleach"),
    "ensemble_bleach_map": ("Ensemble", "Bleach maps"),
}


rule fit_ensemble:
    input:
        [ancient(unprefixed(path.partition("::")[0])) for path in ENSEMBLE_FILES],
    output:
        decays=in_report("results/decays.csv", "table", "Tables"),
        sensitivity=in_report("results/decay_sensitivity.csv", "table", "Tables"),
        curves="results/decay_curves.nc",
    log:
        "logs/fit_ensemble.log",
    benchmark:
        "logs/benchmarks/fit_ensemble.tsv"
    priority: REPORT_FIRST
    conda:
        "../../envs/blinkpair.yaml"
    resources:
        mem_mb=SNAKEMAKE_MB + 400,
        runtime=15,
    params:
        rows=ENSEMBLE,
        content=[RECORD[path.partition("::")[0]].content for path in ENSEMBLE_FILES],
        confidence=SETTINGS["statistics"]["confidence"],
        code=source_digest.of_step("fit_ensemble"),
    script:
        "../../scripts/fit_ensemble.py"


rule compare_ensemble:
    input:
        decays="results/decays.csv",
        sensitivity="results/decay_sensitivity.csv",
        populations="results/populations.csv",
    output:
        in_report("results/beside.csv", "table", "Tables"),
    log:
        "logs/compare_ensemble.log",
    benchmark:
        "logs/benchmarks/compare_ensemble.tsv"
    priority: REPORT_FIRST
    conda:
        "../../envs/blinkpair.yaml"
    resources:
        mem_mb=SNAKEMAKE_MB + 200,
        runtime=5,
    params:
        code=source_digest.of_step("compare_ensemble"),
    script:
        "../../scripts/compare_ensemble.py"


rule plot_ensemble:
    input:
        beside="results/beside.csv",
        curves="results/decay_curves.nc",
    output:
        shown_figures(ENSEMBLE_FIGURES),
    log:
        "logs/plot_ensemble.log",
    benchmark:
        "logs/benchmarks/plot_ensemble.tsv"
    priority: REPORT_FIRST
    conda:
        "../../envs/blinkpair.yaml"
    resources:
        mem_mb=SNAKEMAKE_MB + 400,
        runtime=5,
    params:
        stems=figure_stems,
        captions=captions_of(ENSEMBLE_FIGURES),
        note=sheet_columns.ensemble_note(ENSEMBLE),
        code=source_digest.of_step("plot_ensemble"),
    script:
        "../../scripts/plot_ensemble.py"
