"""The benchmark: every model in every runtime that runs on this machine, each in a process of its own, in turns."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from emo_utils.bench.candidates import Candidate, candidates
from emo_utils.bench.engines import PRODUCT_SIDE
from emo_utils.bench.log import log_bench_file
from emo_utils.bench.processes import Worker, started
from emo_utils.bench.schema import RESULT, SCHEMA, VERSION, write_bench_file
from emo_utils.bench.subjects import Reference, faces_for, open_subjects
from emo_utils.bench.timing import summarise
from emo_utils.datasets import FaceDataset
from emo_utils.errors import EmoUtilsError
from emo_utils.evaluation.progress import progress_bar
from emo_utils.export.folder import new_folder
from emo_utils.table import environment

if TYPE_CHECKING:
    import pandas as pd

# Name, module and what to install of the runtimes of this machine.
_RUNTIMES = {
    "keras": ("keras", "keras"),
    "litert": ("ai_edge_litert", "ai-edge-litert"),
    "onnxruntime": ("onnxruntime", "onnxruntime"),
}
_WARMUP = 10
_BATCHES = (8, 32)  # besides one face at a time
_PRODUCTS = 30  # of matrices, timed in a turn


def run_bench(
    models: Sequence[Reference],
    data: FaceDataset | None = None,
    *,
    runtimes: Sequence[str] = tuple(_RUNTIMES),
    precisions: Sequence[str] = ("float32", "int8"),
    threads: Sequence[int] = (1, 2),
    rounds: int = 10,
    n: int = 50,
    limit: int | None = None,
    out: str | Path | None = None,
    trusted: bool = False,
) -> pd.DataFrame:
    """Time models in several runtimes, and say what they cost and are worth.

    Each model in each runtime at each number of threads has a process of its own, whose memory and start are
    therefore its own; all have their turn in every round, in changing order, so that whatever else the machine does
    hits all of them. What is timed is copying one face in, running, and copying the answer out; resizing is not, as
    MLPerf Tiny has it. The peak that speeds are compared with is the fastest of many products of float32 matrices in
    the same rounds; int8 arithmetic may exceed it.

    Args:
        models: files (.keras, .tflite, .onnx) or runs of the table; for a model of others a tuple of its path and of
            what `load_foreign_model` returns.
        data: its test part gives the accuracy, its training part the ranges of int8 files. None for no accuracy.
        runtimes: of "keras", "litert" and "onnxruntime". What is no Keras file is run by its own runtime only.
        precisions: of the TFLite files that are made, see `emo_utils.export.FORMATS`.
        threads: numbers of threads.
        rounds: turns of each.
        n: timed runs on one face in a turn. In batches of 8 and 32 about as many faces are run.
        limit: at most this many test faces.
        out: folder, new or empty, to keep the exported files in, with bench.json, which has all raw times; its results
            are then logged in the experiment table, too. None keeps nothing.
        trusted: also load Keras models with layers that are code of their maker, which runs on this machine then.

    Returns:
        A row a result, with the columns of a bench file (see `emo_utils.bench.schema`) except the raw times; its
        `attrs["refused"]` has a line for each batch that a graph cannot run, whose speed is then missing.

    Raises:
        ModelError, DataError: a model or the data cannot be used.
        EmoUtilsError: a setting that makes no sense, a folder with something in it, a runtime that is not installed, or
            a process that died.
    """
    import pandas as pd

    _check_settings(runtimes, threads, rounds, n, limit)
    with (
        tempfile.TemporaryDirectory() as scratch,
        nullcontext(Path(scratch)) if out is None else new_folder(out) as folder,
    ):
        found = [
            candidate
            for subject in open_subjects(models, trusted)
            for candidate in candidates(
                subject, faces_for(subject, data, limit), runtimes, precisions, folder, Path(scratch)
            )
        ]
        results, refused = _measure(found, threads, rounds, n, Path(scratch))
        if out is not None:
            write_bench_file(folder / "bench.json", _document(results))
    if out is not None:
        log_bench_file(Path(out) / "bench.json")
    frame = pd.DataFrame(results).drop(columns="latencies_ms")
    frame.attrs["refused"] = refused
    return frame


def _check_settings(runtimes: Sequence[str], threads: Sequence[int], rounds: int, n: int, limit: int | None) -> None:
    unknown = [name for name in runtimes if name not in _RUNTIMES]
    if unknown or not runtimes:
        raise EmoUtilsError(f"runtimes must be of {', '.join(_RUNTIMES)}. Got {unknown[0] if unknown else ''!r}.")
    for name in runtimes:
        module, package = _RUNTIMES[name]
        if find_spec(module) is None:
            raise EmoUtilsError(f"The runtime {name} is not installed: pip install {package}")
    if "keras" in runtimes and keras.backend.backend() != "tensorflow":
        raise EmoUtilsError("Keras is timed on TensorFlow alone: set KERAS_BACKEND=tensorflow, or leave out keras.")
    numbers = {"rounds": rounds, "n": n, "limit": 1 if limit is None else limit, "threads": min(threads, default=0)}
    for name, number in numbers.items():
        if number < 1:
            raise EmoUtilsError(f"{name} must be at least 1. Got {number}.")


def _measure(
    found: list[Candidate], threads: Sequence[int], rounds: int, n: int, scratch: Path
) -> tuple[list[dict], list[str]]:
    """Return the results, and a line for each batch that a graph refused."""
    pairs = [(candidate, count) for count in dict.fromkeys(threads) for candidate in found]
    with ExitStack() as stack:
        workers = [_start(stack, c.known["runtime"], c.path, count, scratch, c) for c, count in pairs]
        products = {count: _start(stack, "matrix_product", scratch, count, scratch) for count in set(threads)}
        for worker in (*workers, *products.values()):
            worker.receive()  # importing takes seconds, so all do it at once
        for worker in products.values():
            worker.ask("load")
        starts = [worker.ask("load") for worker in workers]  # one after the other: it is timed
        rates: dict[int, list[float]] = {count: [] for count in products}
        turns: list[list[dict]] = [[] for _ in workers]
        order = np.random.default_rng(0)
        with progress_bar(rounds, "benchmark", "rounds", show=sys.stdout.isatty()) as bar:
            for _ in range(rounds):
                for count, worker in products.items():
                    rates[count] += worker.ask(str(_PRODUCTS))["1"]
                # In a new order each time: threads of the one before may still be waiting for more work.
                for i in order.permutation(len(workers)):
                    turns[i].append(workers[i].ask(str(n)))
                bar.update()
    peaks = {count: PRODUCT_SIDE**3 / min(times) / 1e6 for count, times in rates.items()}
    results = [
        _result(candidate, count, start, done, peaks[count])
        for (candidate, count), start, done in zip(pairs, starts, turns, strict=True)
    ]
    refused = [
        f"{worker.title}: no batch of {batch}: {reason}"
        for worker, start in zip(workers, starts, strict=True)
        for batch, reason in start["refused"].items()
    ]
    return results, refused


def _start(
    stack: ExitStack, runtime: str, path: Path, threads: int, scratch: Path, candidate: Candidate | None = None
) -> Worker:
    """Start a worker that ends with the stack: of a candidate, or for matrix products."""
    title = f"{candidate.known['model']} {candidate.known['precision']}" if candidate else "a product of matrices"
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=scratch)))
    np.save(folder / "face.npy", candidate.face if candidate else np.zeros(1))
    job = {
        "runtime": runtime,
        "path": str(path),
        "threads": threads,
        "trusted": candidate is not None and candidate.trusted,
        "face": str(folder / "face.npy"),
        "batches": _BATCHES if candidate else (),
        "warmup": _WARMUP,
    }
    return stack.enter_context(started(f"{title} in {runtime} with {threads} thread(s)", job, folder))


def _result(candidate: Candidate, threads: int, start: dict, turns: list[dict], peak: float) -> dict[str, Any]:
    """Return one result of the bench file. peak: of the matrix product, GMAC/s."""
    times = {batch: np.concatenate([turn[batch] for turn in turns]) for batch in turns[0]}
    latency = asdict(summarise(times["1"]))
    macs = candidate.known["macs"]
    speed = None if macs is None else macs / latency["p50_ms"] / 1e6
    measured = {
        **candidate.known,
        **latency,
        **{key: start[key] for key in ("init_ms", "first_ms", "warmup_ms", "peak_mb")},
        **{f"per_second_b{batch}": int(batch) * 1e3 / float(found.mean()) for batch, found in times.items()},
        "threads": threads,
        "gmacs_per_s": speed,
        "peak_share": None if speed is None else speed / peak,
        "latencies_ms": times["1"].tolist(),
    }
    return {key: measured.get(key) for key in RESULT}


def _document(results: list[dict]) -> dict[str, Any]:
    here = environment()
    packages = here["packages"]
    versions = {
        "Keras": here["keras"],
        "TensorFlow": here["tensorflow"],
        "LiteRT": packages.get("ai-edge-litert"),
        "ONNX Runtime": packages.get("onnxruntime"),
    }
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "made_by": "emo_utils bench",
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": {
            "name": here["hardware"],
            "system": here["os"],
            "python": here["python"],
            "power_mode": None,
            "software": ", ".join(f"{title} {version}" for title, version in versions.items() if version),
        },
        "results": results,
    }
