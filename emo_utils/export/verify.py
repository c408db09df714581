"""Check an exported file against the Keras model on the same faces."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emo_utils.datasets.base import FaceDataset
from emo_utils.errors import DataError, ModelError
from emo_utils.evaluation import predict_probabilities
from emo_utils.export.tflite import FORMATS, export_tflite, run_tflite
from emo_utils.quantise.calibration import calibration_images

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


def export_all(model, data: FaceDataset, folder: str | Path) -> Iterator[tuple[Path, Verification]]:
    """Write model_float32.tflite and model_int8.tflite, checking each on the test part.

    Args:
        model: grey input, probabilities out.
        data: with a "test" part to check on and a "train" part to calibrate on.
        folder: made if missing; files of the same name are replaced.

    Yields:
        (path, verification) of each file, as it is done.

    Raises:
        DataError: a part is missing.
        ModelError: a file does not agree with the model; an earlier file of that name is left as it was.
    """
    folder = Path(folder)
    test, train = data.part("test"), data.part("train")
    if not len(test) or not len(train):
        raise DataError(f"{data.name} needs a train and a test part for export. Split it with split_dataset.")
    before = predict_probabilities(model, test.images)
    calibration = calibration_images(train)
    for format in FORMATS:
        path = folder / f"model_{format}.tflite"
        draft = export_tflite(model, folder / f".draft_{format}.tflite", format, calibration=calibration)
        try:
            verification = verify_export(before, run_tflite(draft, test.images), test, format)
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        yield path, verification
