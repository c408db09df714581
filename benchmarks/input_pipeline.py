"""How many images a second reach an augmented training batch: this course's pipeline against plain Keras.

    python benchmarks/input_pipeline.py [--faces N] [--rounds N] [--log]

Both sides make batches of 32 at 96x96 from the same 48x48 grey faces in class folders, with the augmentation of the
course's sources. Keras reads and enlarges the files in every epoch and then augments at 96x96, a layer a change;
`TrainingBatches` has them decoded once and makes the enlarging and all movements one affine map. A round is an epoch of
each side, so that whatever else the machine does hits both. --log appends the record to the experiment table; a ratio
below 5 is a failure.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import cv2
import keras
import tensorflow as tf

from emo_utils.datasets import FaceDataset, load_dataset
from emo_utils.datasets.embedded import load_embedded
from emo_utils.pipeline import TrainingBatches
from emo_utils.recipe import Recipe
from emo_utils.recipes import SOURCE_AUGMENTATION
from emo_utils.table import add_bench

SIZE, BATCH = 96, 32
MIN_RATIO = 5


def write_faces(data: FaceDataset, folder: Path) -> None:
    """Write the faces as PNG files in class folders."""
    for name in data.class_names:
        (folder / name).mkdir(parents=True)
    for i, (image, label) in enumerate(zip(data.images, data.labels, strict=True)):
        cv2.imwrite(str(folder / data.class_names[label] / f"{i:06d}.png"), image)


def keras_batches(folder: Path) -> tf.data.Dataset:
    """Return the pipeline that Keras's guides show: files to 96x96, then one layer a change."""
    a = SOURCE_AUGMENTATION
    augment = keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal"),
            keras.layers.RandomRotation(a.rotation / 360),
            keras.layers.RandomZoom(a.zoom),
            keras.layers.RandomTranslation(a.shift, a.shift),
            keras.layers.RandomBrightness(a.brightness),
            keras.layers.RandomContrast(a.contrast),
        ]
    )
    files = keras.utils.image_dataset_from_directory(
        folder, label_mode="categorical", color_mode="grayscale", image_size=(SIZE, SIZE), batch_size=BATCH, verbose=0
    )
    augmented = files.map(lambda x, y: (augment(x, training=True), y), num_parallel_calls=tf.data.AUTOTUNE)
    return augmented.prefetch(tf.data.AUTOTUNE)


def course_batches(folder: Path) -> TrainingBatches:
    """Return this course's pipeline, with the faces already in memory, as they are while training."""
    recipe = Recipe("bench", input_size=SIZE, batch_size=BATCH, augmentation=SOURCE_AUGMENTATION)
    return TrainingBatches(load_dataset(folder), recipe)


def images_per_second(batches: Iterable) -> float:
    """Run through one epoch."""
    start = time.perf_counter()
    n = sum(len(images) for images, _ in batches)
    return n / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=int, default=4000, help="faces an epoch")
    parser.add_argument("--rounds", type=int, default=5, help="epochs of each side, after one to warm up")
    parser.add_argument("--log", action="store_true", help="append the record to the experiment table")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["EMO_DATA"] = scratch  # caches of this run go with it
        folder = Path(scratch) / "faces"
        write_faces(load_embedded(args.faces), folder)
        start = time.perf_counter()
        ours, theirs = course_batches(folder), keras_batches(folder)
        seconds = time.perf_counter() - start
        rates = [(images_per_second(ours), images_per_second(theirs)) for _ in range(args.rounds + 1)][1:]
    course, plain = (statistics.median(side) for side in zip(*rates, strict=True))
    ratio = statistics.median(a / b for a, b in rates)
    print(f"{args.faces} faces of 48x48 to {SIZE}x{SIZE}, batch {BATCH}, {os.cpu_count()} cores")
    print(f"medians of {args.rounds} rounds; decoding the files once, before the first, took {seconds:.1f} s")
    print(f"emo_utils TrainingBatches              {course:8.0f} images/s")
    print(f"image_dataset_from_directory + layers  {plain:8.0f} images/s")
    print(f"ratio {ratio:.1f} (at least {MIN_RATIO} is wanted)")
    if args.log:
        record = {"emo_utils_images_per_s": round(course), "keras_images_per_s": round(plain), "ratio": round(ratio, 1)}
        add_bench({"bench": "input_pipeline", **record, "faces": args.faces, "size": SIZE, "batch": BATCH})
    raise SystemExit(int(ratio < MIN_RATIO))


if __name__ == "__main__":
    main()
