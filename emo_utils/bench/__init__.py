"""What a model costs: multiplications, parameters, bytes and milliseconds; and which models are worth their cost.

cost, timing > latency (TFLite files, in this process)
             > engines > worker > processes > run (all runtimes, a process each) > schema (the file of figures) > log

Each part loads on first use: a process that times LiteRT must not hold TensorFlow.
"""

from __future__ import annotations

import importlib

_HOMES = {
    "Latency": "timing",
    "Parameters": "cost",
    "compare_latency": "latency",
    "count_macs": "cost",
    "count_parameters": "cost",
    "log_bench_file": "log",
    "measure_latency": "latency",
    "pareto_front": "pareto",
    "read_bench_file": "schema",
    "run_bench": "run",
    "tflite_latency": "latency",
    "write_bench_file": "schema",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"emo_utils.bench has no {name!r}. It has: {', '.join(__all__)}.")
    return getattr(importlib.import_module(f"emo_utils.bench.{_HOMES[name]}"), name)
