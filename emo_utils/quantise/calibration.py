"""The faces that fix the ranges of activations: drawn from training, checked before anything is quantised with them."""

from __future__ import annotations

import math

import numpy as np

from emo_utils.datasets.base import FaceDataset
from emo_utils.errors import DataError

MIN_CALIBRATION = 100
_HELD_OUT = ("test", "private")


def calibration_images(train: FaceDataset, per_class: int | None = None, seed: int = 0) -> np.ndarray:
    """Draw calibration images, equally many of each class as far as there are.

    Args:
        train: the training part.
        per_class: how many of each class, all of one that has fewer; None for 40, or more where the classes are so
            few that these would not be `MIN_CALIBRATION` in all.
        seed: of the draw.

    Returns:
        uint8 array of shape (n, height, width), class after class.

    Raises:
        DataError: faces of a test part are among them; the figures of that part would no longer be of unseen faces.
    """
    held_out = int(np.isin(train.usage, _HELD_OUT).sum())
    if held_out:
        raise DataError(
            f"{train.name}: {held_out} of {len(train)} faces offered for calibration belong to the test part. "
            'Give the training part alone: data.part("train").'
        )
    rng = np.random.default_rng(seed)
    per_class = per_class or max(40, math.ceil(MIN_CALIBRATION / len(train.class_names)))
    rows = [np.flatnonzero(train.labels == c) for c in range(len(train.class_names))]
    drawn = [rng.choice(r, min(per_class, len(r)), replace=False) for r in rows]
    return train.images[np.concatenate(drawn)]


def check_calibration(images: np.ndarray | None) -> np.ndarray:
    """Return the images if ranges of activations can be taken from them.

    Args:
        images: uint8 array of shape (n, height, width), n at least `MIN_CALIBRATION`, grey levels 0 to 255.

    Raises:
        DataError: too few images, another type, shape or value range; the message says which.
    """
    n = 0 if images is None else len(images)
    if n < MIN_CALIBRATION:
        raise DataError(
            f"Full-integer quantisation needs at least {MIN_CALIBRATION} calibration images to fix the ranges of the "
            f"activations. Got {n}. Take them from the training part, never from the test part."
        )
    if images.dtype != np.uint8 or images.ndim != 3:
        raise DataError(
            "Calibration images must be uint8 of shape (n, height, width), grey levels 0 to 255. "
            f"Got {images.dtype} of shape {tuple(images.shape)}."
        )
    brightest = int(np.max(images))
    if brightest <= 1:
        raise DataError(
            f"Calibration images must hold grey levels 0 to 255. Got 0 to {brightest}, which looks like faces scaled "
            "to 0..1: give them as they were before the scaling."
        )
    return images
