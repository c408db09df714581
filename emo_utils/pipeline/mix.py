"""MixUp and CutMix: two faces of a batch become one, and so do their targets.

Keras has both as layers. They are not used here: its CutMix gives the targets the area of a box between the pixels, up
to 4 % of a 48x48 image off what it pastes, and takes no alpha above 1; and its layers draw from the backend's
generator, so that TensorFlow and JAX would see different batches. The tests hold `mixup` against Keras's layer.
"""

from __future__ import annotations

import numpy as np

from emo_utils.recipe import Augmentation


def mixup(
    images: np.ndarray, targets: np.ndarray, alpha: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Blend each image of a batch with another one of it, pixel by pixel (Zhang et al. 2018).

    Args:
        images: uint8 array of shape (n, height, width).
        targets: float32 array of shape (n, n_classes), rows that sum to 1.
        alpha: above 0; each image keeps a share of itself drawn from Beta(alpha, alpha).
        rng: source of the shares and of the partners.

    Returns:
        New images and targets of the same shapes and dtypes.
    """
    share = rng.beta(alpha, alpha, len(images)).astype(np.float32)
    other = rng.permutation(len(images))
    weight = share[:, None, None]
    blend = weight * images + (1 - weight) * images[other]
    return np.rint(blend).astype(np.uint8), _blend_targets(targets, share, other)


def cutmix(
    images: np.ndarray, targets: np.ndarray, alpha: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Paste a rectangle of another image of the batch onto each (Yun et al. 2019).

    The rectangle has the image's proportions and a centre drawn uniformly; what lies outside the image is cut off. The
    targets are shared by the pixels that really change hands.

    Args:
        images: uint8 array of shape (n, height, width).
        targets: float32 array of shape (n, n_classes), rows that sum to 1.
        alpha: above 0; each image keeps a share of itself drawn from Beta(alpha, alpha), before the cutting off.
        rng: source of the shares, the places and the partners.

    Returns:
        New images and targets of the same shapes and dtypes.
    """
    n, height, width = images.shape
    side = np.sqrt(1 - rng.beta(alpha, alpha, n))
    other = rng.permutation(n)
    top, bottom = _cut(height, side, rng)
    left, right = _cut(width, side, rng)
    out = images.copy()
    for i in range(n):
        box = slice(top[i], bottom[i]), slice(left[i], right[i])
        out[i][box] = images[other[i]][box]
    share = 1 - (bottom - top) * (right - left) / (height * width)
    return out, _blend_targets(targets, share.astype(np.float32), other)


def mix_batch(
    images: np.ndarray, targets: np.ndarray, augmentation: Augmentation, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Mix a batch as an augmentation says: not at all, by `mixup`, by `cutmix`, or by one of them, drawn."""
    mixers = [(mix, alpha) for mix, alpha in ((mixup, augmentation.mixup), (cutmix, augmentation.cutmix)) if alpha]
    if not mixers:
        return images, targets
    mix, alpha = mixers[rng.integers(len(mixers))]
    return mix(images, targets, alpha, rng)


def _cut(length: int, side: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the first pixel of a stretch that covers the share `side` of a length, and the one after its last."""
    centre = rng.uniform(0, length, len(side))
    ends = np.stack([centre - side * length / 2, centre + side * length / 2])
    return tuple(np.clip(np.rint(ends), 0, length).astype(int))


def _blend_targets(targets: np.ndarray, share: np.ndarray, other: np.ndarray) -> np.ndarray:
    return share[:, None] * targets + (1 - share[:, None]) * targets[other]
