"""What a report is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matplotlib.figure import Figure


@dataclass(frozen=True)
class Section:
    """One chapter of a report.

    Attributes:
        title: of the chapter.
        key: under which `figures` stand in report.json.
        text: paragraphs, plain text.
        table: header and rows, or ().
        pictures: file name without ending -> drawn figure.
        figures: JSON values.
    """

    title: str
    key: str
    text: Sequence[str]
    table: Sequence[Sequence[Any]] = ()
    pictures: Mapping[str, Figure] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)


def share(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Return a share in per cent with its interval, "-" for None.

    >>> share(0.6183, 0.603, 0.634)
    '61.8 % [60.3, 63.4]'
    """
    if value is None:
        return "-"
    return f"{value:.1%}".replace("%", " %") + ("" if low is None else f" [{100 * low:.1f}, {100 * high:.1f}]")


def number(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Return a figure with three decimals and its interval, "-" for None.

    >>> number(0.0421, 0.035, 0.058)
    '0.042 [0.035, 0.058]'
    """
    if value is None:
        return "-"
    return f"{value:.3f}" + ("" if low is None else f" [{low:.3f}, {high:.3f}]")
