"""Check a learner's answers without raising and without giving them away, so that "Run all" always goes on.

Each function prints one line that starts with ✓ (right), ✗ (not yet) or ○ (not answered: None or ...).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from emo_utils.course.outputs import OPEN, RIGHT, WRONG


def check(question: str, answer: Any, expected: Any, *, tolerance: float = 1e-6, hint: str = "") -> None:
    """Compare an answer with what is expected and print the verdict.

    Args:
        question: a short name, e.g. "share of happy faces".
        answer: the learner's answer; None or ... counts as not answered.
        expected: a value (number, text, array, or a list, tuple or dict of such), computed from the data rather than
            typed; or a function of the answer that returns whether it is right.
        tolerance: allowed absolute difference of numbers.
        hint: what to look at again, printed after a wrong answer. It must not hold the solution.

    >>> check("sum", 4, 2 + 2)
    ✓ sum: right
    >>> check("sum", 5, 2 + 2, hint="Count on your fingers.")
    ✗ sum: not yet. Count on your fingers.
    >>> check("sum", None, 2 + 2)
    ○ sum: not answered yet
    """
    if _unanswered(answer):
        print(f"{OPEN} {question}: not answered yet")
    elif _is_right(answer, expected, tolerance):
        print(f"{RIGHT} {question}: right")
    else:
        print(f"{WRONG} {question}: not yet. {hint}".rstrip())


def compare_prediction(question: str, prediction: Any, outcome: Any, *, tolerance: float = 0.0) -> None:
    """Set what was predicted before an experiment beside what came out; without a prediction, nothing is revealed.

    A prediction is no exam: the line starts with ✓ either way, and says whether it came true.

    Args:
        question: what was to be predicted, e.g. "accuracy with a leaking split".
        prediction: a number or a text; None or ... where the learner has not written one yet.
        outcome: what the experiment gave, of the same kind.
        tolerance: a number within this distance counts as come true.

    >>> compare_prediction("validation accuracy", 0.9, 0.71, tolerance=0.05)
    ✓ validation accuracy: you predicted 0.9, it was 0.71. What did you not reckon with?
    """
    if _unanswered(prediction):
        print(f"{OPEN} {question}: write down your prediction first, then run this cell again")
        return
    verdict = "As you thought." if _is_right(prediction, outcome, tolerance) else "What did you not reckon with?"
    print(f"{RIGHT} {question}: you predicted {_show(prediction)}, it was {_show(outcome)}. {verdict}")


def _unanswered(answer: Any) -> bool:
    return answer is None or answer is ...


def _is_right(answer: Any, expected: Any, tolerance: float) -> bool:
    # A learner's answer may be of any kind: whatever a comparison makes of it, the notebook goes on.
    try:
        return bool(expected(answer)) if isinstance(expected, Callable) else _same(answer, expected, tolerance)
    except Exception:
        return False


def _same(answer: Any, expected: Any, tolerance: float) -> bool:
    if isinstance(expected, str):
        return isinstance(answer, str) and answer.strip().lower() == expected.strip().lower()
    if isinstance(expected, Mapping):
        return set(answer) == set(expected) and all(_same(answer[key], expected[key], tolerance) for key in expected)
    if isinstance(expected, set | frozenset):
        return set(answer) == expected
    if isinstance(expected, list | tuple):
        return len(answer) == len(expected) and all(map(lambda a, e: _same(a, e, tolerance), answer, expected))
    given, wanted = np.asarray(answer), np.asarray(expected)
    if given.shape != wanted.shape:
        return False
    if np.issubdtype(wanted.dtype, np.number) and not np.issubdtype(wanted.dtype, np.bool_):
        return bool(np.allclose(given, wanted, rtol=0.0, atol=tolerance, equal_nan=True))
    return bool((given == wanted).all())


def _show(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float | np.floating) else str(value)
