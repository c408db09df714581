"""Time that `emo_utils bench` adds to LiteRT: its median for a face against that of a bare loop around the interpreter.

    python benchmarks/bench_harness.py [--rounds N] [--log]

The model is MobileNetV3Small at 96 px as a float32 TFLite file, with random weights and batch norm fitted to a few
drawn faces, so that its activations are those of a net at work. Both sides have a process of their own, the same
interpreter settings and one thread, and take turns. The ratio of their medians within a round, in the median over all
rounds, must not be more than 5 % off; --log appends the record to the experiment table.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np

from emo_utils.bench.processes import started
from emo_utils.export import export_tflite
from emo_utils.faces import render_face
from emo_utils.models import build_model
from emo_utils.recipe import Recipe
from emo_utils.table import add_bench

SIZE, RUNS, MAX_EXCESS = 96, 100, 0.05
# What anybody would write: nothing of emo_utils in it.
BARE_LOOP = """
import json, sys, time
import numpy as np
from ai_edge_litert.interpreter import Interpreter

interpreter = Interpreter(model_path=sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
source = interpreter.get_input_details()[0]["index"]
target = interpreter.get_output_details()[0]["index"]
face = np.load(sys.argv[2])
for line in sys.stdin:
    times = []
    for i in range(int(line) + 10):
        start = time.perf_counter()
        interpreter.set_tensor(source, face)
        interpreter.invoke()
        answer = interpreter.get_tensor(target)
        times.append((time.perf_counter() - start) * 1e3)
    print(json.dumps(times[10:]), flush=True)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20, help=f"turns of each side, {RUNS} timed runs a turn")
    parser.add_argument("--log", action="store_true", help="append the record to the experiment table")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        path = export_tflite(_model(), folder / "model.tflite")
        np.save(folder / "face.npy", render_face("happy", size=SIZE)[None, :, :, None].astype(np.float32))
        harness, bare = _times(path, folder / "face.npy", folder, args.rounds)
    ours, theirs = np.median(harness, axis=1), np.median(bare, axis=1)
    ratio = float(np.median(ours / theirs))  # within a round, where the machine is the same
    ours, theirs = float(np.median(harness)), float(np.median(bare))
    n = args.rounds * RUNS
    print(f"emo_utils bench p50 {ours:.4f} ms, bare loop p50 {theirs:.4f} ms, n {n}: ratio {ratio:.3f}")
    print(f"within {MAX_EXCESS:.0%} is wanted")
    if args.log:
        figures = {"harness_p50_ms": round(ours, 4), "bare_p50_ms": round(theirs, 4), "ratio": round(ratio, 3)}
        add_bench({"bench": "bench_harness", "model": "MobileNetV3Small", "size": SIZE, **figures, "n": n})
    raise SystemExit(int(abs(ratio - 1) > MAX_EXCESS))


def _model() -> keras.Model:
    keras.utils.set_random_seed(0)
    model = build_model(Recipe("harness", backbone="MobileNetV3Small", input_size=SIZE, weights=None))
    drawn = [render_face(emotion, seed=s, size=SIZE) for s in range(16) for emotion in ("happy", "sad")]
    faces = np.stack(drawn)[..., None].astype(np.float32)
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable, layer.momentum = True, 0.5
    for _ in range(10):
        model(faces, training=True)
    return model


def _times(path: Path, face: Path, folder: Path, rounds: int) -> tuple[list[list[float]], list[list[float]]]:
    """Return the milliseconds of both sides by round; each goes first in every other one."""
    job = {"runtime": "litert", "path": str(path), "threads": 1, "face": str(face), "batches": [], "warmup": 10}
    with ExitStack() as stack:
        worker = stack.enter_context(started("the harness", job, folder))
        command = [sys.executable, "-c", BARE_LOOP, str(path), str(face)]
        process = stack.enter_context(
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
        )
        worker.receive()
        worker.ask("load")

        def bare() -> list[float]:
            print(RUNS, file=process.stdin, flush=True)
            return json.loads(process.stdout.readline())

        def harness() -> list[float]:
            return worker.ask(str(RUNS))["1"]

        bare()  # its interpreter is made on the way
        found: dict = {harness: [], bare: []}
        for i in range(rounds):
            for side in (harness, bare) if i % 2 else (bare, harness):
                found[side].append(side())
        return found[harness], found[bare]


if __name__ == "__main__":
    main()
