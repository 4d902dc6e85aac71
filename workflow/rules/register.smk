# The transform between the epochs of a field, and the same nanocrystals in both.
#
# REQUIRED INPUTS: the tables of find.smk.
# OUTPUTS: results/fields/{field}/ registration.json, places.csv, pairing.json


rule register:
    input:
        microspheres=both("results/fields/{field}/microspheres_{epoch}.csv"),
        microspheres_info=both("results/fields/{field}/microspheres_{epoch}.json"),
        nanocrystals=both("results/fields/{field}/nanocrystals_{epoch}.csv"),
        nanocrystals_info=both("results/fields/{field}/nanocrystals_{epoch}.json"),
        landmarks=lambda wildcards: of_field("landmarks")(wildcards) or [],
    output:
        registration="results/fields/{field}/registration.json",
    log:
        "logs/{field}/register.log",
    benchmark:
        "logs/benchmarks/{field}/register.tsv"
    group:
        "field"
    conda:
        "../../envs/blinkpair.yaml"
    resources:
        mem_mb=for_movies(SNAKEMAKE_MB + 300),
        runtime=for_movies(5),
    params:
        model=SETTINGS["registration"]["model"],
        min_microspheres=SETTINGS["registration"]["min_microspheres"],
        max_chance_alignments=SETTINGS["registration"]["max_chance_alignments"],
        on_failed_field=SETTINGS["on_failed_field"],
        landmarks=of_field("landmarks"),
        code=launch.source_digest("field_registration", "landmarks"),
    script:
        "../../scripts/register.py"


rule pair:
    input:
        nanocrystals=both("results/fields/{field}/nanocrystals_{epoch}.csv"),
        nanocrystals_info=both("results/fields/{field}/nanocrystals_{epoch}.json"),
        drifts=both("results/fields/{field}/drift_{epoch}.csv"),
        registration="results/fields/{field}/registration.json",
    output:
        table="results/fields/{field}/places.csv",
        info="results/fields/{field}/pairing.json",
    log:
        "logs/{field}/pair.log",
    benchmark:
        "logs/benchmarks/{field}/pair.tsv"
    group:
        "field"
    conda:
        "../../envs/blinkpair.yaml"
    resources:
        mem_mb=for_movies(SNAKEMAKE_MB + 300),
        runtime=for_movies(2),
    params:
        tolerance_px=SETTINGS["pairing"]["tolerance_px"],
        min_separation_px=SETTINGS["nanocrystals"]["min_separation_px"],
        aperture_px=SETTINGS["photometry"]["aperture_px"],
        code=launch.source_digest("pairing", "catalogues", "field_registration"),
    script:
        "../../scripts/pair.py"
