"""What every figure asks of labels and probabilities before it is computed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emo_utils.errors import DataError


def check_predictions(labels: np.ndarray, probabilities: np.ndarray, class_names: Sequence[str] | None = None) -> None:
    """Refuse what would give a silently wrong figure.

    Args:
        labels: int array of shape (n,).
        probabilities: float array of shape (n, n_classes), rows summing to one.
        class_names: in label order; each must have a face. None asks only for labels within the columns.

    Raises:
        DataError: shapes do not fit, fewer than two faces, NaN, rows that do not sum to one, a class without a face.
    """
    labels, probabilities = np.asarray(labels), np.asarray(probabilities)
    n_classes = len(class_names) if class_names is not None else probabilities.shape[-1]
    if probabilities.ndim != 2 or len(labels) != len(probabilities) or probabilities.shape[1] != n_classes:
        raise DataError(
            f"probabilities must have shape ({len(labels)}, {n_classes}): a row a face, a column a class. "
            f"Got {probabilities.shape}."
        )
    if len(labels) < 2:
        what = "There is one face" if len(labels) else "There are no faces"
        raise DataError(f"{what} to evaluate on, and a figure with an interval needs two. Is the test part complete?")
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
    if labels.min() < 0 or labels.max() >= n_classes:
        raise DataError(f"Labels must be 0 to {n_classes - 1}. Got {labels.min()} to {labels.max()}.")
    if class_names is not None:
        support = np.bincount(labels, minlength=n_classes)
        missing = [name for name, n in zip(class_names, support, strict=True) if n == 0]
        if missing:
            raise DataError(
                f"No face to evaluate on shows {', '.join(missing)}, so a mean over the classes would be one over "
                "others. Add such faces, or leave the class out of data and model: data.select(classes)."
            )
