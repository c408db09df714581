"""Which filters matter least."""

from __future__ import annotations

import math
from collections.abc import Callable

import keras
import numpy as np

from emo_utils.errors import PruningError
from emo_utils.prune.spaces import Space, Structure

CRITERIA = ("l1", "batch_norm")


def importance(structure: Structure, criterion: str) -> np.ndarray:
    """Return how much each filter matters, float array of shape (n_filters,).

    Args:
        structure: from `find_structure`.
        criterion: "l1", the mean absolute weight of a filter (Li et al. 2017, "Pruning Filters for Efficient
            ConvNets"), or "batch_norm", the absolute scale that batch norm gives it (Liu et al. 2017, "Learning
            Efficient Convolutional Networks through Network Slimming"), and "l1" for filters that have no batch norm,
            such as those of squeeze-and-excite. Where additions tie several layers, the sum over them.

    Raises:
        PruningError: an unknown criterion, or "batch_norm" for a model that has none.
    """
    if criterion not in CRITERIA:
        raise PruningError(f"criterion must be one of {', '.join(CRITERIA)}. Got {criterion!r}.")
    norms = _sums(structure, _mean_weight)
    if criterion == "l1":
        return norms
    scales = _sums(structure, _norm_scale)
    if np.isnan(scales).all():
        raise PruningError("No batch norm with a scale stands in this model to rank filters by. Use criterion 'l1'.")
    for space in structure.spaces:  # filters are compared within a space alone
        if np.isnan(scales[space.filters]).any():
            scales[space.filters] = norms[space.filters]
    return scales


def _sums(structure: Structure, score: Callable[[keras.layers.Layer], np.ndarray | None]) -> np.ndarray:
    """Return for each filter the sum of a score over the layers that make or scale it; NaN where none does."""
    total, found = np.zeros(structure.n_filters), np.zeros(structure.n_filters, dtype=bool)
    for use in structure.weighing if score is _mean_weight else structure.uses:
        values = score(use.layer)
        if values is not None:
            filters = structure.filter_of[use.output]
            np.add.at(total, filters, values)
            found[filters] = True
    return np.where(found, total, np.nan)


def _mean_weight(layer: keras.layers.Layer) -> np.ndarray:
    # Of a separable convolution the filter proper is the pointwise one.
    kernel = _weights(layer).get("pointwise_kernel", _weights(layer).get("kernel"))
    return np.abs(kernel.astype(float)).mean(axis=tuple(range(kernel.ndim - 1)))


def _norm_scale(layer: keras.layers.Layer) -> np.ndarray | None:
    scales = isinstance(layer, keras.layers.BatchNormalization) and layer.scale
    return np.abs(_weights(layer)["gamma"].astype(float)) if scales else None


def _weights(layer: keras.layers.Layer) -> dict[str, np.ndarray]:
    return {v.name: value for v, value in zip(layer.weights, layer.get_weights(), strict=True)}


def kept_filters(space: Space, ratio: float, score: np.ndarray) -> np.ndarray:
    """Return which filters of a space are kept, bool array in the order of `space.filters`.

    Args:
        space: what the ratio applies to.
        ratio: the part to remove, rounded so that floor(n * (1 - ratio)) of n filters stay; in each block alike.
        score: from `importance`.

    Raises:
        PruningError: the ratio leaves no filter.
    """
    keep = np.ones(len(space.filters), dtype=bool)
    if ratio == 0:
        return keep
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
