"""Two models on the same faces: is the better one better, or lucky?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from emo_utils.errors import DataError
from emo_utils.evaluation.resampling import bootstrap_sums, interval

_REPLICATES = 10_000


class PairedDifference(NamedTuple):
    """Second minus first: the difference with its 95 % interval."""

    difference: float
    low: float
    high: float


def mcnemar(correct_a: np.ndarray, correct_b: np.ndarray) -> float:
    """Return the p-value of McNemar's exact test: how often equally good models would differ as much or more.

    Only the faces that one model gets right and the other does not count (McNemar 1947). It takes faces as
    independent; with many faces a person, believe `paired_difference` with groups rather.

    Args:
        correct_a, correct_b: bool arrays of shape (n,), of the same faces.

    Raises:
        DataError: the two are not of the same length.
    """
    from scipy.stats import binomtest  # a second to import, which only a comparison should cost

    _check(correct_a, correct_b)
    only_a = int(np.sum(correct_a & ~correct_b))
    only_b = int(np.sum(~correct_a & correct_b))
    return float(binomtest(only_b, only_a + only_b).pvalue) if only_a + only_b else 1.0


def paired_difference(
    correct_a: np.ndarray, correct_b: np.ndarray, *, groups: np.ndarray | None = None, seed: int = 0
) -> PairedDifference:
    """Return accuracy of b minus accuracy of a, with the bootstrap interval over the faces that both answered.

    Args:
        correct_a, correct_b: bool arrays of shape (n,), of the same faces.
        groups: array of shape (n,); whole groups are drawn.
        seed: of the draws.
    """
    _check(correct_a, correct_b)
    step = correct_b.astype(float) - correct_a
    sums = bootstrap_sums(
        np.stack([step, np.ones(len(step))], axis=1), groups=groups, n_resamples=_REPLICATES, seed=seed
    )
    return PairedDifference(float(step.mean()), *interval(sums[:, 0] / sums[:, 1]))


def _check(correct_a: np.ndarray, correct_b: np.ndarray) -> None:
    if len(correct_a) != len(correct_b) or not len(correct_a):
        raise DataError(f"A paired comparison needs the same faces twice. Got {len(correct_a)} and {len(correct_b)}.")
