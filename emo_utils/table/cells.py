"""Write values into Excel cells so that each arrives as what it is: a number, a date, or text that stays text."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime

MAX_TEXT = 32_767  # characters in a cell
MAX_ROWS = 1_048_576
_CUT = " [cut]"
# XML 1.0 has no place for these, escaped or not; lone surrogates cannot even be encoded.
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LARGEST_EXACT = 10**15  # Excel keeps 15 digits of a number


def put(cell, value) -> None:
    """Set an openpyxl cell.

    Text that a spreadsheet would take for a formula (it begins with = + - @, perhaps after blanks) is marked as text:
    what a run logs may come from anywhere, and a cell must never run it. Lists and dicts become text as well, integers
    of more than 15 digits too. NaN and infinity leave the cell empty.
    """
    if isinstance(value, (list, tuple)) and not any(isinstance(v, (list, dict)) for v in value):
        value = ", ".join(str(v) for v in value)
    elif isinstance(value, (list, tuple, dict)):
        value = json.dumps(value, ensure_ascii=False)
    elif isinstance(value, float) and not math.isfinite(value):
        value = None
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _LARGEST_EXACT:
        value = str(value)
    if not isinstance(value, str):
        cell.value = value
        return
    text = _ILLEGAL.sub("", value)
    cell.value = text if len(text) <= MAX_TEXT else text[: MAX_TEXT - len(_CUT)] + _CUT
    cell.data_type = "s"  # openpyxl would make a formula of "=..." and an error of "#N/A"
    if text.lstrip()[:1] in ("=", "+", "-", "@"):
        cell.quotePrefix = True  # stays text when somebody edits the cell


def utc(text: str | None) -> datetime | str | None:
    """Return an ISO time as the naive UTC datetime that Excel can show; anything else as it is."""
    try:
        when = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return text
    return when.astimezone(UTC).replace(tzinfo=None) if when.tzinfo else when
