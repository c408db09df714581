"""The leakage lab: by how many points does a split that leaks flatter a model?

S. Kapoor, A. Narayanan, "Leakage and the reproducibility crisis in machine-learning-based science" (Patterns 2023)
list the mistakes; three of them are common with faces. To measure one, a model is trained twice, on as many faces of
as many of each class, and asked about the same test faces. Only which faces it was trained on differs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from emo_utils.datasets.base import BY_FACE, FaceDataset
from emo_utils.datasets.splits import split_dataset
from emo_utils.errors import DataError
from emo_utils.evaluation.hits import right_answers
from emo_utils.evaluation.progress import progress_bar
from emo_utils.evaluation.significance import paired_difference

if TYPE_CHECKING:
    import pandas as pd

LEAKS = {
    "people": "other pictures of the test people are in training",
    "duplicates": "exact copies of a third of the test faces are in training",
    "augmented": "augmented copies of the test faces are in training",
}
_TEST = 0.3  # of the faces
_TEST_PEOPLE = 0.5  # of the people, where half of their faces can leak
_COPIED = 1 / 3  # of the test faces, to see an effect on few; of FER2013's PublicTest some 8 % stand in Training
_VARIANTS = 2  # augmented copies of each face, beside the face itself

FitPredict = Callable[[FaceDataset, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class LeakySplit:
    """One test part and two training parts of the same size.

    Attributes:
        leaky: training faces, some of which give away test faces.
        clean: as many, of the same classes as far as there are enough, and none of which does.
        test: the faces to ask about.
    """

    leaky: FaceDataset
    clean: FaceDataset
    test: FaceDataset


def leaky_and_clean(data: FaceDataset, kind: str, *, seed: int = 0) -> LeakySplit:
    """Split a data set once with and once without a mistake.

    The faces are split anew, whole people where they are known, and exact copies stay together. The leaky part is the
    clean one with some faces swapped for such as give test faces away:

    - people: other pictures of the test people, as when a video is split frame by frame. Half of the people, with half
      of their pictures each, are the test part.
    - duplicates: exact copies of a third of the test faces.
    - augmented: two variants of each test face (flip, rotation, zoom, shift, light), as when a set is augmented first
      and split afterwards. The clean part is augmented likewise, after the split.

    Args:
        data: the faces; their own parts are ignored.
        kind: a key of `LEAKS`.
        seed: of the split; another one gives other test faces.

    Raises:
        DataError: an unknown kind, people who are not known, or too few faces.
    """
    if kind not in LEAKS:
        raise DataError(f"No leak is called {kind!r}. There are: {', '.join(LEAKS)}.")
    if kind == "people" and data.groups is None:
        raise DataError(f"{data.name} does not say who is on the images, so people cannot leak. Use another kind.")
    rng = np.random.default_rng(seed)
    share = _TEST_PEOPLE if kind == "people" else _TEST
    split = split_dataset(replace(data, usage=np.full(len(data), "")), val_fraction=0, test_fraction=share, seed=seed)
    clean, test = split.part("train"), split.part("test")
    if kind == "people":
        known = _half_of_each(test.groups, rng)
        leaking, test = test.take(known), test.take(~known)
    elif kind == "duplicates":
        leaking = test.take(rng.choice(len(test), round(_COPIED * len(test)), replace=False))
        leaking = replace(leaking, ids=np.char.add(leaking.ids, "-copy"))
    else:
        leaking = _variants(test, rng)
        clean = _joined(clean, _variants(clean, rng))
    kept = _without(clean.labels, leaking.labels, rng)
    return LeakySplit(_joined(clean.take(kept), leaking), clean, test)


@dataclass(frozen=True)
class LeakageGap:
    """How far a leak flatters: accuracies of the same test faces, and their difference.

    Attributes:
        leaky, clean: accuracy after training with and without the leak, 0 to 1.
        gap: leaky less clean, in percentage points.
        low, high: its 95 % interval, of paired differences.
    """

    leaky: float
    clean: float
    gap: float
    low: float
    high: float


def leakage_gap(leaky_probabilities: np.ndarray, clean_probabilities: np.ndarray, test: FaceDataset) -> LeakageGap:
    """Compare what two models say of the same test faces.

    Args:
        leaky_probabilities: float array of shape (n, n_classes), of the model that was trained with the leak.
        clean_probabilities: the same of the model that was trained without.
        test: the n faces; where people are known, the interval is over people.

    Raises:
        DataError: probabilities that are none, or not of these faces.
    """
    leaky = right_answers(test.labels, leaky_probabilities, test.class_names)
    clean = right_answers(test.labels, clean_probabilities, test.class_names)
    points = [100 * value for value in paired_difference(clean, leaky, groups=test.groups)]
    return LeakageGap(float(leaky.mean()), float(clean.mean()), *points)


def leakage_lab(
    fit_predict: FitPredict,
    data: FaceDataset,
    *,
    kinds: Sequence[str] = tuple(LEAKS),
    seeds: Sequence[int] = (0, 1, 2),
    progress: bool = True,
) -> pd.DataFrame:
    """Train with and without each leak, and compare.

    Args:
        fit_predict: maps (training faces, uint8 test images of shape (n, height, width)) to probabilities of shape
            (n, n_classes). It trains a new model each time, always with the same settings.
        data: the faces to split.
        kinds: keys of `LEAKS`.
        seeds: of the splits; two trainings for each kind and seed.
        progress: show a progress bar.

    Returns:
        A DataFrame, a row a kind and seed: kind, seed, n_train, n_test, leaky, clean, gap, low, high, see `LeakageGap`.

    Raises:
        DataError: see `leaky_and_clean` and `leakage_gap`.
    """
    import pandas as pd

    rows = []
    with progress_bar(2 * len(kinds) * len(seeds), "leakage", "trainings", show=progress) as bar:
        for kind in kinds:
            for seed in seeds:
                split = leaky_and_clean(data, kind, seed=seed)
                answers = []
                for train in (split.leaky, split.clean):
                    answers.append(fit_predict(train, np.asarray(split.test.images)))
                    bar.update(1)
                gap = leakage_gap(*answers, split.test)
                rows.append(
                    {"kind": kind, "seed": seed, "n_train": len(split.clean), "n_test": len(split.test), **vars(gap)}
                )
    return pd.DataFrame(rows)


def _half_of_each(groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a bool array of shape (n,), True for a random half of the faces of each person."""
    order = rng.permutation(len(groups))
    order = order[np.argsort(groups[order], kind="stable")]
    half = np.zeros(len(groups), bool)
    half[order[::2]] = True
    return half


def _variants(data: FaceDataset, rng: np.random.Generator) -> FaceDataset:
    """Return random variants of each face, without the faces themselves."""
    from emo_utils.pipeline import augment_images  # brings Keras
    from emo_utils.recipes import MILD_AUGMENTATION

    repeated = data.take(np.tile(np.arange(len(data)), _VARIANTS))
    number = np.repeat(np.arange(_VARIANTS), len(data)).astype(str)
    return replace(
        repeated,
        images=augment_images(np.asarray(repeated.images), MILD_AUGMENTATION, rng),
        ids=np.char.add(np.char.add(repeated.ids, "-variant"), number),
    )


def _without(labels: np.ndarray, leaving: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return sorted positions of the faces that stay when one makes room for each of `leaving`, of its class.

    Where a class runs out, faces of any other make room.
    """
    if len(leaving) > len(labels):
        raise DataError(f"{len(labels)} training faces cannot make room for {len(leaving)}. Use more people, or faces.")
    order = rng.permutation(len(labels))
    gone = [order[labels[order] == label][:n] for label, n in enumerate(np.bincount(leaving))]
    gone = np.concatenate(gone)
    rest = np.setdiff1d(order, gone)
    more = rng.choice(rest, len(leaving) - len(gone), replace=False)
    return np.setdiff1d(rest, more)


def _joined(first: FaceDataset, second: FaceDataset) -> FaceDataset:
    both = {
        key: np.concatenate([getattr(first, key), getattr(second, key)])
        for key in ("images", *BY_FACE)
        if getattr(first, key) is not None
    }
    return replace(first, **both)
