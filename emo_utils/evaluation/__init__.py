"""Evaluation: figures with intervals, from a model or from stored probabilities, and how far to trust them."""

from emo_utils.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "calibration": (
            "apply_temperature",
            "ece_of_calibrated",
            "fit_temperature",
            "reliability",
            "undo_label_smoothing",
        ),
        "confidence": ("Calibration", "calibrate", "stored_calibration"),
        "corruptions": ("CORRUPTIONS", "corrupt", "corrupted_versions"),
        "evaluate": ("Evaluation", "evaluate_model", "evaluate_probabilities", "predict_probabilities"),
        "label_errors": ("find_label_errors", "out_of_sample_probabilities", "score_label_errors"),
        "leakage": ("leakage_gap", "leakage_lab", "leaky_and_clean"),
        "metrics": ("classification_metrics",),
        "ranking": ("ranking_curves",),
        "raters": ("agreement", "human_bar", "votes_for"),
        "resampling": ("bootstrap_sums", "share_interval"),
        "robustness": ("mean_corruption_error", "measure_robustness", "mirror_invariance"),
        "selective": ("choose_threshold", "risk_coverage", "selective_metrics"),
        "significance": ("mcnemar", "paired_difference"),
        "slices": ("slice_metrics", "worst_slice"),
        "votes": ("VoteComparison", "compare_with_votes"),
    },
)
