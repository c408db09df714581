"""The committed notebooks are those that their sources generate."""

from __future__ import annotations

from conftest import REPO

from emo_utils.course.sources import check_in_step


def test_notebooks_are_in_step_with_their_sources():
    problems = check_in_step(REPO)
    assert not problems, "\n".join(problems)
