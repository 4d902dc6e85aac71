"""Write the demo experiment: `python -m blinkpair.simulate FOLDER`."""

import argparse
import logging
from pathlib import Path

from blinkpair.simulate.experiment import demo_designs, write_experiment


def main() -> None:
    """Parse the command line and simulate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the files go")
    parser.add_argument("--frames", type=int, default=300, help="frames a movie")
    parser.add_argument("--size", type=int, default=384, help="width of a frame, pixels")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sheet = write_experiment(arguments.folder, demo_designs(arguments.frames, arguments.size))
    sheet.to_csv(arguments.folder / "fields.tsv", sep="\t", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
