# Nanocrystals of both epochs of a field; every movie is read once here.
#
# REQUIRED INPUTS: the movies of the sample sheet; its brightfield images where the movies are so
# long that their counts are taken in the same pass.
# OUTPUTS: results/fields/{field}/ nanocrystals_*.csv, drift_*.csv, images_*.nc, and where other
# rules make the inputs (`made_by_rules`) inputs.json


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


rule find_nanocrystals:
    input:
        pre=movie_of("pre_pl"),
        post=movie_of("post_pl"),
        registered=files_of_one_pass,
    output:
        tables=both_epochs("results/fields/{field}/nanocrystals_{epoch}.csv"),
        drifts=both_epochs("results/fields/{field}/drift_{epoch}.csv"),
        images=both_epochs("results/fields/{field}/images_{epoch}.nc"),
        infos=both_epochs("results/fields/{field}/nanocrystals_{epoch}.json"),
    log:
        "logs/{field}/find_nanocrystals.log",
    benchmark:
        "logs/benchmarks/{field}/find_nanocrystals.tsv"
    group:
        "field"
    conda:
        "../../envs/blinkpair.yaml"
    threads: movies_at_once
    resources:
        mem_mb=for_movies(
            SNAKEMAKE_MB + 400,
            per_megapixel=1300,
            per_gigabyte=10,
            movies=movies_at_once,
        ),
        runtime=for_movies(3, per_gigabyte=0.7),
    params:
        pl=of_epochs("{epoch}_pl"),
        content=content_of_epochs("{epoch}_pl"),
        psf_sigma_px=SETTINGS["nanocrystals"]["psf_sigma_px"],
        one_pass=for_one_pass(
            SETTINGS["microspheres"]["diameter_um"],
            registration=SETTINGS["registration"],
            pairing={
                "tolerance_px": SETTINGS["pairing"]["tolerance_px"],
                "min_separation_px": SETTINGS["nanocrystals"]["min_separation_px"],
                "aperture_px": SETTINGS["photometry"]["aperture_px"],
            },
            photometry=SETTINGS["photometry"],
        ),
        one_pass_content=content_of_one_pass,
        code=source_digest.of_step(
            "find_nanocrystals", without="blinkpair.pairing.one_pass"
        ),
    script:
        "../../scripts/find_nanocrystals.py"
