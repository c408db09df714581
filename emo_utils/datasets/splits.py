"""Split a data set into train, val and test so that no copy, and no person, stands on both sides."""

from __future__ import annotations

import warnings
from dataclasses import replace
from fractions import Fraction

import numpy as np

from emo_utils.datasets.base import FaceDataset
from emo_utils.datasets.duplicates import duplicate_groups
from emo_utils.errors import DataError


def split_dataset(
    ds: FaceDataset,
    *,
    val_fraction: float = 0.1,
    test_fraction: float = 0.15,
    by: str | None = None,
    seed: int = 0,
) -> FaceDataset:
    """Fill `usage`: each face goes to "train", "val" or "test", stratified by class.

    Parts that the data set brings along are kept: with a "test" or "private" part only "val" is carved out of the
    rest, with a "val" part only "test", with both nothing changes. Exact copies of an image stay together, and with
    `by="group"` all faces of a person do.

    Args:
        ds: the data set; faces with usage "train" or "" are split.
        val_fraction: part for "val", as a fraction of the faces that are split.
        test_fraction: part for "test", likewise.
        by: "label" or "group"; None means "group" if the data set knows the persons, else "label". By label the
            fractions hold to a few faces; by group as nearly as whole persons allow.
        seed: the same seed gives the same split.

    Raises:
        DataError: persons are asked for but not known, a fraction does not fit, or there are too few faces.
    """
    by = by or ("label" if ds.groups is None else "group")
    if by not in ("label", "group"):
        raise DataError(f"`by` must be 'label' or 'group'. Got {by!r}.")
    if by == "group" and ds.groups is None:
        raise DataError(f"{ds.name} does not say who is on the images, so it cannot be split by group. Use by='label'.")
    if min(val_fraction, test_fraction) < 0 or val_fraction + test_fraction >= 1:
        raise DataError(
            f"val_fraction and test_fraction must not be negative and must leave something for training. "
            f"Got {val_fraction} and {test_fraction}."
        )
    usage = np.where(ds.usage == "", "train", ds.usage).astype("U7")
    n_pool = int((usage == "train").sum())
    unit = _units(ds, by)
    for part, fraction, present in (
        ("test", test_fraction, np.isin(ds.usage, ("test", "private")).any()),
        ("val", val_fraction, (ds.usage == "val").any()),
    ):
        pool = np.flatnonzero(usage == "train")
        if present or fraction == 0 or len(pool) == 0:
            continue
        share = fraction * n_pool / len(pool)
        draw = _draw_groups if by == "group" else _draw_images
        try:
            usage[pool[draw(ds.labels[pool], unit[pool], share, seed)]] = part
        except ValueError as error:
            who = ""
            if by == "group":
                n_persons = len(np.unique(ds.groups[pool]))
                who = f" of {n_persons} person{'s' if n_persons > 1 else ''}"
            raise DataError(
                f"{ds.name}: {len(pool)} faces{who} are too few to carve out {part!r} with every class in it ({error})."
            ) from None
    return replace(ds, usage=usage)


def _units(ds: FaceDataset, by: str) -> np.ndarray:
    """Number what must stay together: copies of one image, or chains of persons linked by copies."""
    copies = duplicate_groups(ds.images)
    if by == "label":
        return copies
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    persons = np.unique(ds.groups, return_inverse=True)[1]
    n_persons, n = persons.max(initial=-1) + 1, len(ds)
    shape = (n_persons + n, n_persons + n)  # one node a person, then one a distinct image
    links = coo_matrix((np.ones(n), (persons, n_persons + copies)), shape=shape)
    return connected_components(links, directed=False)[1][persons]


def _draw_images(labels: np.ndarray, unit: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Return positions of about `share` of the faces, whole units only.

    Units are single images but for a few copies, so a stratified draw among units is one among faces. scikit-learn's
    StratifiedGroupKFold would do it too, but takes ten seconds for 28,000 units.
    """
    from sklearn.model_selection import train_test_split

    _, first = np.unique(unit, return_index=True)
    first = first[np.bincount(labels[first])[labels[first]] > 1]  # a class of one stays in train
    drawn = train_test_split(unit[first], test_size=share, random_state=seed, stratify=labels[first])[1]
    return np.flatnonzero(np.isin(unit, drawn))


def _draw_groups(labels: np.ndarray, unit: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Return positions of about `share` of the faces, whole persons only, classes balanced as far as persons allow.

    The share is approximated by a fraction of at most 20 folds of StratifiedGroupKFold, of which some are joined:
    0.15 is 3 folds of 20.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    most = min(20, len(np.unique(unit)))
    wanted = Fraction(share).limit_denominator(most)
    wanted = min(max(wanted, Fraction(1, most)), Fraction(most - 1, most))
    rng = np.random.default_rng(seed)
    unit = rng.permutation(unit.max() + 1)[unit]  # renumbered, which decides between equals
    # Its own shuffle=True stratifies worse, and differently in scikit-learn 1.6 and later; so the folds are drawn here.
    drawn = rng.permutation(wanted.denominator)[: wanted.numerator]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")  # CK+ has few fearful persons
        folds = list(StratifiedGroupKFold(wanted.denominator).split(labels, labels, unit))
    return np.concatenate([folds[i][1] for i in drawn])
