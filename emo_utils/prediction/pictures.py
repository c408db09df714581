"""From what a caller names to grey pictures, one after the other."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath

import numpy as np

from emo_utils.datasets.folder import IMAGE_SUFFIXES
from emo_utils.datasets.images import decode_grey, grey_array, read_bytes
from emo_utils.datasets.tree import open_tree
from emo_utils.errors import DataError

Picture = str | Path | np.ndarray
FILM_SUFFIXES = frozenset((".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv"))
_PHOTO_SUFFIXES = frozenset((".arw", ".avif", ".cr2", ".dng", ".heic", ".heif", ".jp2", ".jxl", ".nef"))  # not read
_WANTED = "Give a path, a uint8 array, grey or RGB (of a Pillow image: numpy.asarray(image)), or a list of these."


def list_pictures(pictures: Picture | Sequence[Picture]) -> list[tuple[str, Picture | DataError]]:
    """Return (name, picture) of every picture; a folder gives the images in it and in the folders below, by name.

    An array is named by its place, e.g. "picture 2". A file named twice, or by its folder as well, is listed once.
    What a folder holds and cannot be read stands there as its problem, which `read_grey` raises.

    Raises:
        DataError: neither a path nor an array.
    """
    if isinstance(pictures, str | PurePath | np.ndarray):
        pictures = [pictures]
    if not isinstance(pictures, Iterable):
        raise DataError(f"Nothing to predict on in an object of type {type(pictures).__name__}. {_WANTED}")
    listed, known = [], set()
    for number, picture in enumerate(pictures, 1):
        if isinstance(picture, np.ndarray):
            listed.append((f"picture {number}", picture))
        elif isinstance(picture, str | PurePath):
            for path, content in _images_of(Path(picture)):
                place = os.path.abspath(path)
                if place not in known:
                    listed.append((str(path), content))
                known.add(place)
        else:
            raise DataError(f"Picture {number} is of type {type(picture).__name__}. {_WANTED}")
    return listed


def _images_of(path: Path) -> Iterator[tuple[Path, Path | DataError]]:
    """Yield the path itself, or (path, the same or the problem) of what a folder holds."""
    if not os.path.isdir(path):  # Path.is_dir raises for a name that is too long, or in a folder that is closed to us
        yield path, path
        return
    try:
        with open_tree(path) as tree:
            names, skipped = tree.names, tree.skipped
    except DataError as error:
        yield path, error
        return
    images = [name for name in names if PurePath(name).suffix.lower() in IMAGE_SUFFIXES - {""}]
    yield from ((path / name, path / name) for name in images)
    refused = [(name, why) for name, why in skipped if PurePath(name).suffix.lower() in IMAGE_SUFFIXES]
    yield from ((path / name, DataError(why)) for name, why in refused)
    unread = Counter(PurePath(name).suffix.lower() for name in names)
    unread = [f"{unread[kind]} {kind}" for kind in sorted(_PHOTO_SUFFIXES | FILM_SUFFIXES) if unread[kind]]
    if unread:
        yield path, DataError(f"not answered: {', '.join(unread)}. Save photographs as JPEG, name films one by one")
    elif not images and not refused:
        yield path, DataError("no image in this folder or below")


def read_grey(picture: Picture | DataError) -> np.ndarray:
    """Return the grey levels of a picture, turned upright, at its own size: uint8 of shape (height, width).

    Raises:
        DataError: the reason why it cannot be read, without its name.
    """
    if isinstance(picture, DataError):
        raise picture
    if isinstance(picture, np.ndarray):
        return grey_array(picture)
    path = Path(picture)
    if path.suffix.lower() in FILM_SUFFIXES:
        raise DataError("named like a film; films are answered by the command: python -m emo_utils predict FILM")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of damage and of large images, which are dealt with
        return decode_grey(read_bytes(path))
