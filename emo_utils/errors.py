"""Errors a user can act on. The command line prints them as one line; a notebook shows the same sentence.

EmoUtilsError
├── DataError     a data set, an image or an archive that cannot be used
├── RecipeError   a recipe with a value that is not allowed
├── ModelError    a model file that is missing, foreign or does not fit the data
├── PruningError  a model that cannot be pruned, or a ratio that it does not allow
└── TableError    an experiment table that cannot be read or written
"""


class EmoUtilsError(Exception):
    """Base of all errors that emo_utils raises on purpose; the message names the culprit and the remedy."""


class DataError(EmoUtilsError):
    """A data set, an image or an archive that cannot be used."""


class RecipeError(EmoUtilsError, ValueError):
    """A recipe with a value that is not allowed; the message names the field, the value and what is allowed."""


class ModelError(EmoUtilsError):
    """A model file that is missing, foreign, or does not fit the data."""


class PruningError(EmoUtilsError):
    """A model that cannot be pruned, or a ratio that it does not allow."""


class TableError(EmoUtilsError):
    """An experiment table that cannot be read or written."""


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, or the name of its class where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
