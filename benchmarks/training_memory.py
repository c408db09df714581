"""How much memory a training run takes at its peak: loading, preparing, training, evaluating.

    python benchmarks/training_memory.py [SOURCE] [--recipe NAME] [--log]

Runs `python -m emo_utils train` in a process of its own, on all training images, with the stages of the recipe cut to
one epoch each: later epochs need no more than the first. Files and caches of the run go to a temporary folder, so the
images are decoded as on the first day. Without SOURCE, FER2013 is looked for in the data folder; where it is missing,
there is nothing to measure. A peak of 3 GB or more is a failure. --log appends the record to the experiment table.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from emo_utils.paths import data_dir
from emo_utils.table import add_bench

MAX_BYTES = 3e9


def peak_of_training(source: str, recipe: str, scratch: Path) -> tuple[int, float]:
    """Train in a process of its own; return its peak memory in bytes and its seconds."""
    if source != "embedded":
        # A link in a folder of its own keeps the cache away from the real data.
        link = scratch / Path(source).name
        link.symlink_to(Path(source).resolve())
        source = str(link)
    command = [sys.executable, "-m", "emo_utils", "train", "--recipe", recipe, "--data", source, "--epochs", "1"]
    folders = {"EMO_DATA": str(scratch / "data"), "EMO_OUT": str(scratch / "out")}
    start = time.perf_counter()
    subprocess.run(command, env={**os.environ, **folders}, check=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return peak, time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", nargs="?", default=str(data_dir() / "fer2013.zip"), help="path, or 'embedded'")
    parser.add_argument("--recipe", default="fer2013-mobilenetv3small", help="name of a recipe")
    parser.add_argument("--log", action="store_true", help="append the record to the experiment table")
    args = parser.parse_args()
    if args.source != "embedded" and not Path(args.source).exists():
        print(f"{args.source} is missing: nothing measured. Give the path of FER2013.")
        return
    with tempfile.TemporaryDirectory() as scratch:
        peak, seconds = peak_of_training(args.source, args.recipe, Path(scratch))
    print(f"{args.recipe} on {Path(args.source).name}, one epoch a stage, {seconds:.0f} s")
    print(f"peak memory {peak / 1e6:.0f} MB (below {MAX_BYTES / 1e6:.0f} MB is wanted)")
    if args.log:
        record = {"recipe": args.recipe, "data": Path(args.source).stem}
        add_bench({"bench": "training_memory", **record, "peak_mb": round(peak / 1e6), "seconds": round(seconds)})
    raise SystemExit(int(peak >= MAX_BYTES))


if __name__ == "__main__":
    main()
