"""What must be pruned together: filters that one addition ties, and convolutions that share such filters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import keras
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from emo_utils.prune.axes import Use
from emo_utils.prune.follow import follow
from emo_utils.prune.rules import CONVOLUTIONS


@dataclass(frozen=True)
class Space:
    """Channels that one ratio applies to.

    Attributes:
        name: the first convolution that makes them.
        filters: what `Structure.filter_of` calls them, in the order of that convolution.
        block: for each of them the block that it belongs to; every block must keep as large a part, so that the groups
            of a grouped convolution stay alike.
    """

    name: str
    filters: np.ndarray
    block: np.ndarray


@dataclass(frozen=True)
class Structure:
    """What can be pruned in a model.

    Attributes:
        uses: the layers that pruning concerns.
        models: the nested models.
        filter_of: for each number of `emo_utils.prune.axes` the filter it stands for: tied ones are one filter.
        n_filters: how many filters there are.
        weighing: the layers whose weights say what a filter matters.
        spaces: what can be pruned, in the order in which the model computes it.
    """

    uses: list[Use]
    models: list[Use]
    filter_of: np.ndarray
    n_filters: int
    weighing: list[Use]
    spaces: list[Space]

    def channels(self, use: Use) -> tuple[np.ndarray, np.ndarray]:
        """Return the filters that a layer's input and output channels stand for."""
        return self.filter_of[use.given], self.filter_of[use.output]


def find_structure(model: keras.Model) -> Structure:
    """Return what can be pruned in a model: all that convolutions make, but for its outputs.

    Raises:
        PruningError: a layer, or a form of model, that the pruner does not know.
    """
    axes = follow(model)
    n_filters, filter_of = _connected(len(axes.made_by), axes.ties)
    first = np.unique(filter_of, return_index=True)[1]
    _, space_of_maker = _connected(len(axes.makers), [(axes.made_by, axes.made_by[first[filter_of]])])
    fixed = np.unique(space_of_maker[np.concatenate([[0], *(axes.made_by[numbers] for numbers in axes.fixed)])])
    space_of = space_of_maker[axes.made_by]
    block = _blocks(axes.uses.values(), filter_of, n_filters)
    spaces = []
    for index, maker in enumerate(axes.makers):
        space = space_of_maker[index]
        if type(maker) in CONVOLUTIONS and space not in fixed:
            fixed = np.append(fixed, space)  # the next maker of the space adds nothing new
            filters = np.unique(filter_of[space_of == space])
            filters = filters[np.argsort(first[filters])]
            spaces.append(Space(maker.name, filters, block[filters]))
    weighing = [axes.uses[id(maker)] for i, maker in enumerate(axes.makers) if maker and i not in axes.gates]
    return Structure(list(axes.uses.values()), axes.models, filter_of, n_filters, weighing, spaces)


def _connected(n: int, pairs: list[tuple[np.ndarray, np.ndarray]]) -> tuple[int, np.ndarray]:
    """Return the number of connected parts of n things, and for each thing its part."""
    rows, columns = (
        (np.concatenate([[], *side]).astype(int) for side in zip(*pairs, strict=True)) if pairs else ([], [])
    )
    return connected_components(coo_array((np.ones(len(rows)), (rows, columns)), shape=(n, n)), directed=False)


def _blocks(uses: Iterable[Use], filter_of: np.ndarray, n_filters: int) -> np.ndarray:
    """Return for each filter a number that it shares with those in the same groups of all grouped convolutions."""
    block = np.zeros(n_filters, dtype=int)
    for use in uses:
        if use.groups > 1:
            for numbers in (use.given, use.output):
                group = np.full(n_filters, -1)
                group[filter_of[numbers]] = np.arange(len(numbers)) * use.groups // len(numbers)
                block = np.unique(np.stack([block, group]), axis=1, return_inverse=True)[1].ravel()
    return block
