"""README's results are those of the table: no figure in it is typed."""

from __future__ import annotations

import pandas as pd
import pytest

from emo_utils.course.sources import find_sources, lesson_info, make_notebook
from emo_utils.table import read_bench, read_runs, results_markdown
from emo_utils.table.markdown import BENCH_END, BENCH_START, END, START, bench_markdown
from tests.conftest import REPO


def test_the_workbook_shows_the_runs_of_the_log():
    log = REPO / "experiments.jsonl"
    if not log.exists():
        pytest.skip("no run has been logged yet")
    rows = pd.read_excel(REPO / "experiments.xlsx", sheet_name="runs")
    assert set(rows["run_id"]) == set(read_runs(log)["run_id"]), (
        "experiments.xlsx is behind the log: run `python -m emo_utils table render`"
    )


def test_the_lesson_table_lists_every_lesson_with_its_minutes():
    text = (REPO / "README.md").read_text(encoding="utf-8")
    for source in find_sources(None, REPO):
        title, teaching, exercises = lesson_info(make_notebook(source, "solution"), source.name)
        row = f"| [{source.stem[:2]} {title}](notebooks/{source.stem}.ipynb) | {teaching} / {exercises} |"
        assert row in text, f"README's lesson table lacks the row beginning {row}"


def test_the_benchmark_is_that_of_the_table():
    log = REPO / "experiments.jsonl"
    if not log.exists():
        pytest.skip("no run has been logged yet")
    text = (REPO / "README.md").read_text(encoding="utf-8")
    shown = text.partition(BENCH_START)[2].partition(BENCH_END)[0].strip()
    assert shown == bench_markdown(read_bench(log)), "README.md is behind the log: `python -m emo_utils table readme`"


def test_results_are_those_of_the_table():
    log = REPO / "experiments.jsonl"
    if not log.exists():
        pytest.skip("no run has been logged yet")
    text = (REPO / "README.md").read_text(encoding="utf-8")
    shown = text.partition(START)[2].partition(END)[0].strip()
    assert shown == results_markdown(read_runs(log)), (
        "README.md is behind the log: run `python -m emo_utils table readme`"
    )
