# The report: one HTML file with the answer, every nanocrystal, every field and how it was made.
#
# REQUIRED INPUTS: the pooled tables, provenance.json; traces and images of the fields shown.
# OUTPUTS: results/report.html

REPORT_TABLES = ["nanocrystals", "fields", "populations", "methods", "sensitivity"]
REPORT_TABLES += ["types", "type_transitions", "change_by_type", "alpha_by_change"]
REPORT_TABLES += ["photostability", "verdicts"]
# What the report reads of a field it shows, by the name in results/fields/FIELD/.
REPORT_FILES = ["traces.nc", "registration.json", "integrated_pl.csv"]
REPORT_FILES += [f"images_{epoch}.nc" for epoch in EPOCHS]
REPORT_FILES += [
    f"{table}_{epoch}.csv"
    for table in ("microspheres", "nanocrystals", "drift")
    for epoch in EPOCHS
]


rule build_report:
    input:
        tables=expand("results/{table}.csv", table=REPORT_TABLES),
        provenance="results/provenance.json",
        ensemble=ENSEMBLE_TABLES
        + [f"results/figures/{name}.png" for name in ENSEMBLE_FIGURES],
        fields=expand("results/fields/{field}/{file}", field=SHOWN, file=REPORT_FILES),
        brightfields=lambda _: [f for p in SHOWN_IMAGES for f in listed(p)],
    output:
        "results/report.html",
    log:
        "logs/build_report.log",
    benchmark:
        "logs/benchmarks/build_report.tsv"
    priority: REPORT_FIRST
    conda:
        "../../envs/blinkpair.yaml"
    resources:
        mem_mb=for_fields(SNAKEMAKE_MB + 500, per_thousand=20),
        runtime=for_fields(5, per_thousand=1),
    params:
        shown=FIELDS.loc[SHOWN, sheet_columns.shown_columns(FIELDS)].to_dict("records"),
        content=[RECORD[path].content for path in SHOWN_IMAGES],
        settings=SETTINGS,
        note=sheet_columns.figure_note(FIELDS),
        code=source_digest.of_step("build_report"),
    script:
        "../../scripts/build_report.py"
