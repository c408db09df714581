"""README's results are those of the table: no figure in it is typed."""

from __future__ import annotations

import pytest

from emo_utils.table import read_runs, results_markdown
from emo_utils.table.markdown import END, START
from tests.conftest import REPO


def test_results_are_those_of_the_table():
    log = REPO / "experiments.jsonl"
    if not log.exists():
        pytest.skip("no run has been logged yet")
    text = (REPO / "README.md").read_text(encoding="utf-8")
    shown = text.partition(START)[2].partition(END)[0].strip()
    assert shown == results_markdown(read_runs(log)), (
        "README.md is behind the log: run `python -m emo_utils table readme`"
    )
