# What find_nanocrystals needs of movies that are so long that their counts are taken in the same pass.

from blinkpair.nanocrystals.sampling import bursts_apart

IMAGES_OF = files_of_epochs("{epoch}_brightfield")
CONTENT_OF_IMAGES = content_of_epochs("{epoch}_brightfield")


def is_read_once(wildcards):
    """Whether a field's movies are so long that counts are taken when they are searched."""
    return bursts_apart(SHAPE_OF[wildcards.field]) > 1


@with_signature
def files_of_one_pass(wildcards):
    """Files that register a field before its movies are read whole, where they are read once."""
    if not is_read_once(wildcards):
        return []
    return [*IMAGES_OF(wildcards), *landmarks_of(wildcards)]


def for_one_pass(diameter_um, **settings):
    """What the places depend on at which long movies are measured; None for other movies."""

    def arguments(wildcards):
        row = ROW_OF[wildcards.field]
        return {
            "brightfields": [row[column] for column in BRIGHTFIELD_COLUMNS],
            "diameter_px": diameter_um / row["pixel_size_um"],
            "landmarks": row["landmarks"],
            **settings,
        }

    return with_signature(
        lambda wildcards: arguments(wildcards) if is_read_once(wildcards) else None
    )


@with_signature
def content_of_one_pass(wildcards):
    """Digests of the files and the source that these places depend on."""
    if not is_read_once(wildcards):
        return None
    code = source_digest.of_step("find_nanocrystals")
    return [*CONTENT_OF_IMAGES(wildcards), content_of_landmarks(wildcards), code]
