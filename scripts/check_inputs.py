"""Files that other rules made for a field -> the columns of its record; or what is wrong."""

from typing import Any

from blinkpair import files
from blinkpair.inputs.made_by_rules import check_made_inputs
from blinkpair.run.logs import log_to


def check_inputs(output: str, *, field: str, settings: dict[str, Any]) -> None:
    """Make the checks that an ordinary run makes before its start, for one field.

    Raises
    ------
    InputError
        Listing everything that is wrong.
    """
    files.write_json(check_made_inputs(field, settings), output)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    check_inputs(
        snakemake.output[0],
        field=snakemake.wildcards.field,
        settings=snakemake.params.settings,
    )
