"""The clock: how often something is run, what is timed of it, and the figures that sum it up.

Needs NumPy alone, because the processes that time LiteRT and ONNX Runtime load nothing else.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from emo_utils.errors import EmoUtilsError


@dataclass(frozen=True)
class Latency:
    """Time a face, in milliseconds.

    Attributes:
        n: number of timed runs.
        mean_ms, std_ms: over the runs.
        p50_ms, p90_ms, p95_ms, p99_ms: percentiles, interpolated linearly; MLPerf's single stream reports the 90th.
    """

    n: int
    mean_ms: float
    std_ms: float
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float

    def __str__(self) -> str:
        return f"p50 {self.p50_ms:.3f} ms, p90 {self.p90_ms:.3f} ms, p99 {self.p99_ms:.3f} ms (n {self.n})"


def time_runs(run: Callable[[], object], n: int, warmup: int) -> np.ndarray:
    """Run a function some times untimed, then n times, and return the n times in milliseconds, float64.

    Raises:
        EmoUtilsError: n is not positive.
    """
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


def summarise(times: np.ndarray) -> Latency:
    """Return the figures of times in milliseconds."""
    return Latency(
        len(times), float(times.mean()), float(times.std()), *np.percentile(times, (50, 90, 95, 99)).tolist()
    )


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
