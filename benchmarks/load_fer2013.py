"""How long a data set takes to load the first time (decoding) and the second (cache), and how much memory it takes.

    python benchmarks/load_fer2013.py [SOURCE] [--log]

Each load runs in its own process, the cache in a folder of its own, so that neither profits from the other. On two
cores, FER2013 without its PrivateTest (32,298 JPEG files in a zip): 7 s, then 0.2 s; peak 0.3 GB. Without
SOURCE, FER2013 is looked for in the data folder; where it is missing, there is nothing to measure. --log appends the
record to the experiment table.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from emo_utils.paths import data_dir
from emo_utils.table import add_bench

_LOAD = """
import json, resource, sys, time
from emo_utils.datasets import load_dataset
start = time.perf_counter()
ds = load_dataset(sys.argv[1])
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps({"n": len(ds), "name": ds.name, "seconds": seconds, "peak": peak}))
"""


def load(source: Path, cache: str) -> dict:
    """Load the data set in a fresh process; return its number of faces, name, seconds and peak memory in bytes."""
    done = subprocess.run(
        [sys.executable, "-c", _LOAD, str(source)],
        env={**os.environ, "EMO_DATA": cache},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, nargs="?", default=data_dir() / "fer2013.zip", help="path of a data set")
    parser.add_argument("--log", action="store_true", help="append the record to the experiment table")
    args = parser.parse_args()
    if not args.source.exists():
        print(f"{args.source} is missing: nothing measured. Give the path of a data set.")
        return
    source = args.source.resolve()
    with tempfile.TemporaryDirectory() as scratch:
        # A link in a folder of its own keeps the cache away from the real data.
        link = Path(scratch) / source.name
        link.symlink_to(source, target_is_directory=source.is_dir())
        first, second = load(link, scratch), load(link, scratch)
    print(f"{first['name']}: {first['n']:,} faces")
    print(f"first load  {first['seconds']:7.2f} s   peak {first['peak'] / 2**20:5.0f} MiB")
    print(f"second load {second['seconds']:7.2f} s   peak {second['peak'] / 2**20:5.0f} MiB")
    ratio = first["seconds"] / second["seconds"]
    print(f"ratio       {ratio:7.1f}")
    if args.log:
        loads = {
            "first_s": round(first["seconds"], 2),
            "second_s": round(second["seconds"], 2),
            "ratio": round(ratio, 1),
        }
        peak = round(max(first["peak"], second["peak"]) / 2**20)
        add_bench({"bench": "load_dataset", "data": first["name"], "n": first["n"], **loads, "peak_mib": peak})


if __name__ == "__main__":
    main()
