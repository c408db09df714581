"""Load any tree of class folders, e.g. `happy/001.jpg` or `train/3_Happiness/ann/001.png`, from a folder or a zip."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path, PurePosixPath

import numpy as np

from emo_utils.datasets.base import FaceDataset, from_arrays
from emo_utils.datasets.images import decode_grey, fit_square
from emo_utils.datasets.rows import ImageStack, chunk_length
from emo_utils.datasets.tree import FileTree, open_tree
from emo_utils.emotions import EMOTIONS, canonical_emotion
from emo_utils.errors import DataError

IMAGE_SUFFIXES = frozenset(
    ("", ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pnm")
)
# Folder names of parts, in the spellings of the public sets; everything not named here is no part.
_PARTS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing", "publictest"),
    "private": ("private", "privatetest"),
}
_USAGE = {spelling: usage for usage, spellings in _PARTS.items() for spelling in spellings}
_WORKERS = 4  # decoding releases the interpreter lock and disks like a short queue


def load_folder(path: Path, size: int) -> FaceDataset:
    """Load a folder or zip of class folders.

    The class is the folder whose name is an emotion in any known spelling; the part ("train", "test" ...) is any folder
    named like one. Folders above, between and below do not matter, but a file below two emotions is skipped: one of the
    names may be a person's, as in happy/An. Hidden files are ignored.

    Args:
        path: folder or zip archive.
        size: side of the faces in pixels.

    Returns:
        Faces sorted by path; `ids` are the paths, `class_names` the classes found, in the order of `EMOTIONS`,
        `name` the folder's name. What cannot be used is listed in `skipped`.

    Raises:
        DataError: the source has no image in a class folder, or none that can be read.
    """
    with open_tree(path) as tree:
        images, ids, emotions, sizes, skipped = _decode_all(tree, size)
    if not len(ids):
        shown = "; ".join(f"{name}: {reason}" for name, reason in skipped[:3])
        raise DataError(
            f"{path} holds no usable image. Expected class folders such as happy/ with images inside, "
            f"with or without train/ and test/ above them.{' Found: ' + shown + '.' if shown else ''}"
        )
    class_names = tuple(e for e in EMOTIONS if e in set(emotions))
    return from_arrays(
        images,
        [class_names.index(e) for e in emotions],
        class_names,
        ids=ids,
        usage=[usage_of(name) for name in ids],
        sizes=np.array(sizes, dtype=np.float32),
        name=path.stem if path.is_file() else path.resolve().name,
        skipped=skipped,
    )


def usage_of(name: str) -> str:
    """Return the part that a path's folders name: "train", "val", "test", "private", or "" if none does."""
    folders = name.lower().split("/")[:-1]
    return next((_USAGE[folder] for folder in reversed(folders) if folder in _USAGE), "")


def _decode_all(tree: FileTree, size: int):
    """Return (images, ids, emotions, sizes, skipped) of all files of a tree."""
    planned, skipped = [], list(tree.skipped)
    for name in tree.names:
        try:
            planned.append((name, _emotion_of(name)))
        except DataError as error:
            skipped.append((name, str(error)))

    def decode(item: tuple[str, str]) -> tuple[np.ndarray, int] | str:
        try:
            grey = decode_grey(tree.read(item[0]))
        except DataError as error:
            return str(error)
        return fit_square(grey, size), min(grey.shape)

    stack, ids, emotions, sizes = ImageStack(len(planned), size), [], [], []
    step = chunk_length((size, size))
    with warnings.catch_warnings(), ThreadPoolExecutor(_WORKERS) as pool:
        warnings.simplefilter("ignore")  # of Pillow's, on images that are refused or usable all the same
        for start in range(0, len(planned), step):  # one call to map would make an object for every file at once
            chunk, faces = planned[start : start + step], []
            for (name, emotion), found in zip(chunk, pool.map(decode, chunk), strict=True):
                if isinstance(found, str):
                    skipped.append((name, found))
                else:
                    faces.append(found[0])
                    sizes.append(found[1])
                    ids.append(name)
                    emotions.append(emotion)
            stack.append(np.reshape(faces, (-1, size, size)).astype(np.uint8, copy=False))
    return stack.finish(), ids, emotions, sizes, tuple(sorted(skipped))


def _emotion_of(name: str) -> str:
    """Return the emotion of a file by its folders; raise DataError with the reason if it is no labelled image."""
    path = PurePosixPath(name)
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        raise DataError(f"not an image file ({path.suffix})")
    return _emotion_of_folders(path.parts[:-1])


@lru_cache(maxsize=4096)
def _emotion_of_folders(folders: Sequence[str]) -> str:
    hint, found = "not in a class folder", []
    for folder in reversed(folders):
        try:
            found.insert(0, canonical_emotion(folder))
        except DataError as error:
            if folder.lower() not in _USAGE:
                hint = f"not in a class folder. {error}"
    if not found:
        raise DataError(hint)
    named = tuple(dict.fromkeys(found))
    if len(named) > 1:
        raise DataError(f"folders name two emotions ({', '.join(named)}); rename one")
    return named[0]
