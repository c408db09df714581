"""Fold batch norm into the convolution before it, as every engine does before it quantises."""

from __future__ import annotations

import keras
import numpy as np

from emo_utils.models.graph import clone_layers, leaf_calls
from emo_utils.models.grouped import GroupedConv2D

FOLDABLE = (
    keras.layers.Conv2D,
    GroupedConv2D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
    keras.layers.Dense,
)


def fold_batch_norm(model: keras.Model) -> keras.Model:
    """Return a model with the same outputs in inference and less batch norm (Jacob et al. 2018, section 3.2).

    A batch norm is folded where it directly follows a convolution or dense layer without an activation and is all that
    reads its output. Others stay, such as DenseNet's before a convolution.

    Args:
        model: functional, channels last; stays as it is.

    Returns:
        A copy, nested models included: the convolution has a bias, the batch norm is an `Identity` of the same name.
    """
    norm_of = _foldable(model)
    folded = {id(norm): norm for norm in norm_of.values()}
    pairs = []

    def replace(layer):
        if id(layer) in folded:
            return keras.layers.Identity(name=layer.name, dtype=layer.dtype_policy.name)
        if id(layer) not in norm_of:
            return None
        new = layer.__class__.from_config({**layer.get_config(), "use_bias": True})
        pairs.append((layer, new))
        return new

    def call(layer, *args, **kwargs):
        # The arguments of the batch norm's call, a mask among them, are not for an identity.
        return layer(args[0]) if isinstance(layer, keras.layers.Identity) else layer(*args, **kwargs)

    result = clone_layers(model, replace, call)
    for old, new in pairs:
        new.set_weights(_folded_weights(old, norm_of[id(old)]))
    return result


def _foldable(model: keras.Model) -> dict[int, keras.layers.BatchNormalization]:
    """Return the batch norm to fold by the id of the layer that takes it in."""
    _, calls = leaf_calls(model)
    readers: dict[int, list] = {id(calls[-1].output): [None]}
    times: dict[int, int] = {}
    for call in calls:
        times[id(call.operation)] = times.get(id(call.operation), 0) + 1
        for tensor in call.given:
            readers.setdefault(id(tensor), []).append(call.operation)
    found = {}
    for call in calls:
        layer, reader = call.operation, readers.get(id(call.output), [None])
        if type(layer) not in FOLDABLE or len(reader) != 1 or type(reader[0]) is not keras.layers.BatchNormalization:
            continue
        # A layer that is called twice has one set of weights for two places.
        once = times[id(layer)] == times[id(reader[0])] == 1
        last = getattr(layer, "data_format", "channels_last") == "channels_last"
        if (
            once
            and last
            and reader[0].axis in (-1, len(call.output.shape) - 1)
            and layer.activation is keras.activations.linear
        ):
            found[id(layer)] = reader[0]
    return found


def _folded_weights(layer: keras.layers.Layer, norm: keras.layers.BatchNormalization) -> list[np.ndarray]:
    """Return kernels and bias of a layer with the batch norm behind it."""
    mean, variance = _float64(norm.moving_mean), _float64(norm.moving_variance)
    factor = (1.0 if norm.gamma is None else _float64(norm.gamma)) / np.sqrt(variance + norm.epsilon)
    kernels = layer.get_weights()
    bias = kernels.pop() if layer.use_bias else 0.0
    # The channels of a depthwise kernel are its last two axes.
    channels = kernels[-1].shape[2:] if isinstance(layer, keras.layers.DepthwiseConv2D) else kernels[-1].shape[-1:]
    kernels[-1] = kernels[-1] * factor.reshape(channels)
    return [*kernels, (bias - mean) * factor + (0.0 if norm.beta is None else _float64(norm.beta))]


def _float64(variable) -> np.ndarray:
    return keras.ops.convert_to_numpy(variable).astype(np.float64)
