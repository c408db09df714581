"""One sentence for every argument that is out of range."""

from __future__ import annotations

from numbers import Integral, Real

from emo_utils.errors import DataError


def require_whole(name: str, value, low: int, high: int | None = None) -> None:
    """Raise DataError unless `value` is a whole number of at least `low` and at most `high`."""
    if not isinstance(value, Integral) or value < low or (high is not None and value > high):
        limit = f"at least {low}" if high is None else f"{low} to {high}"
        raise DataError(f"{name} must be a whole number of {limit}. Got {value!r}.")


def require_share(name: str, value) -> None:
    """Raise DataError unless `value` is a number in [0, 1]."""
    if not isinstance(value, Real) or not 0 <= value <= 1:
        raise DataError(f"{name} must lie in [0, 1]. Got {value!r}.")
