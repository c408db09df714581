"""RandAugment for grey faces: two operations an image, drawn from those that mean something without colour.

Keras's RandAugment layer is not used: it draws one pair of operations for a whole batch, turns faces by up to 360
degrees times the magnitude and to one side only, posterises to a single bit at magnitudes below .375, computes all
eleven operations to keep one, and in Keras 3.13 fails on grey images.
"""

from __future__ import annotations

import cv2
import numpy as np

OPERATIONS_PER_IMAGE = 2


def rand_augment(images: np.ndarray, magnitude: float, rng: np.random.Generator) -> np.ndarray:
    """Apply two random operations to each image (Cubuk et al. 2020).

    The ranges at magnitude 1 are the paper's: rotation 30 degrees, shear .3, shift .45 of the side, brightness,
    contrast and sharpness to 1 -+ .9 of what they were, solarising from level 0, posterising to 4 bits. Operations with
    two directions draw one.

    Args:
        images: uint8 array of shape (n, height, width).
        magnitude: of all operations, 0 to 1.
        rng: source of the operations and directions.

    Returns:
        uint8 array of the same shape. Pixels from outside the image repeat its border.
    """
    chosen = rng.integers(len(_OPERATIONS), size=(len(images), OPERATIONS_PER_IMAGE))
    strength = magnitude * rng.choice((-1.0, 1.0), size=chosen.shape)
    out = np.empty_like(images)
    for i, image in enumerate(images):
        for operation, m in zip(chosen[i], strength[i], strict=True):
            image = _OPERATIONS[operation](image, m)
        out[i] = image
    return out


# Each operation takes a uint8 image of shape (height, width) and a strength from -1 to 1.


def _identity(image: np.ndarray, m: float) -> np.ndarray:
    return image


def _auto_contrast(image: np.ndarray, m: float) -> np.ndarray:
    return cv2.normalize(image, None, 0, 255, cv2.NORM_MINMAX)


def _equalize(image: np.ndarray, m: float) -> np.ndarray:
    return cv2.equalizeHist(image)


def _solarize(image: np.ndarray, m: float) -> np.ndarray:
    return np.where(image >= 256 * (1 - abs(m)), 255 - image, image)


def _posterize(image: np.ndarray, m: float) -> np.ndarray:
    dropped = round(4 * abs(m))
    return image >> dropped << dropped


def _brightness(image: np.ndarray, m: float) -> np.ndarray:
    return cv2.convertScaleAbs(image, alpha=1 + 0.9 * m)


def _contrast(image: np.ndarray, m: float) -> np.ndarray:
    return cv2.addWeighted(image, 1 + 0.9 * m, np.full_like(image, round(image.mean())), -0.9 * m, 0)


def _sharpness(image: np.ndarray, m: float) -> np.ndarray:
    return cv2.addWeighted(image, 1 + 0.9 * m, cv2.blur(image, (3, 3)), -0.9 * m, 0)


def _rotate(image: np.ndarray, m: float) -> np.ndarray:
    angle = np.deg2rad(30 * m)
    return _warp(image, [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _shear_x(image: np.ndarray, m: float) -> np.ndarray:
    return _warp(image, [[1, 0.3 * m], [0, 1]])


def _shear_y(image: np.ndarray, m: float) -> np.ndarray:
    return _warp(image, [[1, 0], [0.3 * m, 1]])


def _shift_x(image: np.ndarray, m: float) -> np.ndarray:
    return _warp(image, np.eye(2), (0.45 * m * image.shape[1], 0))


def _shift_y(image: np.ndarray, m: float) -> np.ndarray:
    return _warp(image, np.eye(2), (0, 0.45 * m * image.shape[0]))


def _warp(image: np.ndarray, matrix: list | np.ndarray, shift: tuple[float, float] = (0, 0)) -> np.ndarray:
    """Map an image linearly about its centre."""
    height, width = image.shape
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    offset = centre + shift - matrix @ centre
    return cv2.warpAffine(image, np.column_stack([matrix, offset]), (width, height), borderMode=cv2.BORDER_REPLICATE)


_OPERATIONS = (
    _identity,
    _auto_contrast,
    _equalize,
    _solarize,
    _posterize,
    _brightness,
    _contrast,
    _sharpness,
    _rotate,
    _shear_x,
    _shear_y,
    _shift_x,
    _shift_y,
)
