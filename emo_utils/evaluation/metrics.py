"""Figures of a classifier from labels and probabilities, each with a 95 % bootstrap interval.

Names follow scikit-learn: a score is better when higher, an error or loss when lower.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from emo_utils.evaluation.calibration import (
    ECE_BINS,
    brier_scores,
    calibration_gaps,
    expected_calibration_error,
    log_losses,
)
from emo_utils.evaluation.checks import check_predictions
from emo_utils.evaluation.resampling import N_RESAMPLES, bootstrap_sums, interval, wilson_interval


def classification_metrics(
    labels: np.ndarray,
    probabilities: np.ndarray,
    class_names: Sequence[str],
    *,
    groups: np.ndarray | None = None,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """Compute the figures of one classifier on one test part.

    Args:
        labels: int array of shape (n,), index into `class_names`.
        probabilities: float array of shape (n, n_classes), rows summing to one.
        class_names: in label order.
        groups: array of shape (n,), e.g. people; intervals are then over whole groups, see `bootstrap_sums`.
        n_resamples: bootstrap resamples for the intervals.
        seed: of the bootstrap.

    Returns:
        accuracy, macro_f1, weighted_f1, worst_class_recall, ece, nll, brier, each also with _low and _high;
        worst_class, n, interval_over ("faces", also of a single group, or "groups"), n_groups; per_class: {class:
        {precision, recall, f1, each with _low and _high, support}}; confusion: counts, rows true, columns predicted.
        The interval of worst_class_recall is that of the class which is the worst here. Of accuracy, precision and
        recall at 0 or 1, where every resample is the same, it is Wilson's. The ECE of resampled faces is
        biased upwards, as the ECE itself is (`ece_of_calibrated` says by how much); its interval is moved back by that
        bias.

    Raises:
        DataError: shapes do not fit, fewer than two faces, NaN, rows that do not sum to one, a class without a face.

    >>> m = classification_metrics(np.array([0, 0, 1, 1]), np.eye(2)[[0, 0, 1, 0]], ["happy", "sad"])
    >>> m["accuracy"], m["worst_class"], m["per_class"]["sad"]["recall"]
    (0.75, 'sad', 0.5)
    """
    labels, probabilities = np.asarray(labels), np.asarray(probabilities)
    check_predictions(labels, probabilities, class_names)
    n, n_classes = probabilities.shape
    probabilities = probabilities.astype(np.float64) / probabilities.sum(axis=1, keepdims=True, dtype=np.float64)
    predicted = probabilities.argmax(axis=1)
    order = np.arange(n_classes)
    precision, recall, f1, support = precision_recall_fscore_support(labels, predicted, labels=order, zero_division=0)
    losses = {"nll": log_losses(labels, probabilities), "brier": brier_scores(labels, probabilities)}
    columns = (
        np.eye(n_classes**2)[labels * n_classes + predicted],
        calibration_gaps(labels, probabilities),
        np.stack(list(losses.values()), axis=1),
    )
    sums = bootstrap_sums(np.hstack(columns), groups=groups, n_resamples=n_resamples, seed=seed)
    cells, gaps, lost = np.split(sums, [n_classes**2, n_classes**2 + ECE_BINS], axis=1)
    drawn = _scores(cells.reshape(-1, n_classes, n_classes))
    drawn_n = cells.sum(axis=1)
    worst = int(recall.argmin())
    n_groups = None if groups is None else len(np.unique(groups))
    ece = expected_calibration_error(labels, probabilities)
    right = predicted == labels

    def limits(drawn: np.ndarray, of: np.ndarray | None = None) -> tuple[float | None, float | None]:
        """Return the interval of a figure, by what was drawn; `of` tells the faces that a share of right ones is of."""
        if of is not None and of.any() and right[of].all() == right[of].any():
            return wilson_interval(right[of], None if groups is None else np.asarray(groups)[of])
        return (None, None) if np.isnan(drawn).all() else interval(drawn)

    everyone = np.full(n, True)
    figures = {
        "accuracy": (right.mean(), *limits(drawn["accuracy"], everyone)),
        "macro_f1": (f1.mean(), *limits(drawn["macro_f1"])),
        "weighted_f1": (f1 @ support / n, *limits(drawn["weighted_f1"])),
        "worst_class_recall": (recall[worst], *limits(drawn["recall"][:, worst], labels == worst)),
        "ece": (ece, *limits(_recentred(np.abs(gaps).sum(axis=1) / drawn_n, ece))),
        **{name: (loss.mean(), *limits(lost[:, i] / drawn_n)) for i, (name, loss) in enumerate(losses.items())},
    }
    return {
        **_by_name(figures),
        "worst_class": class_names[worst],
        "n": int(n),
        "interval_over": "groups" if n_groups and n_groups > 1 else "faces",
        "n_groups": n_groups,
        "per_class": {
            name: {
                **_by_name(
                    {
                        "precision": (precision[i], *limits(drawn["precision"][:, i], predicted == i)),
                        "recall": (recall[i], *limits(drawn["recall"][:, i], labels == i)),
                        "f1": (f1[i], *limits(drawn["f1"][:, i])),
                    }
                ),
                "support": int(support[i]),
            }
            for i, name in enumerate(class_names)
        },
        "confusion": confusion_matrix(labels, predicted, labels=order).tolist(),
    }


def _scores(confusions: np.ndarray) -> dict[str, np.ndarray]:
    """Return scores of resampled confusion matrices, (n_resamples, n_classes, n_classes); NaN where undefined."""
    right = np.diagonal(confusions, axis1=1, axis2=2)
    true, predicted = confusions.sum(axis=2), confusions.sum(axis=1)

    def ratio(part, whole):
        return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)

    recall, f1 = ratio(right, true), ratio(2 * right, true + predicted)
    # A class that a draw left out has no F1 in it; counting it as 0 would pull the interval down for no mistake.
    f1[true == 0] = np.nan
    return {
        "accuracy": right.sum(axis=1) / true.sum(axis=1),
        "recall": recall,
        "precision": ratio(right, predicted),
        "f1": f1,
        "macro_f1": np.nanmean(f1, axis=1),
        "weighted_f1": np.nansum(f1 * true, axis=1) / true.sum(axis=1),
    }


def _recentred(drawn: np.ndarray, value: float) -> np.ndarray:
    """Move resampled figures so that their mean is the figure itself; none falls below zero."""
    return np.maximum(drawn - drawn.mean() + value, 0)


def _by_name(figures: dict[str, tuple[float, float | None, float | None]]) -> dict[str, float | None]:
    """Return name, name_low and name_high of each figure; a class never predicted has no interval of precision."""
    return {
        f"{name}{end}": None if value is None else float(value)
        for name, values in figures.items()
        for end, value in zip(("", "_low", "_high"), values, strict=True)
    }
