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

    Args:
        hits: bool array of shape (n,).
        groups, n_resamples, seed: see `bootstrap_sums`.
    """
    columns = np.stack([hits, np.ones(len(hits))], axis=1)
    sums = bootstrap_sums(columns, groups=groups, n_resamples=n_resamples, seed=seed)
    return float(np.mean(hits)), *interval(sums[:, 0] / sums[:, 1])
