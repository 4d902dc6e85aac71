"""The errors a user can do something about."""


class InputError(ValueError):
    """Something in the user's input is wrong.

    The message names the file, row or field, says what is wrong and what to do
    about it. A step turns one that concerns a single field into that field's
    `reason`; the others finish.
    """
