"""Milliseconds a face, as a camera would wait for them: one face at a time, one thread, percentiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from emo_utils.bench.timing import Latency, summarise, time_runs
from emo_utils.export.run import TFLiteModel
from emo_utils.faces import render_face


def measure_latency(run: Callable[[], object], n: int = 100, warmup: int = 10) -> Latency:
    """Time a function.

    Args:
        run: does the work for one face; what it returns is dropped.
        n: timed runs.
        warmup: runs before, untimed: the first ones fill caches. The defaults are those of the Jetson source.

    Raises:
        EmoUtilsError: n is not positive.
    """
    return summarise(time_runs(run, n, warmup))


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
    turns = [[time_runs(run, n, warmup) for run in runners.values()] for _ in range(rounds)]
    return {
        path: summarise(np.concatenate(times)) for path, times in zip(runners, zip(*turns, strict=True), strict=True)
    }


def _runner(path: str | Path) -> Callable[[], object]:
    model = TFLiteModel(path)
    face = model.quantise(render_face("happy", size=model.size)[None])[0]
    return lambda: model.run(face)
