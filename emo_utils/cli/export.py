"""`export`: from a model file to those that devices run."""

from __future__ import annotations

from pathlib import Path

from emo_utils.cli.common import SOURCE_HELP


def add_export(commands) -> None:
    export = commands.add_parser(
        "export",
        help="write TFLite files and check them against the model",
        description="Write MODEL as TFLite files and compare each with the model on the test part. "
        "The ranges of int8 and int8x16 come from images of the training part.",
    )
    export.add_argument("model", metavar="MODEL", help="a .keras file of this course")
    export.add_argument("--data", metavar="PATH|NAME", required=True, help=SOURCE_HELP)
    export.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write to")
    export.add_argument(
        "--formats",
        type=lambda text: text.split(","),
        default=["float32", "int8"],
        metavar="LIST",
        help="of float32, float16, dynamic, int8, int8x16 and int4, with commas between (default: float32,int8)",
    )
    export.set_defaults(call=_export)


def _export(args) -> int:
    from emo_utils.datasets import load_dataset, split_dataset
    from emo_utils.export import export_all
    from emo_utils.models import load_model, model_class_names

    model, info = load_model(args.model)
    data = split_dataset(load_dataset(args.data, classes=model_class_names(info, args.model)))
    for path, verification in export_all(model, data, args.out, args.formats):
        print(f"{path.name:20} {path.stat().st_size / 1e6:6.2f} MB  {verification}")
    return 0
