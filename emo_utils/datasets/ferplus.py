"""FER+: ten raters' votes for each face of FER2013 (github.com/microsoft/FERPlus, fer2013new.csv).

Barsoum et al. (2016), "Training deep networks for facial expression recognition with crowd-sourced label distribution".
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from emo_utils.datasets.base import FaceDataset
from emo_utils.datasets.fer2013 import USAGE_OF
from emo_utils.emotions import EMOTIONS, canonical_emotion
from emo_utils.errors import DataError

# Columns of fer2013new.csv and, in this order, of `FaceDataset.votes`.
VOTES = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")
VOTES_NAME = "fer2013new.csv"
ROWS_NAME = "fer2013_rows.csv"
_ROW = re.compile(r"row-(\d+)")


def add_votes(ds: FaceDataset, votes_csv: str | Path, rows_csv: str | Path | None = None) -> FaceDataset:
    """Add the votes to FER2013; faces and labels stay as they are.

    The votes come in the order of the rows of fer2013.csv and are joined by row: the image names in the votes file
    skip rows. Faces loaded from fer2013.csv know their row; for the folder or zip a table has to say it.

    Args:
        ds: FER2013 as loaded from the csv, the folder or the zip.
        votes_csv: fer2013new.csv.
        rows_csv: csv with columns row and path (train/angry/Training_1.jpg); needed unless `ds` comes from the csv.

    Returns:
        The data set with `votes`, an int64 array of shape (n, 10) in the order of `VOTES`.

    Raises:
        DataError: a file does not fit, or the parts of the two files disagree, so that the rows cannot be the same.
    """
    table = _read_csv(votes_csv, ("Usage", *VOTES))
    rows = _rows_of(ds, rows_csv)
    if rows.max(initial=-1) >= len(table):
        raise DataError(f"{votes_csv} has {len(table)} rows, but {ds.name} needs row {rows.max()}. Is it complete?")
    usage = table["Usage"].map(USAGE_OF).to_numpy()[rows]
    differ = (ds.usage != usage) & np.isin(ds.usage, tuple(USAGE_OF.values()))
    if differ.any():
        raise DataError(
            f"{votes_csv} does not fit {ds.name}: {differ.sum()} of {len(ds)} rows belong to different parts, "
            f"e.g. {ds.ids[differ][0]}. Both must have the rows of fer2013.csv in their first order."
        )
    try:
        votes = table[list(VOTES)].to_numpy(dtype=np.int64)
    except ValueError:
        raise DataError(f"{votes_csv}: votes must be whole numbers.") from None
    if votes.min(initial=0) < 0:
        raise DataError(f"{votes_csv}: votes must not be negative.")
    return replace(ds, votes=votes[rows])


def majority_labels(ds: FaceDataset) -> FaceDataset:
    """Return the faces on which the raters agree, labelled by them with eight classes.

    The usual filter: votes of a single rater are dropped as slips; of what is left, one emotion must have more than
    half. Faces without such a majority, or whose majority says "unknown" or "not a face", are left out and listed in
    `removed`.

    Args:
        ds: data set with `votes`.

    Returns:
        Data set with `class_names` = `EMOTIONS`, named "ferplus".
    """
    if ds.votes is None:
        raise DataError(f"{ds.name} has no votes. Add them with add_votes first.")
    votes = np.where(ds.votes > 1, ds.votes, 0)
    winner = votes.argmax(axis=1)
    clear = 2 * votes.max(axis=1) > votes.sum(axis=1)
    is_emotion = winner < len(EMOTIONS)
    keep = clear & is_emotion
    reason = np.where(clear, "raters see no emotion or no face", "no majority among the raters")
    new_label = np.array([EMOTIONS.index(canonical_emotion(name)) for name in VOTES[:8]])
    removed = tuple(zip(ds.ids[~keep].tolist(), reason[~keep].tolist(), strict=True))
    kept = ds.take(keep)
    return replace(
        kept, labels=new_label[winner[keep]], class_names=EMOTIONS, name="ferplus", removed=ds.removed + removed
    )


def blend_votes(ds: FaceDataset, share: float) -> np.ndarray:
    """Return training targets that are partly the label, partly what the raters said.

    Votes for emotions that are not among the classes, "unknown" and "not a face" are left out, as are emotions with one
    vote; a face without votes then keeps its label.

    Args:
        ds: data set with `votes`.
        share: of the raters, 0 to 1.

    Returns:
        float32 array of shape (n, n_classes), rows that sum to 1.
    """
    if ds.votes is None:
        raise DataError(f"{ds.name} has no votes. Add them with add_votes first.")
    columns = [[canonical_emotion(name) for name in VOTES[:8]].index(c) for c in ds.class_names]
    votes = np.where(ds.votes > 1, ds.votes, 0)[:, columns].astype(np.float32)
    total = votes.sum(axis=1, keepdims=True)
    label = ds.one_hot()
    said = np.divide(votes, total, out=label.copy(), where=total > 0)
    return (1 - np.float32(share)) * label + np.float32(share) * said


def _rows_of(ds: FaceDataset, rows_csv: str | Path | None) -> np.ndarray:
    """Return the row in fer2013.csv of each face, int64 of shape (n,)."""
    matches = [_ROW.fullmatch(name) for name in ds.ids]
    if all(matches):
        return np.array([int(match[1]) for match in matches], dtype=np.int64)
    if rows_csv is None:
        raise DataError(
            f"FER+ votes are joined by row of fer2013.csv, which {ds.name} as loaded from images does not know. "
            f"Load fer2013.csv, or put a table of row and path named {ROWS_NAME} beside {VOTES_NAME}."
        )
    table = _read_csv(rows_csv, ("row", "path"))
    row_of = {_tail(path): row for path, row in zip(table["path"], table["row"], strict=True)}
    unknown = [name for name in ds.ids if _tail(name) not in row_of]
    if unknown:
        raise DataError(f"{rows_csv} has no row for {len(unknown)} of {len(ds)} faces, e.g. {unknown[0]}.")
    return np.array([row_of[_tail(name)] for name in ds.ids], dtype=np.int64)


def _tail(path: str) -> str:
    """Return the last three parts of a path, train/angry/x.jpg, whatever folder the data set was unpacked in."""
    return "/".join(str(path).split("/")[-3:])


def _read_csv(path: str | Path, columns: tuple[str, ...]):
    """Return a csv as a pandas DataFrame, or raise DataError if it cannot be read or lacks a column."""
    import pandas as pd

    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:  # pandas' own errors are ValueErrors
        raise DataError(f"{path} cannot be read as csv ({error}).") from None
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise DataError(f"{path} has no column {', '.join(missing)}. Is it the right file?")
    return table
