# All fields together: the tables a paper quotes, and how they were made.
#
# REQUIRED INPUTS: the tables of every field.
# OUTPUTS: results/ nanocrystals.csv, fields.csv, populations.csv, methods.csv, sensitivity.csv,
# verdicts.csv, the tables of BLINKING_TABLES, provenance.json, datapackage.json

BLINKING_TABLES = [
    "types",
    "type_transitions",
    "change_by_type",
    "alpha_by_change",
    "dwell_times",
    "dwell_fits",
    "photostability",
    "integrated_pl",
]


rule summarise:
    input:
        tables=expand("results/fields/{field}/nanocrystals.csv", field=FIELDS.index),
        on_fractions=expand(
            "results/fields/{field}/on_fractions.csv", field=FIELDS.index
        ),
        registrations=expand(
            "results/fields/{field}/registration.json", field=FIELDS.index
        ),
        pairings=expand("results/fields/{field}/pairing.json", field=FIELDS.index),
        checked=checked_files(FIELDS.index),
    output:
        nanocrystals=in_report("results/nanocrystals.csv", "table", "Tables"),
        fields=in_report("results/fields.csv", "table", "Tables"),
        populations=in_report("results/populations.csv", "table", "Tables"),
        methods=in_report("results/methods.csv", "table", "Tables"),
        sensitivity=in_report("results/sensitivity.csv", "table", "Tables"),
        verdicts=in_report("results/verdicts.csv", "table", "Tables"),
    log:
        "logs/summarise.log",
    benchmark:
        "logs/benchmarks/summarise.tsv"
    priority: REPORT_FIRST
    conda:
        "../../envs/blinkpair.yaml"
    resources:
        mem_mb=for_fields(SNAKEMAKE_MB + 300, per_thousand=140),
        runtime=for_fields(5, per_thousand=2),
    params:
        sheet=FIELDS[sheet_columns.field_columns(FIELDS)].to_dict("records"),
        statistics=SETTINGS["statistics"],
        dark_cutoff=SETTINGS["dark_cutoff"],
        dark_cutoffs=SETTINGS["sensitivity"]["dark_cutoffs"],
        movies=SHARED_MOVIES,
        verdicts=VERDICTS,
        code=source_digest.of_step("summarise"),
    script:
        "../../scripts/summarise.py"


rule summarise_blinking:
    input:
        nanocrystals="results/nanocrystals.csv",
        fields="results/fields.csv",
        durations=expand("results/fields/{field}/durations.csv", field=FIELDS.index),
        integrated_pl=expand(
            "results/fields/{field}/integrated_pl.csv", field=FIELDS.index
        ),
    output:
        **{
            name: in_report(f"results/{name}.csv", "table", "Tables")
            for name in BLINKING_TABLES
        },
    log:
        "logs/summarise_blinking.log",
    benchmark:
        "logs/benchmarks/summarise_blinking.tsv"
    priority: REPORT_FIRST
    conda:
        "../../envs/blinkpair.yaml"
    resources:
        mem_mb=for_fields(SNAKEMAKE_MB + 450, per_thousand=60),
        runtime=for_fields(5, per_thousand=1),
    params:
        statistics=SETTINGS["statistics"],
        dwell_times=SETTINGS["dwell_times"],
        large_change=SETTINGS["blinking_types"]["large_change"],
        movies=SHARED_MOVIES,
        code=source_digest.of_step("summarise_blinking"),
    script:
        "../../scripts/summarise_blinking.py"


rule record_provenance:
    input:
        nanocrystals="results/nanocrystals.csv",
        populations="results/populations.csv",
    output:
        provenance=in_report("results/provenance.json", "file", "How it was made"),
        columns="results/datapackage.json",
    log:
        "logs/record_provenance.log",
    benchmark:
        "logs/benchmarks/record_provenance.tsv"
    priority: REPORT_FIRST
    conda:
        "../../envs/blinkpair.yaml"
    resources:
        mem_mb=for_fields(SNAKEMAKE_MB + 200, per_thousand=20),
        runtime=for_fields(5, per_thousand=5),
    params:
        # Read where the run keeps them: another command runs nothing again, another sheet does.
        sheet=str(LAUNCHED.kept / launch.SHEET),
        run=str(LAUNCHED.kept / launch.RUN),
        sheet_digest=LAUNCHED.sheet_digest,
        settings=SETTINGS,
        verdicts=VERDICTS,
        source=source_digest.of_all_source(),
        code=source_digest.of_step("record_provenance"),
    script:
        "../../scripts/record_provenance.py"
