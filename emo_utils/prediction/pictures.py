"""From what a caller names to grey pictures, one after the other."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

import numpy as np

from emo_utils.datasets.folder import IMAGE_SUFFIXES
from emo_utils.datasets.images import decode_grey, grey_array, read_bytes
from emo_utils.datasets.tree import open_tree
from emo_utils.errors import DataError

Picture = str | Path | np.ndarray


def list_pictures(pictures: Picture | Sequence[Picture]) -> list[tuple[str, Picture]]:
    """Return (name, picture) of every picture; a folder gives the images in it and in the folders below, by name.

    An array is named by its place, e.g. "picture 2". A folder without images gives itself, which `read_grey` refuses.

    Raises:
        DataError: neither a path nor an array.
    """
    if isinstance(pictures, str | PurePath | np.ndarray):
        pictures = [pictures]
    listed = []
    for number, picture in enumerate(pictures, 1):
        if isinstance(picture, np.ndarray):
            listed.append((f"picture {number}", picture))
        elif isinstance(picture, str | PurePath):
            listed += [(str(path), path) for path in _images_of(Path(picture))]
        else:
            raise DataError(f"Picture {number} is a {type(picture).__name__}. Give a path or a uint8 array.")
    return listed


def _images_of(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    with open_tree(path) as tree:
        images = [path / name for name in tree.names if PurePath(name).suffix.lower() in IMAGE_SUFFIXES - {""}]
    yield from images or [path]


def read_grey(picture: Picture) -> np.ndarray:
    """Return the grey levels of a picture, turned upright, at its own size: uint8 of shape (height, width).

    Raises:
        DataError: the reason why it cannot be read, without its name.
    """
    if isinstance(picture, np.ndarray):
        return grey_array(picture)
    path = Path(picture)
    if path.is_dir():
        raise DataError("no image in this folder or below")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of damage and of large images, which are dealt with
        return decode_grey(read_bytes(path))
