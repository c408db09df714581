"""How long `import emo_utils` takes, against the import of Keras that it puts off; each in a fresh process.

    python benchmarks/import_time.py [--log]

--log appends the record to the experiment table; more than 0.3 s is a failure.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys

from emo_utils.table import add_bench

LIMIT_S = 0.3
ROUNDS = 3


def seconds(statement: str) -> float:
    """Run a statement in a fresh process and return its own time, without the interpreter's start."""
    code = f"import time; start = time.perf_counter(); {statement}; print(time.perf_counter() - start)"
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return float(subprocess.run([sys.executable, "-c", code], env=quiet, capture_output=True, check=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--log", action="store_true", help="append the record to the experiment table")
    args = parser.parse_args()
    pairs = [(seconds("import emo_utils"), seconds("import keras")) for _ in range(ROUNDS)]
    ours, keras = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(f"import emo_utils {ours:8.4f} s (at most {LIMIT_S} is wanted)")
    print(f"import keras     {keras:8.4f} s, ratio {keras / ours:.0f}")
    if args.log:
        add_bench({"bench": "import_time", "emo_utils_s": round(ours, 4), "keras_s": round(keras, 2)})
    raise SystemExit(int(ours > LIMIT_S))


if __name__ == "__main__":
    main()
