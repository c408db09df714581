"""load_dataset: one door to every data set; it looks at the source to see which one it is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from emo_utils.datasets import ckplus, fer2013, ferplus
from emo_utils.datasets.base import FaceDataset
from emo_utils.datasets.cache import cached
from emo_utils.datasets.folder import load_folder
from emo_utils.datasets.images import fit_square
from emo_utils.errors import DataError
from emo_utils.paths import data_dir

# Names under which the known data sets are looked for in the data folder, best form first: the csv has the pixels
# before JPEG compression and knows the rows that FER+ is joined by.
KNOWN = {
    "fer2013": ("fer2013.csv", "fer2013.zip", "fer2013"),
    "ckplus": ("ckplus.zip", "ckplus", "CK+48"),
}
_WHAT = {
    "fer2013": "FER2013 from Kaggle (fer2013.csv, or the zip with train/ and test/)",
    "ckplus": "CK+ from Kaggle (shuvoalok/ck-dataset)",
}
SIZES = (16, 512)


def load_dataset(
    source: str | Path, *, classes: Sequence[str] | None = None, size: int = 48, label_source: str = "fer2013"
) -> FaceDataset:
    """Load a data set; what it was recognised as stands in its `name`.

    Args:
        source: "embedded"; "fer2013" or "ckplus", looked for in the data folder; or a path: FER2013 as zip, csv or
            folder, CK+ as folder or zip, or any folder or zip of class folders (see `load_folder`).
        classes: emotions to keep, relabelled in this order; None keeps all in the data set's own order.
        size: side of the faces in pixels, 16 to 512.
        label_source: "fer2013" for the labels that the data set brings along; "ferplus" for the majority of the FER+
            raters (eight classes). The votes, fer2013new.csv, are looked for beside the source, then in the data
            folder.

    Raises:
        DataError: the source is missing or has nothing usable; the message says what to do.
    """
    if not (isinstance(size, int) and SIZES[0] <= size <= SIZES[1]):
        raise DataError(f"`size` must be a whole number from {SIZES[0]} to {SIZES[1]}. Got {size!r}.")
    if label_source not in ("fer2013", "ferplus"):
        raise DataError(f"`label_source` must be 'fer2013' or 'ferplus'. Got {label_source!r}.")
    if str(source) == "embedded":
        ds, path = _embedded(size), data_dir()
    else:
        path = _find(source)
        ds = cached(path, size, lambda: _read(path, size))
    if label_source == "ferplus":
        ds = ferplus.majority_labels(_add_votes(ds, path.parent))
    return ds if classes is None else ds.select(classes)


def _embedded(size: int) -> FaceDataset:
    from emo_utils.datasets.embedded import load_embedded

    ds = load_embedded()  # drawn at 48x48
    return ds if size == ds.images.shape[1] else replace(ds, images=np.stack([fit_square(x, size) for x in ds.images]))


def _find(source: str | Path) -> Path:
    """Return the path of a data set given by path or by name."""
    path, name = Path(os.path.expanduser(source)), str(source).lower()  # an unknown ~user stays as it is
    if name and os.path.exists(path):
        return path
    if name not in KNOWN:
        known = ", ".join(("embedded", *KNOWN))
        raise DataError(f"{path} does not exist. Give the path of a data set or one of the names: {known}.")
    for file in KNOWN[name]:
        if (data_dir() / file).exists():
            return data_dir() / file
    raise DataError(
        f"{name} is not in {data_dir()}. Download {_WHAT[name]} and put it there as {' or '.join(KNOWN[name])}; "
        f"data/README.md says how."
    )


def _read(path: Path, size: int) -> FaceDataset:
    """Read a file or folder in the form that it turns out to have."""
    if path.is_dir() and (path / fer2013.CSV_NAME).is_file():
        path = path / fer2013.CSV_NAME
    if path.suffix.lower() == ".csv" or (not path.is_dir() and fer2013.holds_csv(path)):
        return fer2013.load_csv(path, size)
    ds = load_folder(path, size)
    for form in (fer2013.is_fer2013, fer2013.from_folder), (ckplus.is_ckplus, ckplus.from_folder):
        recognise, adapt = form
        if recognise(ds):
            return adapt(ds)
    return ds


def add_known_votes(ds: FaceDataset, source: str | Path) -> FaceDataset:
    """Add the FER+ votes whose files lie beside a source, or in the data folder, see `add_votes`.

    Args:
        ds: FER2013, or some of its classes, as loaded from `source`.
        source: as given to `load_dataset`.

    Raises:
        DataError: another data set, or the files are missing or do not fit.
    """
    return _add_votes(ds, data_dir() if str(source) == "embedded" else _find(source).parent)


def _add_votes(ds: FaceDataset, beside: Path) -> FaceDataset:
    if ds.name != "fer2013":
        raise DataError(f"The FER+ votes go with FER2013 only; this data set is {ds.name}.")
    votes, rows = (
        next((folder / name for folder in (beside, data_dir()) if (folder / name).is_file()), None)
        for name in (ferplus.VOTES_NAME, ferplus.ROWS_NAME)
    )
    if votes is None:
        raise DataError(
            f"The FER+ votes are missing: get {ferplus.VOTES_NAME} from github.com/microsoft/FERPlus and put it in "
            f"{data_dir()}."
        )
    return ferplus.add_votes(ds, votes, rows)
