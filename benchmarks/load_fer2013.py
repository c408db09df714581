"""How long a data set takes to load the first time (decoding) and the second (cache), and how much memory it takes.

    python benchmarks/load_fer2013.py data/fer2013.zip

Each load runs in its own process, the cache in a folder of its own, so that neither profits from the other. On two
cores, FER2013 without its PrivateTest (32,298 JPEG files in a zip): 7 s, then 0.2 s; peak 0.3 GB.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

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
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: python {sys.argv[0]} PATH_OF_A_DATA_SET")
    source = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        # A link in a folder of its own keeps the cache away from the real data.
        link = Path(scratch) / source.name
        link.symlink_to(source, target_is_directory=source.is_dir())
        first, second = load(link, scratch), load(link, scratch)
    print(f"{first['name']}: {first['n']:,} faces")
    print(f"first load  {first['seconds']:7.2f} s   peak {first['peak'] / 2**20:5.0f} MiB")
    print(f"second load {second['seconds']:7.2f} s   peak {second['peak'] / 2**20:5.0f} MiB")
    print(f"ratio       {first['seconds'] / second['seconds']:7.1f}")


if __name__ == "__main__":
    main()
