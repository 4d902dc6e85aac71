"""Load Snakemake with its plugins and what its runs import, but nothing of the library.

Input: none. Output: none; a process forked from one that imported this starts at once.
"""

import nbformat  # noqa: F401
import smart_open  # noqa: F401
import tifffile  # noqa: F401
from snakemake.cli import get_argument_parser

get_argument_parser()
