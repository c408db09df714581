"""`table`: the experiment table."""

from __future__ import annotations

from pathlib import Path


def add_table(commands) -> None:
    table = commands.add_parser("table", help="the experiment table").add_subparsers(required=True, metavar="ACTION")
    show = table.add_parser("show", help="print the runs")
    show.set_defaults(call=_table_show)
    seeds = table.add_parser("seeds", help="mean and spread of runs that differ in their seed alone")
    seeds.set_defaults(call=_table_seeds)
    render = table.add_parser("render", help="write experiments.xlsx from the log; notes in it are kept")
    render.set_defaults(call=_table_render)
    compare = table.add_parser("compare", help="the difference of two runs, with interval and McNemar's test")
    compare.add_argument("run_a", metavar="RUN", help="run_id, a beginning of it, or name")
    compare.add_argument("run_b", metavar="RUN")
    compare.set_defaults(call=_table_compare)
    readme = table.add_parser("readme", help="bring README's tables and the model cards in step with the log")
    readme.set_defaults(call=_table_readme)


def _table_show(args) -> int:
    from emo_utils.table import read_runs, show

    print(show(read_runs()))
    return 0


def _table_seeds(args) -> int:
    from emo_utils.table import over_seeds, read_runs

    frame = over_seeds(read_runs())
    print("No runs yet." if frame.empty else frame.round(4).to_string(index=False))
    return 0


def _table_render(args) -> int:
    from emo_utils.table import render

    print(render())
    return 0


def _table_compare(args) -> int:
    from emo_utils.table import compare

    print(compare(args.run_a, args.run_b))
    return 0


def _table_readme(args) -> int:
    from emo_utils.paths import course_root
    from emo_utils.table import update_cards, update_readme

    changed = [Path("README.md")] if update_readme(course_root() / "README.md") else []
    changed += update_cards(course_root() / "model")
    print(
        f"changed: {', '.join(path.name for path in changed)}" if changed else "README.md and model cards are in step"
    )
    return 0
