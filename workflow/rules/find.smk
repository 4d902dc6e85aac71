# Microspheres and nanocrystals of each epoch of a field; every movie is read once here.
#
# REQUIRED INPUTS: the brightfield images and movies of the sample sheet.
# OUTPUTS: results/fields/{field}/ microspheres_*.csv, nanocrystals_*.csv, drift_*.csv, images_*.nc


rule find_microspheres:
    input:
        files_of("{epoch}_brightfield"),
    output:
        table="results/fields/{field}/microspheres_{epoch}.csv",
        info="results/fields/{field}/microspheres_{epoch}.json",
    log:
        "logs/{field}/find_microspheres_{epoch}.log",
    benchmark:
        "logs/benchmarks/{field}/find_microspheres_{epoch}.tsv"
    group:
        "field"
    conda:
        "../../envs/blinkpair.yaml"
    params:
        image=of_field("{epoch}_brightfield"),
        diameter_um=SETTINGS["microspheres"]["diameter_um"],
        pixel_size_um=of_field("pixel_size_um"),
        code=launch.source_digest("brightfield", "movie"),
    script:
        "../../scripts/find_microspheres.py"


rule find_nanocrystals:
    input:
        files_of("{epoch}_pl"),
    output:
        table="results/fields/{field}/nanocrystals_{epoch}.csv",
        drift="results/fields/{field}/drift_{epoch}.csv",
        images="results/fields/{field}/images_{epoch}.nc",
        info="results/fields/{field}/nanocrystals_{epoch}.json",
    log:
        "logs/{field}/find_nanocrystals_{epoch}.log",
    benchmark:
        "logs/benchmarks/{field}/find_nanocrystals_{epoch}.tsv"
    group:
        "field"
    conda:
        "../../envs/blinkpair.yaml"
    params:
        pl=of_field("{epoch}_pl"),
        psf_sigma_px=SETTINGS["nanocrystals"]["psf_sigma_px"],
        code=launch.source_digest("nanocrystals", "catalogues", "movie"),
    script:
        "../../scripts/find_nanocrystals.py"
