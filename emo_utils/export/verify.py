"""Check an exported file against the Keras model on the same faces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emo_utils.atomic import replacing
from emo_utils.datasets.base import FaceDataset
from emo_utils.errors import DataError, ModelError
from emo_utils.evaluation import predict_probabilities
from emo_utils.export.run import run_tflite
from emo_utils.export.tflite import convert_tflite
from emo_utils.quantise.calibration import calibration_images

# Float files repeat the arithmetic in another order; int8 files round every activation to 256 levels, which in
# MobileNetV3Small moves a tenth of the answers on FER2013.
MIN_AGREEMENT = {
    "float32": 0.999,
    "float16": 0.99,
    "dynamic": 0.95,
    "int8": 0.85,
    "int8x16": 0.95,
    "int4": 0.5,
    "onnx": 0.999,
}
# Of any value, as a share of the largest if that is above one. A file may name the right classes and still have lost
# its softmax, and with it the meaning of its calibration. Formats with integers in them move single values far.
MAX_DIFFERENCE = {"float32": 1e-3, "float16": 0.05, "onnx": 1e-3}


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
        before: float array of shape (n, n_classes), of the Keras model; logits serve as well.
        after: the same of the exported file.
        data: the faces, for their labels.
        format: a key of `MIN_AGREEMENT`.

    Raises:
        ModelError: values that are not finite, fewer faces with the same class than `MIN_AGREEMENT` says, or a larger
            difference than `MAX_DIFFERENCE`: the file does not do what the model does.
    """
    for values, whose in ((before, "model"), (after, f"{format} file")):
        if not np.isfinite(values).all():
            raise ModelError(f"The {whose} gives NaN or infinity for ordinary faces. Are its weights damaged?")
    same = before.argmax(axis=1) == after.argmax(axis=1)
    result = Verification(
        n=len(data),
        max_difference=float(np.abs(before - after).max()),
        agreement=float(same.mean()),
        accuracy_before=float(np.mean(before.argmax(axis=1) == data.labels)),
        accuracy_after=float(np.mean(after.argmax(axis=1) == data.labels)),
    )
    # One face of a small set may sit on the fence between two classes.
    others = (~same).sum() > max(1, (1 - MIN_AGREEMENT[format]) * len(data))
    far = result.max_difference > MAX_DIFFERENCE.get(format, np.inf) * max(1.0, float(np.abs(before).max()))
    if others or far:
        remedy = (
            "Take more calibration images, of all classes."
            if format.startswith("int8")
            else "Were both given the same faces, in the range and layout that the file wants?"
        )
        raise ModelError(
            f"The {format} file does not agree with its model: {result}. At least {MIN_AGREEMENT[format]:.1%} of faces "
            f"must get the same class{', with the same probabilities' if format in MAX_DIFFERENCE else ''}. {remedy}"
        )
    return result


def export_all(
    model,
    data: FaceDataset,
    folder: str | Path,
    formats: Sequence[str] = ("float32", "int8"),
    *,
    name: str = "model",
    metadata: dict[str, Any] | None = None,
) -> Iterator[tuple[Path, Verification]]:
    """Write <name>_<format>.tflite for each format, checking each on the test part.

    Args:
        model: grey input, probabilities out.
        data: with a "test" part to check on and a "train" part to calibrate on.
        folder: made if missing; files of the same name are replaced.
        formats: of `emo_utils.export.FORMATS`.
        name: what the files are called.
        metadata: from `file_metadata`, stored inside.

    Yields:
        (path, verification) of each file, as it is done.

    Raises:
        DataError: a part is missing.
        ModelError: a file does not agree with the model; an earlier file of that name is left as it was.
        EmoUtilsError: see `export_tflite`.
    """
    folder = Path(folder)
    test, train = data.part("test"), data.part("train")
    if not len(test) or not len(train):
        raise DataError(f"{data.name} needs a train and a test part for export. Split it with split_dataset.")
    folder.mkdir(parents=True, exist_ok=True)
    before = predict_probabilities(model, test.images)
    calibration = calibration_images(train)
    for format, content in convert_tflite(model, formats, calibration=calibration, metadata=metadata):
        path = folder / f"{name}_{format}.tflite"
        with replacing(path) as draft:
            draft.write_bytes(content)
            verification = verify_export(before, run_tflite(draft, test.images), test, format)
        yield path, verification
