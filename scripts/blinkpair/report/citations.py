"""What to cite, in lines as a list of references has them.

Input: the content of `CITATION.cff`. Output: text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from blinkpair.report.language import listed


def citation(content: Mapping[str, Any], version: str) -> list[str]:
    """Return what to cite: the software, then the works it follows.

    Parameters
    ----------
    content : mapping
        Of `CITATION.cff`.
    version : str
        Of blinkpair, as the run used it.
    """
    return [
        _work(dict(content) | {"version": version}),
        *(_work(reference) for reference in content.get("references", [])),
    ]


def _work(work: Mapping[str, Any]) -> str:
    """Write a work as CITATION.cff describes it: authors, title, where, year, link."""
    released = str(work.get("date-released", ""))
    year = str(work.get("year", "")) or released[:4]
    pages = "–".join(str(work[end]) for end in ("start", "end") if work.get(end))
    volume = str(work.get("volume", ""))
    place = [str(work.get("journal", "")), ", ".join(part for part in (volume, pages) if part)]
    software = work.get("type") == "software"
    parts = [
        listed(_author(author) for author in work.get("authors", [])),
        _stopped(" ".join(str(work["title"]).split())),
        " ".join(part for part in place if part),
        f"Version {work['version']}" if software and work.get("version") else "",
    ]
    text = " ".join(_stopped(part) for part in parts if part)
    if year:
        text = f"{text[:-1]} ({year})."
    link = f"https://doi.org/{work['doi']}" if work.get("doi") else work.get("url")
    link = link or work.get("repository-code")
    return f"{text} {link}" if link else text


def _stopped(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _author(author: Mapping[str, Any]) -> str:
    if "family-names" not in author:
        return str(author.get("name", author.get("alias", "")))
    given = str(author.get("given-names", "")).replace("-", " -").split()
    initials = " ".join(f"{'-' if n[0] == '-' else ''}{n.lstrip('-')[:1]}." for n in given)
    family = " ".join(str(author[k]) for k in ("name-particle", "family-names") if author.get(k))
    return f"{initials.replace(' -', '-')} {family}".strip()
