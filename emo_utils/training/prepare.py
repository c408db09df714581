"""What happens to a data set before it trains: split, clean, select, limit."""

from __future__ import annotations

import numpy as np

from emo_utils.datasets import FaceDataset, clean, split_dataset
from emo_utils.errors import DataError
from emo_utils.recipe import DATA_CLASSES, Recipe


def recipe_for(recipe: Recipe, data: FaceDataset) -> Recipe:
    """Return a recipe that names the data set it is to be run on; data that has no name of its own is a "folder"."""
    name = data.name if data.name in DATA_CLASSES else "folder"
    return recipe if recipe.data == name else recipe.but(data=name)


def prepare_data(recipe: Recipe, data: FaceDataset) -> FaceDataset:
    """Split, clean and select as a recipe says.

    The split is drawn before classes are selected: a five-class run validates on a subset of what the seven-class run
    with the same seed validated on, so weights may pass from one to the other without leaking validation faces.
    """
    data = split_dataset(data, val_fraction=recipe.val_fraction, seed=recipe.seed)
    if recipe.clean:
        data = clean(data)
    data = data.select(recipe.classes)
    for usage in ("train", "val", "test"):
        empty = [name for name, n in data.part(usage).counts().items() if n == 0]
        if empty:  # found after the training it would cost the training
            raise DataError(
                f"{data.name}: the {usage} part has no faces of: {', '.join(empty)}. Add some, or leave the class out."
            )
    return data


def limit_training(data: FaceDataset, limit: int | None, seed: int) -> FaceDataset:
    """Keep about `limit` training faces, a share of each class; the other parts stay whole. None keeps all."""
    train = np.flatnonzero(data.usage == "train")
    if limit is None or len(train) <= limit:
        return data
    rng = np.random.default_rng(seed)
    # A share of each class, and at least two faces of it: a quick run should not lose a rare class.
    kept = [
        rng.choice(rows, min(len(rows), max(2, round(limit * len(rows) / len(train)))), replace=False)
        for c in range(len(data.class_names))
        if len(rows := train[data.labels[train] == c])
    ]
    return data.take(np.sort(np.concatenate([np.flatnonzero(data.usage != "train"), *kept])))
