"""Answers as lines of text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from emo_utils.prediction.answers import Answer

_LENGTH = 20  # characters of a full bar
_VERDICT = len("not sure (surprise 100 %)")


def bar(share: float, blocks: str) -> str:
    """Return a bar of 20 characters for a share of 0 to 1.

    >>> bar(0.25, "#.")
    '#####...............'
    """
    full = round(share * _LENGTH)
    return blocks[0] * full + blocks[1] * (_LENGTH - full)


def blocks_for(encoding: str | None) -> str:
    """Return the two characters of a bar that a terminal with this encoding can show."""
    try:
        "█░".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return "#."
    return "█░"


def answer_lines(answer: Answer, blocks: str, *, name_width: int = 0, show_all: bool = False) -> list[str]:
    """Return the text of an answer: a line, and with `show_all` one more a class, the likeliest first.

    Args:
        answer: without a problem, or a frame of a film.
        blocks: from `blocks_for`.
        name_width: of the column of names; 0 for as long as this one.
        show_all: also every class with its bar.
    """
    where = f"{answer.picture:{name_width}}" if answer.seconds is None else clock(answer.seconds)
    if answer.problem:
        return [f"{where}  no face"]
    if answer.face > 1:
        where = f"{where}  face {answer.face}"
    elif answer.n_faces > 1:
        where = f"{where}  face 1 of {answer.n_faces}"
    said = f"{answer.emotion} {100 * answer.confidence:.0f} %"
    if answer.taken_whole:
        where = f"{where}  (whole picture)"
    verdict = said if answer.sure else f"not sure ({said})"
    lines = [f"{where}  {verdict:{_VERDICT}}  {bar(answer.confidence, blocks)}"]
    if show_all:
        width = max(map(len, answer.probabilities))
        ranked = sorted(answer.probabilities.items(), key=lambda item: -item[1])
        lines += [f"    {name:{width}}  {100 * share:3.0f} %  {bar(share, blocks)}" for name, share in ranked]
    return lines


def flat_row(answer: Answer, class_names: Sequence[str], *, film: bool) -> dict[str, Any]:
    """Return an answer for a file: as its row, figures to four digits; for a film with frame and seconds."""
    place = {"frame": answer.frame, "seconds": answer.seconds} if film else {}
    row = answer.row(class_names)
    row = {"picture": row.pop("picture"), **place, **row}
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()}


def json_line(row: dict[str, Any]) -> str:
    """Return a row as one line of JSON."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False)


def clock(seconds: float) -> str:
    """Return a time as minutes and seconds.

    >>> clock(61.52)
    '01:01.5'
    """
    tenths = round(seconds * 10)
    return f"{tenths // 600:02d}:{tenths % 600 / 10:04.1f}"
