"""How Sphinx makes a site of the pages and docstrings: `make docs`.

The source folder is the repository, so that the links between README, docs/ and config/ hold.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from blinkpair import __version__  # noqa: E402 (the library is on the path only now)

project = "blinkpair"
author = "The blinkpair developers"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "docs/index"
include_patterns = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "config/README.md", "docs/*.md"]
# What is below is not even looked through.
exclude_patterns = [".*", "demo", "logs", "paper", "results", "site"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
# Links to files that are no pages (config.yaml, CITATION.cff) become downloads of them.
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = "blinkpair"
html_copy_source = False
