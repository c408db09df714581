"""Decode once: a data set that was read from images is kept as one uncompressed npz file and loaded from there.

Of a large data set only labels, ids and the like are loaded; its images are mapped from where they lie in that file.
"""

from __future__ import annotations

import hashlib
import os
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_STORED, ZipInfo

import numpy as np

from emo_utils.datasets.base import FaceDataset
from emo_utils.datasets.rows import fits_in_memory
from emo_utils.datasets.tree import walk
from emo_utils.paths import data_dir

CACHE_VERSION = 3  # raise it whenever a loader gives anything else for the same source
FOLDER = ".emo_cache"
_ARRAYS = ("labels", "class_names", "ids", "usage", "skipped")
_OPTIONAL = ("groups", "sizes")


def cached(source: Path, size: int, build: Callable[[], FaceDataset]) -> FaceDataset:
    """Return `build()`, from the cache if the source has not changed since.

    The cache lies in `.emo_cache/` beside the source or, where that cannot be written, in the data folder. A cache
    that is damaged, or older than the source, is rebuilt. Without a writable place the data set is simply built.

    Args:
        source: file or folder the data set is read from.
        size: side of the decoded faces in pixels.
        build: function that reads the source.
    """
    stamp = f"{CACHE_VERSION} {size} {source_stamp(source)}"
    source = Path(os.path.abspath(source))
    key = hashlib.sha256(f"{source} {size}".encode(errors="replace")).hexdigest()[:12]
    places = [folder / FOLDER / f"{source.stem}-{key}.npz" for folder in (source.parent, data_dir())]
    for place in places:
        ds = _read(place, stamp)
        if ds is not None:
            return ds
    ds = build()
    for place in places:
        if _write(place, stamp, ds):
            # Images on disk now lie there twice: those of the cache are used, and the temporary file goes.
            return (isinstance(ds.images, np.memmap) and _read(place, stamp)) or ds
    return ds


def source_stamp(source: Path) -> str:
    """Return a string that changes when the source does: size and times of the file, or of every file of a folder.

    The time of the last change of the file's entry (ctime) is in it because a copy that keeps the time of the content,
    or a permission granted, leaves the other time as it was.
    """
    files = [("", source.stat())] if source.is_file() else walk(source)
    n, total = 0, 0
    for name, info in files:  # in any order: a sum needs no list of all files, which may be many
        entry = f"{name}\0{info.st_size} {info.st_mtime_ns} {info.st_ctime_ns}".encode(errors="replace")
        n, total = n + 1, total + int.from_bytes(hashlib.sha256(entry).digest(), "big")
    return f"{n} {total % 2**256:064x}"


def _read(place: Path, stamp: str) -> FaceDataset | None:
    """Return the cached data set, or None if there is none, it is stale, or it cannot be read."""
    try:
        with open(place, "rb") as raw, np.load(raw, allow_pickle=False) as file:
            if str(file["stamp"]) != stamp or file.zip.testzip() is not None:
                return None
            arrays = {key: file[key] for key in _ARRAYS}
            entry = file.zip.getinfo("images.npy")
            arrays["images"] = file["images"] if fits_in_memory(entry.file_size) else _mapped(raw, entry)
            arrays |= {key: file[key] for key in _OPTIONAL if key in file}
            name = str(file["name"])
        skipped = tuple((item, reason) for item, reason in arrays.pop("skipped").tolist())
        class_names = tuple(arrays.pop("class_names").tolist())
        return FaceDataset(**arrays, class_names=class_names, name=name, skipped=skipped)
    except Exception:  # numpy, zipfile and tokenize fail on a damaged file in more ways than one can list
        return None


def _mapped(raw: BinaryIO, entry: ZipInfo) -> np.memmap:
    """Return an array of an npz file as a map of the place in the file where it lies.

    Raises:
        ValueError: the array is compressed or in another form than `np.savez` writes.
    """
    raw.seek(entry.header_offset)
    name_length, extra_length = struct.unpack("<26x2H", raw.read(30))  # the local header of PKWARE's APPNOTE 4.3.7
    raw.seek(name_length + extra_length, os.SEEK_CUR)
    if entry.compress_type != ZIP_STORED or np.lib.format.read_magic(raw) != (1, 0):
        raise ValueError("not an array that can be mapped")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(raw)
    if fortran_order:
        raise ValueError("not an array in C order")
    return np.memmap(raw, dtype, "r", offset=raw.tell(), shape=shape)


def _may_write(folder: Path) -> bool:
    """Tell whether a folder is meant to be written to; asked because root, as on Colab, could write anywhere."""
    return not folder.exists() or bool(folder.stat().st_mode & 0o222)


def _write(place: Path, stamp: str, ds: FaceDataset) -> bool:
    """Write the cache atomically; return False where the folder cannot be written."""
    content = {key: getattr(ds, key) for key in ("images", "labels", "ids", "usage")}
    content |= {"class_names": np.array(ds.class_names), "name": np.array(ds.name), "stamp": np.array(stamp)}
    content["skipped"] = np.array(ds.skipped, dtype=str).reshape(-1, 2)
    content |= {key: getattr(ds, key) for key in _OPTIONAL if getattr(ds, key) is not None}
    temporary = None
    try:
        if not place.parent.exists() and not _may_write(place.parent.parent):
            return False
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=".writing-", suffix=".npz")
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **content)
        os.replace(temporary, place)
        temporary = None
    except OSError:  # read-only or full: the cache is a convenience, the data set is in memory already
        return False
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
    return True
