"""What every explanation asks of faces and classes before it starts."""

from __future__ import annotations

import numpy as np

from emo_utils.errors import DataError


def check_faces(images: np.ndarray) -> None:
    """Raise DataError unless `images` is a uint8 array of shape (n, height, width) with at least one face."""
    if images.ndim != 3 or images.dtype != np.uint8:
        raise DataError(
            f"Faces to explain must be uint8 of shape (n, height, width). Got {images.dtype} of shape {images.shape}."
        )
    if not images.size:
        raise DataError("There are no faces to explain. Is the selection empty?")


def classes_to_explain(class_index: int | np.ndarray, n: int, model) -> np.ndarray:
    """Return the int64 class of each of n faces, from one class for all or an int array of shape (n,).

    Raises:
        DataError: not whole numbers, another number of classes than of faces, or a class that the model has not.
    """
    classes, n_classes = np.asarray(class_index), model.output_shape[-1]
    if classes.shape not in ((), (n,)) or not np.issubdtype(classes.dtype, np.integer):
        raise DataError(f"class_index must be a whole number, or one for each of the {n} faces. Got {class_index!r}.")
    if classes.min() < 0 or classes.max() >= n_classes:
        raise DataError(f"class_index must be 0 to {n_classes - 1}. Got {classes.min()} to {classes.max()}.")
    return np.broadcast_to(classes, n).astype(np.int64)
