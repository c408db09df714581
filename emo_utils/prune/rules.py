"""What each kind of layer does to channels, as `emo_utils.prune.axes` describes them.

A rule takes what is known so far, a call and the channels of its input tensors, and returns the channels of its output;
None where it does not know the layer with these settings.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np

from emo_utils.models.graph import Call
from emo_utils.models.grouped import GroupedConv2D
from emo_utils.prune.axes import Axes

Rule = Callable[[Axes, Call, list[np.ndarray]], np.ndarray | None]

layers = keras.layers
CONVOLUTIONS = (layers.Conv2D, layers.SeparableConv2D, GroupedConv2D)
# Their output at a channel depends on all channels: to remove one is not to set it to zero.
_MIXING = ("softmax", "log_softmax", "sparsemax")


def _start(axes: Axes, call: Call, given: list[np.ndarray]) -> np.ndarray | None:
    """Convolutions and dense layers: new channels."""
    layer = call.operation
    if not _keeps_channels(layer.activation):
        return None
    known = axes.uses.get(id(layer))
    output = axes.start(call.output.shape[-1], layer) if known is None else known.output
    axes.note(layer, given[0], output)
    return _activated(axes, layer.activation, output)


def _depthwise(axes: Axes, call: Call, given: list[np.ndarray]) -> np.ndarray | None:
    """Each channel alone; with a multiplier several channels stand on the filter of one."""
    layer = call.operation
    if not _keeps_channels(layer.activation):
        return None
    output = axes.note(layer, given[0], np.repeat(given[0], layer.depth_multiplier))
    return _activated(axes, layer.activation, output)


def _pass(axes: Axes, call: Call, given: list[np.ndarray]) -> np.ndarray:
    """Each channel alone, without weights."""
    return given[0]


def _weights(axes: Axes, call: Call, given: list[np.ndarray]) -> np.ndarray | None:
    """Each channel alone, with weights that have the channels on their last axis."""
    if getattr(call.operation, "axis", -1) not in (-1, len(call.output.shape) - 1):
        return None
    return axes.note(call.operation, given[0], given[0])


def _activation(axes: Axes, call: Call, given: list[np.ndarray]) -> np.ndarray | None:
    function = call.operation.activation
    return _activated(axes, function, given[0]) if _keeps_channels(function) else None


def _softmax(axes: Axes, call: Call, given: list[np.ndarray]) -> np.ndarray:
    return _activated(axes, keras.activations.softmax, given[0])


def _rescaling(axes: Axes, call: Call, given: list[np.ndarray]) -> np.ndarray | None:
    return None if np.ndim(call.operation.scale) or np.ndim(call.operation.offset) else given[0]


def _reshape(axes: Axes, call: Call, given: list[np.ndarray]) -> np.ndarray | None:
    """Flatten and Reshape, as long as each new channel is made by one filter at every place."""
    before, after = len(given[0]), call.output.shape[-1]
    if after is None:
        return None
    if after % before == 0:
        output = np.tile(given[0], after // before)
    else:
        places = given[0].reshape(-1, after) if before % after == 0 else None
        if places is None or (places != places[0]).any():
            return None
        output = places[0]
    return axes.note(call.operation, given[0], output)


def _concatenate(axes: Axes, call: Call, given: list[np.ndarray]) -> np.ndarray:
    if call.operation.axis in (-1, len(call.output.shape) - 1):
        return np.concatenate(given)
    axes.ties += [(given[0], other) for other in given[1:]]
    return given[0]


def _elementwise(axes: Axes, call: Call, given: list[np.ndarray]) -> np.ndarray | None:
    """Sums, products and the like, of tensors or of a tensor and a number: channels that meet stay or go together."""
    tensors = [x for x in call.given if isinstance(x, keras.KerasTensor)]
    if any(np.ndim(x) for x in call.given if not isinstance(x, keras.KerasTensor)):
        return None  # a constant for each channel lies in the graph, out of reach
    # Of a map and a gate of squeeze-and-excite the map, which also comes first where both have one place.
    widest = max(range(len(given)), key=lambda i: (len(given[i]), not _is_pooled(tensors[i])))
    whole = given[widest]
    for numbers in given:
        if len(numbers) != len(whole):
            axes.fixed.append(numbers)  # one channel for all
            continue
        axes.ties.append((whole, numbers))
        if type(call.operation).__name__ == "Multiply":
            axes.gates |= set(axes.made_by[numbers]) - set(axes.made_by[whole])
    return whole


def _is_pooled(tensor) -> bool:
    return all(side == 1 for side in tensor.shape[1:-1])


def _keeps_channels(function: Callable) -> bool:
    """Tell whether an activation is one of Keras's that gives a channel for a channel."""
    name = getattr(function, "__name__", "")
    return name != "glu" and getattr(keras.activations, name, None) is function


def _activated(axes: Axes, function: Callable, channels: np.ndarray) -> np.ndarray:
    if function.__name__ in _MIXING:
        axes.fixed.append(channels)
    return channels


_OF_LAYERS: dict[type, Rule] = {
    **dict.fromkeys((*CONVOLUTIONS, layers.Dense), _start),
    **dict.fromkeys((layers.BatchNormalization, layers.PReLU), _weights),
    **dict.fromkeys((layers.Flatten, layers.Reshape), _reshape),
    **dict.fromkeys(
        (layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum), _elementwise
    ),
    **dict.fromkeys(
        (
            *(layers.ReLU, layers.LeakyReLU, layers.ELU, layers.Identity, layers.ActivityRegularization),
            *(layers.Dropout, layers.SpatialDropout2D, layers.GaussianDropout, layers.GaussianNoise),
            *(layers.MaxPooling2D, layers.AveragePooling2D),
            *(layers.GlobalMaxPooling2D, layers.GlobalAveragePooling2D),
            *(layers.ZeroPadding2D, layers.Cropping2D, layers.UpSampling2D),
        ),
        _pass,
    ),
    layers.DepthwiseConv2D: _depthwise,
    layers.Concatenate: _concatenate,
    layers.Activation: _activation,
    layers.Softmax: _softmax,
    layers.Rescaling: _rescaling,
}

# Plain operations, such as `x + 3`, have no public classes; they are told by name.
_OF_OPERATIONS: dict[str, Rule] = {
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Divide", "TrueDivide", "Maximum", "Minimum"), _elementwise),
    **dict.fromkeys(("Relu", "Relu6", "Sigmoid", "HardSigmoid", "Silu", "HardSilu", "Tanh", "Cast"), _pass),
}


def rule_of(operation) -> Rule | None:
    """Return the rule of a layer or a plain operation; None of an unknown one.

    Only the very class is known, no subclass: its weights may mean something else.
    """
    if isinstance(operation, keras.layers.Layer):
        return _OF_LAYERS.get(type(operation))
    return _OF_OPERATIONS.get(type(operation).__name__)
