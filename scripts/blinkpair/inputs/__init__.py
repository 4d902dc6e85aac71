"""Settings and sample sheet, read and checked before anything runs.

The public names are listed in `__init__.pyi` and imported when they are used first.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
