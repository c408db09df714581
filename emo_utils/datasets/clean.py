"""Leave out what spoils training or flatters a test: blank images, repeated copies, copies of test images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from emo_utils.datasets.base import FaceDataset
from emo_utils.datasets.duplicates import blank_images, duplicate_groups, sets_of_equal


def clean(ds: FaceDataset, *, blanks: bool = True, duplicates: bool = True, leaks: bool = True) -> FaceDataset:
    """Return the data set without faulty training images; "test" and "private" are never altered.

    Args:
        ds: the data set.
        blanks: leave out images of one single grey value.
        duplicates: of exact copies outside the tests keep one, a copy in "val" rather than one in "train". If the
            copies disagree on the label, one with the label of the strict majority stays, else none.
        leaks: leave out images whose pixels also stand in "test" or "private".

    Returns:
        The data set without them; `removed` lists (id, reason) of each, after what was removed before.
    """
    in_test = np.isin(ds.usage, ("test", "private"))
    number = duplicate_groups(ds.images)
    reason = np.full(len(ds), "", dtype=object)
    if leaks:
        reason[~in_test & np.isin(number, number[in_test])] = "copy of a test image"
    if blanks:
        reason[~in_test & blank_images(ds.images) & (reason == "")] = "blank"
    if duplicates:
        rest = np.flatnonzero(~in_test & (reason == ""))
        for copies in (rest[members] for members in sets_of_equal(number[rest])):
            kept = _kept_copy(ds, copies)
            why = "copies with conflicting labels" if kept is None else f"copy of {ds.ids[kept]}"
            reason[copies[copies != kept] if kept is not None else copies] = why
    gone = reason != ""
    removed = tuple(zip(ds.ids[gone].tolist(), reason[gone].tolist(), strict=True))
    return replace(ds.take(~gone), removed=ds.removed + removed)


def _kept_copy(ds: FaceDataset, copies: np.ndarray) -> int | None:
    """Return the position of the copy that stays, or None if no label has a strict majority."""
    votes = np.bincount(ds.labels[copies])
    label = votes.argmax()
    if 2 * votes[label] <= len(copies):
        return None
    candidates = copies[ds.labels[copies] == label]
    in_val = candidates[ds.usage[candidates] == "val"]
    return int(in_val[0] if len(in_val) else candidates[0])
