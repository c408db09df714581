"""Augmented copies of the training faces as files, to look at or to train other tools on."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from emo_utils.datasets.base import FaceDataset
from emo_utils.datasets.rows import in_chunks
from emo_utils.errors import DataError
from emo_utils.pipeline.augment import augment_images
from emo_utils.recipe import Augmentation


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
            rng = np.random.default_rng([seed, copy])
            variants = (v for chunk in in_chunks(train.images) for v in augment_images(chunk, augmentation, rng))
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
