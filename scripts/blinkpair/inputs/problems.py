"""Errors of the user's input, collected and reported all at once.

A sheet of forty fields is mended in one sitting only if every slip in it is named at the first try.
Input: single problems, each with its place, from the checks of the configuration (`settings`), the
sample sheet (`sheet`) and the movies it names (`checking`). Output: one error, a line a problem.
"""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence

from blinkpair.errors import InputError

# Of two names that are one by `same_to_the_eye`.
ONLY_SPELLING = "differ only in spaces, signs or upper and lower case"
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_NUMBER_AND_UNIT = re.compile(r"([+-]?\d+(?:[.,]\d+)?)\s*([^\d.,\s_].*)")
# What one of these is in the unit after it, which is the required one.
_UNITS = {
    ("s", "seconds"): 1.0,
    ("ms", "seconds"): 1e-3,
    ("um", "micrometres"): 1.0,
    ("µm", "micrometres"): 1.0,
    ("μm", "micrometres"): 1.0,
    ("nm", "micrometres"): 1e-3,
    ("c", "degrees C"): 1.0,
    ("°c", "degrees C"): 1.0,
}


class Problem(InputError):  # noqa: N818 (collected, seldom raised)
    """One error among several, collected before any is raised.

    Parameters
    ----------
    place : str
        File, line and column (or configuration key), as an editor shows them.
    what, hint : str
        As of `InputError`.
    about : str
        The configuration key concerned, dotted; the sheet's column; or empty.
    line : int
        The line of the sample sheet; 0 where there is none.
    """

    def __init__(
        self, place: str, what: str, hint: str = "", about: str = "", line: int = 0
    ) -> None:
        super().__init__(what, hint, place)
        self.about, self.line = about, line
        self.args = (place, what, hint, about, line)  # what rebuilds it when it is unpickled

    def __str__(self) -> str:
        """Return the problem as one line."""
        return printable(super().__str__())


class UnsoundInputError(InputError):
    """The configuration, the sample sheet or its movies cannot be used as they are.

    Parameters
    ----------
    problems : iterable of Problem
        Everything that was found, in the order of the report.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(str(self))
        self.args = (self.problems,)  # what rebuilds the error when it is unpickled

    def __str__(self) -> str:
        """Return the count and then one line a problem."""
        n = len(self.problems)
        head = "1 problem was found" if n == 1 else f"{n} problems were found"
        return "\n".join(
            [f"{head} in the input; nothing was started.", *(f"  {p}" for p in self.problems)]
        )


def printable(text: str) -> str:
    """Return `text` with control characters escaped, so that a message stays one line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shown(value: object) -> str:
    """Return a value of the user's as it is quoted in a message, shortened to 60 characters."""
    text = str(value)
    return f"'{text if len(text) <= 60 else text[:57] + '...'}'"


def listed(words: Sequence[str], joint: str = "and") -> str:
    """Return 'a', 'a and b' or 'a, b and c'."""
    *most, last = words
    return f"{', '.join(most)} {joint} {last}" if most else last


def nearest(name: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """Return the known name that looks most like `name`, or None.

    Letter case, surrounding spaces and the choice between space, hyphen and
    underscore do not count. `likeness` is the ratio of `difflib`, 0 to 1.
    """
    by_key = {normalised(k): k for k in known}
    found = difflib.get_close_matches(normalised(name), by_key, n=1, cutoff=likeness)
    return by_key[found[0]] if found else None


def same_to_the_eye(text: str) -> str:
    """Return what two spellings of one name have in common: '100°C' and '100 C' give '100c'.

    Spaces, degree signs, capitals, look-alike characters and commas that are no decimal ones do
    not count.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\s°]|(?<!\d),|,(?!\d)", "", plain)


def normalised(name: str) -> str:
    """Return a name without what people write differently: case, spaces, brackets."""
    return re.sub(r"[^0-9a-z.µ]+", "_", name.lower()).strip("_")


def as_number(text: str) -> float | None:
    """Return the number a text spells, or None; 'nan', 'inf', '1e999' and '1_000' are none.

    `float` alone takes too much: a cell 'nan' would be a temperature.
    """
    text = text.strip()
    number = float(text) if text.isascii() and _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None


def number_hint(text: str, unit: str = "") -> str:
    """Return how to write what was most likely meant by a text that is no number.

    Parameters
    ----------
    text : str
        What stands there.
    unit : str, optional
        The required unit: 'seconds', 'micrometres' or 'degrees C'.
    """
    text = text.strip()
    if _DECIMAL_COMMA.fullmatch(text):
        return f"use a decimal point: {text.replace(',', '.')}"
    if text[:1] == "\N{MINUS SIGN}":
        return f"write the minus sign as a hyphen: -{text[1:]}"
    where = f" in {unit}" if unit else ""
    if match := _NUMBER_AND_UNIT.fullmatch(text):
        factor = _UNITS.get((match[2].lower(), unit))
        number = f": {float(match[1].replace(',', '.')) * factor:.10g}" if factor else ""
        return f"write the number alone{where}{number}"
    return f"write a number{where}"
