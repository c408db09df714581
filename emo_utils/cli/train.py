"""`train`: list the recipes, or run one."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

from emo_utils.cli.common import SOURCE_HELP, fail, summary


def add_train(commands) -> None:
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
    train.add_argument("--data", metavar="PATH|NAME", help=f"{SOURCE_HELP}; the recipe's own if not given")
    train.add_argument("--classes", metavar="A,B,...", help="emotions to tell apart, instead of the recipe's")
    train.add_argument("--epochs", type=int, help="at most this many epochs in each stage")
    train.add_argument("--limit", type=int, help="at most this many training images")
    train.add_argument("--seed", type=int, help="instead of the recipe's seed")
    train.add_argument("--save", type=Path, metavar="FILE", help="also copy the model to this .keras file")
    train.set_defaults(call=_train)


def _train(args) -> int:
    from emo_utils.recipes import QUICK_FACES, get_recipe, quick

    if args.list or not args.recipe:
        print(_catalogue())
        return 0 if args.list else fail("name a recipe with --recipe")
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
        return fail(f"--limit must be at least 1. Got {args.limit}")
    from emo_utils.datasets import add_known_votes, load_dataset
    from emo_utils.training import run_experiment
    from emo_utils.training.prepare import recipe_for

    data = load_dataset(args.data or recipe.data)
    if args.data:
        recipe = recipe_for(recipe, data)
    if recipe.votes:
        data = add_known_votes(data, args.data or recipe.data)
    profile = "quick" if args.epochs is not None else None
    limit = QUICK_FACES if args.quick and args.limit is None else args.limit
    result = run_experiment(recipe, data, limit=limit, profile=profile)
    print(result.row["name"])
    print(f"validation  {summary(result.validation.metrics)}")
    print(f"test        {summary(result.test.metrics)}")
    print(f"model       {result.row['model_path']}")
    if args.save:
        args.save.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(result.folder / "model.keras", args.save)
        print(f"copied to   {args.save}")
    return 0


def _catalogue() -> str:
    """Return the recipes by source, each with the figure that the source gives and the one in the table."""
    from emo_utils.recipes import CATALOGUE
    from emo_utils.table import read_runs

    form = "  {:38} {:28} {:18} {:30} {:46} {}"
    header = form.format("recipe", "net", "data", "epochs by stage", "reported by the source", "test accuracy here")
    runs, lines = read_runs(), [header]
    for source, group in itertools.groupby(CATALOGUE.values(), key=lambda named: named.source):
        lines.append(f"\n{source}")
        for recipe, _, reported in group:
            net, data = f"{recipe.backbone} {recipe.input_size} px", f"{recipe.data} {len(recipe.classes)} classes"
            stages = ", ".join(f"{_freed(stage)} {stage.epochs}" for stage in recipe.stages)
            here = _measured(runs, recipe)
            lines.append(form.format(recipe.name, net, data, stages, reported or "no figure", here))
    return "\n".join(lines)


def _measured(runs, recipe) -> str:
    """Return what whole runs of a recipe have reached on the test part: the latest of each seed counts."""
    rows = runs[(runs["recipe"] == recipe.name) & (runs["data"] == recipe.data) & runs["test_accuracy"].notna()]
    rows = rows[rows["profile"] != "evaluate"]
    if recipe.data != "embedded":
        rows = rows[rows["profile"] == "full"]
    found = rows.drop_duplicates("seed", keep="last")["test_accuracy"]
    if found.empty:
        return "not run"
    return f"{found.mean():.1%}" + (f" (mean of {len(found)} seeds)" if len(found) > 1 else "")


def _freed(stage) -> str:
    return stage.train if isinstance(stage.train, str) else f"last {stage.train} layers"
