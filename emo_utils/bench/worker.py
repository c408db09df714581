"""A process that holds one model in one runtime and times it when told to: `python -m emo_utils.bench.worker JOB`.

JOB is JSON: "runtime", a key of `ENGINES`; "path"; "threads"; "trusted", whether the file may run code of its maker,
false where it is missing; "face", an .npy file with one face in the form of the model's input; "batches", sizes besides
1; "warmup", untimed runs. The process imports the runtime and says so; then a line on its standard input makes it load
the model, and every further one, a number n, time n runs. Each is answered by a line of JSON. It ends with its input,
so that no worker outlives whoever started it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from emo_utils.bench.engines import ENGINES, Load, Run
from emo_utils.bench.timing import time_runs
from emo_utils.errors import first_line


def main() -> None:
    # Ctrl-C reaches every process of a terminal; whoever started this one ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Answers have standard output to themselves: what libraries print goes the way of errors.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        try:
            for answer in _serve(json.loads(sys.argv[1])):
                print(json.dumps(answer), file=answers, flush=True)
        except Exception as error:  # a runtime's errors have no narrower base
            print(json.dumps({"error": first_line(error)}), file=answers, flush=True)


def _serve(job: dict):
    face = np.load(job["face"], allow_pickle=False)
    load = ENGINES[job["runtime"]](job["path"], job["threads"], job.get("trusted", False))
    yield {"ready": True}
    if not sys.stdin.readline():
        return
    run, figures = _load(load, face, job["warmup"])
    runs, refused = {1: run}, {}
    for batch in job["batches"]:
        try:
            runs[batch] = _load_batch(load, face, batch)
        except Exception as error:  # as above
            refused[batch] = first_line(error)
    yield {**figures, "refused": refused}
    for line in sys.stdin:
        n = int(line)
        # About as many faces at a time as one by one.
        yield {
            batch: time_runs(run, max(1, n // batch), job["warmup"] if batch == 1 else 1).tolist()
            for batch, run in runs.items()
        }


def _load(load: Load, face: np.ndarray, warmup: int) -> tuple[Run, dict]:
    start = time.perf_counter()
    run = load(face)
    init = time.perf_counter() - start
    first = time_runs(run, 1, warmup=0)
    later = time_runs(run, warmup, warmup=0)
    figures = {"init_ms": init * 1e3, "first_ms": float(first[0]), "warmup_ms": float(later.mean())}
    return run, {**figures, "peak_mb": _peak_mb()}


def _load_batch(load: Load, face: np.ndarray, batch: int) -> Run:
    run = load(np.repeat(face, batch, axis=0))
    answers = len(run())
    if answers != batch:
        raise ValueError(f"{answers} answers to {batch} faces")
    return run


def _peak_mb() -> float | None:
    """Return the largest resident memory that this process has had, in 10^6 bytes; None where Linux does not say it.

    Not getrusage: its figure begins with that of the process which started this one.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:
        return None
    kib = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")), None)
    return None if kib is None else int(kib) * 1024 / 1e6


if __name__ == "__main__":
    main()
