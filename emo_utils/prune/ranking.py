"""Which filters matter least."""

from __future__ import annotations

import math

import keras
import numpy as np

from emo_utils.errors import PruningError
from emo_utils.prune.spaces import Space, Structure

CRITERIA = ("l1", "batch_norm")


def importance(structure: Structure, criterion: str) -> np.ndarray:
    """Return how much each filter matters, float array of shape (n_filters,); NaN where the criterion cannot tell.

    Args:
        structure: from `find_structure`.
        criterion: "l1", the mean absolute weight of a filter (Li et al. 2017, "Pruning Filters for Efficient
            ConvNets"), or "batch_norm", the absolute scale that batch norm gives it (Liu et al. 2017, "Learning
            Efficient Convolutional Networks through Network Slimming"). Where additions tie several layers, the sum
            over them.

    Raises:
        PruningError: an unknown criterion.
    """
    if criterion not in CRITERIA:
        raise PruningError(f"criterion must be one of {', '.join(CRITERIA)}. Got {criterion!r}.")
    total, found = np.zeros(structure.n_filters), np.zeros(structure.n_filters, dtype=bool)
    for use in structure.weighing if criterion == "l1" else structure.uses:
        weights = {v.name: value for v, value in zip(use.layer.weights, use.layer.get_weights(), strict=True)}
        if criterion == "l1":
            # Of a separable convolution the filter proper is the pointwise one.
            kernel = weights.get("pointwise_kernel", weights.get("kernel"))
            values = np.abs(kernel.astype(float)).mean(axis=tuple(range(kernel.ndim - 1)))
        elif isinstance(use.layer, keras.layers.BatchNormalization) and use.layer.scale:
            values = np.abs(weights["gamma"].astype(float))
        else:
            continue
        filters = structure.filter_of[use.output]
        np.add.at(total, filters, values)
        found[filters] = True
    return np.where(found, total, np.nan)


def kept_filters(space: Space, ratio: float, score: np.ndarray) -> np.ndarray:
    """Return which filters of a space are kept, bool array in the order of `space.filters`.

    Args:
        space: what the ratio applies to.
        ratio: the part to remove, rounded so that floor(n * (1 - ratio)) of n filters stay; in each block alike.
        score: from `importance`.

    Raises:
        PruningError: the ratio leaves no filter, or the criterion cannot rank these filters.
    """
    keep = np.ones(len(space.filters), dtype=bool)
    if ratio == 0:
        return keep
    if np.isnan(score[space.filters]).any():
        raise PruningError(
            f"No batch norm with a scale follows the filters of {space.name!r}, so criterion 'batch_norm' cannot rank "
            "them. Use criterion 'l1'."
        )
    for block in np.unique(space.block):
        inside = np.flatnonzero(space.block == block)
        n = len(inside)
        n_kept = math.floor(n * (1 - ratio) + 1e-9)  # 10 * (1 - .9) is a little below 1
        if n_kept < 1:
            where = "" if n == len(keep) else " in a group"
            most = math.floor(1000 * (1 - 1 / n) + 1e-9) / 1000
            raise PruningError(
                f"Ratio {ratio:.3g} leaves none of the {n} filters{where} of {space.name!r}. "
                f"The largest ratio that leaves one there is {most:g}."
            )
        order = np.argsort(-score[space.filters[inside]], kind="stable")
        keep[inside[order[n_kept:]]] = False
    return keep
