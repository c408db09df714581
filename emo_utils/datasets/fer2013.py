"""FER2013 in its public forms: the Kaggle folder or zip of images, and fer2013.csv.

Goodfellow et al. (2013), "Challenges in representation learning: a report on three machine learning contests".
35,887 faces of 48x48 grey pixels; parts Training, PublicTest and PrivateTest, here "train", "test" and "private".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from emo_utils.datasets.base import FaceDataset, from_arrays
from emo_utils.datasets.images import fit_square
from emo_utils.datasets.tree import ENTRY_DAMAGE, open_zip, remedy
from emo_utils.emotions import SEVEN
from emo_utils.errors import DataError

USAGE_OF = {"Training": "train", "PublicTest": "test", "PrivateTest": "private"}
CSV_NAME = "fer2013.csv"
_SIDE = 48


def is_fer2013(ds: FaceDataset) -> bool:
    """Tell whether a loaded folder is FER2013: no class beyond its seven, and files named like Training_123.jpg."""
    prefixes = np.array([_prefix(name) in USAGE_OF for name in ds.ids])
    return set(ds.class_names) <= set(SEVEN) and prefixes.mean() > 0.5


def from_folder(ds: FaceDataset) -> FaceDataset:
    """Give a loaded FER2013 folder its name, its seven classes in the order of fer2013.csv, and its parts.

    The prefix of the file name decides on the part, since the folder test/ holds both tests; files without one keep
    the part that their folder names.
    """
    new_label = np.array([SEVEN.index(name) for name in ds.class_names])
    usage = [USAGE_OF.get(_prefix(name), given) for name, given in zip(ds.ids, ds.usage, strict=True)]
    return replace(ds, name="fer2013", class_names=SEVEN, labels=new_label[ds.labels], usage=np.array(usage, dtype=str))


def _prefix(name: str) -> str:
    return name.rsplit("/", 1)[-1].split("_", 1)[0]


def load_csv(path: Path, size: int) -> FaceDataset:
    """Load fer2013.csv: columns emotion (0 to 6), pixels (2,304 integers, row by row) and, if present, Usage.

    Args:
        path: the csv file, or a zip archive with fer2013.csv in it.
        size: side of the faces in pixels.

    Returns:
        Faces in the order of the rows; `ids` are "row-000000" and so on, counted from the first row below the header.
        Rows that cannot be used are listed in `skipped`.

    Raises:
        DataError: the file cannot be read, lacks a column or has no usable row.
    """
    faces, labels, ids, usage, skipped = [], [], [], [], []
    with _open_csv(path) as lines:
        for i, row in enumerate(_rows(lines, path)):
            try:
                label, part, face = _parse(row)
            except DataError as error:
                skipped.append((f"row-{i:06d}", str(error)))
                continue
            faces.append(face)
            labels.append(label)
            usage.append(part)
            ids.append(f"row-{i:06d}")
    if not faces:
        shown = f" First problem: {skipped[0][0]}, {skipped[0][1]}." if skipped else ""
        raise DataError(f"{path} has no usable row.{shown}")
    images = np.stack(faces)
    if size != _SIDE:
        images = np.stack([fit_square(face, size) for face in images])
    sizes = np.full(len(faces), _SIDE, np.float32)
    return from_arrays(images, labels, SEVEN, ids=ids, usage=usage, sizes=sizes, name="fer2013", skipped=tuple(skipped))


def holds_csv(path: Path) -> bool:
    """Tell whether a zip archive has fer2013.csv at its top."""
    with open_zip(path) as archive:
        return CSV_NAME in archive.namelist()


@contextmanager
def _open_csv(path: Path) -> Iterator[Iterable[str]]:
    """Open the csv, be it a file or in a zip, as text; bytes that are no text come out as odd characters."""
    text = {"encoding": "utf-8-sig", "errors": "replace", "newline": ""}
    try:
        if path.suffix.lower() == ".csv":
            with open(path, **text) as lines:
                yield lines
        else:
            with open_zip(path) as archive, archive.open(CSV_NAME) as raw:
                yield io.TextIOWrapper(raw, **text)
    except ENTRY_DAMAGE as error:
        raise DataError(f"{path} cannot be read ({error}). {remedy(error)}") from None


def _rows(lines: Iterable[str], path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows as dicts; a row that is no csv comes out empty, so that the count goes on."""
    reader = csv.reader(lines)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
    except csv.Error as error:
        raise DataError(f"{path} is no csv ({error}). Is it the right file?") from None
    missing = [name for name in ("emotion", "pixels") if name not in header]
    if not header:
        raise DataError(f"{path} is empty.")
    if missing:
        hint = " These are the FER+ votes; load fer2013.csv and give this file as votes." if "nf" in header else ""
        found = ", ".join(ascii(name[:20])[1:-1] for name in header[:12])  # whatever it is, it must not steer a screen
        raise DataError(f"{path} has no column {' and no column '.join(missing)}. It has: {found}.{hint}")
    while True:
        try:
            yield dict(zip(header, next(reader), strict=False))
        except StopIteration:
            return
        except csv.Error:
            yield {}


def _parse(row: dict[str, str]) -> tuple[int, str, np.ndarray]:
    """Return (label, usage, face of shape (48, 48)) of one row, or raise DataError with what is wrong."""
    emotion, pixels, usage = (row.get(key, "").strip() for key in ("emotion", "pixels", "usage"))
    if emotion not in {str(i) for i in range(len(SEVEN))}:
        raise DataError(f"label {emotion[:20]!r} is not 0 to 6")
    if usage not in ("", *USAGE_OF):
        raise DataError(f"Usage {usage[:20]!r} is not one of {', '.join(USAGE_OF)}")
    try:
        values = bytes(map(int, pixels.split()))  # bytes() refuses what is not 0 to 255
    except ValueError:
        raise DataError("pixels are not all whole numbers from 0 to 255") from None
    if len(values) != _SIDE**2:
        raise DataError(f"{len(values)} pixels instead of {_SIDE**2}")
    return int(emotion), USAGE_OF.get(usage, ""), np.frombuffer(values, np.uint8).reshape(_SIDE, _SIDE)
