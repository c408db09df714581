"""Calibration: of the answers given with a confidence of 70 %, are 70 % right? And one number that mends most of it.

C. Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from emo_utils.errors import DataError
from emo_utils.evaluation.checks import check_predictions
from emo_utils.evaluation.resampling import bootstrap_sums

ECE_BINS = 15
TEMPERATURES = (0.1, 10.0)
# A network can fall below the least probability that label smoothing asks for. Of 1e-2 to 1e-6 this gave the least
# validation NLL for the course's FER2013 model.
_LEAST_UNSMOOTHED = 1e-3


def reliability(
    labels: np.ndarray, probabilities: np.ndarray, *, groups: np.ndarray | None = None, bins: int = ECE_BINS
) -> dict[str, Any]:
    """Compare confidence with accuracy, bin by bin.

    Args:
        labels: int array of shape (n,).
        probabilities: float array of shape (n, n_classes), rows summing to one.
        groups: array of shape (n,); intervals are then over whole groups.
        bins: equally wide bins of confidence.

    Returns:
        Arrays of shape (bins,): count, confidence (mean), accuracy, low and high (its 95 % interval), NaN where a bin
        is empty; edges, of shape (bins + 1,); ece, a number (see `expected_calibration_error`).
    """
    which, confidence, correct = _by_bin(labels, probabilities, bins)
    member = np.eye(bins)[which]
    count = member.sum(axis=0)
    sums = bootstrap_sums(np.hstack([member, member * correct[:, None]]), groups=groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = sums[:, bins:] / sums[:, :bins]
        means = (member * confidence[:, None]).sum(axis=0) / count
        shares = (member * correct[:, None]).sum(axis=0) / count
    low, high = np.full((2, bins), np.nan)
    used = count > 0
    low[used], high[used] = np.nanpercentile(drawn[:, used], [2.5, 97.5], axis=0)
    return {
        "edges": np.linspace(0, 1, bins + 1),
        "count": count.astype(int),
        "confidence": means,
        "accuracy": shares,
        "low": low,
        "high": high,
        "ece": expected_calibration_error(labels, probabilities, bins),
    }


def expected_calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int = ECE_BINS) -> float:
    """Return the mean gap between confidence and accuracy over equally wide bins of confidence.

    Args:
        labels: int array of shape (n,).
        probabilities: float array of shape (n, n_classes).
        bins: number of bins; the value depends on it.
    """
    return float(np.abs(calibration_gaps(labels, probabilities, bins).sum(axis=0)).sum() / len(labels))


def calibration_gaps(labels: np.ndarray, probabilities: np.ndarray, bins: int = ECE_BINS) -> np.ndarray:
    """Return right (0 or 1) minus confidence of each face in the column of its bin: float array of shape (n, bins).

    The ECE of any set of faces is the sum of the absolute column sums over their number.
    """
    which, confidence, correct = _by_bin(labels, probabilities, bins)
    return np.eye(bins)[which] * (correct - confidence)[:, None]


def ece_of_calibrated(probabilities: np.ndarray, *, bins: int = ECE_BINS, seed: int = 0) -> tuple[float, float]:
    """Return what ECE a perfectly calibrated model with the same confidences would show on so many faces.

    ECE takes absolute values, so chance alone keeps it above zero, the more the fewer the faces. Here answers are
    drawn to be right exactly as often as the confidence says.

    Args:
        probabilities: float array of shape (n, n_classes).
        bins: as for the ECE it is compared with.
        seed: of the draws.

    Returns:
        Mean and 95th percentile over 1,000 draws: an ECE above the latter is not chance.
    """
    which, confidence, _ = _by_bin(np.zeros(len(probabilities), int), probabilities, bins)
    rng = np.random.default_rng(seed)
    member = np.eye(bins)[which]
    draws = [
        np.abs(((rng.random((100, len(which))) < confidence) - confidence) @ member).sum(axis=1) for _ in range(10)
    ]
    errors = np.concatenate(draws) / len(which)
    return float(errors.mean()), float(np.percentile(errors, 95))


def brier_scores(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return the squared distance to the true answer by face, shape (n,): 0 best, 2 surely wrong (Brier 1950)."""
    return ((probabilities - np.eye(probabilities.shape[1])[labels]) ** 2).sum(axis=1)


def log_losses(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return the negative log-likelihood by face, in nats, shape (n,); finite even for a probability of zero."""
    likelihood = probabilities[np.arange(len(labels)), labels]
    return -np.log(np.maximum(likelihood, np.finfo(np.float64).tiny))


def fit_temperature(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Find the temperature that makes probabilities honest, by the likelihood of the validation labels.

    Fit it on validation faces: on training faces the model is right too often, and the test part is for reporting.

    Args:
        labels: int array of shape (n,).
        probabilities: float array of shape (n, n_classes).

    Returns:
        Above 1 for a model that is too sure of itself, below 1 for one that is too modest; between 0.1 and 10. It
        runs to these ends where all answers are right, or are worth no more than guesses; it is 1 where no temperature
        is likelier. No answer changes by it, only the confidence.

    Raises:
        DataError: the probabilities or labels are not what they should be.
    """
    from scipy.optimize import minimize_scalar  # a third of a second to import

    check_predictions(labels, probabilities)
    bounds = tuple(np.log(TEMPERATURES))

    def loss(log_temperature: float) -> float:
        return log_losses(labels, apply_temperature(probabilities, np.exp(log_temperature))).mean()

    found = minimize_scalar(loss, bounds=bounds, method="bounded")
    return float(np.exp(found.x)) if found.fun < loss(0.0) else 1.0


def apply_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return the probabilities that logits divided by the temperature would have given; shape and order stay.

    Raises:
        DataError: the temperature is not above zero.

    >>> apply_temperature(np.array([[0.8, 0.2]]), 2.0).round(3).tolist()
    [[0.667, 0.333]]
    """
    if not temperature > 0:
        raise DataError(f"A temperature must be above zero. Got {temperature!r}.")
    probabilities = np.asarray(probabilities, dtype=np.float64)
    logits = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def undo_label_smoothing(probabilities: np.ndarray, smoothing: float) -> np.ndarray:
    """Return what a model would say had its targets not been smoothed.

    Trained on targets (1 - s) y + s / k, the probabilities that minimise cross-entropy are (1 - s) p + s / k with the
    true p: sure answers come out too modest, which no single temperature mends without making the others worse.
    Solved for p (on smoothing and confidence: R. Müller et al., "When Does Label Smoothing Help?", NeurIPS 2019).

    Args:
        probabilities: float array of shape (n, n_classes).
        smoothing: s, the `label_smoothing` of the recipe, 0 to less than 1.

    Raises:
        DataError: a smoothing out of range.

    >>> undo_label_smoothing(np.array([[0.95, 0.05]]), 0.1).round(3).tolist()
    [[0.999, 0.001]]
    """
    if not 0 <= smoothing < 1:
        raise DataError(f"Label smoothing must be at least 0 and below 1. Got {smoothing!r}.")
    probabilities = np.asarray(probabilities, dtype=np.float64)
    if smoothing == 0:
        return probabilities
    clear = (probabilities - smoothing / probabilities.shape[1]) / (1 - smoothing)
    clear = np.maximum(clear, _LEAST_UNSMOOTHED)
    return clear / clear.sum(axis=1, keepdims=True)


def _by_bin(labels, probabilities, bins) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return bin, confidence and whether right, each of shape (n,); a bin holds its upper edge."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    return np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1), confidence, correct
