"""blinkpair: the same nanocrystals, before and after annealing.

Arrays and tables in, arrays and tables out. Nothing here knows Snakemake or
where results are kept; the steps in the parent folder do.
"""

__version__ = "0.1.0"
