"""From faces in memory to training batches: balance, augment at native size, bring to the model's size.

Everything here is numpy and OpenCV, so the same batches feed TensorFlow and JAX. Flip, rotation, zoom, shift and the
upscaling to the model's size are one affine map an image: the pixels are interpolated once, not five times.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import cv2
import keras
import numpy as np

from emo_utils.datasets.base import FaceDataset
from emo_utils.errors import DataError
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
        augmentation: the ranges to draw from.
        rng: source of all randomness; the same state gives the same variants.
        size: side of the result in pixels; None keeps the side of square images.

    Returns:
        uint8 array of shape (n, size, size). Pixels from outside the image repeat its border.
    """
    n, height, width = images.shape
    size = size or width
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


def oversample_minority_classes(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return indices in which every class that occurs stands as often as the most frequent one.

    Args:
        labels: int array of shape (n,).
        rng: draws which faces of a rare class are repeated.

    Returns:
        int array of shape (m,), m = n_classes * largest count, unshuffled: each face once, then the repetitions.
    """
    counts = np.bincount(labels)
    extra = [
        rng.choice(np.flatnonzero(labels == c), counts.max() - counts[c], replace=True)
        for c in np.flatnonzero(counts)
        if counts[c] < counts.max()
    ]
    return np.concatenate([np.arange(len(labels)), *extra])


class TrainingBatches(keras.utils.PyDataset):
    """Shuffled, balanced and augmented batches of (images, one-hot targets).

    Images are uint8 of shape (batch, size, size, 1), targets float32 of shape (batch, n_classes). What an epoch holds
    depends only on the seed and `epoch`, which the training loop sets: a run that is resumed sees the batches that it
    would have seen without the break.

    Args:
        data: the training faces.
        size: side of the model's input in pixels.
        batch_size: images a batch; the last one of an epoch may be smaller.
        augmentation: see `Augmentation`.
        oversample: repeat faces of rare classes, see `oversample_minority_classes`.
        seed: of the order and the augmentation.
    """

    def __init__(self, data: FaceDataset, size: int, batch_size: int, augmentation: Augmentation, *, oversample, seed):
        super().__init__()
        if not len(data):
            raise DataError(f"{data.name} has no training images.")
        self.data, self.size, self.batch_size = data, size, batch_size
        self.augmentation, self.oversample, self.seed = augmentation, oversample, seed
        self._targets = data.one_hot()
        self.epoch = 0

    @property
    def epoch(self) -> int:
        """Return the number of the epoch, counted from 0 over all stages; setting it draws that epoch's order."""
        return self._epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self._epoch = epoch
        rng = np.random.default_rng([self.seed, epoch])
        labels = self.data.labels
        self._order = oversample_minority_classes(labels, rng) if self.oversample else np.arange(len(labels))
        rng.shuffle(self._order)

    def __len__(self) -> int:
        return -(-len(self._order) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rows = self._order[index * self.batch_size : (index + 1) * self.batch_size]
        rng = np.random.default_rng([self.seed, self._epoch, index])
        images = augment_images(self.data.images[rows], self.augmentation, rng, self.size)
        return images[..., None], self._targets[rows]


def write_augmented_set(
    data: FaceDataset, folder: str | Path, augmentation: Augmentation, *, copies: int = 1, seed: int = 0
) -> Path:
    """Write augmented copies of the training faces as PNG files in class folders.

    Only faces with usage "train" are used: a variant of a test face among the training images would leak the answer.

    Args:
        data: a split data set.
        folder: written as folder/<class>/<id>_<copy>.png, where other characters of the id than letters, digits and
            "_" become "-"; must not exist or be empty.
        augmentation: the ranges to draw from.
        copies: variants of each face.
        seed: of the variants.

    Returns:
        The folder.

    Raises:
        DataError: the data set has no training part, the folder holds files, or it cannot be written.
    """
    folder = Path(folder)
    train = data.part("train")
    if not len(train):
        raise DataError(f"{data.name} has no faces with usage 'train'; split it first with split_dataset.")
    stems = _file_stems(train.ids)
    # Written aside and moved at the end: a broken run leaves no half set that looks whole.
    partial = folder.with_name(folder.name + ".partial")
    try:
        if folder.exists() and any(folder.iterdir()):
            raise DataError(f"{folder} is not empty. Name a new folder, or empty it yourself.")
        if partial.exists():
            shutil.rmtree(partial)  # what a broken run left
        for name in train.class_names:
            (partial / name).mkdir(parents=True)
        for copy in range(copies):
            variants = augment_images(train.images, augmentation, np.random.default_rng([seed, copy]))
            for image, label, stem in zip(variants, train.labels, stems, strict=True):
                png = cv2.imencode(".png", image)[1]  # imwrite would say nothing of a full disk
                (partial / train.class_names[label] / f"{stem}_{copy}.png").write_bytes(png.tobytes())
        if folder.exists():
            folder.rmdir()
        os.replace(partial, folder)
    except OSError as error:
        raise DataError(f"{folder} cannot be written ({error.strerror}). Name another folder, or make room.") from None
    return folder


def _file_stems(ids: Iterable[str]) -> list[str]:
    """Return a file name for each id, all different even where case does not count."""
    stems, taken = [], set()
    for face_id in ids:
        stem = re.sub(r"\W", "-", str(face_id))
        while stem.casefold() in taken:
            stem += "-"
        taken.add(stem.casefold())
        stems.append(stem)
    return stems
