"""The errors a user can do something about.

Input: what is wrong, what to do, where. Output: an exception with these three as one text.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class InputError(ValueError):
    """Something in the user's input is wrong.

    A step turns one that concerns a single field into that field's `reason`; the others finish.

    Parameters
    ----------
    what : str
        What is wrong. Neither this nor `hint` ends in a full stop; `str` adds them.
    hint : str, optional
        What to do about it.
    place : path, optional
        Where it is wrong: a file, with line and column where there are some, or a field.
    """

    def __init__(self, what: str, hint: str = "", place: str | os.PathLike[str] = "") -> None:
        super().__init__(what, hint, str(place))  # what rebuilds the error when it is unpickled
        self.what, self.hint, self.place = what, hint, str(place)

    def __eq__(self, other: object) -> bool:
        """Compare kind and content."""
        return type(self) is type(other) and self.args == getattr(other, "args", None)

    def __hash__(self) -> int:
        """Return a hash of kind and content."""
        return hash((type(self), self.args))

    def __str__(self) -> str:
        """Return place, what is wrong and what to do as one text."""
        text = f"{self.place}: {self.what}" if self.place else self.what
        if not self.hint:
            return text
        return " Hint: ".join(
            f"{one}{'' if one.endswith('?') else '.'}" for one in (text, self.hint)
        )


class ChoiceError(InputError):
    """An entry of the sample sheet does not fit the content of its file.

    A choice of channel, plane, position or frames is missing or misspelt, or a pattern takes in
    what does not belong together. The sheet is mended, not the file: this keeps a run from
    starting, where a file that is damaged refuses its own field only.
    """


class WriteError(OSError):
    """A file could not be written, for a reason that lies outside of the workflow.

    It is no `InputError`: a full disk must fail the step, not refuse the field.
    """


AGAIN = "start the same command again; what is finished stays"
FULL, FORBIDDEN = "the disk is full", "you may not write there"
# What is wrong, and what to do before the same command.
REASONS = {
    errno.ENOSPC: (FULL, "free some space"),
    errno.EDQUOT: ("your quota of the disk is used up", "free some space"),
    errno.EFBIG: ("a file may not grow so large there (see `ulimit -f`)", "raise the limit"),
    errno.EROFS: ("the disk is read-only", "make it writable, or work in another folder"),
    errno.EACCES: (FORBIDDEN, "see to the rights of the folder, or work in another"),
    errno.EPERM: (FORBIDDEN, "see to the rights of the folder, or work in another"),
}


@contextmanager
def describe_write_errors(path: str | Path) -> Iterator[None]:
    """Turn the reason why a file cannot be written into a `WriteError` with what to do.

    Parameters
    ----------
    path : path
        The file that is written, under its final name. A file in another folder that may not be
        read meanwhile is none of its business.
    """
    try:
        yield
    except OSError as error:
        number = error.errno or 0
        elsewhere = error.filename is not None and not _same_branch(path, str(error.filename))
        if number not in REASONS or elsewhere or isinstance(error, WriteError):
            raise
        what, hint = REASONS[number]
        message = f"{path} cannot be written: {what}. Hint: {hint} and {AGAIN}."
        raise WriteError(message) from error


def _same_branch(path: str | Path, other: str) -> bool:
    """Return whether `other` lies beside a file, or is one of the folders it lies in."""
    folder, own = os.path.realpath(Path(path).parent), os.path.realpath(other)
    return own == folder or Path(own).parent == Path(folder) or Path(own) in Path(folder).parents
