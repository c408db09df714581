"""What the demo says in words, as HTML: a screen reader reads it, and so does a test."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any


def answer_html(row: Mapping[str, Any], not_sure_below: float, where: str) -> str:
    """Return the answer in words.

    Args:
        row: of `predict`: its emotion, confidence, sure and found count.
        not_sure_below: confidence under which the answer is "not sure".
        where: which picture and face, e.g. "astronaut.jpg, face 1 of 2".
    """
    emotion, confidence = row["emotion"], row["confidence"]
    said, remarks = f"{emotion}, {confidence:.0%}", []
    if not row["sure"]:
        said = "not sure"
        bar = f"; this model answers from {not_sure_below:.0%} on" if confidence < not_sure_below else ""
        remarks.append(f"{emotion} comes first with {confidence:.0%}{bar}")
    if not row["found"]:
        remarks.append("no face was found: the whole picture was taken for one")
    more = " · ".join(escape(text) for text in (*remarks, where))
    return _block(f"<b style='font-size: 1.5em'>{escape(said)}</b><br><span style='color: #555'>{more}</span>")


def problem_html(text: str) -> str:
    """Return a message that something cannot be done; read out at once by a screen reader."""
    style = "border-left: 4px solid #d55e00; padding: 6px 12px; line-height: 1.4"
    return f"<div role='alert' style='{style}'>{escape(text)}</div>"


def note_html(text: str) -> str:
    """Return a remark on what is going on, or on what to do."""
    return _block(f"<span style='color: #555'>{escape(text)}</span>")


def table_html(probabilities: Mapping[str, float]) -> str:
    """Return the probabilities, class -> 0 to 1, as a table, the likeliest first."""
    ranked = sorted(probabilities.items(), key=lambda item: -item[1])
    cell = "style='padding: 2px 14px 2px 0; text-align: left'"
    names = "".join(f"<th scope='col' {cell}>{escape(name)}</th>" for name, _ in ranked)
    values = "".join(f"<td {cell}>{value:.1%}</td>" for _, value in ranked)
    return f"<table aria-label='Probability of each emotion'><tr>{names}</tr><tr>{values}</tr></table>"


def _block(inner: str) -> str:
    return f"<div role='status' style='line-height: 1.5; min-height: 2em'>{inner}</div>"
