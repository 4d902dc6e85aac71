"""The columns of the sample sheet and their roles.

Input: `workflow/schemas/fields.schema.yaml`. Output: names of columns by role.
"""

from __future__ import annotations

from typing import Any

from blinkpair.inputs.settings import load_schema

_COLUMNS: dict[str, dict[str, Any]] = load_schema("fields")["properties"]


def _of_kind(*kinds: str) -> tuple[str, ...]:
    return tuple(name for name, rules in _COLUMNS.items() if rules.get("x-kind") in kinds)


KNOWN_COLUMNS = tuple(_COLUMNS)
MOVIE_COLUMNS = _of_kind("movie")
BRIGHTFIELD_COLUMNS = _of_kind("brightfield")
PATH_COLUMNS = _of_kind("movie", "brightfield")
NUMBER_COLUMNS = tuple(n for n, rules in _COLUMNS.items() if rules.get("type") == "number")
# What results carry on of a field; the user's own columns follow.
CARRIED_COLUMNS = tuple(n for n, rules in _COLUMNS.items() if rules.get("x-carried"))
NOT_CARRIED = tuple(name for name in _COLUMNS if name not in CARRIED_COLUMNS)
