"""Check an exported file against the Keras model on the same faces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emo_utils.datasets.base import FaceDataset
from emo_utils.errors import ModelError

# Float files repeat the arithmetic in another order; int8 files round every activation to 256 levels.
MIN_AGREEMENT = {"float32": 0.999, "int8": 0.9}


@dataclass(frozen=True)
class Verification:
    """How an exported file compares with the model it was made from.

    Attributes:
        n: number of faces.
        max_difference: largest difference of any probability.
        agreement: share of faces with the same predicted class.
        accuracy_before: of the Keras model, on these faces.
        accuracy_after: of the exported file, on the same faces.
    """

    n: int
    max_difference: float
    agreement: float
    accuracy_before: float
    accuracy_after: float

    def __str__(self) -> str:
        return (
            f"n {self.n}, same class {self.agreement:.1%}, largest difference {self.max_difference:.2g}, "
            f"accuracy {self.accuracy_before:.1%} -> {self.accuracy_after:.1%}"
        )


def verify_export(before: np.ndarray, after: np.ndarray, data: FaceDataset, format: str) -> Verification:
    """Compare probabilities before and after export.

    Args:
        before: float array of shape (n, n_classes), of the Keras model.
        after: the same of the exported file.
        data: the faces, for their labels.
        format: a key of `MIN_AGREEMENT`.

    Raises:
        ModelError: fewer faces than `MIN_AGREEMENT` says get the same class: the file does not do what the model does.
    """
    same = before.argmax(axis=1) == after.argmax(axis=1)
    result = Verification(
        n=len(data),
        max_difference=float(np.abs(before - after).max()),
        agreement=float(same.mean()),
        accuracy_before=float(np.mean(before.argmax(axis=1) == data.labels)),
        accuracy_after=float(np.mean(after.argmax(axis=1) == data.labels)),
    )
    # One face of a small set may sit on the fence between two classes.
    if (~same).sum() > max(1, (1 - MIN_AGREEMENT[format]) * len(data)):
        raise ModelError(
            f"The {format} file does not agree with its model: {result}. At least {MIN_AGREEMENT[format]:.1%} of faces "
            "must get the same class. For int8, take more calibration images, of all classes."
        )
    return result
