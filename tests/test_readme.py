"""The results that are shown are those of the table: no figure in them is typed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from emo_utils.course.sources import find_sources, lesson_info, make_notebook
from emo_utils.table import read_runs, update_cards, update_tables
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


def test_all_tables_are_those_of_the_log(tmp_path):
    if not (REPO / "experiments.jsonl").exists():
        pytest.skip("no run has been logged yet")
    shutil.copytree(REPO / "model", tmp_path / "model", ignore=shutil.ignore_patterns("runs", "*.keras", "*.tflite"))
    files = [Path(shutil.copy(REPO / name, tmp_path)) for name in ("README.md", "docs/results.md")]
    log = REPO / "experiments.jsonl"
    behind = [file.name for file in (*update_tables(files, log), *update_cards(tmp_path / "model", log))]
    assert behind == [], "behind the log: run `python -m emo_utils table readme`"
    for file, names in zip(files, (["peers"], ["results", "bench"]), strict=True):
        assert all(f"<!-- {name}:start -->" in file.read_text(encoding="utf-8") for name in names)
