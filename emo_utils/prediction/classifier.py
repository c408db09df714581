"""A model file, ready to be asked about faces: a .tflite file by LiteRT, without Keras, or a .keras file by Keras."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from emo_utils.errors import ModelError
from emo_utils.evaluation.confidence import Calibration, stored_calibration
from emo_utils.export.metadata import read_metadata
from emo_utils.models.info import DEFAULT_MODEL, find_model_file, model_class_names, read_info
from emo_utils.paths import course_root


@dataclass(frozen=True)
class Classifier:
    """A model with all it takes to read its answers.

    Attributes:
        name: the file's name without its ending.
        class_names: in the order of the columns.
        input_size: side of the faces it takes, in pixels.
        not_sure_below: least confidence of an answer that counts. 0 for a model without calibration; 1 for one that
            was not right often enough at any confidence.
        path: of the file.
    """

    name: str
    class_names: tuple[str, ...]
    input_size: int
    not_sure_below: float
    path: Path
    _calibration: Calibration | None = field(repr=False)
    _run: Callable[[np.ndarray], np.ndarray] = field(repr=False)

    def __call__(self, faces: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities.

        Args:
            faces: uint8 array of shape (n, input_size, input_size).

        Returns:
            float array of shape (n, n_classes), the same as `predict_probabilities` with the model's calibration.

        Raises:
            ModelError: the model's outputs are no probabilities.
        """
        probabilities = self._run(faces)
        # Rounded to 8 bits, the outputs of ten classes may miss one by as much as 10 / 512.
        if not np.isfinite(probabilities).all() or (np.abs(probabilities.sum(axis=1) - 1) > 0.03).any():
            raise ModelError(
                f"{self.path}: its outputs are no probabilities. Is it a classifier that ends in a softmax?"
            )
        return probabilities if self._calibration is None else self._calibration.apply(probabilities)


def open_classifier(model: str | Path | Classifier | None = None) -> Classifier:
    """Open a model for prediction.

    Args:
        model: a .tflite or .keras file of this course, or the name of one in model/, with its ending or without
            ("embedded-small-cnn", "embedded-small-cnn-int8"), which prefers .tflite; None means the one for
            photographs. A classifier is returned as it is.

    Raises:
        ModelError: no such file, or not one of this course.
        EmoUtilsError: LiteRT, which runs .tflite files, is not installed.
    """
    if isinstance(model, Classifier):
        return model
    path = _find(DEFAULT_MODEL if model is None else model)
    read = {".tflite": _tflite, ".keras": _keras}.get(path.suffix)
    if read is None:
        raise ModelError(f"{path}: prediction takes .tflite and .keras files.")
    info, size, n_classes, run = read(path)
    names = model_class_names(info, path)
    if len(names) != n_classes:
        raise ModelError(f"{path}: {n_classes} outputs but {len(names)} class names. Export it anew.")
    calibration = stored_calibration({"calibration": info.get("calibration") or None}, path)
    return Classifier(path.stem, names, size, _threshold(calibration), path, calibration, run)


def keras_twin(classifier: Classifier) -> Path:
    """Return the path of the .keras file that a .tflite file was made from: beside it, of the same name.

    Raises:
        ModelError: it is not there, or is another model's.
    """
    if classifier.path.suffix == ".keras":
        return classifier.path
    path = classifier.path.with_name(classifier.path.stem.removesuffix("-int8") + ".keras")
    if not path.is_file():
        raise ModelError(
            f"{classifier.path}: an explanation needs gradients, so put its Keras file beside it: {path.name}."
        )
    info, twin_info = read_metadata(classifier.path), read_info(path)
    runs = info.get("run_id"), twin_info.get("run_id")
    other_run = all(runs) and runs[0] != runs[1]
    if other_run or model_class_names(twin_info, path) != classifier.class_names:
        raise not_its_twin(path, classifier)
    return path


def not_its_twin(path: Path, classifier: Classifier) -> ModelError:
    """Return the error of a Keras file that lies where a model's twin should and holds another model."""
    return ModelError(
        f"{path}: not the model that {classifier.path.name} was made from, so it cannot explain its answers. Put that "
        "one there, or export the file anew."
    )


def shipped_models() -> list[str]:
    """Return the names of the models in model/ that `open_classifier` takes, the default first."""
    names = {path.stem for suffix in ("tflite", "keras") for path in (course_root() / "model").glob(f"*.{suffix}")}
    return sorted(names, key=lambda name: (name != DEFAULT_MODEL, name))


def _find(model: str | Path) -> Path:
    try:
        return find_model_file(model, (".tflite", ".keras"))
    except ModelError:
        names = ", ".join(shipped_models())
        raise ModelError(f"{model}: no such model file. Give a .tflite or .keras file, or one of {names}.") from None


def _threshold(calibration: Calibration | None) -> float:
    if calibration is None:
        return 0.0
    return 1.0 if calibration.not_sure_below is None else calibration.not_sure_below


def _tflite(path: Path):
    from emo_utils.export.run import TFLiteModel

    info, model = read_metadata(path), TFLiteModel(path)

    def run(faces: np.ndarray) -> np.ndarray:
        outputs = [model.dequantise(model.run(face)) for face in model.quantise(faces)]
        return np.array(outputs, np.float32).reshape(-1, model.n_classes)

    return info, model.size, model.n_classes, run


def _keras(path: Path):
    from emo_utils.evaluation.evaluate import face_size, predict_probabilities
    from emo_utils.models.files import load_model

    model, info = load_model(path)
    try:
        size = face_size(model)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    return info, size, model.output_shape[-1], lambda faces: predict_probabilities(model, faces)
