"""The weights and settings of a layer once filters around it are gone, or silent."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

# Weights with input channels on the last axis but one; all others have channels on the last axis alone.
_KERNELS = ("kernel", "pointwise_kernel", "depthwise_kernel")
# The variance may stay: it divides, and what it divides is zero.
_KEPT_WHEN_SILENT = ("moving_variance", "depthwise_kernel", "alpha")


def smaller_layer(
    layer: keras.layers.Layer, given: np.ndarray, output: np.ndarray
) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Return what is left of a layer.

    Args:
        layer: stays as it is.
        given: bool array over its input channels, which ones are kept.
        output: the same of its output channels.

    Returns:
        Settings that differ from those of the layer, and the weights in the order of `get_weights`.
    """
    settings: dict[str, Any] = {}
    for name in ("filters", "units"):
        if hasattr(layer, name):
            settings[name] = int(output.sum())
    if isinstance(layer, keras.layers.Reshape) and layer.target_shape[-1] != -1:
        settings["target_shape"] = (*layer.target_shape[:-1], int(output.sum()))
    return settings, [_smaller(layer, name, value, given, output) for name, value in _weights(layer)]


def silent_weights(layer: keras.layers.Layer, output: np.ndarray) -> list[np.ndarray]:
    """Return the weights of a layer with those filters at zero that `output`, as in `smaller_layer`, leaves out."""
    return [
        value if name in _KEPT_WHEN_SILENT else _last_but(layer, name, value, output) for name, value in _weights(layer)
    ]


def _weights(layer: keras.layers.Layer) -> list[tuple[str, np.ndarray]]:
    return [(variable.name, value) for variable, value in zip(layer.weights, layer.get_weights(), strict=True)]


def _smaller(layer, name: str, value: np.ndarray, given: np.ndarray, output: np.ndarray) -> np.ndarray:
    if name not in _KERNELS:
        return value[..., output]
    if name == "depthwise_kernel" or isinstance(layer, keras.layers.DepthwiseConv2D):
        return value[..., given, :]
    if name == "pointwise_kernel":
        given = np.repeat(given, layer.depth_multiplier)
    groups = getattr(layer, "groups", 1)
    parts = zip(np.split(value, groups, -1), np.split(given, groups), np.split(output, groups), strict=True)
    return np.concatenate([kernel[..., inside, :][..., outside] for kernel, inside, outside in parts], axis=-1)


def _last_but(layer, name: str, value: np.ndarray, output: np.ndarray) -> np.ndarray:
    if isinstance(layer, keras.layers.DepthwiseConv2D) and name == "kernel":
        return value * output.reshape(value.shape[-2:])  # (channels, multiplier)
    return value * output
