"""load_dataset: one door to every data set; it looks at the source to see which one it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from emo_utils.datasets import fer2013
from emo_utils.datasets.base import FaceDataset
from emo_utils.datasets.cache import cached
from emo_utils.datasets.folder import load_folder
from emo_utils.errors import DataError


def load_dataset(source: str | Path, *, classes: Sequence[str] | None = None, size: int = 48) -> FaceDataset:
    """Load a data set.

    Args:
        source: "embedded", or the path of a FER2013 zip, csv or folder, a CK+ folder, or any folder or zip of class
            folders.
        classes: emotions to keep, relabelled in this order; None keeps all in the data set's own order.
        size: side of the faces in pixels.

    Raises:
        DataError: the source is missing or has nothing usable; the message says what to do.
    """
    if str(source) == "embedded":
        from emo_utils.datasets.embedded import load_embedded

        ds = load_embedded(size=size)
    else:
        path = Path(source).expanduser()
        if not path.exists():
            raise DataError(f"{path} does not exist. See data/README.md for the data sets and where to put them.")
        ds = cached(path, size, lambda: _read(path, size))
    return ds if classes is None else ds.select(classes)


def _read(path: Path, size: int) -> FaceDataset:
    ds = load_folder(path, size)
    if fer2013.is_fer2013(ds):
        return fer2013.from_folder(ds)
    return ds
