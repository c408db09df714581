"""Against rare classes: which faces an epoch holds, or what a face of each class weighs in the loss."""

from __future__ import annotations

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from emo_utils.datasets.base import FaceDataset
from emo_utils.errors import DataError
from emo_utils.recipe import Recipe


def oversample_minority_classes(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return indices in which every class that occurs stands as often as the most frequent one.

    Args:
        labels: int array of shape (n,).
        rng: draws which faces of a rare class are repeated.

    Returns:
        int array of shape (m,), m = n_classes * largest count, unshuffled: each face once, then the repetitions.
    """
    counts = np.bincount(labels)
    extra = [
        rng.choice(np.flatnonzero(labels == c), counts.max() - counts[c], replace=True)
        for c in np.flatnonzero(counts)
        if counts[c] < counts.max()
    ]
    return np.concatenate([np.arange(len(labels)), *extra])


def sample_balanced(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw as many faces as there are, each from a class drawn uniformly among those that occur.

    An epoch stays as long as without balancing: faces of frequent classes are left out by chance, others repeat.

    Args:
        labels: int array of shape (n,).
        rng: source of the draws, which are with replacement.

    Returns:
        int array of shape (n,), indices in random order.
    """
    drawn = rng.choice(np.unique(labels), len(labels))
    order = np.empty(len(labels), dtype=np.int64)
    for c in np.unique(drawn):
        order[drawn == c] = rng.choice(np.flatnonzero(labels == c), np.count_nonzero(drawn == c))
    return order


def compute_class_weights_effective(labels: np.ndarray, n_classes: int, beta: float) -> np.ndarray:
    """Weigh classes by the inverse of their effective number of faces (Cui et al. 2019, eq. 2 and 4).

    The weight of a class with n faces is proportional to (1 - beta) / (1 - beta**n): beta 0 weighs all classes alike,
    beta towards 1 approaches inverse frequency.

    Args:
        labels: int array of shape (n,).
        n_classes: number of classes.
        beta: at least 0, below 1.

    Returns:
        float64 array of shape (n_classes,) that sums to n_classes.

    Raises:
        DataError: a class has no faces.
    """
    counts = np.bincount(labels, minlength=n_classes)
    if not counts.all():
        empty = ", ".join(map(str, np.flatnonzero(counts == 0)))
        raise DataError(f"No faces with label {empty}: a class without faces has no weight. Leave it out, or add some.")
    weights = (1 - beta) / (1 - beta**counts)
    return weights * n_classes / weights.sum()


def class_weights(data: FaceDataset, recipe: Recipe) -> np.ndarray | None:
    """Return what a face of each class weighs in the loss of a recipe, or None where all weigh the same.

    Args:
        data: the training faces.
        recipe: its `balancing` and `effective_beta` count.

    Returns:
        float64 array of shape (n_classes,), or None.

    Raises:
        DataError: a class has no faces.
    """
    if recipe.balancing not in ("class_weights", "effective_number"):
        return None
    empty = [name for name, n in data.counts().items() if n == 0]
    if empty:
        raise DataError(
            f"{data.name} has no training images of: {', '.join(empty)}, which balancing {recipe.balancing!r} cannot "
            "weigh. Leave these classes out of the recipe, or choose another balancing."
        )
    if recipe.balancing == "effective_number":
        return compute_class_weights_effective(data.labels, len(data.class_names), recipe.effective_beta)
    return compute_class_weight("balanced", classes=np.arange(len(data.class_names)), y=data.labels)
