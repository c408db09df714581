"""Milliseconds a face, as a camera would wait for them: one face at a time, one thread, percentiles."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emo_utils.errors import EmoUtilsError
from emo_utils.export.run import TFLiteModel
from emo_utils.faces import render_face


@dataclass(frozen=True)
class Latency:
    """Time a face, in milliseconds.

    Attributes:
        n: number of timed runs.
        mean_ms, std_ms: over the runs.
        p50_ms, p90_ms, p99_ms: percentiles; MLPerf's single stream reports the 90th.
    """

    n: int
    mean_ms: float
    std_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float

    def __str__(self) -> str:
        return f"p50 {self.p50_ms:.3f} ms, p90 {self.p90_ms:.3f} ms, p99 {self.p99_ms:.3f} ms (n {self.n})"


def measure_latency(run: Callable[[], object], n: int = 100, warmup: int = 10) -> Latency:
    """Time a function.

    Args:
        run: does the work for one face; what it returns is dropped.
        n: timed runs.
        warmup: runs before, untimed: the first ones fill caches. The defaults are those of the Jetson source.

    Raises:
        EmoUtilsError: n is not positive.
    """
    return _summary(_times(run, n, warmup))


def tflite_latency(path: str | Path, n: int = 100, warmup: int = 10) -> Latency:
    """Time a TFLite file on one face by LiteRT, batch 1, on one thread.

    The face is resized and brought to the type of the input beforehand, as MLPerf Tiny has it; copying it in and the
    answer out counts.

    Raises:
        ModelError: no such file, or not a TFLite file.
        EmoUtilsError: n is not positive, or LiteRT is not installed.
    """
    return measure_latency(_runner(path), n, warmup)


def compare_latency(
    paths: Sequence[str | Path], n: int = 50, rounds: int = 10, warmup: int = 10
) -> dict[Path, Latency]:
    """Time several TFLite files in turns, so that whatever else the machine does hits all of them.

    Args:
        paths: TFLite files.
        n: timed runs of each file in a round.
        rounds: how often each file has its turn.
        warmup: untimed runs at the start of each turn.

    Returns:
        For each file the percentiles over all its runs, n * rounds of them.

    Raises:
        as `tflite_latency`.
    """
    runners = {Path(path): _runner(path) for path in paths}
    turns = [[_times(run, n, warmup) for run in runners.values()] for _ in range(rounds)]
    return {
        path: _summary(np.concatenate(times)) for path, times in zip(runners, zip(*turns, strict=True), strict=True)
    }


def _runner(path: str | Path) -> Callable[[], object]:
    model = TFLiteModel(path)
    face = model.quantise(render_face("happy", size=model.size)[None])[0]
    return lambda: model.run(face)


def _times(run: Callable[[], object], n: int, warmup: int) -> np.ndarray:
    if n < 1:
        raise EmoUtilsError(f"n must be at least 1 timed run. Got {n}.")
    for _ in range(warmup):
        run()
    times = np.empty(n)
    with _no_collection():
        for i in range(n):
            start = time.perf_counter_ns()
            run()
            times[i] = time.perf_counter_ns() - start
    return times / 1e6


def _summary(times: np.ndarray) -> Latency:
    p50, p90, p99 = np.percentile(times, (50, 90, 99)).tolist()
    return Latency(len(times), float(times.mean()), float(times.std()), p50, p90, p99)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep Python from collecting garbage in the middle of a timed run."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
