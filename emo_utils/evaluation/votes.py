"""A model beside the people who rated the same faces: FER+ gives the votes of some ten raters for each.

A face that raters call by different names has no single right answer, so a label says less than the votes do.
Barsoum et al. (2016), "Training deep networks for facial expression recognition with crowd-sourced label distribution".

Everything is restricted to the votes for the classes at hand. Where answers tie for the plurality, each counts the
same part of one, as if the tie were broken by lot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.special import rel_entr

from emo_utils.datasets.base import FaceDataset
from emo_utils.datasets.ferplus import VOTES
from emo_utils.emotions import EMOTIONS, canonical_emotion
from emo_utils.errors import DataError
from emo_utils.evaluation.checks import check_predictions
from emo_utils.evaluation.resampling import bootstrap_sums, interval

AGREEMENT_EDGES = (0.5, 0.7, 0.9)
_COLUMN_OF = {canonical_emotion(name): i for i, name in enumerate(VOTES[: len(EMOTIONS)])}
_LEAST_PROBABILITY = 1e-7  # as in Keras's cross-entropy: a probability of zero would cost infinitely much


@dataclass(frozen=True)
class VoteComparison:
    """What `compare_with_votes` found.

    Attributes:
        n: faces compared.
        n_left_out: faces with fewer than two votes for the classes at hand, which have no "other raters".
        accuracies: a row a comparison, columns accuracy, accuracy_low, accuracy_high.
        by_agreement: a row a bin of agreement, columns n; model, rater and label, each also with _low and _high:
            accuracy of the model and of one rater against the plurality of the other raters, and of the model against
            the data set's label. NaN in a bin without faces.
        divergences: a row an answer, columns cross_entropy and jensen_shannon, in nats, each also with _low and _high.
    """

    n: int
    n_left_out: int
    accuracies: pd.DataFrame
    by_agreement: pd.DataFrame
    divergences: pd.DataFrame


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
    share, low, high = _means(_rater_against_others(rated)[:, None])[0].tolist()
    return share, low, high


def compare_with_votes(
    data: FaceDataset, probabilities: np.ndarray, *, edges: Sequence[float] = AGREEMENT_EDGES
) -> VoteComparison:
    """Compare a model with the raters of the same faces, on the same classes.

    Accuracies: against the plurality of all raters but one, model and left-out rater meet the same targets, so these
    two can stand side by side, and so can the data set's own label, which a model that learnt from such labels can
    hardly excel; "model minus one rater" is a paired difference. One rater can also be the target: no answer can do
    better there than the plurality.

    Agreement is the share of the plurality among the votes for the classes at hand. It is made of the very votes that
    the rater gives, so in a bin the rater's accuracy is high or low by choice of the bin: compare the model between
    bins, and with the rater over all faces.

    Divergences, of each answer from the distribution of the votes: cross-entropy (its least value is the entropy of
    the votes themselves) and Jensen-Shannon divergence (at most log 2). Beside the model: always the mean of the
    votes; and one rater's answer, softened to what the others say on average when one gives that answer (a bare
    answer would have an infinite cross-entropy), against the votes of the others. Both know these very faces.

    Args:
        data: n faces with `votes`; its classes are those of the model, in the same order.
        probabilities: float array of shape (n, n_classes).
        edges: upper ends of the bins of agreement but the last, rising, within (0, 1).

    Raises:
        DataError: no votes, no votes for these classes, or probabilities that do not fit.
    """
    counts = votes_for(data)
    if probabilities.shape != counts.shape:
        raise DataError(
            f"probabilities must have shape {counts.shape}, a column for each of {', '.join(data.class_names)}. "
            f"Got {probabilities.shape}."
        )
    keep = counts.sum(axis=1) >= 2
    counts, labels = counts[keep], data.labels[keep]
    probabilities = np.asarray(probabilities[keep], dtype=np.float64)
    check_predictions(labels, probabilities)
    answers = probabilities.argmax(axis=1)
    faces = np.arange(len(counts))
    shares = counts / counts.sum(axis=1, keepdims=True)
    others = _others(counts)
    model = others[faces, answers]
    rater = _rater_against_others(counts)
    label = (answers == labels).astype(float)
    columns = {
        f"model, label of {data.name}": label,
        "model, plurality of all raters": _plurality(counts)[faces, answers],
        "model, plurality of all but one rater": model,
        f"label of {data.name}, plurality of all but one rater": others[faces, labels],
        "one rater, plurality of the others": rater,
        "model minus one rater": model - rater,
        "model, one rater": shares[faces, answers],
        "one rater, another rater": _rater_against_rater(counts),
        "plurality, one rater": agreement(counts),
    }
    return VoteComparison(
        n=len(counts),
        n_left_out=int((~keep).sum()),
        accuracies=_table(columns, "accuracy"),
        by_agreement=_by_agreement(agreement(counts), {"model": model, "rater": rater, "label": label}, edges),
        divergences=_divergences(counts, probabilities),
    )


def _plurality(counts: np.ndarray) -> np.ndarray:
    """Return what each answer is worth, shape (n, k): one for the plurality, parts of one where answers tie."""
    best = counts == counts.max(axis=1, keepdims=True)
    return best / best.sum(axis=1, keepdims=True)


def _left_out(counts: np.ndarray):
    """Yield, for each answer, the share of raters who gave it and the votes that are left without one of them."""
    total = counts.sum(axis=1)
    for k in range(counts.shape[1]):
        rest = counts.copy()
        rest[:, k] = np.maximum(rest[:, k] - 1, 0)  # where nobody gave it, its share of zero leaves the face out
        yield counts[:, k] / total, rest


def _others(counts: np.ndarray) -> np.ndarray:
    """Return what each answer is worth on average against all raters but one, shape (n, k)."""
    return sum(share[:, None] * _plurality(rest) for share, rest in _left_out(counts))


def _rater_against_others(counts: np.ndarray) -> np.ndarray:
    return sum(share * _plurality(rest)[:, k] for k, (share, rest) in enumerate(_left_out(counts)))


def _rater_against_rater(counts: np.ndarray) -> np.ndarray:
    total = counts.sum(axis=1)
    return (counts * (counts - 1)).sum(axis=1) / (total * (total - 1))


def _by_agreement(agreed: np.ndarray, columns: Mapping[str, np.ndarray], edges: Sequence[float]) -> pd.DataFrame:
    ends = [0.0, *edges, 1.0]
    if any(low >= high for low, high in pairwise(ends)):
        raise DataError(f"edges must rise between 0 and 1. Got {list(edges)}.")
    rows = {}
    for low, high in pairwise(ends):
        inside = (agreed > low) & (agreed <= high)
        row = {"n": int(inside.sum())}
        for name, values in columns.items():
            figures = _means(values[inside, None])[0] if inside.any() else np.full(3, np.nan)
            row |= dict(zip((name, f"{name}_low", f"{name}_high"), figures, strict=True))
        rows[f"over {low:.0%}" if high == 1 else f"up to {high:.0%}" if low == 0 else f"{low:.0%} to {high:.0%}"] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("raters who agree")


def _divergences(counts: np.ndarray, probabilities: np.ndarray) -> pd.DataFrame:
    votes = counts / counts.sum(axis=1, keepdims=True)
    answers = {
        "model": probabilities,
        "always the mean of the votes": votes.mean(axis=0),
        "the votes themselves": votes,
    }
    entropies = {name: _cross_entropy(votes, answer) for name, answer in answers.items()}
    divergences = {name: _jensen_shannon(votes, answer) for name, answer in answers.items()}
    soft = _softened(counts)
    for figures, measure in ((entropies, _cross_entropy), (divergences, _jensen_shannon)):
        figures["one rater, softened"] = sum(
            share * measure(rest / rest.sum(axis=1, keepdims=True), soft[k])
            for k, (share, rest) in enumerate(_left_out(counts))
        )
    return pd.concat([_table(entropies, "cross_entropy"), _table(divergences, "jensen_shannon")], axis=1)


def _softened(counts: np.ndarray) -> np.ndarray:
    """Return, for each answer of one rater, the mean distribution of the others' answers, shape (k, k)."""
    total = counts.sum(axis=1)
    pairs = counts / (total * (total - 1))[:, None]
    given = pairs.T @ counts - np.diag(pairs.sum(axis=0))
    return given / np.maximum(given.sum(axis=1, keepdims=True), np.finfo(float).tiny)


def _cross_entropy(votes: np.ndarray, answer: np.ndarray) -> np.ndarray:
    return -(votes * np.log(np.maximum(answer, _LEAST_PROBABILITY))).sum(axis=1)


def _jensen_shannon(votes: np.ndarray, answer: np.ndarray) -> np.ndarray:
    middle = (votes + answer) / 2
    return (rel_entr(votes, middle) + rel_entr(answer, middle)).sum(axis=1) / 2


def _table(columns: Mapping[str, np.ndarray], figure: str) -> pd.DataFrame:
    """Return the mean of each column over the faces with its interval, a row a column."""
    means = _means(np.stack(list(columns.values()), axis=1))
    return pd.DataFrame(means, index=list(columns), columns=[figure, f"{figure}_low", f"{figure}_high"])


def _means(columns: np.ndarray) -> np.ndarray:
    """Return mean, low and high of each column over the faces, shape (k, 3)."""
    sums = bootstrap_sums(columns) / len(columns)
    return np.array([(mean, *interval(draws)) for mean, draws in zip(columns.mean(axis=0), sums.T, strict=True)])
