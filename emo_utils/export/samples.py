"""A few faces with the Keras model's own answers, so that another machine can tell whether it computes the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from emo_utils.atomic import replacing
from emo_utils.datasets.base import FaceDataset
from emo_utils.errors import DataError
from emo_utils.evaluation import predict_probabilities
from emo_utils.export.device_part import device_model
from emo_utils.pipeline import resize_images


@dataclass(frozen=True)
class Samples:
    """Faces at the model's size, and what the Keras model says of them.

    Attributes:
        images: uint8 (n, size, size).
        labels: int64 (n,).
        probabilities, logits: float32 (n, n_classes).
        class_names: in the order of the columns.
    """

    images: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray
    logits: np.ndarray
    class_names: tuple[str, ...]

    def save(self, path: str | Path) -> Path:
        """Write the arrays as a compressed .npz file that needs no pickle, atomically."""
        path = Path(path)
        with replacing(path) as draft, open(draft, "wb") as file:
            np.savez_compressed(
                file,
                images=self.images,
                labels=self.labels,
                probabilities=self.probabilities,
                logits=self.logits,
                class_names=np.array(self.class_names),
            )
        return path


def take_samples(model: keras.Model, faces: FaceDataset, n: int, seed: int = 0) -> Samples:
    """Draw faces, equally many of each class as far as there are, in random order.

    Args:
        model: grey faces in, probabilities out.
        faces: to draw from, of the model's classes.
        n: how many; all of them where there are fewer.
        seed: of the draw.

    Raises:
        DataError: there are no faces.
        ModelError: see `device_model`.
    """
    if not len(faces):
        raise DataError(f"{faces.name} has no faces to take samples of.")
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(faces))
    # The first of every class, then the second of every class, and so on: any n is as balanced as it can be.
    rank = np.empty(len(faces), int)
    for c in np.unique(faces.labels):
        rows = order[faces.labels[order] == c]
        rank[rows] = np.arange(len(rows))
    rows = rng.permutation(order[np.argsort(rank[order], kind="stable")][:n])
    images = resize_images(faces.images[rows], model.input_shape[1])
    device = device_model(model)
    logits = keras.ops.convert_to_numpy(device.model(device.normalise(images), training=False))
    return Samples(
        images=images,
        labels=faces.labels[rows],
        probabilities=predict_probabilities(model, images),
        logits=logits.astype(np.float32),
        class_names=tuple(faces.class_names),
    )
