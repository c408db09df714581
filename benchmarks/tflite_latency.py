"""Milliseconds a face and bytes on disk of a model as TFLite files: float32 against float16, dynamic and int8.

    python benchmarks/tflite_latency.py [MODEL] [--rounds N] [--log]

MODEL is a .keras file, model/embedded-small-cnn.keras unless given. All files come from one conversion and run one face
at a time on one thread by LiteRT, in turns, so that whatever else the machine does hits all of them. --log appends the
record to the experiment table; an int8 file of more than 40 % of the float32 file's bytes is a failure. Its speed is no
bar: it depends on the processor, and a PC's float arithmetic is fast.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from emo_utils.bench import compare_latency, count_macs
from emo_utils.datasets import load_dataset
from emo_utils.export import convert_tflite
from emo_utils.models import load_model
from emo_utils.quantise import calibration_images
from emo_utils.table import add_bench

FORMATS = ("float32", "float16", "dynamic", "int8")
MODEL = Path(__file__).resolve().parents[1] / "model" / "embedded-small-cnn.keras"
MAX_SHARE = 0.4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", type=Path, default=MODEL, help="a .keras file")
    parser.add_argument("--rounds", type=int, default=10, help="turns of each file, 50 timed runs a turn")
    parser.add_argument("--log", action="store_true", help="append the record to the experiment table")
    args = parser.parse_args()
    model, _ = load_model(args.model)
    # The ranges that drawn faces give may cost accuracy on photographs; time and bytes are the same.
    calibration = calibration_images(load_dataset("embedded").part("train"))
    with tempfile.TemporaryDirectory() as scratch:
        paths = {format: Path(scratch) / f"{format}.tflite" for format in FORMATS}
        for format, content in convert_tflite(model, FORMATS, calibration=calibration):
            paths[format].write_bytes(content)
        latencies = compare_latency(list(paths.values()), rounds=args.rounds)
        sizes = {format: path.stat().st_size for format, path in paths.items()}
    print(f"{args.model.name}, {model.input_shape[1]} px, {count_macs(model) / 1e6:.2f} M MACs, one thread")
    times = {format: latencies[path] for format, path in paths.items()}
    base = times["float32"].p50_ms
    for format, time in times.items():
        share = sizes[format] / sizes["float32"]
        print(f"{format:8} {sizes[format]:9,} bytes ({share:4.0%})  {time}  {base / time.p50_ms:.2f} x as fast")
    share = sizes["int8"] / sizes["float32"]
    print(f"int8 has {share:.0%} of the bytes (at most {MAX_SHARE:.0%} is wanted)")
    if args.log:
        record = {f"{format}_p50_ms": round(time.p50_ms, 4) for format, time in times.items()}
        ratios = {"int8_speedup": round(base / times["int8"].p50_ms, 2), "int8_share_of_bytes": round(share, 3)}
        add_bench({"bench": "tflite_latency", "model": args.model.name, **record, **ratios, "rounds": args.rounds})
    raise SystemExit(int(share > MAX_SHARE))


if __name__ == "__main__":
    main()
