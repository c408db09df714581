"""Which faces are worth a look."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import entropy

from emo_utils.evaluation.checks import check_predictions


def most_confident_errors(labels: np.ndarray, probabilities: np.ndarray, n: int = 16) -> np.ndarray:
    """Return the index of up to n wrongly classified faces, the most confident first.

    They show label errors as well as what the model has not understood.

    Args:
        labels: int array of shape (n_faces,).
        probabilities: float array of shape (n_faces, n_classes).
        n: how many at most; with fewer errors, all of them.

    >>> most_confident_errors(np.array([0, 0, 1]), np.array([[0.4, 0.6], [0.9, 0.1], [0.8, 0.2]]))
    array([2, 0])
    """
    check_predictions(labels, probabilities)
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(-confidence[wrong], kind="stable")][:n]


def most_uncertain(probabilities: np.ndarray, n: int = 16) -> np.ndarray:
    """Return the index of the n faces whose probabilities have the highest entropy, the highest first.

    Args:
        probabilities: float array of shape (n_faces, n_classes).
        n: how many at most.

    >>> most_uncertain(np.array([[0.9, 0.1], [0.5, 0.5], [0.6, 0.4]]), 2)
    array([1, 2])
    """
    check_predictions(probabilities.argmax(axis=1), probabilities)
    return np.argsort(-entropy(probabilities, axis=1), kind="stable")[:n]


def captions(labels: np.ndarray, probabilities: np.ndarray, class_names: Sequence[str]) -> list[str]:
    r"""Return what to write above each face, in two lines: the true class, the predicted one and its confidence.

    >>> captions(np.array([0]), np.array([[0.25, 0.75]]), ["happy", "sad"])
    ['happy\n→ sad 75%']
    """
    predicted = probabilities.argmax(axis=1)
    return [
        f"{class_names[true]}\n→ {class_names[said]} {row[said]:.0%}"
        for true, said, row in zip(labels, predicted, probabilities, strict=True)
    ]
