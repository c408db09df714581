"""The bootstrap: how much would a figure change with other test faces of the same kind?

Every figure of a classifier that is made of sums over faces (accuracy, recall, F1, calibration error, losses) is
resampled the same way: weigh the faces as if they had been drawn anew, and sum again.

B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap" (1993); whole groups at once: A. C. Davison,
D. V. Hinkley, "Bootstrap Methods and their Application" (1997), section 3.8.
"""

from __future__ import annotations

import numpy as np

from emo_utils.errors import DataError

N_RESAMPLES = 2000
FEW_GROUPS = 20
_CHUNK = 200_000  # weights drawn at a time, which then stay in the cache of the processor


def bootstrap_sums(
    columns: np.ndarray, *, groups: np.ndarray | None = None, n_resamples: int = N_RESAMPLES, seed: int = 0
) -> np.ndarray:
    """Return the sums of columns over faces drawn with replacement.

    Args:
        columns: float or bool array of shape (n, k); what is summed, a row a face.
        groups: array of shape (n,), e.g. people: whole groups are drawn, since faces of one person are alike. The
            interval is then that for other people. With fewer than some twenty groups it comes out too narrow; of a
            single one the faces are drawn, and the interval is that for other pictures of this person.
        n_resamples: draws.
        seed: of the draws.

    Returns:
        float64 array of shape (n_resamples, k).

    Raises:
        DataError: no faces, or another number of groups than of faces.

    >>> bootstrap_sums(np.ones((5, 1)), n_resamples=3).ravel().tolist()
    [5.0, 5.0, 5.0]
    """
    columns = np.asarray(columns, dtype=np.float64)
    if not len(columns):
        raise DataError("There are no faces to resample. Is the part empty?")
    if groups is not None:
        by_group = _sum_by_group(columns, np.asarray(groups))
        columns = by_group if len(by_group) > 1 else columns  # one group, drawn whole, would never vary
    n = len(columns)
    rng = np.random.default_rng(seed)
    sums = np.empty((n_resamples, columns.shape[1]))
    step = max(1, _CHUNK // n)
    for start in range(0, n_resamples, step):
        rows = min(step, n_resamples - start)
        drawn = rng.integers(0, n, (rows, n), dtype=np.int32) + np.arange(rows, dtype=np.int32)[:, None] * n
        weights = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n)
        sums[start : start + rows] = weights @ columns
    return sums


def _sum_by_group(columns: np.ndarray, groups: np.ndarray) -> np.ndarray:
    if len(groups) != len(columns):
        raise DataError(f"{len(columns)} faces but {len(groups)} groups. Give each face its group, e.g. its person.")
    names, index = np.unique(groups, return_inverse=True)
    sums = np.zeros((len(names), columns.shape[1]))
    np.add.at(sums, index, columns)
    return sums


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the 2.5 and 97.5 percentiles of resampled figures, array of shape (n_resamples,); NaN are left out."""
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


def share_interval(
    hits: np.ndarray, *, groups: np.ndarray | None = None, n_resamples: int = N_RESAMPLES, seed: int = 0
) -> tuple[float, float, float]:
    """Return the share of hits, e.g. an accuracy, with its 95 % interval: (share, low, high).

    Where all are hits, or none, every resample is the same: the interval is then `wilson_interval`.

    Args:
        hits: bool array of shape (n,).
        groups, n_resamples, seed: see `bootstrap_sums`.
    """
    hits = np.asarray(hits)
    if len(hits) and np.all(hits == hits[0]) and hits[0] in (0, 1):
        return float(hits[0]), *wilson_interval(hits, groups)
    columns = np.stack([hits, np.ones(len(hits))], axis=1)
    sums = bootstrap_sums(columns, groups=groups, n_resamples=n_resamples, seed=seed)
    return float(np.mean(hits)), *interval(sums[:, 0] / sums[:, 1])


def wilson_interval(hits: np.ndarray, groups: np.ndarray | None = None, alpha: float = 0.05) -> tuple[float, float]:
    """Return Wilson's interval (1927) of a share, which has a width even where all faces are hits, or none.

    Where the people are known, the faces count for as many independent ones as their likeness within a person leaves,
    with Student's t for few people (E. L. Korn, B. I. Graubard, "Confidence intervals for proportions with small
    expected number of positive counts estimated from survey data", Survey Methodology 1998).

    Args:
        hits: bool array of shape (n,), n at least 1.
        groups: array of shape (n,), e.g. people.
        alpha: how often it may miss.
    """
    from scipy.stats import norm

    share, n = hits.mean(), _effective_number(hits, groups, alpha)
    z2 = norm.ppf(1 - alpha / 2) ** 2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    # The ends of a share of 0 or 1 are 0 and 1, which rounding may miss by a hair.
    return float(min(share, max(0.0, middle - half))), float(max(share, min(1.0, middle + half)))


def _effective_number(hits: np.ndarray, groups: np.ndarray | None, alpha: float) -> float:
    """Return how many independent faces would tell as much as these, of several people, do."""
    from scipy.stats import norm, t

    n, share = len(hits), hits.mean()
    people, index = np.unique(np.arange(n) if groups is None else groups, return_inverse=True)
    k = len(people)
    if k in (1, n):  # one person, of whom alone the figure then speaks; or every face its own
        return n
    if share in (0, 1):  # no likeness can be measured: the cautious guess is that all faces of a person are alike
        return k
    residuals = np.bincount(index, weights=hits - share)
    variance = k / (k - 1) * (residuals**2).sum() / n**2
    design_effect = max(1.0, variance / (share * (1 - share) / n))
    few = (norm.ppf(1 - alpha / 2) / t.ppf(1 - alpha / 2, k - 1)) ** 2
    return n / design_effect * few
