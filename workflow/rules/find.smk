# Microspheres and nanocrystals of each epoch of a field; every movie is read once here.
#
# REQUIRED INPUTS: the brightfield images and movies of the sample sheet.
# OUTPUTS: results/fields/{field}/ microspheres_*.csv, nanocrystals_*.csv, drift_*.csv, images_*.nc,
# and where other rules make the inputs (`made_by_rules`) inputs.json


rule check_inputs:
    input:
        files_of_epochs("{epoch}_brightfield"),
        files_of_epochs("{epoch}_pl"),
    output:
        "results/fields/{field}/inputs.json",
    log:
        "logs/{field}/check_inputs.log",
    benchmark:
        "logs/benchmarks/{field}/check_inputs.tsv"
    group:
        "field"
    conda:
        "../../envs/blinkpair.yaml"
    resources:
        mem_mb=for_movies(SNAKEMAKE_MB + 150),
        runtime=for_movies(2),
    params:
        settings=SETTINGS,
        code=source_digest.of_step("check_inputs"),
    script:
        "../../scripts/check_inputs.py"


rule find_microspheres:
    input:
        files_of_epochs("{epoch}_brightfield"),
    output:
        tables=both_epochs("results/fields/{field}/microspheres_{epoch}.csv"),
        infos=both_epochs("results/fields/{field}/microspheres_{epoch}.json"),
    log:
        "logs/{field}/find_microspheres.log",
    benchmark:
        "logs/benchmarks/{field}/find_microspheres.tsv"
    group:
        "field"
    conda:
        "../../envs/blinkpair.yaml"
    resources:
        mem_mb=for_movies(SNAKEMAKE_MB + 200, per_megapixel=300),
        runtime=for_movies(2),
    params:
        images=of_epochs("{epoch}_brightfield"),
        content=content_of_epochs("{epoch}_brightfield"),
        diameter_um=SETTINGS["microspheres"]["diameter_um"],
        pixel_size_um=of_field("pixel_size_um"),
        code=source_digest.of_step("find_microspheres"),
    script:
        "../../scripts/find_microspheres.py"


rule find_nanocrystals:
    input:
        movie=movie_of("{epoch}_pl"),
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
    resources:
        mem_mb=for_movies(SNAKEMAKE_MB + 300, per_megapixel=1300),
        runtime=for_movies(2, per_gigabyte=0.7),
    params:
        pl=of_field("{epoch}_pl"),
        content=content_of("{epoch}_pl"),
        psf_sigma_px=SETTINGS["nanocrystals"]["psf_sigma_px"],
        code=source_digest.of_step("find_nanocrystals"),
    script:
        "../../scripts/find_nanocrystals.py"
