"""What people make of faces: FER+ has the votes of some ten raters for each.

Barsoum et al. (2016), "Training deep networks for facial expression recognition with crowd-sourced label distribution".

Where answers tie for the plurality, each counts the same part of one, as if the tie were broken by lot.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from emo_utils.datasets.base import FaceDataset
from emo_utils.datasets.ferplus import VOTES
from emo_utils.emotions import EMOTIONS, canonical_emotion
from emo_utils.errors import DataError
from emo_utils.evaluation.resampling import share_interval

_COLUMN_OF = {canonical_emotion(name): i for i, name in enumerate(VOTES[: len(EMOTIONS)])}


def votes_for(data: FaceDataset) -> np.ndarray:
    """Return the votes for the classes of a data set, int array of shape (n, n_classes), in their order.

    Raises:
        DataError: the data set has no votes, or none for its classes.
    """
    if data.votes is None:
        raise DataError(f"{data.name} has no votes. FER2013 gets them from fer2013new.csv with add_votes.")
    counts = data.votes[:, [_COLUMN_OF[name] for name in data.class_names]]
    if not counts.any():
        raise DataError(f"{data.name}: no rater voted for any of {', '.join(data.class_names)}. Use other classes.")
    return counts


def agreement(votes: np.ndarray) -> np.ndarray:
    """Return the share of the raters who gave the most frequent answer, float array of shape (n,).

    Args:
        votes: int array of shape (n, k); a face without votes gets NaN.

    >>> agreement(np.array([[9, 1, 0], [5, 5, 0]])).tolist()
    [0.9, 0.5]
    """
    total = votes.sum(axis=1)
    return np.divide(votes.max(axis=1), total, out=np.full(len(votes), np.nan), where=total > 0)


def human_bar(votes: np.ndarray) -> tuple[float, float, float]:
    """Return how often one rater gives the most frequent answer of the others, with its 95 % interval.

    The mean over faces and, in a face, over which of its raters is held against the others.

    Args:
        votes: int array of shape (n, k); faces with fewer than two votes do not count.

    Returns:
        Share, low, high.

    >>> human_bar(np.array([[2, 1], [2, 1]]))[0]  # either of the two meets a tie, the third is outvoted
    0.3333333333333333
    """
    rated = votes[votes.sum(axis=1) >= 2]
    return share_interval(rater_against_others(rated))


def plurality(counts: np.ndarray) -> np.ndarray:
    """Return what each answer is worth, shape (n, k): one for the plurality, parts of one where answers tie."""
    best = counts == counts.max(axis=1, keepdims=True)
    return best / best.sum(axis=1, keepdims=True)


def left_out(counts: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield, for each answer, the share of raters who gave it and the votes that are left without one of them."""
    total = counts.sum(axis=1)
    for k in range(counts.shape[1]):
        rest = counts.copy()
        rest[:, k] = np.maximum(rest[:, k] - 1, 0)  # where nobody gave it, its share of zero leaves the face out
        yield counts[:, k] / total, rest


def rater_against_others(counts: np.ndarray) -> np.ndarray:
    """Return, for each face, how often one of its raters gives the most frequent answer of the others, shape (n,)."""
    return sum(share * plurality(rest)[:, k] for k, (share, rest) in enumerate(left_out(counts)))


def rater_against_rater(counts: np.ndarray) -> np.ndarray:
    """Return, for each face, how often two of its raters give the same answer, shape (n,)."""
    total = counts.sum(axis=1)
    return (counts * (counts - 1)).sum(axis=1) / (total * (total - 1))
