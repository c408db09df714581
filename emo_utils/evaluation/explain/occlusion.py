"""Occlusion: what does the model no longer believe when a place of the face is hidden?"""

from __future__ import annotations

import numpy as np

from emo_utils.errors import DataError
from emo_utils.evaluation.evaluate import predict_probabilities
from emo_utils.evaluation.explain.inputs import check_faces, classes_to_explain

_PICTURES = 4096  # covered pictures in memory at a time


def occlusion_map(
    model, images: np.ndarray, *, class_index: int | np.ndarray | None = None, patch: int = 8, stride: int = 4
) -> np.ndarray:
    """Return by how much the probability of a class falls when a place is hidden.

    A square in the face's mean grey is moved over the picture; a pixel gets the mean fall over all squares that hid it.
    M. D. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks" (ECCV 2014), section 4.2. Needs no
    look inside the model, but sees only what a single square can hide: of two places that each suffice, neither.

    Args:
        model: grey input (n, size, size, 1), probabilities out.
        images: uint8 array of shape (n, height, width).
        class_index: the class to explain, or an int array of shape (n,), one a face; None for the predicted one.
        patch: side of the square, in pixels of `images`.
        stride: step from square to square; the last one of a row ends at the edge. A face takes about
            (height / stride) * (width / stride) predictions.

    Returns:
        float32 array of shape (n, height, width), from -1 to 1; below zero where hiding helps the class.

    Raises:
        ModelError: the model takes no grey faces.
        DataError: images or classes that do not fit, or a patch larger than the picture or smaller than the stride.
    """
    check_faces(images)
    n, height, width = images.shape
    if not 1 <= stride <= patch <= min(height, width):
        raise DataError(
            f"stride and patch must be whole numbers with 1 <= stride <= patch <= {min(height, width)}, the side of "
            f"the faces. Got stride {stride}, patch {patch}."
        )
    whole = predict_probabilities(model, images)
    classes = whole.argmax(axis=1) if class_index is None else classes_to_explain(class_index, n, model)
    before = whole[np.arange(n), classes]
    squares = _squares(height, width, patch, stride)
    covering = squares.sum(axis=0)
    drops = np.empty(images.shape, dtype=np.float32)
    step = max(1, _PICTURES // len(squares))
    for start in range(0, n, step):
        part = slice(start, start + step)
        grey = np.rint(images[part].mean(axis=(1, 2))).astype(np.uint8)[:, None, None, None]
        hidden = np.where(squares, grey, images[part, None]).reshape(-1, height, width)
        after = predict_probabilities(model, hidden).reshape(-1, len(squares), whole.shape[1])
        after = np.take_along_axis(after, classes[part, None, None], axis=2)[..., 0]
        drops[part] = np.tensordot(before[part, None] - after, squares, axes=1) / covering
    return drops


def _squares(height: int, width: int, patch: int, stride: int) -> np.ndarray:
    """Return which pixels each square hides, bool of shape (n_squares, height, width)."""

    def hidden(length: int) -> np.ndarray:
        starts = np.array([*range(0, length - patch, stride), length - patch])[:, None]
        place = np.arange(length)
        return (place >= starts) & (place < starts + patch)

    rows, columns = hidden(height), hidden(width)
    return (rows[:, None, :, None] & columns[None, :, None, :]).reshape(-1, height, width)
