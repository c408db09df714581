"""How long a training step of a grouped convolution takes: Keras's own against this course's.

    python benchmarks/grouped_convolution.py [--batch N] [--side N] [--rounds N] [--log]

Both layers are 3x3 with 64 channels in 32 groups and hold the same weights, as the first stage of a ResNeXt with
cardinality 32 has them. A step computes the outputs and the gradients in kernel and input, compiled as `fit` does it. A
round is a step of each side, so that whatever else the machine does hits both. --log appends the record to the
experiment table; a ratio below 5 is a failure. Meant for a CPU: on a GPU, Keras's own form is fast.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
import tensorflow as tf

from emo_utils.models.grouped import GroupedConv2D
from emo_utils.table import add_bench

CHANNELS, GROUPS = 64, 32
MIN_RATIO = 5


def training_step(layer: keras.layers.Layer):
    """Return a compiled function from an input to the gradients of the summed squares of the layer's outputs."""

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_mean(tf.square(layer(x)))
        return tape.gradient(loss, [layer.kernel.value, x])

    return step


def seconds(step, x: tf.Tensor) -> float:
    """Run a step and wait for its result."""
    start = time.perf_counter()
    step(x)[0].numpy()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=2, help="images a step")
    parser.add_argument("--side", type=int, default=48, help="side of the feature map")
    parser.add_argument("--rounds", type=int, default=5, help="steps of each side, after one to warm up")
    parser.add_argument("--log", action="store_true", help="append the record to the experiment table")
    args = parser.parse_args()
    shape = (args.batch, args.side, args.side, CHANNELS)
    options = {"padding": "same", "groups": GROUPS, "use_bias": False}
    layers = GroupedConv2D(CHANNELS, 3, **options), keras.layers.Conv2D(CHANNELS, 3, **options)
    for layer in layers:
        layer.build(shape)
    layers[0].set_weights(layers[1].get_weights())
    steps = [training_step(layer) for layer in layers]
    x = tf.constant(np.random.default_rng(0).normal(size=shape).astype(np.float32))
    rounds = [[seconds(step, x) for step in steps] for _ in range(args.rounds + 1)][1:]
    ours, theirs = (1000 * statistics.median(side) for side in zip(*rounds, strict=True))
    ratio = statistics.median(b / a for a, b in rounds)
    print(
        f"{CHANNELS} channels in {GROUPS} groups, {args.batch} maps of {args.side}x{args.side}, {os.cpu_count()} cores"
    )
    print(f"medians of {args.rounds} training steps")
    print(f"emo_utils GroupedConv2D  {ours:9.1f} ms")
    print(f"keras Conv2D(groups)     {theirs:9.1f} ms")
    print(f"ratio {ratio:.1f} (at least {MIN_RATIO} is wanted)")
    if args.log:
        record = {"emo_utils_ms": round(ours, 1), "keras_ms": round(theirs, 1), "ratio": round(ratio, 1)}
        add_bench({"bench": "grouped_convolution", **record, "batch": args.batch, "side": args.side, "groups": GROUPS})
    raise SystemExit(int(ratio < MIN_RATIO))


if __name__ == "__main__":
    main()
