"""The forward model: an experiment with known truth, from sample to files.

`simulate_field` draws one field before and after annealing; `write_experiment` puts a
whole experiment on disk; `python -m blinkpair.simulate FOLDER` does so for the demo.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
