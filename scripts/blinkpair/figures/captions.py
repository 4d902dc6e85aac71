"""Captions of figures as plain text, for the file beside each figure.

They are those of Snakemake's report, which are templates in reStructuredText.

Input: a caption as it stands in `workflow/report/figures`. Output: its text.
"""

from __future__ import annotations

import re
from types import SimpleNamespace

from jinja2 import Environment, StrictUndefined


def caption_text(template: str, *, field: str = "", **params: object) -> str:
    r"""Return a caption as paragraphs without marks.

    Parameters
    ----------
    template : str
        Its content, which may use `snakemake.wildcards.field` and `snakemake.params`.
    field : str
        Name of the field, of a figure of one.
    **params
        Parameters of the rule that the caption uses, `note` among them.

    Examples
    --------
    >>> caption_text("Of ``{{ snakemake.wildcards.field }}``, *all*.", field="f1")
    'Of f1, all.\n'
    """
    job = SimpleNamespace(params=SimpleNamespace(**params), wildcards=SimpleNamespace(field=field))
    # The result is text, not HTML: nothing is escaped.
    text = Environment(undefined=StrictUndefined).from_string(template).render(snakemake=job)
    text = re.sub(r"``(.+?)``|\*\*(.+?)\*\*|\*(.+?)\*", _inner, text, flags=re.DOTALL)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _inner(marked: re.Match[str]) -> str:
    return next(part for part in marked.groups() if part is not None)
