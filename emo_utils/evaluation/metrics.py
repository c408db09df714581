"""Figures of a classifier from labels and probabilities, each with a 95 % bootstrap interval where it makes claims.

Names follow scikit-learn: a score is better when higher, an error or loss when lower.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

from emo_utils.errors import DataError

ECE_BINS = 15


def classification_metrics(
    labels: np.ndarray,
    probabilities: np.ndarray,
    class_names: Sequence[str],
    *,
    n_resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """Compute the figures of one classifier on one test part.

    Args:
        labels: int array of shape (n,), index into `class_names`.
        probabilities: float array of shape (n, n_classes), rows summing to one.
        class_names: in label order.
        n_resamples: bootstrap resamples for the intervals.
        seed: of the bootstrap.

    Returns:
        accuracy, macro_f1 (each also with _low and _high), worst_class, worst_class_recall, ece, nll, n;
        per_class: {class: {precision, recall, recall_low, recall_high, f1, support}}; confusion: counts, rows true,
        columns predicted. A class without a face in the test part has recall None, and is left out of macro_f1.

    Raises:
        DataError: shapes do not fit, NaN, rows that do not sum to one, or no faces.

    >>> m = classification_metrics(np.array([0, 0, 1, 1]), np.eye(2)[[0, 0, 1, 0]], ["happy", "sad"])
    >>> m["accuracy"], m["worst_class"], m["per_class"]["sad"]["recall"]
    (0.75, 'sad', 0.5)
    """
    _check(labels, probabilities, class_names)
    n, n_classes = probabilities.shape
    probabilities = probabilities.astype(np.float64) / probabilities.sum(axis=1, keepdims=True, dtype=np.float64)
    predicted = probabilities.argmax(axis=1)
    counts = confusion_matrix(labels, predicted, labels=np.arange(n_classes))
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, predicted, labels=np.arange(n_classes), zero_division=0
    )
    present = support > 0
    draws = _bootstrap_confusions(counts, n_resamples, seed)
    boot = _scores(draws, present)
    per_class = {}
    for i, name in enumerate(class_names):
        low, high = _interval(boot["recall"][:, i]) if present[i] else (None, None)
        per_class[name] = {
            "precision": float(precision[i]),
            "recall": float(recall[i]) if present[i] else None,
            "recall_low": low,
            "recall_high": high,
            "f1": float(f1[i]),
            "support": int(support[i]),
        }
    worst = int(np.where(present, recall, np.inf).argmin())
    accuracy_low, accuracy_high = _interval(boot["accuracy"])
    f1_low, f1_high = _interval(boot["macro_f1"])
    return {
        "accuracy": float(np.mean(predicted == labels)),
        "accuracy_low": accuracy_low,
        "accuracy_high": accuracy_high,
        "macro_f1": float(f1[present].mean()),
        "macro_f1_low": f1_low,
        "macro_f1_high": f1_high,
        "worst_class": class_names[worst],
        "worst_class_recall": float(recall[worst]),
        "ece": expected_calibration_error(labels, probabilities),
        "nll": float(log_loss(labels, probabilities, labels=np.arange(n_classes))),
        "n": int(n),
        "per_class": per_class,
        "confusion": counts.tolist(),
    }


def expected_calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int = ECE_BINS) -> float:
    """Return the mean gap between confidence and accuracy over equally wide bins of confidence (Guo et al. 2017).

    Args:
        labels: int array of shape (n,).
        probabilities: float array of shape (n, n_classes).
        bins: number of bins; the value depends on it.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    which = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gap = np.bincount(which, weights=correct - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(labels))


def _bootstrap_confusions(counts: np.ndarray, n_resamples: int, seed: int) -> np.ndarray:
    """Return confusion matrices of shape (n_resamples, n_classes, n_classes).

    Drawing n faces with replacement draws the cells of the confusion matrix from a multinomial distribution; drawing
    the cells at once is the same bootstrap without touching single faces.
    """
    n = counts.sum()
    draws = np.random.default_rng(seed).multinomial(n, counts.ravel() / n, size=n_resamples)
    return draws.reshape(n_resamples, *counts.shape)


def _scores(confusions: np.ndarray, present: np.ndarray) -> dict[str, np.ndarray]:
    diagonal = np.diagonal(confusions, axis1=1, axis2=2)
    true, predicted = confusions.sum(axis=2), confusions.sum(axis=1)
    recall = np.divide(diagonal, true, out=np.full(diagonal.shape, np.nan), where=true > 0)
    both = true + predicted
    f1 = np.divide(2 * diagonal, both, out=np.zeros(diagonal.shape), where=both > 0)
    return {
        "accuracy": diagonal.sum(axis=1) / confusions.sum(axis=(1, 2)),
        "recall": recall,
        "macro_f1": f1[:, present].mean(axis=1),
    }


def _interval(values: np.ndarray) -> tuple[float, float]:
    """Return the 2.5 and 97.5 percentiles."""
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


def _check(labels: np.ndarray, probabilities: np.ndarray, class_names: Sequence[str]) -> None:
    if probabilities.ndim != 2 or len(labels) != len(probabilities) or probabilities.shape[1] != len(class_names):
        raise DataError(
            f"probabilities must have shape ({len(labels)}, {len(class_names)}): a row a face, a column a class. "
            f"Got {probabilities.shape}."
        )
    if len(labels) == 0:
        raise DataError("There are no faces to evaluate on. Is the test part empty?")
    if not np.isfinite(probabilities).all():
        bad = int((~np.isfinite(probabilities).all(axis=1)).sum())
        raise DataError(
            f"{bad} of {len(labels)} rows of probabilities hold NaN or infinity. Has the training diverged?"
        )
    sums = probabilities.sum(axis=1)
    if np.abs(sums - 1).max() > 1e-3 or probabilities.min() < -1e-6:
        raise DataError(
            f"Each row of probabilities must sum to one. Got sums from {sums.min():.3f} to {sums.max():.3f}. "
            "Are these logits? Apply a softmax first."
        )
