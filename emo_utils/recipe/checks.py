"""Checks of a recipe's fields; each error is one line that names the field, what is allowed and what was given."""

from __future__ import annotations

import difflib

from emo_utils.errors import RecipeError


def require(owner: object, field: str, ok: bool, allowed: str) -> None:
    if not ok:
        name = type(owner).__name__
        raise RecipeError(f"{name}.{field} must be {allowed}. Got {getattr(owner, field)!r}.")


def one_of(owner: object, field: str, allowed: tuple) -> None:
    value, names = getattr(owner, field), [str(a) for a in allowed]
    if value not in allowed:
        close = difflib.get_close_matches(str(value), names, n=1, cutoff=0.5)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise RecipeError(f"{type(owner).__name__}.{field} must be one of {', '.join(names)}. Got {value!r}.{hint}")


def make_tuple(owner: object, field: str, allowed: str) -> None:
    """Check that a field is a list or tuple and store it as a tuple."""
    value = getattr(owner, field)
    require(owner, field, isinstance(value, (list, tuple)), allowed)
    object.__setattr__(owner, field, tuple(value))


def numbers(owner: object, kind: type, fields: tuple[str, ...], low: float, high: float = float("inf")) -> None:
    """Check that fields are finite numbers in [low, high] and store them as `kind`, so that 1 and 1.0 hash alike."""
    for field in fields:
        value = getattr(owner, field)
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and value == value
        whole = kind is float or (number and float(value).is_integer())
        span = f"at least {low:g}" if high == float("inf") else f"between {low:g} and {high:g}"
        word = "a number" if kind is float else "a whole number"
        finite = number and abs(value) != float("inf")
        require(owner, field, finite and whole and low <= value <= high, f"{word} {span}")
        object.__setattr__(owner, field, kind(value))
