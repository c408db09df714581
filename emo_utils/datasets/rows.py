"""Images too many for memory: they lie in a file, and a selection of them is a list of row numbers."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator

import numpy as np

from emo_utils.errors import DataError

IN_MEMORY = 128 * 2**20  # bytes of pixels that are simply held; FER2013 at 48 pixels has 83 million
_CHUNK = 8 * 2**20  # bytes of pixels worked on at a time


class ImageRows:
    """Rows of an array of images that lies in a file, read when they are indexed.

    Indexing gives an ndarray, as with an array in memory; iterating gives one image at a time; `np.asarray` reads all.
    A pickle carries the pixels, since the file may be gone, or another one, where it is read.

    Args:
        base: array of shape (n, height, width), a map of a file.
        rows: int array of shape (m,), positions in `base`.
    """

    def __init__(self, base: np.ndarray, rows: np.ndarray):
        self._base = np.asarray(base)  # still the map, but without the slow indexing of np.memmap
        self._rows = rows

    @property
    def shape(self) -> tuple[int, ...]:
        """Return (m, height, width)."""
        return (len(self._rows), *self._base.shape[1:])

    @property
    def ndim(self) -> int:
        """Return the number of axes."""
        return self._base.ndim

    @property
    def dtype(self) -> np.dtype:
        """Return the type of the pixels."""
        return self._base.dtype

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index) -> np.ndarray:
        if isinstance(index, tuple):  # e.g. images[:, 10:20] or images[..., None]: leave it to NumPy
            return np.asarray(self)[index]
        return self._base[self._rows[index]]

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        if copy is False:
            raise ValueError("Images in a file cannot become an array without a copy.")
        return self._base[self._rows].astype(dtype or self.dtype, copy=False)

    def __reduce__(self):
        return ImageRows, (np.asarray(self), np.arange(len(self)))

    def __repr__(self) -> str:
        return f"ImageRows{self.shape}"

    def take(self, index) -> ImageRows:
        """Return the rows at `index` (int array, slice or bool array) without reading a pixel."""
        return ImageRows(self._base, self._rows[index])


def take_rows(images: np.ndarray | ImageRows, index) -> np.ndarray | ImageRows:
    """Return the images at `index`: of images in memory a copy, or a view for a slice; of images in a file the rows."""
    if isinstance(images, np.memmap):
        images = ImageRows(images, np.arange(len(images)))
    return images.take(index) if isinstance(images, ImageRows) else images[index]


def in_chunks(images: np.ndarray | ImageRows) -> Iterator[np.ndarray]:
    """Yield the images as consecutive contiguous arrays of a few megabytes."""
    step = chunk_length(images.shape[1:])
    for start in range(0, len(images), step):
        yield np.ascontiguousarray(images[start : start + step])


def chunk_length(shape: tuple[int, ...]) -> int:
    """Return how many images of shape (height, width) are worked on at a time, at least 1."""
    return max(1, _CHUNK // max(1, int(np.prod(shape))))


def fits_in_memory(n_bytes: int) -> bool:
    """Tell whether so many bytes of pixels are held in memory rather than mapped from a file."""
    return n_bytes <= IN_MEMORY


class ImageStack:
    """Square images put together chunk by chunk, in memory or, where they are too many for that, in a nameless file.

    The file lies in the folder for temporary files and vanishes with the last array that maps it, or with the process.
    Without a folder that has room for it the images stay in memory.

    Args:
        most: number of images at most.
        side: of the images in pixels.
    """

    def __init__(self, most: int, side: int):
        self._n, self._side = 0, side
        self._file = None if fits_in_memory(most * side**2) else _scratch_file(most * side**2)
        self._images = np.empty((most, side, side), np.uint8) if self._file is None else None

    def append(self, images: np.ndarray) -> None:
        """Add uint8 images of shape (k, side, side); DataError if the disk is full after all."""
        if self._file is None:
            self._images[self._n : self._n + len(images)] = images
        else:
            try:
                self._file.write(np.ascontiguousarray(images))
            except OSError as error:
                raise DataError(
                    f"{tempfile.gettempdir()} has no room for the decoded images ({error.strerror}). "
                    "Make room there, or set TMPDIR to a folder on a larger disk."
                ) from None
        self._n += len(images)

    def finish(self) -> np.ndarray:
        """Return all images, uint8 of shape (n, side, side); an `np.memmap` if they lie in a file."""
        shape = (self._n, self._side, self._side)
        if self._file is None:
            return self._images[: self._n]
        if not self._n:  # an empty file cannot be mapped
            return np.empty(shape, np.uint8)
        with self._file:
            self._file.flush()
            return np.memmap(self._file, np.uint8, "r", shape=shape)


def _scratch_file(n_bytes: int):
    """Return a nameless temporary file, or None if no folder has room for so much."""
    try:
        if shutil.disk_usage(tempfile.gettempdir()).free > n_bytes:
            return tempfile.TemporaryFile()
    except OSError:
        pass
    return None
