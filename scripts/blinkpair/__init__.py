"""blinkpair: the same nanocrystals, before and after annealing.

Arrays and tables in, arrays and tables out. Nothing here knows Snakemake or
where results are kept; the steps in the parent folder do.
"""

import os

__version__ = "0.1.0"

# The variable in which a run gives its process to its steps.
RUN_PROCESS = "BLINKPAIR_RUN_PROCESS"

if RUN_PROCESS in os.environ:  # in a step, which loads its libraries next
    from blinkpair.lean import leave_out_what_no_step_uses

    leave_out_what_no_step_uses()
