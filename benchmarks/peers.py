"""The models that ship beside two that people use: accuracy on FER2013's PublicTest, time, size, and is it luck?

    python benchmarks/peers.py --data PATH/fer2013.zip --peers PATH/mini.hdf5 PATH/big.hdf5 [--rounds N] [--log]

The peers are mini_XCEPTION and big_XCEPTION of github.com/oarriaga/face_classification (MIT), as its files
fer2013_mini_XCEPTION.102-0.66.hdf5 and fer2013_big_XCEPTION.54-0.66.hdf5 have them. All models answer the same faces; a
float32 TFLite file of each runs one face at a time on one thread by LiteRT, in turns, so that whatever else the machine
does hits all of them. "mirror" is the accuracy when the answers to a face and to its mirror image are averaged, which
takes twice the time. A shipped model that does not beat both peers in accuracy beyond the 95 % interval of the paired
difference, or, if it is the tiny one, mini_XCEPTION at no more time, is a failure. --log appends the figures to the
experiment table.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np

from emo_utils.bench import Latency, compare_latency
from emo_utils.datasets import FaceDataset, load_dataset
from emo_utils.evaluation import mcnemar, paired_difference, predict_probabilities, share_interval
from emo_utils.export import convert_tflite
from emo_utils.models import load_foreign_model, load_model
from emo_utils.table import add_bench

MODELS = Path(__file__).resolve().parents[1] / "model"
COMPACT, TINY = "fer2013-mobilenet", "fer2013-tiny"
# The order of FER2013's own labels, and the range that face_classification scales grey levels to.
PEER_CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
PEER_SCALING = "-1..1"


class Answers(NamedTuple):
    """What is known of a model: whether it answers each face rightly, and its costs."""

    correct: np.ndarray
    mirrored: np.ndarray
    parameters: int
    size: int
    latency: Latency


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="FER2013, as zip, csv or folder")
    parser.add_argument(
        "--peers", nargs=2, type=Path, required=True, metavar="FILE", help="mini_XCEPTION, big_XCEPTION"
    )
    parser.add_argument("--rounds", type=int, default=20, help="turns of each model, 50 timed runs a turn")
    parser.add_argument("--log", action="store_true", help="append the figures to the experiment table")
    args = parser.parse_args()
    own = [path for stem in (COMPACT, TINY) if (path := MODELS / f"{stem}.keras").is_file()]
    test = load_dataset(args.data, classes=PEER_CLASSES).part("test")
    answers = _answer(own, args.peers, test, args.rounds)
    print(f"PublicTest, n {len(test):,}; latency of float32 TFLite, one thread, {50 * args.rounds:,} faces each")
    print(f"{'model':38} {'accuracy [95 %]':>20} {'mirror':>7} {'param.':>10} {'KB':>6} {'p50 ms':>7} {'p90 ms':>7}")
    records = [_figures(path, a) for path, a in answers.items()]
    for r in records:
        share = f"{r['accuracy']:.3f} [{r['accuracy_low']:.3f}, {r['accuracy_high']:.3f}]"
        costs = f"{r['parameters']:10,} {r['float32_bytes'] / 1e3:6,.0f} {r['p50_ms']:7.2f} {r['p90_ms']:7.2f}"
        print(f"{r['model']:38} {share:>20} {r['accuracy_mirror']:7.3f} {costs}")
    met = []
    for path, record in zip(own, records, strict=False):
        differences = [_difference(answers[path], answers[peer]) for peer in args.peers]
        for short, peer, d in zip(("mini", "big"), args.peers, differences, strict=True):
            points = f"{100 * d['minus']:+.1f} points [{100 * d['minus_low']:+.1f}, {100 * d['minus_high']:+.1f}]"
            print(f"{path.stem} against {peer.stem}: {points}, McNemar p {d['p']:.2g}, {d['times']:.2f} x the time")
            record.update({f"{short}_{key}": value for key, value in d.items()})
        bars = differences if path.stem == COMPACT else differences[:1]
        better = all(d["minus_low"] > 0 for d in bars)
        met.append(better and (path.stem == COMPACT or differences[0]["times"] <= 1))
    if args.log:
        measured = datetime.now(UTC).isoformat(timespec="seconds")
        for record in records:
            add_bench({"bench": "peers", "measured": measured, **record})
    failed = [path.stem for path, good in zip(own, met, strict=True) if not good]
    raise SystemExit(f"below the bar: {', '.join(failed)}" if failed else 0)


def _answer(own: list[Path], peers: list[Path], test: FaceDataset, rounds: int) -> dict[Path, Answers]:
    models = {path: load_model(path)[0] for path in own}
    for path in peers:
        models[path] = load_foreign_model(path, scaling=PEER_SCALING, classes=PEER_CLASSES)[0]
    with tempfile.TemporaryDirectory() as scratch:
        files = {path: Path(scratch) / f"{path.stem}.tflite" for path in models}
        for path, model in models.items():
            ((_, content),) = convert_tflite(model, ["float32"])
            files[path].write_bytes(content)
        latencies = compare_latency(list(files.values()), rounds=rounds)
        sizes = {path: file.stat().st_size for path, file in files.items()}
    return {
        path: Answers(
            *(predict_probabilities(model, test.images, mirror=m).argmax(axis=1) == test.labels for m in (False, True)),
            model.count_params(),
            sizes[path],
            latencies[files[path]],
        )
        for path, model in models.items()
    }


def _figures(path: Path, a: Answers) -> dict[str, Any]:
    accuracy, low, high = share_interval(a.correct)
    return {
        "model": path.stem,
        "n": len(a.correct),
        "accuracy": accuracy,
        "accuracy_low": low,
        "accuracy_high": high,
        "accuracy_mirror": float(a.mirrored.mean()),
        "parameters": a.parameters,
        "float32_bytes": a.size,
        "p50_ms": a.latency.p50_ms,
        "p90_ms": a.latency.p90_ms,
    }


def _difference(mine: Answers, other: Answers) -> dict[str, float]:
    """Return how much better a model is than another on the same faces, and how many times as long it takes."""
    d = paired_difference(other.correct, mine.correct)
    p = mcnemar(other.correct, mine.correct)
    times = mine.latency.p50_ms / other.latency.p50_ms
    return {"minus": d.difference, "minus_low": d.low, "minus_high": d.high, "p": p, "times": times}


if __name__ == "__main__":
    main()
