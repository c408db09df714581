"""What a training step costs beyond bare Keras: augmented batches of this course against an array in memory.

    python benchmarks/training_step.py [--rounds N] [--steps N] [--batch N] [--log]

Both sides train the same compiled MobileNetV3Small at 96x96 by `fit`. One is fed by `TrainingBatches`, which augments
48x48 grey faces and enlarges them while the step before is computed; the other by a uint8 array that already has the
model's size. A round is an epoch of each side, in turns, so that whatever else the machine does hits both. --log adds
the record to the experiment table; a ratio above 1.05 is a failure.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from emo_utils.datasets.embedded import load_embedded
from emo_utils.models import build_model
from emo_utils.pipeline import TrainingBatches, resize_images
from emo_utils.recipe import Recipe
from emo_utils.recipes import MILD_AUGMENTATION
from emo_utils.table import add_bench
from emo_utils.training.losses import make_loss

SIZE = 96
MAX_RATIO = 1.05


class Clock(keras.callbacks.Callback):
    """Take the seconds of an epoch, from its first batch being asked for to the end of its last step."""

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds = time.perf_counter() - self.started


def seconds_a_step(model: keras.Model, steps: int, *data, **options) -> float:
    """Train one epoch."""
    clock = Clock()
    model.fit(*data, **options, callbacks=[clock], shuffle=False, verbose=0)
    return clock.seconds / steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="epochs of each side, after one to warm up")
    parser.add_argument("--steps", type=int, default=12, help="steps an epoch")
    parser.add_argument("--batch", type=int, default=64, help="faces a step")
    parser.add_argument("--log", action="store_true", help="append the record to the experiment table")
    args = parser.parse_args()
    shape = {"backbone": "MobileNetV3Small", "input_size": SIZE, "batch_size": args.batch}
    recipe = Recipe("bench", **shape, augmentation=MILD_AUGMENTATION)
    faces = load_embedded(args.steps * args.batch)
    batches = TrainingBatches(faces, recipe)
    model = build_model(recipe)
    model.compile(keras.optimizers.Adam(1e-3, clipnorm=1.0), make_loss(recipe), metrics=["accuracy"])
    array = resize_images(faces.images, SIZE)[..., None], faces.one_hot()
    rounds = []
    for _ in range(args.rounds + 1):
        ours = seconds_a_step(model, len(batches), batches)
        bare = seconds_a_step(model, len(batches), *array, batch_size=args.batch)
        rounds.append((ours, bare))
    course, plain = (1000 * statistics.median(side) for side in zip(*rounds[1:], strict=True))
    ratio = statistics.median(a / b for a, b in rounds[1:])
    print(f"MobileNetV3Small {SIZE}x{SIZE}, batch {args.batch}, {keras.backend.backend()}, {os.cpu_count()} cores")
    print(f"medians of {args.rounds} rounds of {len(batches)} steps")
    print(f"fit on TrainingBatches, augmenting  {course:7.1f} ms a step")
    print(f"fit on a uint8 array in memory      {plain:7.1f} ms a step")
    print(f"ratio {ratio:.3f} (at most {MAX_RATIO} is wanted)")
    if args.log:
        record = {"emo_utils_ms_per_step": round(course, 1), "keras_ms_per_step": round(plain, 1)}
        add_bench({"bench": "training_step", **record, "ratio": round(ratio, 3), "size": SIZE, "batch": args.batch})
    raise SystemExit(int(ratio > MAX_RATIO))


if __name__ == "__main__":
    main()
