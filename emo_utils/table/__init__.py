"""The experiment table: append a run, read it back, render the workbook, compare two runs.

start_run ─┐                             ┌─> read_runs ─> show, compare, over_seeds
end_run   ─┼─> experiments.jsonl (truth) ┤
add_bench ─┘                             └─> render ─> experiments.xlsx (view; people write its `note` column)
"""

from __future__ import annotations

from emo_utils.table.card import card_markdown, update_cards
from emo_utils.table.compare import Comparison, compare
from emo_utils.table.log import add_bench, end_run, new_run_id, read_bench, read_log, run_name, start_run
from emo_utils.table.markdown import results_markdown, update_tables
from emo_utils.table.provenance import environment
from emo_utils.table.read import find_run, read_runs, show
from emo_utils.table.seeds import over_seeds
from emo_utils.table.workbook import render

__all__ = [
    "Comparison",
    "add_bench",
    "card_markdown",
    "compare",
    "end_run",
    "environment",
    "find_run",
    "new_run_id",
    "over_seeds",
    "read_bench",
    "read_log",
    "read_runs",
    "render",
    "results_markdown",
    "run_name",
    "show",
    "start_run",
    "update_cards",
    "update_tables",
]
