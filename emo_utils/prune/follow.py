"""The walk through a model that finds out which filters make which channels."""

from __future__ import annotations

import keras
import numpy as np

from emo_utils.errors import PruningError
from emo_utils.models.graph import Call, symbolic_input, trace
from emo_utils.prune.axes import Axes, Use
from emo_utils.prune.rules import rule_of


def follow(model: keras.Model) -> Axes:
    """Return what is known of the channels of a model, nested models included.

    Layers before the first convolution or dense layer may be of any kind: nothing is removed there.

    Raises:
        PruningError: a layer, or a form of model, that the pruner does not know.
    """
    _check_form(model)
    axes, calls = Axes(), []
    images = symbolic_input(model)
    output = trace(model, images, calls=calls)
    channels = {id(images): axes.start(images.shape[-1], None)}
    for call in calls[:-1]:  # the last one is of the model itself
        given = [channels[id(x)] for x in call.given if isinstance(x, keras.KerasTensor)]
        if id(call.output) in channels:  # a model around layers that are already followed
            axes.models.append(Use(call.operation, given[0], channels[id(call.output)]))
            continue
        found = _output(axes, call, given)
        if found is None:
            for tensor in keras.tree.flatten(call.output):
                channels[id(tensor)] = axes.start(tensor.shape[-1], None)
        else:
            channels[id(call.output)] = found
    axes.fixed.append(channels[id(output)])
    return axes


def _check_form(model: keras.Model) -> None:
    """Refuse a model that is not functional or sequential with one input and one output, or has such a one inside."""
    if any(len(getattr(model, side, None) or ()) != 1 for side in ("inputs", "outputs")):
        raise PruningError(
            f"Model {model.name!r}: the pruner takes functional and sequential models with one input of known shape "
            "and one output, and only such models inside. Build it from one keras.Input."
        )
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            _check_form(layer)


def _output(axes: Axes, call: Call, given: list[np.ndarray]) -> np.ndarray | None:
    """Return the channels of an output; None for new ones that cannot change."""
    layer = call.operation
    what = f"Layer {layer.name!r} ({type(layer).__name__})"
    if getattr(layer, "data_format", None) == "channels_first":
        raise PruningError(f"{what} has its channels first. The pruner takes models with channels last.")
    rule = rule_of(layer)
    output = rule(axes, call, given) if rule and given else None
    if output is None and not axes.from_input(given):
        why = "with these settings" if rule else "of this class"
        raise PruningError(
            f"{what}: the pruner cannot follow channels through a layer {why}. Put layers in its place that "
            "emo_utils/prune/rules.py lists, or prune the part of the model before it."
        )
    return output
