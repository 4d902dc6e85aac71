"""blinkpair: the same nanocrystals, before and after annealing.

Arrays and tables in, arrays and tables out. Nothing here knows Snakemake or
where results are kept; the steps in the parent folder do.
"""

import os

__version__ = "0.1.0"

if "BLINKPAIR_RUN_PROCESS" in os.environ:  # in a step, which loads SciPy next
    from blinkpair.lean import load_scipy_without_docstrings

    load_scipy_without_docstrings()
