"""Evaluation: figures with intervals, from a model or from stored probabilities, and how far to trust them."""

from emo_utils.evaluation.calibration import (
    apply_temperature,
    ece_of_calibrated,
    fit_temperature,
    reliability,
    undo_label_smoothing,
)
from emo_utils.evaluation.confidence import Calibration, calibrate, stored_calibration
from emo_utils.evaluation.corruptions import CORRUPTIONS, corrupt, corrupted_versions
from emo_utils.evaluation.evaluate import Evaluation, evaluate_model, evaluate_probabilities, predict_probabilities
from emo_utils.evaluation.label_errors import find_label_errors, out_of_sample_probabilities, score_label_errors
from emo_utils.evaluation.leakage import leakage_gap, leakage_lab, leaky_and_clean
from emo_utils.evaluation.metrics import classification_metrics
from emo_utils.evaluation.ranking import ranking_curves
from emo_utils.evaluation.raters import agreement, human_bar, votes_for
from emo_utils.evaluation.resampling import bootstrap_sums, share_interval
from emo_utils.evaluation.robustness import mean_corruption_error, measure_robustness, mirror_invariance
from emo_utils.evaluation.selective import choose_threshold, risk_coverage, selective_metrics
from emo_utils.evaluation.significance import mcnemar, paired_difference
from emo_utils.evaluation.slices import slice_metrics, worst_slice
from emo_utils.evaluation.votes import VoteComparison, compare_with_votes

__all__ = [
    "CORRUPTIONS",
    "Calibration",
    "Evaluation",
    "VoteComparison",
    "agreement",
    "apply_temperature",
    "bootstrap_sums",
    "calibrate",
    "choose_threshold",
    "classification_metrics",
    "compare_with_votes",
    "corrupt",
    "corrupted_versions",
    "ece_of_calibrated",
    "evaluate_model",
    "evaluate_probabilities",
    "find_label_errors",
    "fit_temperature",
    "human_bar",
    "leakage_gap",
    "leakage_lab",
    "leaky_and_clean",
    "mcnemar",
    "mean_corruption_error",
    "measure_robustness",
    "mirror_invariance",
    "out_of_sample_probabilities",
    "paired_difference",
    "predict_probabilities",
    "ranking_curves",
    "reliability",
    "risk_coverage",
    "score_label_errors",
    "selective_metrics",
    "share_interval",
    "slice_metrics",
    "stored_calibration",
    "undo_label_smoothing",
    "votes_for",
    "worst_slice",
]
