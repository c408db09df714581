"""`evaluate` and `calibrate`: what a model file is worth, and how honest its confidence is."""

from __future__ import annotations

from pathlib import Path

from emo_utils.cli.common import SOURCE_HELP, add_foreign, fail, open_model, says_itself, summary


def add_evaluate(commands) -> None:
    evaluate = commands.add_parser(
        "evaluate",
        help="a report on a model: figures with intervals, calibration, slices, explanations",
        description="Evaluate a model on one part of a data set, print its figures with 95 % bootstrap intervals and "
        "log them as a row of the experiment table. With --out also write a report: one page, its figures as PNG "
        "and JSON, and the answers to single faces.",
    )
    evaluate.add_argument(
        "model", metavar="MODEL", help="a .keras file of this course, a run of the table, or a .keras/.h5 of others"
    )
    evaluate.add_argument("--data", metavar="PATH|NAME", required=True, help=SOURCE_HELP)
    evaluate.add_argument(
        "--part", default="test", choices=("train", "val", "test", "private", "all"), help="default: test"
    )
    evaluate.add_argument("--out", type=Path, metavar="DIR", help="write the report to this folder")
    evaluate.add_argument(
        "--robustness",
        type=int,
        default=0,
        metavar="N",
        help="with --out: also on N faces made worse in nine ways, five severities each",
    )
    evaluate.add_argument(
        "--votes",
        action="store_true",
        help="with --out: compare with the raters of FER+; their files lie beside the data or in data/",
    )
    evaluate.add_argument(
        "--mirror", action="store_true", help="average the answers to a face and to its mirror image; the row says so"
    )
    add_foreign(evaluate)
    evaluate.set_defaults(call=_evaluate)


def _evaluate(args) -> int:
    from emo_utils.report import report_model

    if args.out is None and (args.robustness or args.votes):
        return fail("--robustness and --votes are chapters of the report: name a folder for it with --out")
    path, model, info = _open(args)
    data = _faces(args, path, info)
    done = report_model(
        path, model, info, data, part=args.part, folder=args.out, n_worse=args.robustness, mirror=args.mirror
    )
    evaluation, how = done.evaluation, ", with mirror images" * args.mirror
    print(f"{path.name} on the {args.part} part of {data.name}{how}: {summary(evaluation.metrics)}")
    _print_classes(evaluation.metrics["per_class"])
    if evaluation.calibration and not args.mirror:  # its temperature was fitted on single answers
        temperature, ece = evaluation.calibration.temperature, evaluation.scaled_metrics["ece"]
        print(f"calibrated, temperature {temperature:.2f}: ECE {ece:.3f}")
    if done.page:
        print(f"report: {done.page}")
    print(f"logged as {done.row['run_id']}")
    return 0


def _open(args):
    """Return path, model and info of a file, or of the model that a run of the table has made."""
    from emo_utils.errors import ModelError
    from emo_utils.training.sources import find_model

    path = find_model(args.model)
    if says_itself(path) and (args.scaling or args.classes or args.input_size):
        raise ModelError(
            f"{path} says itself what it takes and what its outputs mean. Leave out --scaling, --classes and "
            "--input-size."
        )
    return open_model(path, args)


def _faces(args, path, info):
    """Return the faces to look at: the model's classes of one part, as its own training has split the data."""
    from emo_utils.datasets import add_known_votes, load_dataset
    from emo_utils.errors import DataError
    from emo_utils.models import model_class_names
    from emo_utils.recipe import Recipe
    from emo_utils.training import prepare_data

    names = model_class_names(info, path)
    data = load_dataset(args.data)
    if args.votes:
        data = add_known_votes(data, args.data)
    if args.part == "all":
        return data.select(names)
    # Split first, select classes after, as in training: the other way round, a part for validation would be drawn
    # that is mostly training faces.
    brought_along = args.part in ("test", "private") and (data.usage == args.part).any()
    if info.get("recipe") and not brought_along:
        data = prepare_data(Recipe.from_dict(info["recipe"]), data)
    part = data.part(args.part)
    if not len(part):
        raise DataError(f"{args.data} has no {args.part} part. Choose another, or all, with --part.")
    return part.select(names)


def _print_classes(per_class: dict) -> None:
    print(f"{'class':10} {'precision':>9} {'recall':>7} {'95 %':>14} {'F1':>6} {'n':>6}")
    for name, row in per_class.items():
        interval = f"[{row['recall_low']:.3f}, {row['recall_high']:.3f}]"
        scores = f"{row['precision']:9.3f} {row['recall']:7.3f} {interval:>14} {row['f1']:6.3f}"
        print(f"{name:10} {scores} {row['support']:6d}")


def add_calibrate(commands) -> None:
    calibrate = commands.add_parser(
        "calibrate",
        help="fit a model's temperature on validation faces and store it in its file",
        description="Fit a temperature, and a confidence below which to answer 'not sure', on the validation part of "
        "the data that a model was trained on, and store both in the model's file. Training does so by itself.",
    )
    calibrate.add_argument("model", metavar="MODEL", help="a .keras file of this course")
    calibrate.add_argument("--data", metavar="PATH|NAME", required=True, help=SOURCE_HELP)
    calibrate.add_argument(
        "--accuracy", type=float, default=0.8, help="wanted share of right answers among those given; default: 0.8"
    )
    calibrate.set_defaults(call=_calibrate)


def _calibrate(args) -> int:
    from emo_utils.datasets import load_dataset
    from emo_utils.errors import ModelError
    from emo_utils.evaluation import calibrate, predict_probabilities
    from emo_utils.models import load_model, update_info
    from emo_utils.recipe import DATA_CLASSES, Recipe
    from emo_utils.training import prepare_data

    model, info = load_model(args.model)
    if not info.get("recipe"):
        raise ModelError(f"{args.model} does not say which faces validated it: train it with this course.")
    # The recipe splits as it did in training; any other faces would be some that the model has learnt by heart.
    recipe = Recipe.from_dict(info["recipe"])
    data = load_dataset(args.data)
    if recipe.data != (data.name if data.name in DATA_CLASSES else "folder"):
        raise ModelError(
            f"{args.model} was trained on {recipe.data}, not on {data.name}. Calibrate it on its own data."
        )
    val = prepare_data(recipe, data).part("val")
    found = calibrate(
        val.labels,
        predict_probabilities(model, val.images),
        label_smoothing=recipe.label_smoothing,
        wanted_accuracy=args.accuracy,
    )
    path = update_info(args.model, {"calibration": found.to_dict()})
    if found.not_sure_below is None:
        threshold = f"no confidence makes {args.accuracy:.0%} of the answers right"
    else:
        threshold = f"'not sure' below {found.not_sure_below:.3f}" if found.not_sure_below else "'not sure' never"
    print(f"{path.name}: temperature {found.temperature:.3f}, {threshold}, from {found.n:,} validation faces")
    return 0
