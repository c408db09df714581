"""`table`: the experiment table."""

from __future__ import annotations


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
    readme = table.add_parser(
        "readme", help="bring the tables of README and docs/results.md and the model cards in step with the log"
    )
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
    from emo_utils.table import update_cards, update_tables

    root = course_root()
    changed = [*update_tables([root / "README.md", root / "docs" / "results.md"]), *update_cards(root / "model")]
    print(f"changed: {', '.join(file.name for file in changed)}" if changed else "all tables are in step with the log")
    return 0
