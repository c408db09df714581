"""`evaluate` and `export`: what can be done with a model file."""

from __future__ import annotations

from pathlib import Path

from emo_utils.cli.common import SOURCE_HELP, summary


def add_evaluate(commands) -> None:
    evaluate = commands.add_parser(
        "evaluate",
        help="figures of a model on a data set, with intervals",
        description="Evaluate a model on one part of a data set and print its figures with 95 %% bootstrap intervals.",
    )
    evaluate.add_argument("model", metavar="MODEL", help="a .keras file of this course")
    evaluate.add_argument("--data", metavar="PATH|NAME", required=True, help=SOURCE_HELP)
    evaluate.add_argument(
        "--part", default="test", choices=("train", "val", "test", "private", "all"), help="default: test"
    )
    evaluate.add_argument("--out", type=Path, metavar="FILE", help="also write the predictions as an .npz file")
    evaluate.set_defaults(call=_evaluate)


def _evaluate(args) -> int:
    from emo_utils.datasets import load_dataset
    from emo_utils.errors import DataError
    from emo_utils.evaluation import evaluate_model
    from emo_utils.models import load_model, model_class_names

    model, info = load_model(args.model)
    data = load_dataset(args.data, classes=model_class_names(info, args.model))
    part = data if args.part == "all" else data.part(args.part)
    if not len(part):
        raise DataError(f"{args.data} has no {args.part} part. Choose another, or all, with --part.")
    evaluation = evaluate_model(model, part)
    print(f"{Path(args.model).name} on the {args.part} part of {part.name}: {summary(evaluation.metrics)}")
    print(f"{'class':10} {'precision':>9} {'recall':>7} {'95 %':>14} {'F1':>6} {'n':>6}")
    for name, row in evaluation.metrics["per_class"].items():
        has = row["support"] > 0
        interval = f"[{row['recall_low']:.3f}, {row['recall_high']:.3f}]" if has else ""
        recall = f"{row['recall']:.3f}" if has else "-"
        print(f"{name:10} {row['precision']:9.3f} {recall:>7} {interval:>14} {row['f1']:6.3f} {row['support']:6d}")
    if args.out:
        print(f"predictions: {evaluation.save(args.out)}")
    return 0


def add_export(commands) -> None:
    export = commands.add_parser(
        "export",
        help="write TFLite files and check them against the model",
        description="Write MODEL as float32 and int8 TFLite files and compare each with the model on the test part. "
        "The int8 ranges come from images of the training part.",
    )
    export.add_argument("model", metavar="MODEL", help="a .keras file of this course")
    export.add_argument("--data", metavar="PATH|NAME", required=True, help=SOURCE_HELP)
    export.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write to")
    export.set_defaults(call=_export)


def _export(args) -> int:
    from emo_utils.datasets import load_dataset, split_dataset
    from emo_utils.export import export_all
    from emo_utils.models import load_model, model_class_names

    model, info = load_model(args.model)
    data = split_dataset(load_dataset(args.data, classes=model_class_names(info, args.model)))
    for path, verification in export_all(model, data, args.out):
        print(f"{path.name:16} {path.stat().st_size / 1e6:6.2f} MB  {verification}")
    return 0
