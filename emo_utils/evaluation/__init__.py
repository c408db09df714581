"""Evaluation: figures with intervals, from a model or from stored probabilities, and how far to trust them."""

from emo_utils.evaluation.calibration import apply_temperature, ece_of_calibrated, fit_temperature, reliability
from emo_utils.evaluation.confidence import Calibration, calibrate, stored_calibration
from emo_utils.evaluation.evaluate import Evaluation, evaluate_model, evaluate_probabilities, predict_probabilities
from emo_utils.evaluation.metrics import classification_metrics
from emo_utils.evaluation.ranking import ranking_curves
from emo_utils.evaluation.resampling import bootstrap_sums, share_interval
from emo_utils.evaluation.selective import choose_threshold, risk_coverage, selective_metrics
from emo_utils.evaluation.significance import mcnemar, paired_difference

__all__ = [
    "Calibration",
    "Evaluation",
    "apply_temperature",
    "bootstrap_sums",
    "calibrate",
    "choose_threshold",
    "classification_metrics",
    "ece_of_calibrated",
    "evaluate_model",
    "evaluate_probabilities",
    "fit_temperature",
    "mcnemar",
    "paired_difference",
    "predict_probabilities",
    "ranking_curves",
    "reliability",
    "risk_coverage",
    "selective_metrics",
    "share_interval",
    "stored_calibration",
]
