"""What a model costs: multiplications, parameters, bytes and milliseconds; and which models are worth their cost.

timing > latency: TFLite files, in this process
       > engines > worker > processes: any runtime, each model in a process of its own
         candidates > run: models become files, files results > schema: the file of results > log: the table

Each part loads on first use: a process that times LiteRT must not hold TensorFlow.
"""

from __future__ import annotations

import importlib

_HOMES = {
    "Latency": "bench.timing",
    "Parameters": "models.cost",
    "compare_latency": "bench.latency",
    "count_macs": "models.cost",
    "count_parameters": "models.cost",
    "log_bench_file": "bench.log",
    "measure_latency": "bench.latency",
    "pareto_front": "bench.pareto",
    "read_bench_file": "bench.schema",
    "run_bench": "bench.run",
    "tflite_latency": "bench.latency",
    "write_bench_file": "bench.schema",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"emo_utils.bench has no {name!r}. It has: {', '.join(__all__)}.")
    return getattr(importlib.import_module(f"emo_utils.{_HOMES[name]}"), name)
