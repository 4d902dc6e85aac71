"""The table of bad input: what is done to a sound field, and what has to come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from tests.bad_input.field_files import Files

# refused: the field is, with its reason, and all others finish.
# analysed: the numbers are those of the sound field.
# excluded: no nanocrystal of the field is counted, and each row has the reason.
# stops: nothing is started, and the message has all of it.
Outcome = Literal["refused", "analysed", "excluded", "stops"]


@dataclass(frozen=True)
class FieldCase:
    """Something wrong with the files of one field.

    `says` is looked for (as a regular expression) in the field's reason, or in the message. `slow`
    ones are left to `make test-all`: other tests have the same of the file or movie alone.
    """

    name: str
    spoil: Callable[[Files], None]
    outcome: Outcome
    says: str = ""
    slow: bool = False

    @property
    def field(self) -> str:
        """What the field is called in the sheet."""
        letters = "".join(c if c.isalnum() and c.isascii() else "_" for c in self.name)
        return letters.strip("_")[:60]


FIELD_CASES: list[FieldCase] = []


def case(name: str, outcome: Outcome, says: str = "", *, slow: bool = False):
    """Put a function that spoils a field into the table."""

    def add(spoil: Callable[[Files], None]) -> Callable[[Files], None]:
        FIELD_CASES.append(FieldCase(name, spoil, outcome, says, slow))
        return spoil

    return add


slow_case = partial(case, slow=True)
