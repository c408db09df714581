"""How long intervals for all figures of a model take: this course's bootstrap against a loop over scikit-learn.

    python benchmarks/bootstrap.py [--resamples N] [--rounds N] [--log]

As many faces and classes as FER2013's PublicTest. This course's side is `classification_metrics`, which gives seven
figures and those of each class their intervals. The loop draws faces and calls scikit-learn's accuracy and macro-F1,
two figures only; it runs a hundredth of the resamples, times 100. A round is one of each. --log appends the record to
the experiment table; 10,000 resamples in more than 2 s are a failure.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

import numpy as np
from sklearn.metrics import accuracy_score, f1_score

from emo_utils.evaluation import classification_metrics
from emo_utils.table import add_bench

FACES, CLASSES = 3589, 7
MAX_SECONDS = 2.0


def loop(labels: np.ndarray, predicted: np.ndarray, n_resamples: int) -> None:
    rng = np.random.default_rng(0)
    for _ in range(n_resamples):
        rows = rng.integers(0, len(labels), len(labels))
        accuracy_score(labels[rows], predicted[rows])
        f1_score(labels[rows], predicted[rows], average="macro")


def seconds(function, *args, **options) -> float:
    start = time.perf_counter()
    function(*args, **options)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3, help="after one to warm up")
    parser.add_argument("--log", action="store_true", help="append the record to the experiment table")
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, FACES)
    scores = np.exp(rng.normal(size=(FACES, CLASSES)) + 2 * np.eye(CLASSES)[labels])
    probabilities = scores / scores.sum(axis=1, keepdims=True)
    names = [f"class {i}" for i in range(CLASSES)]
    rounds = [
        (
            seconds(classification_metrics, labels, probabilities, names, n_resamples=args.resamples),
            100 * seconds(loop, labels, probabilities.argmax(axis=1), args.resamples // 100),
        )
        for _ in range(args.rounds + 1)
    ][1:]
    ours, theirs = (statistics.median(side) for side in zip(*rounds, strict=True))
    ratio = statistics.median(b / a for a, b in rounds)
    print(f"{args.resamples:,} resamples of {FACES:,} faces, {CLASSES} classes, {os.cpu_count()} cores")
    print(f"classification_metrics, all figures       {ours:8.2f} s (at most {MAX_SECONDS:g} is wanted)")
    print(f"loop over scikit-learn, two figures       {theirs:8.2f} s")
    print(f"ratio {ratio:.0f}")
    if args.log:
        record = {"ours_s": round(ours, 2), "loop_s": round(theirs, 1), "ratio": round(ratio)}
        add_bench({"bench": "bootstrap", **record, "resamples": args.resamples, "faces": FACES})
    raise SystemExit(int(ours > MAX_SECONDS))


if __name__ == "__main__":
    main()
