"""An evaluation as columns of the experiment table."""

from __future__ import annotations

from typing import Any

from emo_utils.evaluation.evaluate import Evaluation

_ENDS = ("", "_low", "_high")


def result_columns(evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures on the test part, with their intervals, named as in the table."""
    m, scaled = evaluation.metrics, evaluation.scaled_metrics or {}
    with_interval = ("macro_f1", "weighted_f1", "worst_class_recall", "ece", "nll", "brier")
    return {
        **{f"test_accuracy{end}": m[f"accuracy{end}"] for end in _ENDS},
        **{f"{name}{end}": m[f"{name}{end}"] for name in with_interval for end in _ENDS},
        **{key: m[key] for key in ("worst_class", "n", "interval_over", "n_groups", "per_class")},
        "temperature": evaluation.calibration and evaluation.calibration.temperature,
        **{
            f"{name}_scaled{end}": value
            for name in ("ece", "nll")
            for end in _ENDS
            if (value := scaled.get(f"{name}{end}")) is not None
        },
    }
