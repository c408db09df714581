"""Evaluation: figures with intervals, from a model or from stored probabilities, and how far to trust them."""

from emo_utils.evaluation.calibration import apply_temperature, ece_of_calibrated, fit_temperature, reliability
from emo_utils.evaluation.confidence import Calibration, calibrate, stored_calibration
from emo_utils.evaluation.corruptions import CORRUPTIONS, corrupt, corrupted_versions
from emo_utils.evaluation.evaluate import Evaluation, evaluate_model, evaluate_probabilities, predict_probabilities
from emo_utils.evaluation.leakage import leakage_gap, leakage_lab, leaky_and_clean
from emo_utils.evaluation.metrics import classification_metrics
from emo_utils.evaluation.ranking import ranking_curves
from emo_utils.evaluation.resampling import bootstrap_sums, share_interval
from emo_utils.evaluation.robustness import mean_corruption_error, measure_robustness, mirror_invariance
from emo_utils.evaluation.selective import choose_threshold, risk_coverage, selective_metrics
from emo_utils.evaluation.significance import mcnemar, paired_difference
from emo_utils.evaluation.slices import slice_metrics, worst_slice

__all__ = [
    "CORRUPTIONS",
    "Calibration",
    "Evaluation",
    "apply_temperature",
    "bootstrap_sums",
    "calibrate",
    "choose_threshold",
    "classification_metrics",
    "corrupt",
    "corrupted_versions",
    "ece_of_calibrated",
    "evaluate_model",
    "evaluate_probabilities",
    "fit_temperature",
    "leakage_gap",
    "leakage_lab",
    "leaky_and_clean",
    "mcnemar",
    "mean_corruption_error",
    "measure_robustness",
    "mirror_invariance",
    "paired_difference",
    "predict_probabilities",
    "ranking_curves",
    "reliability",
    "risk_coverage",
    "selective_metrics",
    "share_interval",
    "slice_metrics",
    "stored_calibration",
    "worst_slice",
]
