"""Which answers are right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emo_utils.errors import DataError
from emo_utils.evaluation.checks import check_predictions


def right_answers(labels: np.ndarray, probabilities: np.ndarray, class_names: Sequence[str]) -> np.ndarray:
    """Return a bool array of shape (n,), True where the most probable class is the label.

    Args:
        labels: int array of shape (n,). Not every class needs a face, as parts of a test set are asked about.
        probabilities: float array of shape (n, n_classes), rows summing to one.
        class_names: in label order.

    Raises:
        DataError: see `check_predictions`; or the columns are not as many as the classes.
    """
    check_predictions(labels, probabilities)
    if probabilities.shape[1] != len(class_names):
        raise DataError(
            f"The model gives {probabilities.shape[1]} probabilities a face, and the data has {len(class_names)} "
            "classes. Select the model's classes from the data: data.select(class_names)."
        )
    return probabilities.argmax(axis=1) == labels
