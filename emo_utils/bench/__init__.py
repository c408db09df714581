"""What a model costs: multiplications, parameters, bytes and milliseconds; and which models are worth their cost."""

from emo_utils.bench.cost import Parameters, count_macs, count_parameters
from emo_utils.bench.latency import Latency, compare_latency, measure_latency, tflite_latency
from emo_utils.bench.pareto import pareto_front

__all__ = [
    "Latency",
    "Parameters",
    "compare_latency",
    "count_macs",
    "count_parameters",
    "measure_latency",
    "pareto_front",
    "tflite_latency",
]
