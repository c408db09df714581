"""The command line: `python -m emo_utils COMMAND --help` describes each command.

Every command parses, calls one function of the library and prints. A known error is one line and exit code 1, a wrong
use of the command line is exit code 2, an interruption 130.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from emo_utils.errors import EmoUtilsError

_EPILOG = """examples:
  python -m emo_utils data report embedded
  python -m emo_utils data report path/to/fer2013.zip
  python -m emo_utils train --list
  python -m emo_utils train --recipe embedded-small-cnn
  python -m emo_utils train --recipe resnext-3 --quick
  python -m emo_utils train --recipe fer2013-mobilenetv3small --data path/to/fer2013.zip
  python -m emo_utils evaluate model/runs/RUN_ID/model.keras --data embedded
  python -m emo_utils export model/runs/RUN_ID/model.keras --data embedded --out build/export
  python -m emo_utils table show
"""
_SOURCE_HELP = "'embedded', 'fer2013' or 'ckplus' (looked for in data/), or the path of a zip, csv or folder"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    # Start-up lines of TensorFlow's C++ code say nothing that a learner can use.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a file name may hold what the terminal cannot show
    args = _parser().parse_args(arguments)
    try:
        return args.call(args)
    except EmoUtilsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader, e.g. `head`, has seen enough. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror}. Check the path and its permissions.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on from the last finished epoch", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m emo_utils",
        description="Facial-expression recognition from raw faces to a chip.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_data(commands)
    _add_train(commands)
    _add_evaluate(commands)
    _add_export(commands)
    _add_table(commands)
    from emo_utils.course.__main__ import add_commands

    add_commands(commands.add_parser("course", help="build, run and check the lessons"))
    return parser


def _add_data(commands) -> None:
    data = commands.add_parser("data", help="look at a data set").add_subparsers(required=True, metavar="{report}")
    report = data.add_parser(
        "report",
        help="counts, duplicates, leaks, blank images, and what could not be read",
        description="Print the quality report of a data set. Nothing is changed or deleted.",
    )
    report.add_argument("source", metavar="PATH|NAME", help=_SOURCE_HELP)
    report.set_defaults(call=_data_report)


def _data_report(args) -> int:
    from emo_utils.datasets import load_dataset, quality_report

    print(quality_report(load_dataset(args.source)).to_text())
    return 0


def _add_train(commands) -> None:
    train = commands.add_parser(
        "train",
        help="run a named recipe: train, evaluate, log",
        description="Train a named recipe, evaluate it once on the test part and log the run in the experiment table. "
        "After an interruption or a kill the same command goes on from the last finished epoch.",
    )
    train.add_argument("--recipe", metavar="NAME", help="which recipe; --list shows them")
    train.add_argument("--list", action="store_true", help="print the recipes with their sources and stop")
    train.add_argument("--quick", action="store_true", help="the recipe in small, on embedded faces, in seconds")
    train.add_argument(
        "--weights", metavar="FILE", help="start from this .keras or .weights.h5 file, instead of the recipe's weights"
    )
    train.add_argument("--data", metavar="PATH|NAME", help=f"{_SOURCE_HELP}; the recipe's own if not given")
    train.add_argument("--classes", metavar="A,B,...", help="emotions to tell apart, instead of the recipe's")
    train.add_argument("--epochs", type=int, help="at most this many epochs in each stage")
    train.add_argument("--limit", type=int, help="at most this many training images")
    train.add_argument("--seed", type=int, help="instead of the recipe's seed")
    train.add_argument("--save", type=Path, metavar="FILE", help="also copy the model to this .keras file")
    train.set_defaults(call=_train)


def _train(args) -> int:
    from emo_utils.recipe import DATA_CLASSES
    from emo_utils.recipes import QUICK_FACES, get_recipe, quick

    if args.list or not args.recipe:
        print(_catalogue())
        return 0 if args.list else _fail("name a recipe with --recipe")
    recipe = get_recipe(args.recipe)
    if args.seed is not None:
        recipe = recipe.but(seed=args.seed)
    if args.classes is not None:
        recipe = recipe.but(classes=args.classes.split(","))
    if args.epochs is not None:
        stages = [{**s, "epochs": min(args.epochs, s["epochs"])} for s in recipe.to_dict()["stages"]]
        recipe = recipe.but(stages=stages)
    if args.weights is not None:
        recipe = recipe.but(weights=args.weights)
    if args.quick:
        recipe = quick(recipe)
    if args.limit is not None and args.limit < 1:
        return _fail(f"--limit must be at least 1. Got {args.limit}")
    from emo_utils.datasets import load_dataset
    from emo_utils.training import run_experiment

    data = load_dataset(args.data or recipe.data)
    if args.data and data.name != recipe.data:
        recipe = recipe.but(data=data.name if data.name in DATA_CLASSES else "folder")
    profile = "quick" if args.epochs is not None else None
    limit = QUICK_FACES if args.quick and args.limit is None else args.limit
    result = run_experiment(recipe, data, limit=limit, profile=profile)
    print(result.row["name"])
    print(f"validation  {_summary(result.validation.metrics)}")
    print(f"test        {_summary(result.test.metrics)}")
    print(f"model       {result.row['model_path']}")
    if args.save:
        args.save.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(result.folder / "model.keras", args.save)
        print(f"copied to   {args.save}")
    return 0


def _catalogue() -> str:
    """Return the recipes, grouped by their source, each with its net, its data and the figure that the source gives."""
    from emo_utils.recipes import CATALOGUE

    lines = []
    for source, group in itertools.groupby(CATALOGUE.values(), key=lambda named: named.source):
        lines.append(f"\n{source}" if lines else source)
        for recipe, _, reported in group:
            stages = ", ".join(f"{stage.train} {stage.epochs}" for stage in recipe.stages)
            what = f"{recipe.backbone} {recipe.input_size} px, {recipe.data} {len(recipe.classes)} classes"
            lines.append(f"  {recipe.name:38} {what:48} epochs: {stages:16} {reported or 'no figure'}".rstrip())
    return "\n".join(lines)


def _add_evaluate(commands) -> None:
    evaluate = commands.add_parser(
        "evaluate",
        help="figures of a model on a data set, with intervals",
        description="Evaluate a model on one part of a data set and print its figures with 95 %% bootstrap intervals.",
    )
    evaluate.add_argument("model", metavar="MODEL", help="a .keras file of this course")
    evaluate.add_argument("--data", metavar="PATH|NAME", required=True, help=_SOURCE_HELP)
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
    print(f"{Path(args.model).name} on the {args.part} part of {part.name}: {_summary(evaluation.metrics)}")
    print(f"{'class':10} {'precision':>9} {'recall':>7} {'95 %':>14} {'F1':>6} {'n':>6}")
    for name, row in evaluation.metrics["per_class"].items():
        has = row["support"] > 0
        interval = f"[{row['recall_low']:.3f}, {row['recall_high']:.3f}]" if has else ""
        recall = f"{row['recall']:.3f}" if has else "-"
        print(f"{name:10} {row['precision']:9.3f} {recall:>7} {interval:>14} {row['f1']:6.3f} {row['support']:6d}")
    if args.out:
        print(f"predictions: {evaluation.save(args.out)}")
    return 0


def _add_export(commands) -> None:
    export = commands.add_parser(
        "export",
        help="write TFLite files and check them against the model",
        description="Write MODEL as float32 and int8 TFLite files and compare each with the model on the test part. "
        "The int8 ranges come from images of the training part.",
    )
    export.add_argument("model", metavar="MODEL", help="a .keras file of this course")
    export.add_argument("--data", metavar="PATH|NAME", required=True, help=_SOURCE_HELP)
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


def _add_table(commands) -> None:
    table = commands.add_parser("table", help="the experiment table").add_subparsers(required=True, metavar="ACTION")
    show = table.add_parser("show", help="print the runs")
    show.set_defaults(call=_table_show)
    render = table.add_parser("render", help="write experiments.xlsx from the log; notes in it are kept")
    render.set_defaults(call=_table_render)
    compare = table.add_parser("compare", help="the difference of two runs, with interval and McNemar's test")
    compare.add_argument("run_a", metavar="RUN", help="run_id, a beginning of it, or name")
    compare.add_argument("run_b", metavar="RUN")
    compare.set_defaults(call=_table_compare)
    readme = table.add_parser("readme", help="bring README's results table in step with the log")
    readme.set_defaults(call=_table_readme)


def _table_show(args) -> int:
    from emo_utils.table import read_runs, show

    print(show(read_runs()))
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
    from emo_utils.table import update_readme

    print("README.md changed" if update_readme(course_root() / "README.md") else "README.md is in step")
    return 0


def _summary(m: dict) -> str:
    return (
        f"accuracy {m['accuracy']:.3f} [{m['accuracy_low']:.3f}, {m['accuracy_high']:.3f}]  "
        f"macro-F1 {m['macro_f1']:.3f}  worst class {m['worst_class']} {m['worst_class_recall']:.3f}  "
        f"ECE {m['ece']:.3f}  n {m['n']}"
    )


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2
