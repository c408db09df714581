"""Evaluate a model on faces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emo_utils.atomic import replacing
from emo_utils.datasets.base import FaceDataset
from emo_utils.errors import ModelError
from emo_utils.evaluation.confidence import Calibration
from emo_utils.evaluation.metrics import classification_metrics

_WORTH_TRACING = 1500


@dataclass(frozen=True)
class Evaluation:
    """What a model said about a set of faces.

    Attributes:
        ids: str array of shape (n,).
        labels: int array of shape (n,).
        probabilities: float32 array of shape (n, n_classes).
        class_names: in label order.
        metrics: see `classification_metrics`.
        groups: str array of shape (n,), the people where known; else None.
        calibration: of the model, from its file; None where it has none.
        scaled_metrics: ece, nll and brier after calibration, with their intervals; None without one.
    """

    ids: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray
    class_names: tuple[str, ...]
    metrics: dict[str, Any]
    groups: np.ndarray | None = None
    calibration: Calibration | None = None
    scaled_metrics: dict[str, Any] | None = None

    def save(self, path: Path) -> Path:
        """Write ids, labels, probabilities, class names and groups as npz, to compare runs face by face later."""
        groups = {} if self.groups is None else {"groups": self.groups}
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            np.savez_compressed(
                partial,
                ids=self.ids,
                labels=self.labels,
                probabilities=self.probabilities,
                class_names=np.asarray(self.class_names),
                **groups,
            )
        return path


def evaluate_model(
    model,
    data: FaceDataset,
    *,
    class_names=None,
    calibration: Calibration | None = None,
    mirror: bool = False,
    batch_size: int = 256,
) -> Evaluation:
    """Evaluate a Keras model on all faces of a data set.

    Args:
        model: from `build_model` or `load_model`; grey input (n, size, size, 1), probabilities out.
        data: the faces to report on, e.g. `dataset.part("test")`.
        class_names: what the model's outputs mean (from its file's info); None means those of the data.
        calibration: from the model's file, see `stored_calibration`; gives `scaled_metrics` too.
        mirror: see `predict_probabilities`.
        batch_size: images a step.

    Raises:
        ModelError: the model's classes are not those of the data, in the same order.
        DataError: fewer than two faces, or a class without any.
    """
    names = tuple(class_names or data.class_names)
    if names != data.class_names:
        raise ModelError(
            f"The model tells {', '.join(names)} apart, the data {', '.join(data.class_names)}. "
            "Select the model's classes from the data: data.select(class_names)."
        )
    probabilities = predict_probabilities(model, data.images, mirror=mirror, batch_size=batch_size)
    return evaluate_probabilities(data, probabilities, calibration)


def evaluate_probabilities(
    data: FaceDataset, probabilities: np.ndarray, calibration: Calibration | None = None
) -> Evaluation:
    """Evaluate what a model has said about the faces of a data set.

    Args:
        data: n faces; with groups the intervals are over these.
        probabilities: float32 array of shape (n, n_classes), in the order of `data.class_names`, unscaled.
        calibration: as for `evaluate_model`.
    """
    metrics = classification_metrics(data.labels, probabilities, data.class_names, groups=data.groups)
    scaled = None
    if calibration is not None:
        again = classification_metrics(
            data.labels, calibration.apply(probabilities), data.class_names, groups=data.groups
        )
        scaled = {key: value for key, value in again.items() if key.split("_")[0] in ("ece", "nll", "brier")}
    return Evaluation(data.ids, data.labels, probabilities, data.class_names, metrics, data.groups, calibration, scaled)


def predict_probabilities(
    model,
    images: np.ndarray,
    *,
    calibration: Calibration | None = None,
    mirror: bool = False,
    batch_size: int = 256,
) -> np.ndarray:
    """Return float32 probabilities of shape (n, n_classes).

    Args:
        model: grey input (n, size, size, 1).
        images: uint8 array of shape (n, height, width), brought to the model's size batch by batch.
        calibration: the model's `stored_calibration`, to apply; None leaves the probabilities as they are.
        mirror: average what the model says of a face and of its mirror image. This test-time augmentation takes twice
            the time; name it beside every figure that it has a part in.
        batch_size: images a step.
    """
    import keras

    from emo_utils.pipeline import resize_images

    size = face_size(model)
    run = forward_pass(model, len(images))
    parts = []
    for start in range(0, len(images), batch_size):
        batch = resize_images(images[start : start + batch_size], size)[..., None]
        said = keras.ops.convert_to_numpy(run(batch))
        if mirror:
            said = (said + keras.ops.convert_to_numpy(run(np.ascontiguousarray(batch[:, :, ::-1])))) / 2
        parts.append(said)
    probabilities = np.concatenate(parts) if parts else np.empty((0, model.output_shape[-1]), np.float32)
    return probabilities if calibration is None else calibration.apply(probabilities).astype(np.float32)


def face_size(model) -> int:
    """Return the side in pixels of the grey faces that a Keras model takes.

    Raises:
        ModelError: it takes something else.
    """
    shape = getattr(model, "input_shape", None)  # a model that is not a graph of layers has none
    if not isinstance(shape, tuple) or len(shape) != 4 or not shape[1] or shape[1] != shape[2] or shape[3] != 1:
        raise ModelError(f"The model must take square grey faces, (n, size, size, 1). It takes {shape}.")
    return shape[1]


def forward_pass(model, n: int) -> Callable:
    """Return the function that runs a model on a batch of n images in all, the fastest way for so many.

    On TensorFlow a traced model is two to three times as fast as a plain call, and tracing takes seconds, which a
    few images do not repay; JAX must always compile.
    """
    import keras

    if keras.backend.backend() == "jax" or n > _WORTH_TRACING:
        return model.predict_on_batch
    return lambda batch: model(batch, training=False)
