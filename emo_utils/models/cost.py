"""Cost that follows from the layers alone: multiply-accumulate operations and parameters."""

from __future__ import annotations

import math
from typing import NamedTuple

import keras

from emo_utils.errors import ModelError
from emo_utils.models.graph import Call, symbolic_input, trace


class Parameters(NamedTuple):
    """How many numbers a model holds.

    Attributes:
        trainable: those that gradient descent sets, frozen layers included; papers mostly quote these.
        total: with the moving statistics of batch norm, which the file holds too.
    """

    trainable: int
    total: int


def count_macs(model: keras.Model) -> int:
    """Count the multiplications of weights with values, each with its addition, for one image.

    As is usual, convolutions and dense layers count, without their biases; batch norm, activations, pooling and
    additions, which cost far less, do not. The figure known as FLOPs is twice this.

    Args:
        model: functional or sequential, with an input of fixed shape; nested models count with their layers.

    Raises:
        ModelError: a layer whose multiplications are not known here, or an input without a fixed shape.
    """
    if None in model.input_shape[1:]:
        raise ModelError(f"{model.name}: the cost depends on the size of the input. Got {model.input_shape}.")
    return sum(_layer_macs(operation, output) for operation, _, output in _calls(model))


def count_parameters(model: keras.Model) -> Parameters:
    """Count the parameters of a functional or sequential model, whatever stage of training has frozen in it."""
    norms = {
        id(c.operation): c.operation for c in _calls(model) if isinstance(c.operation, keras.layers.BatchNormalization)
    }
    moving = sum(math.prod(w.shape) for norm in norms.values() for w in (norm.moving_mean, norm.moving_variance))
    total = model.count_params()
    return Parameters(total - moving, total)


def _calls(model: keras.Model) -> list[Call]:
    calls: list[Call] = []
    trace(model, symbolic_input(model), calls=calls)
    return calls


def _layer_macs(layer, output) -> int:
    if isinstance(layer, keras.layers.SeparableConv2D):
        kernels, outputs = (layer.depthwise_kernel, layer.pointwise_kernel), layer.filters
    elif isinstance(layer, keras.layers.Conv2D):  # a kernel of groups is as much smaller
        kernels, outputs = (layer.kernel,), layer.filters
    elif isinstance(layer, keras.layers.DepthwiseConv2D):
        kernels, outputs = (layer.kernel,), math.prod(layer.kernel.shape[2:])
    elif isinstance(layer, keras.layers.Dense):
        kernels, outputs = (layer.kernel,), layer.units
    elif hasattr(layer, "operations") or isinstance(layer, keras.Sequential):
        return 0  # its layers have calls of their own
    else:
        # Weights in a row scale value by value, as those of batch norm do; a matrix of them would be a product.
        if any(len(w.shape) > 1 for w in getattr(layer, "weights", ())):
            raise ModelError(
                f"The multiplications of layer {layer.name} ({type(layer).__name__}) are not known. "
                "Known are Conv2D, DepthwiseConv2D, SeparableConv2D and Dense."
            )
        return 0
    positions = math.prod(output.shape[1:]) // outputs
    return positions * sum(math.prod(kernel.shape) for kernel in kernels)
