"""One class against the rest at every threshold: ROC and precision-recall curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from emo_utils.evaluation.checks import check_predictions


def ranking_curves(
    labels: np.ndarray, probabilities: np.ndarray, class_names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Compute both curves of each class.

    A rare class is where they differ: the ROC curve does not see how few faces show it, the precision-recall curve
    does, and its chance level is the class's share (Davis and Goadrich, ICML 2006).

    Args:
        labels: int array of shape (n,).
        probabilities: float array of shape (n, n_classes).
        class_names: in label order.

    Returns:
        By class: false_positive_rate, true_positive_rate, roc_auc; precision, recall, average_precision; share of the
        faces that show it. Curves are arrays, one point a threshold that matters.

    Raises:
        DataError: as `classification_metrics`.
    """
    check_predictions(labels, probabilities, class_names)
    curves = {}
    for i, name in enumerate(class_names):
        shows, score = labels == i, probabilities[:, i]
        false, true, _ = roc_curve(shows, score)
        precision, recall, _ = precision_recall_curve(shows, score)
        curves[name] = {
            "false_positive_rate": false,
            "true_positive_rate": true,
            "roc_auc": float(roc_auc_score(shows, score)),
            "precision": precision,
            "recall": recall,
            "average_precision": float(average_precision_score(shows, score)),
            "share": float(shows.mean()),
        }
    return curves
