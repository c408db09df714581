"""The walk through a model that finds out which filters make which channels."""

from __future__ import annotations

import keras
import numpy as np

from emo_utils.errors import PruningError
from emo_utils.models.graph import Call, symbolic_input, trace
from emo_utils.prune.axes import Axes
from emo_utils.prune.rules import rule_of


def follow(model: keras.Model) -> Axes:
    """Return what is known of the channels of a model, nested models included.

    Layers before the first convolution or dense layer may be of any kind: nothing is removed there.

    Raises:
        PruningError: a layer, or a form of model, that the pruner does not know.
    """
    if len(getattr(model, "inputs", None) or ()) != 1:
        raise PruningError(f"{model.name} must have one input of known shape. Build it from one keras.Input.")
    axes, calls = Axes(), []
    images = symbolic_input(model)
    outputs = trace(model, images, calls=calls)
    channels = {id(images): axes.start(images.shape[-1], None)}
    for call in calls:
        tensors = keras.tree.flatten(call.output)
        if all(id(tensor) in channels for tensor in tensors):
            continue  # a model around layers that are already followed
        given = [channels[id(x)] for x in call.given if isinstance(x, keras.KerasTensor)]
        output = _output(axes, call, given)
        if output is None:
            channels.update((id(tensor), axes.start(tensor.shape[-1], None)) for tensor in tensors)
        else:
            channels[id(call.output)] = output
    axes.fixed += [channels[id(tensor)] for tensor in keras.tree.flatten(outputs)]
    return axes


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
