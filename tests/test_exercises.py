"""Answers of any kind get one line and never an exception."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

from emo_utils.course import exercises
from emo_utils.course.exercises import check, compare_prediction


def test_docstring_examples():
    assert doctest.testmod(exercises).failed == 0


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (0.3, 0.1 + 0.2),
        (np.float32(2), 2),
        (" Happy", "happy"),
        (np.eye(2), [[1, 0], [0, 1]]),
        ([1, 2], np.array([1, 2])),
        ({"happy": 3, "sad": np.int64(1)}, {"sad": 1, "happy": 3.0}),
        ({"a", "b"}, {"b", "a"}),
        (["happy", "sad"], ("happy", "sad")),
        (np.array(["happy", "sad"]), np.array(["happy", "sad"])),
        (False, False),
        (5, lambda answer: answer > 4),
    ],
)
def test_right_answers(answer, expected, capsys):
    check("question", answer, expected)
    assert capsys.readouterr().out == "✓ question: right\n"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (0.31, 0.3),
        ("sad", "happy"),
        (3, "happy"),
        ("three", 3),
        ([1, 2, 3], [1, 2]),
        (np.ones((2, 1)), np.ones(2)),
        ({"happy": 3}, {"sad": 3}),
        (7, {"sad": 3}),
        (object(), 1.0),
        ("text", lambda answer: answer > 4),
    ],
)
def test_wrong_answers_get_the_hint_and_do_not_raise(answer, expected, capsys):
    check("question", answer, expected, hint="Look at the axis.")
    assert capsys.readouterr().out == "✗ question: not yet. Look at the axis.\n"


@pytest.mark.parametrize("answer", [None, ...])
def test_no_answer_reveals_nothing(answer, capsys):
    check("sum", answer, 41, hint="Add.")
    compare_prediction("sum", answer, 41)
    printed = capsys.readouterr().out.splitlines()
    assert [line[0] for line in printed] == ["○", "○"]
    assert not any("41" in line for line in printed)


def test_tolerance_is_absolute(capsys):
    check("share", 0.52, 0.5, tolerance=0.03)
    compare_prediction("accuracy", 0.9, 0.88, tolerance=0.05)
    assert capsys.readouterr().out.splitlines() == [
        "✓ share: right",
        "✓ accuracy: you predicted 0.9, it was 0.88. As you thought.",
    ]
