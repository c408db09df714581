"""`data`: look at a data set."""

from __future__ import annotations

from emo_utils.cli.common import SOURCE_HELP


def add_data(commands) -> None:
    data = commands.add_parser("data", help="look at a data set").add_subparsers(required=True, metavar="{report}")
    report = data.add_parser(
        "report",
        help="counts, duplicates, leaks, blank images, and what could not be read",
        description="Print the quality report of a data set. Nothing is changed or deleted.",
    )
    report.add_argument("source", metavar="PATH|NAME", help=SOURCE_HELP)
    report.set_defaults(call=_data_report)


def _data_report(args) -> int:
    from emo_utils.datasets import load_dataset, quality_report

    print(quality_report(load_dataset(args.source)).to_text())
    return 0
