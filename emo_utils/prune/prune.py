"""Remove filters from a model, or silence them in a copy of the same size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import keras
import numpy as np

from emo_utils.errors import PruningError, first_line
from emo_utils.models.graph import clone_layers
from emo_utils.prune.ranking import importance, kept_filters
from emo_utils.prune.spaces import Structure, find_structure
from emo_utils.prune.weights import silent_weights, smaller_layer

if TYPE_CHECKING:
    import pandas as pd

Ratios = float | Sequence[float]

# The levels of FER-Jetson-Nano for the first, the middle and the last convolution.
LEVELS: dict[str, tuple[float, ...]] = {"low": (0.2, 0.3, 0.4), "medium": (0.3, 0.4, 0.5), "high": (0.4, 0.5, 0.6)}


def prune_model(model: keras.Model, ratios: Ratios, criterion: str = "l1") -> keras.Model:
    """Remove the filters that matter least, and with them what later layers made of their output.

    Filters that an addition or a product joins go together. The channels of the input and of the outputs stay, and so
    do hidden dense units. What remains is an ordinary model that should be trained for a few more epochs.

    Args:
        model: functional or sequential, with one input; models inside are opened. Stays as it is.
        ratios: the part of the filters to remove, from 0 up to, but not including, 1: one number for every
            convolution, or several, such as `LEVELS["low"]`, spread over the convolutions from first to last and
            interpolated in between. Of n filters floor(n * (1 - ratio)) stay.
        criterion: "l1" or "batch_norm", see `emo_utils.prune.ranking.importance`.

    Returns:
        A new model, not compiled, with the same layer names and nesting, inputs and outputs.

    Raises:
        PruningError: a layer that the pruner does not know, a ratio that leaves no filter, or filters that the
            criterion cannot rank.
    """
    structure = find_structure(model)
    kept = _kept(structure, ratios, criterion)
    edits = {}
    for use in structure.uses:
        given, output = (kept[filters] for filters in structure.channels(use))
        if not (given.all() and output.all()):
            edits[id(use.layer)] = smaller_layer(use.layer, given, output)
    channels = {id(use.layer): int(kept[structure.filter_of[use.given]].sum()) for use in structure.models}
    return _rebuild(model, edits, channels)


def silence_filters(model: keras.Model, ratios: Ratios, criterion: str = "l1") -> keras.Model:
    """Set the filters that `prune_model` would remove to zero, with what batch norm adds to them.

    The copy is as large and as slow as the model. Its outputs are those of the pruned model as long as no zero becomes
    something else on the way, as it does in a sigmoid.

    Args, raises: as in `prune_model`.

    Returns:
        A new model, not compiled, of the same size.
    """
    structure = find_structure(model)
    kept = _kept(structure, ratios, criterion)
    edits = {}
    for use in structure.uses:
        output = kept[structure.channels(use)[1]]
        if not output.all():
            edits[id(use.layer)] = ({}, silent_weights(use.layer, output))
    return _rebuild(model, edits)


def filter_table(model: keras.Model, ratios: Ratios, criterion: str = "l1") -> pd.DataFrame:
    """Return how many filters `prune_model` keeps.

    Args, raises: as in `prune_model`.

    Returns:
        One row for each set of filters that go together, in the order of the model: layer (the first that makes
        them), filters, kept, ratio (the one asked for).
    """
    import pandas as pd

    structure = find_structure(model)
    kept = _kept(structure, ratios, criterion)
    rows = [
        (space.name, len(space.filters), int(kept[space.filters].sum()), ratio)
        for space, ratio in zip(structure.spaces, _spread(ratios, len(structure.spaces)), strict=True)
    ]
    return pd.DataFrame(rows, columns=["layer", "filters", "kept", "ratio"])


def _kept(structure: Structure, ratios: Ratios, criterion: str) -> np.ndarray:
    """Return for each filter of a structure whether it is kept, bool array of shape (n_filters,)."""
    score = importance(structure, criterion)
    kept = np.ones(structure.n_filters, dtype=bool)
    for space, ratio in zip(structure.spaces, _spread(ratios, len(structure.spaces)), strict=True):
        kept[space.filters] = kept_filters(space, ratio, score)
    for use in structure.uses:
        for filters in structure.channels(use):
            sizes = kept[filters].reshape(use.groups, -1).sum(axis=1)
            if (sizes != sizes[0]).any():
                raise PruningError(
                    f"The groups of {use.layer.name!r} would keep {', '.join(map(str, sizes))} channels, and a grouped "
                    "convolution needs as many in each. Use other ratios, or one group only."
                )
    return kept


def _spread(ratios: Ratios, n: int) -> list[float]:
    """Return a ratio for each of n sets of filters."""
    try:
        given = np.atleast_1d(np.asarray(ratios, dtype=float))
    except (TypeError, ValueError):
        given = np.array([np.nan])
    if given.ndim != 1 or not given.size or not ((given >= 0) & (given < 1)).all():
        raise PruningError(f"ratios must be one or more numbers from 0 up to, but not including, 1. Got {ratios!r}.")
    return np.interp(np.linspace(0, 1, n), np.linspace(0, 1, len(given)), given).tolist()


def _rebuild(
    model: keras.Model, edits: dict[int, tuple[dict, list[np.ndarray]]], channels: dict[int, int] | None = None
) -> keras.Model:
    """Rebuild a model with other settings and weights for some layers, and other inputs of nested models, all by id."""
    changed = []

    def replace(layer):
        if id(layer) not in edits:
            return None
        settings, weights = edits[id(layer)]
        new = type(layer).from_config({**layer.get_config(), **settings})
        changed.append((new, weights))
        return new

    try:
        rebuilt = clone_layers(model, replace, channels=channels)
    except (NotImplementedError, TypeError, ValueError) as error:  # from a layer's own get_config or from_config
        raise PruningError(
            f"Model {model.name!r}: Keras cannot copy it ({first_line(error)}). Give its own layers a working "
            "get_config, or prune it before they are added."
        ) from None
    for new, weights in changed:
        new.set_weights(weights)
    return rebuilt
