"""Random variants of faces: RandAugment, tone, then flip, rotation, zoom, shift and enlarging as one affine map.

All but the enlarging happens at native size, where it costs least, and that map interpolates once, not five times.
"""

from __future__ import annotations

import cv2
import numpy as np

from emo_utils.pipeline.randaugment import rand_augment
from emo_utils.recipe import Augmentation


def resize_images(images: np.ndarray, size: int) -> np.ndarray:
    """Bring grey images to a square size.

    Args:
        images: uint8 array of shape (n, height, width).
        size: side in pixels.

    Returns:
        uint8 array of shape (n, size, size): bilinear when growing, area-averaged when shrinking.
    """
    if images.shape[1:] == (size, size):
        return images
    how = cv2.INTER_AREA if size < min(images.shape[1:]) else cv2.INTER_LINEAR
    out = np.empty((len(images), size, size), dtype=np.uint8)
    for i, image in enumerate(images):
        out[i] = cv2.resize(image, (size, size), interpolation=how)
    return out


def augment_images(
    images: np.ndarray, augmentation: Augmentation, rng: np.random.Generator, size: int | None = None
) -> np.ndarray:
    """Draw one random variant of each image.

    Args:
        images: uint8 array of shape (n, height, width).
        augmentation: the ranges to draw from; MixUp and CutMix, which need targets, are left to `TrainingBatches`.
        rng: source of all randomness; the same state gives the same variants.
        size: side of the result in pixels; None keeps the side of square images.

    Returns:
        uint8 array of shape (n, size, size). Pixels from outside the image repeat its border.
    """
    n, height, width = images.shape
    size = size or width
    if augmentation.randaugment:
        images = rand_augment(images, augmentation.randaugment, rng)
    toned = _change_tone(images, augmentation, rng)
    a = augmentation
    angle = np.deg2rad(rng.uniform(-a.rotation, a.rotation, n))
    scale = 1 + rng.uniform(-a.zoom, a.zoom, n)
    shift_x, shift_y = rng.uniform(-a.shift, a.shift, (2, n)) * size
    mirror = np.where(a.flip & (rng.random(n) < 0.5), -1.0, 1.0)
    if not (a.flip or a.rotation or a.zoom or a.shift):
        return resize_images(toned, size)
    # Output = rotate(scale(mirror(input - centre))) + centre' + shift; pixel centres lie at half-integers.
    cos = np.cos(angle) * scale * size / width
    sin = np.sin(angle) * scale * size / width
    maps = np.empty((n, 2, 3))
    maps[:, 0, 0], maps[:, 0, 1] = cos * mirror, -sin
    maps[:, 1, 0], maps[:, 1, 1] = sin * mirror, cos
    centre_in = np.array([(width - 1) / 2, (height - 1) / 2])
    centre_out = np.stack([shift_x, shift_y], axis=1) + (size - 1) / 2
    maps[:, :, 2] = centre_out - maps[:, :, :2] @ centre_in
    out = np.empty((n, size, size), dtype=np.uint8)
    for i in range(n):
        cv2.warpAffine(toned[i], maps[i], (size, size), dst=out[i], borderMode=cv2.BORDER_REPLICATE)
    return out


def _change_tone(images: np.ndarray, a: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Change brightness and contrast through a table of 256 grey levels an image."""
    if not (a.brightness or a.contrast):
        return images
    n = len(images)
    mean = images.reshape(n, -1).mean(axis=1)[:, None]
    gain = 1 + rng.uniform(-a.contrast, a.contrast, (n, 1))
    offset = rng.uniform(-a.brightness, a.brightness, (n, 1)) * 255
    table = (np.arange(256) - mean) * gain + mean + offset
    table = np.clip(np.rint(table), 0, 255).astype(np.uint8)
    return np.stack([cv2.LUT(image, row) for image, row in zip(images, table, strict=True)])
