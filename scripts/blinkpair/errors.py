"""The errors a user can do something about."""


class InputError(ValueError):
    """Something in the user's input is wrong.

    The message names the file, row or field, says what is wrong and what to do
    about it. A step turns one that concerns a single field into that field's
    `reason`; the others finish.
    """


class ChoiceError(InputError):
    """What the sample sheet says of a file does not fit what is in it.

    A choice of channel, plane, position or frames is missing or misspelt, or a pattern takes in
    what does not belong together. The sheet is mended, not the file: this keeps a run from
    starting, where a file that is damaged refuses its own field only.
    """
