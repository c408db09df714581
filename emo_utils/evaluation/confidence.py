"""What a model file says of its confidence: how to make it honest, and when to answer "not sure"."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from emo_utils.errors import DataError, ModelError
from emo_utils.evaluation.calibration import TEMPERATURES, apply_temperature, fit_temperature, undo_label_smoothing
from emo_utils.evaluation.selective import choose_threshold

WANTED_ACCURACY = 0.8


@dataclass(frozen=True)
class Calibration:
    """How to read a model's probabilities; fitted on validation faces and stored with the model.

    Attributes:
        temperature: the logits are divided by it, see `apply_temperature`.
        label_smoothing: of the training, undone before that, see `undo_label_smoothing`.
        not_sure_below: scaled confidence under which the answer should be "not sure"; None where no confidence reached
            the wanted accuracy on the validation faces.
        wanted_accuracy: share of right answers, among those given, that the threshold was chosen for.
        n: validation faces it was fitted on.
    """

    temperature: float
    label_smoothing: float
    not_sure_below: float | None
    wanted_accuracy: float
    n: int

    def apply(self, probabilities: np.ndarray) -> np.ndarray:
        """Return honest probabilities for those that the model gives: float64, same shape, same answers."""
        return apply_temperature(undo_label_smoothing(probabilities, self.label_smoothing), self.temperature)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values, for the key "calibration" of a model file's info."""
        return asdict(self)


def calibrate(
    labels: np.ndarray,
    probabilities: np.ndarray,
    *,
    label_smoothing: float = 0.0,
    wanted_accuracy: float = WANTED_ACCURACY,
) -> Calibration:
    """Fit temperature and threshold on validation faces, which the model has not been trained on.

    Args:
        labels: int array of shape (n,).
        probabilities: float array of shape (n, n_classes), as the model gives them.
        label_smoothing: of the model's training.
        wanted_accuracy: share of right answers among those given.

    Raises:
        DataError: the probabilities, the smoothing or the wanted accuracy are not what they should be.
    """
    if not 0 < wanted_accuracy <= 1:
        raise DataError(f"The wanted accuracy must lie above 0 and at most at 1. Got {wanted_accuracy!r}.")
    temperature = fit_temperature(labels, undo_label_smoothing(probabilities, label_smoothing))
    found = Calibration(temperature, label_smoothing, None, wanted_accuracy, len(labels))
    try:
        threshold = choose_threshold(labels, found.apply(probabilities), wanted_accuracy)
    except DataError:  # a poor model, which has no such threshold
        return found
    return replace(found, not_sure_below=threshold)


def stored_calibration(info: dict[str, Any], path: str | Path) -> Calibration | None:
    """Return the calibration in a model file's info, None where it has none.

    Args:
        info: from `load_model`.
        path: of the file, for messages.

    Raises:
        ModelError: it is there, but makes no sense.
    """
    stored = info.get("calibration")
    if stored is None:
        return None
    try:
        calibration = Calibration(**stored)
        lowest, highest = TEMPERATURES
        sound = lowest <= calibration.temperature <= highest and 0 <= calibration.label_smoothing < 1
        sound = sound and (calibration.not_sure_below is None or 0 <= calibration.not_sure_below <= 1)
        sound = sound and 0 < calibration.wanted_accuracy <= 1 and calibration.n > 0
    except TypeError:
        sound = False
    if not sound:
        raise ModelError(
            f"{path}: its calibration makes no sense ({stored}). Run `python -m emo_utils calibrate` on it."
        )
    return calibration
