"""Likely label errors by confident learning: faces whose label a model contradicts more than its class explains.

C. G. Northcutt, L. Jiang, I. L. Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", Journal of
Artificial Intelligence Research 70 (2021). The method is cleanlab's; here are what it needs, and the score where the
truth is known.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from emo_utils.errors import DataError
from emo_utils.evaluation.checks import check_predictions

FitPredict = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def out_of_sample_probabilities(
    fit_predict: FitPredict,
    features: np.ndarray,
    labels: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    folds: int = 5,
) -> np.ndarray:
    """Return what models say about faces that they were not fitted to, by cross-validation.

    Args:
        fit_predict: takes features (n_fit, ...), labels (n_fit,) and other features (n_new, ...), fits a new model to
            the first and returns its probabilities for the others, (n_new, n_classes).
        features: array of shape (n, ...): whatever `fit_predict` learns from, e.g. images or a backbone's features.
        labels: int array of shape (n,), 0 to n_classes - 1.
        groups: array of shape (n,), e.g. people, who then never stand on both sides.
        folds: parts; each is predicted by a model fitted to the others.

    Returns:
        float array of shape (n, n_classes).

    Raises:
        DataError: a class has fewer faces than there are folds, fewer groups than folds, or probabilities that do not
            cover all classes.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    counts = np.bincount(labels)
    if counts.min() < folds or (groups is not None and len(np.unique(groups)) < folds):
        people = "" if groups is None else f" and {len(np.unique(groups))} groups"
        raise DataError(
            f"{folds} folds need as many faces of each class{' and as many groups' if people else ''}. The rarest "
            f"class has {counts.min()} faces{people}. Use fewer folds."
        )
    if groups is None:
        splits = StratifiedKFold(folds, shuffle=True, random_state=0).split(labels, labels)
    else:
        splits = StratifiedGroupKFold(folds).split(labels, labels, groups)
    probabilities = np.empty((len(labels), len(counts)))
    for fitted, new in splits:
        predicted = np.asarray(fit_predict(features[fitted], labels[fitted], features[new]))
        if predicted.shape != (len(new), len(counts)):
            raise DataError(
                f"fit_predict returned shape {predicted.shape} instead of {(len(new), len(counts))}. Does a class lie "
                "in one fold only? Use fewer folds."
            )
        probabilities[new] = predicted
    return probabilities


def find_label_errors(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return the faces whose label is likely wrong, the likeliest first.

    Args:
        labels: int array of shape (n,), as given, perhaps wrong.
        probabilities: float array of shape (n, n_classes), of a model that has NOT been fitted to these labels, from
            `out_of_sample_probabilities` or for a part that it was not trained on: a model that has learnt a wrong
            label by heart will not contradict it.

    Returns:
        int array of indices into `labels`, ranked by the probability of the given label, lowest first. A label that
        only one face has is never doubted.

    Raises:
        DataError: labels and probabilities that do not fit.
    """
    check_predictions(labels, probabilities)
    from cleanlab.filter import find_label_issues  # a second to import

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="May not flag all label issues in class")  # said in the docstring
        # More jobs than one would start processes, which costs more than it saves below millions of faces.
        return find_label_issues(
            np.asarray(labels), np.asarray(probabilities), return_indices_ranked_by="self_confidence", n_jobs=1
        )


def score_label_errors(found: np.ndarray, wrong: np.ndarray, *, at: Sequence[int] = (20, 50, 100)) -> pd.DataFrame:
    """Score found label errors where the truth is known, as on the embedded faces with planted noise.

    Args:
        found: int array of indices, the likeliest first, from `find_label_errors`.
        wrong: bool array of shape (n,): which labels are wrong, e.g. `faces.labels != faces.true_labels`.
        at: also score only so many of the first found; lengths beyond those found are left out.

    Returns:
        A table, columns share, low, high (Wilson's 95 % interval) and n: "wrong labels" is the base rate that
        chance would reach; "precision" the share of those found that is wrong, also "precision of the first 20" and so
        on; "recall" the share of the wrong that is found.

    Raises:
        DataError: no label is wrong, nothing was found, or indices that do not fit.

    >>> score_label_errors(np.array([3, 0]), np.array([False, False, True, True]))["share"].tolist()
    [0.5, 0.5, 0.5]
    """
    found, wrong = np.asarray(found), np.asarray(wrong, dtype=bool)
    if not wrong.any() or not len(found):
        what = "No label is wrong" if len(found) else "No label error was found"
        raise DataError(f"{what}, so there is nothing to score. Plant some with label_noise.")
    if found.min() < 0 or found.max() >= len(wrong) or len(np.unique(found)) < len(found):
        raise DataError(f"found must be different indices below {len(wrong)}. Is it from the same faces?")
    hits = {"wrong labels": wrong, "precision": wrong[found]}
    hits |= {f"precision of the first {k}": wrong[found[:k]] for k in at if k <= len(found)}
    hits["recall"] = np.isin(np.flatnonzero(wrong), found)
    rows = {name: _share(int(values.sum()), len(values)) for name, values in hits.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["share", "low", "high", "n"])


def _share(hits: int, n: int) -> tuple[float, float, float, int]:
    # Not the bootstrap: the first twenty may all be hits, and resampling these would give an interval without width.
    limits = binomtest(hits, n).proportion_ci(method="wilson")
    return hits / n, limits.low, limits.high, n
