# Microspheres, the transform between the epochs of a field, and the same nanocrystals in both.
#
# REQUIRED INPUTS: the brightfield images of the sample sheet, and the tables of find.smk.
# OUTPUTS: results/fields/{field}/ microspheres_*.csv, registration.json, places.csv, pairing.json
# To find the microspheres takes less time than to start a step for it.


rule register:
    input:
        files_of_epochs("{epoch}_brightfield"),
        nanocrystals=both_epochs("results/fields/{field}/nanocrystals_{epoch}.csv"),
        nanocrystals_info=both_epochs(
            "results/fields/{field}/nanocrystals_{epoch}.json"
        ),
        drifts=both_epochs("results/fields/{field}/drift_{epoch}.csv"),
        checked=checked_files("{field}"),
        landmarks=landmarks_of,
    output:
        microspheres=both_epochs("results/fields/{field}/microspheres_{epoch}.csv"),
        microspheres_info=both_epochs(
            "results/fields/{field}/microspheres_{epoch}.json"
        ),
        registration="results/fields/{field}/registration.json",
        places="results/fields/{field}/places.csv",
        pairing="results/fields/{field}/pairing.json",
    log:
        "logs/{field}/register.log",
    benchmark:
        "logs/benchmarks/{field}/register.tsv"
    priority: 1
    group:
        "field"
    conda:
        "../../envs/blinkpair.yaml"
    resources:
        mem_mb=for_movies(SNAKEMAKE_MB + 300, per_megapixel=300),
        runtime=for_movies(5),
    params:
        brightfields=of_epochs("{epoch}_brightfield"),
        content=content_of_epochs("{epoch}_brightfield"),
        diameter_um=SETTINGS["microspheres"]["diameter_um"],
        pixel_size_um=of_field("pixel_size_um"),
        on_failed_field=SETTINGS["on_failed_field"],
        registration=SETTINGS["registration"],
        landmarks=of_field("landmarks"),
        landmarks_content=content_of_landmarks,
        pairing={
            "tolerance_px": SETTINGS["pairing"]["tolerance_px"],
            "min_separation_px": SETTINGS["nanocrystals"]["min_separation_px"],
            "aperture_px": SETTINGS["photometry"]["aperture_px"],
        },
        code=source_digest.of_step("register"),
    script:
        "../../scripts/register.py"
