"""A model beside the people who rated the same faces.

A face that raters call by different names has no single right answer, so a label says less than the votes do.
Everything is restricted to the votes for the classes at hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.special import rel_entr

from emo_utils.datasets.base import FaceDataset
from emo_utils.errors import DataError
from emo_utils.evaluation.checks import check_predictions
from emo_utils.evaluation.raters import (
    agreement,
    left_out,
    plurality,
    rater_against_others,
    rater_against_rater,
    votes_for,
)
from emo_utils.evaluation.resampling import bootstrap_sums, interval

AGREEMENT_EDGES = (0.5, 0.7, 0.9)
_LEAST_PROBABILITY = 1e-7  # as in Keras's cross-entropy: a probability of zero would cost infinitely much


@dataclass(frozen=True)
class VoteComparison:
    """What `compare_with_votes` found.

    Attributes:
        n: faces compared.
        n_left_out: faces with fewer than two votes for the classes at hand, which have no "other raters".
        accuracies: a row a comparison, columns accuracy, accuracy_low, accuracy_high.
        by_agreement: a row a bin of agreement among all raters but one, columns n (faces, in parts where it depends on
            who is left out); model, rater and label, each also with _low and _high: accuracy of the model and of the
            left-out rater against the plurality of the others, and of the model against the data set's label. NaN in
            a bin without faces.
        divergences: a row an answer, columns cross_entropy and jensen_shannon, in nats, each also with _low and _high.
    """

    n: int
    n_left_out: int
    accuracies: pd.DataFrame
    by_agreement: pd.DataFrame
    divergences: pd.DataFrame


def compare_with_votes(
    data: FaceDataset, probabilities: np.ndarray, *, edges: Sequence[float] = AGREEMENT_EDGES
) -> VoteComparison:
    """Compare a model with the raters of the same faces, on the same classes.

    Accuracies: against the plurality of all raters but one, model and left-out rater meet the same targets, so these
    two can stand side by side, and so can the data set's own label, which a model that learnt from such labels can
    hardly excel; "model minus one rater" is a paired difference. One rater can also be the target: no answer can do
    better there than the plurality.

    Agreement is the share of the plurality among all raters but one, averaged over who is left out: were the rater in
    question among them, unanimous faces would have a rater who is always right, by choice of the faces.

    Divergences, of each answer from the distribution of the votes: cross-entropy (its least value is the entropy of
    the votes themselves) and Jensen-Shannon divergence (at most log 2). Beside the model: always the mean of the
    votes; and one rater's answer, softened to what the others say on average when one gives that answer (a bare
    answer would have an infinite cross-entropy), against the votes of the others. Both know these very faces.

    Args:
        data: n faces with `votes`; its classes are those of the model, in the same order.
        probabilities: float array of shape (n, n_classes).
        edges: upper ends, which belong to them, of the bins of agreement but the last; rising, within (0, 1).

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
    rater = rater_against_others(counts)
    columns = {
        f"model, label of {data.name}": (answers == labels).astype(float),
        "model, plurality of all raters": plurality(counts)[faces, answers],
        "model, plurality of all but one rater": model,
        f"label of {data.name}, plurality of all but one rater": others[faces, labels],
        "one rater, plurality of the others": rater,
        "model minus one rater": model - rater,
        "model, one rater": shares[faces, answers],
        "one rater, another rater": rater_against_rater(counts),
        "plurality, one rater": agreement(counts),
    }
    return VoteComparison(
        n=len(counts),
        n_left_out=int((~keep).sum()),
        accuracies=_table(columns, "accuracy"),
        by_agreement=_by_agreement(counts, answers, labels, edges),
        divergences=_divergences(counts, probabilities),
    )


def _others(counts: np.ndarray) -> np.ndarray:
    """Return what each answer is worth on average against all raters but one, shape (n, k)."""
    return sum(share[:, None] * plurality(rest) for share, rest in left_out(counts))


def _by_agreement(counts: np.ndarray, answers: np.ndarray, labels: np.ndarray, edges: Sequence[float]) -> pd.DataFrame:
    ends = [0.0, *edges, 1.0]
    if any(low >= high for low, high in pairwise(ends)):
        raise DataError(f"edges must rise between 0 and 1. Got {list(edges)}.")
    faces = np.arange(len(counts))
    sums = np.zeros((len(counts), len(ends) - 1, 4))  # of each face: how much of it lies in a bin, and what hits there
    for k, (share, rest) in enumerate(left_out(counts)):
        worth, bins = plurality(rest), np.searchsorted(ends, agreement(rest)) - 1
        hits = np.stack([np.ones(len(counts)), worth[faces, answers], worth[:, k], answers == labels], axis=1)
        sums[faces, bins] += share[:, None] * hits
    draws = bootstrap_sums(sums.reshape(len(sums), -1)).reshape(-1, *sums.shape[1:])
    rows = {}
    for (low, high), total, drawn in zip(pairwise(ends), sums.sum(axis=0), draws.swapaxes(0, 1), strict=True):
        row = {"n": total[0]}
        for i, name in enumerate(("model", "rater", "label"), start=1):
            filled = drawn[:, 0] > 0
            limits = interval(drawn[filled, i] / drawn[filled, 0]) if total[0] else (np.nan, np.nan)
            share = total[i] / total[0] if total[0] else np.nan
            row |= {name: share, f"{name}_low": limits[0], f"{name}_high": limits[1]}
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
            for k, (share, rest) in enumerate(left_out(counts))
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
    values = np.stack(list(columns.values()), axis=1)
    means = bootstrap_sums(values) / len(values)
    rows = [(mean, *interval(drawn)) for mean, drawn in zip(values.mean(axis=0), means.T, strict=True)]
    return pd.DataFrame(rows, index=list(columns), columns=[figure, f"{figure}_low", f"{figure}_high"])
