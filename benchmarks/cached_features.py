"""How much faster a frozen backbone trains its head when each face goes through it once.

    python benchmarks/cached_features.py [--data PATH] [--backbone NAME --weights FILE] [--log]

Both sides train the same head for 15 epochs on the same faces under the same frozen backbone, from model building to
the best weights: plain `fit`, which runs the backbone in every epoch, and the cache, which starts empty. Then both are
evaluated on the same test faces. The default is the shipped MobileNetV3Small at 96 px on embedded faces; with --data,
--backbone and --weights it is any other. --log appends the record to the experiment table; a ratio below 10, or an
accuracy of the cached side outside the plain side's interval, is a failure.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from emo_utils.datasets import FaceDataset, load_dataset
from emo_utils.datasets.embedded import load_embedded
from emo_utils.evaluation import Evaluation, evaluate_model
from emo_utils.recipe import Head, Recipe, Stage
from emo_utils.recipes.own import SEVEN_CLASS_MODEL
from emo_utils.table import add_bench
from emo_utils.training import prepare_data
from emo_utils.training.prepare import limit_training
from emo_utils.training.stages import train_stages

EPOCHS = 15
MIN_RATIO = 10


def train(recipe: Recipe, data: FaceDataset, views: int) -> tuple[float, Evaluation]:
    """Return the seconds that one side takes, and its figures on the test part."""
    recipe = recipe.but(stages=[Stage("head", EPOCHS, learning_rate=1e-3, views=views)])
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        model, _ = train_stages(recipe, data, Path(folder), False)
        seconds = time.perf_counter() - start
    return seconds, evaluate_model(model, data.part("test"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="a data set; embedded faces if not given")
    parser.add_argument("--backbone", default="MobileNetV3Small")
    parser.add_argument("--weights", default=SEVEN_CLASS_MODEL, help="a .keras or .weights.h5 file")
    parser.add_argument("--size", type=int, default=96, help="side of the model's input in pixels")
    parser.add_argument("--faces", type=int, default=3000, help="training faces at most")
    parser.add_argument("--log", action="store_true", help="append the record to the experiment table")
    args = parser.parse_args()
    data = load_dataset(args.data) if args.data else load_embedded(2 * args.faces)
    recipe = Recipe(
        "cached-features",
        data=data.name,
        input_size=args.size,
        backbone=args.backbone,
        weights=args.weights,
        head=Head(units=(256,), dropout=(0.0, 0.5)),
        batch_size=128,
    )
    data = limit_training(prepare_data(recipe, data), args.faces, recipe.seed)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["EMO_DATA"] = scratch  # an empty cache, which goes with the run
        cached_seconds, cached = train(recipe, data, views=1)
        plain_seconds, plain = train(recipe, data, views=0)
    ratio = plain_seconds / cached_seconds
    n_train = len(data.part("train"))
    print(f"{args.backbone} at {args.size} px, {n_train} training faces of {data.name}, {EPOCHS} epochs, batch 128")
    for name, seconds, figures in (("plain", plain_seconds, plain), ("cached", cached_seconds, cached)):
        m = figures.metrics
        interval = f"[{m['accuracy_low']:.3f}, {m['accuracy_high']:.3f}]"
        print(f"{name:7} {seconds:7.1f} s   test accuracy {m['accuracy']:.3f} {interval}, n = {m['n']}")
    inside = plain.metrics["accuracy_low"] <= cached.metrics["accuracy"] <= plain.metrics["accuracy_high"]
    print(
        f"ratio {ratio:.1f} (at least {MIN_RATIO} is wanted); accuracy {'within' if inside else 'OUTSIDE'} the interval"
    )
    if args.log:
        record = {"plain_s": round(plain_seconds, 1), "cached_s": round(cached_seconds, 1), "ratio": round(ratio, 1)}
        figures = {f"{k}_accuracy": round(e.metrics["accuracy"], 4) for k, e in (("plain", plain), ("cached", cached))}
        where = {"backbone": args.backbone, "size": args.size, "data": data.name, "faces": n_train, "epochs": EPOCHS}
        add_bench({"bench": "cached_features", **record, **figures, **where})
    raise SystemExit(int(ratio < MIN_RATIO or not inside))


if __name__ == "__main__":
    main()
