""" "Not sure" as an answer: fewer faces, fewer mistakes.

Y. Geifman, R. El-Yaniv, "Selective Classification for Deep Neural Networks" (NeurIPS 2017).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from emo_utils.errors import DataError
from emo_utils.evaluation.checks import check_predictions
from emo_utils.evaluation.resampling import bootstrap_sums, interval


def risk_coverage(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, Any]:
    """Answer the surest faces first: how many mistakes come with how many answers?

    Args:
        labels: int array of shape (n,).
        probabilities: float array of shape (n, n_classes).

    Returns:
        coverage (share of the faces answered), risk (share of these answers that are wrong) and threshold (the least
        confidence answered), arrays of the same length, a point a distinct confidence; aurc, the area under risk over
        coverage, lower is better; equally sure faces count as if answered in random order.
    """
    check_predictions(labels, probabilities)
    confidence = probabilities.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    wrong = (probabilities.argmax(axis=1) != labels)[order]
    answered = np.arange(1, len(labels) + 1)
    risk = np.cumsum(wrong) / answered
    # Equally sure faces are answered together or not at all.
    last = np.append(np.diff(confidence[order]) != 0, True)
    _, tie, sizes = np.unique(-confidence[order], return_inverse=True, return_counts=True)
    expected = np.cumsum((np.bincount(tie, weights=wrong) / sizes)[tie]) / answered
    return {
        "coverage": (answered / len(labels))[last],
        "risk": risk[last],
        "threshold": confidence[order][last],
        "aurc": float(expected.mean()),
    }


def choose_threshold(labels: np.ndarray, probabilities: np.ndarray, accuracy: float) -> float:
    """Return the least confidence at which the answers given are right as often as asked. Choose it on validation.

    Args:
        labels: int array of shape (n,).
        probabilities: float array of shape (n, n_classes), after scaling if the threshold is to be used on scaled ones.
        accuracy: wanted share of right answers among those given, between 0 and 1.

    Returns:
        The threshold with the most faces answered; 0 where the model is good enough on all of them.

    Raises:
        DataError: not even the surest answers are right so often.
    """
    if not 0 < accuracy <= 1:
        raise DataError(f"The wanted accuracy must lie above 0 and at most at 1. Got {accuracy!r}.")
    curve = risk_coverage(labels, probabilities)
    good = np.flatnonzero(curve["risk"] <= 1 - accuracy + 1e-12)
    if not len(good):
        raise DataError(
            f"No confidence makes {accuracy:.0%} of the answers right. Ask for less, or train a better model."
        )
    return 0.0 if good[-1] == len(curve["risk"]) - 1 else float(curve["threshold"][good[-1]])


def selective_metrics(
    labels: np.ndarray, probabilities: np.ndarray, threshold: float, *, groups: np.ndarray | None = None
) -> dict[str, Any]:
    """Return what a threshold does: coverage and accuracy of the answers given, each with its 95 % interval.

    Args:
        labels: int array of shape (n,).
        probabilities: float array of shape (n, n_classes).
        threshold: faces with a lower confidence get the answer "not sure".
        groups: array of shape (n,); intervals are then over whole groups.

    Returns:
        coverage, coverage_low, coverage_high, accuracy, accuracy_low, accuracy_high, n_answered, n, threshold; the
        accuracies are None where no face is answered.
    """
    check_predictions(labels, probabilities)
    answered = probabilities.max(axis=1) >= threshold
    right = answered & (probabilities.argmax(axis=1) == labels)
    sums = bootstrap_sums(np.stack([answered, right, np.ones(len(labels))], axis=1), groups=groups)
    coverage_low, coverage_high = interval(sums[:, 0] / sums[:, 2])
    n_answered = int(answered.sum())
    low = high = None
    if n_answered:
        low, high = interval(sums[sums[:, 0] > 0, 1] / sums[sums[:, 0] > 0, 0])
    return {
        "coverage": float(answered.mean()),
        "coverage_low": coverage_low,
        "coverage_high": coverage_high,
        "accuracy": float(right.sum() / n_answered) if n_answered else None,
        "accuracy_low": low,
        "accuracy_high": high,
        "n_answered": n_answered,
        "n": len(labels),
        "threshold": float(threshold),
    }
