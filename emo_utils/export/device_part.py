"""The part of a model that a chip computes: from normalised pixels to logits."""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np

from emo_utils.errors import ModelError
from emo_utils.models.graph import clone_layers, leaf_calls

_PREPARE = (keras.layers.Concatenate, keras.layers.Identity, keras.layers.InputLayer, keras.layers.Rescaling)
_LEVELS = np.array([0, 128, 255], np.float32)


class DeviceModel(NamedTuple):
    """A model without its preprocessing and its softmax, and what the preprocessing was.

    Attributes:
        model: from normalised values (n, size, size, channels) to logits (n, n_classes).
        mean, std: for each channel, in grey levels: the model takes (level - mean) / std.
    """

    model: keras.Model
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def normalise(self, images: np.ndarray) -> np.ndarray:
        """Return what the model takes: uint8 faces (n, size, size) -> float32 (n, size, size, channels)."""
        repeated = np.repeat(images[..., None], len(self.mean), axis=-1).astype(np.float32)
        return (repeated - np.float32(self.mean)) / np.float32(self.std)


def device_model(model: keras.Model) -> DeviceModel:
    """Cut a model's preprocessing off its front and the softmax off its end.

    A compiler for a chip does both itself: normalisation is folded into the first convolution, and the softmax is
    cheaper, and more exact, on the host.

    Args:
        model: functional, grey levels (n, size, size, 1) in, probabilities out; stays as it is, and shares its weights.

    Raises:
        ModelError: its preprocessing is not a scale and an offset by channel, something behind it reads the raw face,
            or the model does not end in a softmax.
    """
    model, softmax = _apart(model)
    face, calls = leaf_calls(model)
    prepared, rest = face, []
    for i, call in enumerate(calls):
        if not isinstance(call.operation, _PREPARE) or any(tensor is not prepared for tensor in call.given):
            rest = calls[i:]
            break
        prepared = call.output
    logits = calls[-1].output
    for call in reversed(rest):
        if call.output is not logits or not isinstance(call.operation, keras.layers.Activation | keras.layers.Softmax):
            break
        activation = getattr(call.operation, "activation", keras.activations.softmax)
        if activation not in (keras.activations.softmax, keras.activations.linear):
            break
        logits, softmax = call.given[0], softmax or activation is keras.activations.softmax
    if not softmax:
        raise ModelError(f"{model.name}: it must end in a softmax, which the host computes then.")
    size = model.input_shape[1]
    plain = np.broadcast_to(_LEVELS[:, None, None, None], (3, size, size, 1))
    values = keras.ops.convert_to_numpy(keras.Model(face, prepared)(plain)) if prepared is not face else plain
    scale, offset = (values[2] - values[0]).mean(axis=(0, 1)) / 255, values[0].mean(axis=(0, 1))
    expected = _LEVELS[:, None, None, None] * scale + offset
    if not (scale > 0).all() or np.abs(values - expected).max() > 1e-3 * max(1.0, np.abs(values).max()):
        raise ModelError(f"{model.name}: its preprocessing is not a scale and an offset by channel.")
    mean, std = (-offset / scale).tolist(), (1 / scale).tolist()
    try:
        bare = keras.Model(prepared, logits, name=f"{model.name}_device")
    except ValueError:
        raise ModelError(
            f"{model.name}: its preprocessing cannot be cut off: other layers read the raw face."
        ) from None
    return DeviceModel(bare, tuple(round(m, 4) + 0.0 for m in mean), tuple(round(s, 4) for s in std))


def _apart(model: keras.Model) -> tuple[keras.Model, bool]:
    """Return the model with linear outputs, and True, where its last layer is a dense one with a softmax in it."""
    last = leaf_calls(model)[1][-1].operation
    if not isinstance(last, keras.layers.Dense) or last.activation is not keras.activations.softmax:
        return model, False
    linear = keras.layers.Dense.from_config({**last.get_config(), "activation": "linear"})
    rebuilt = clone_layers(model, lambda layer: linear if layer is last else None)
    linear.set_weights(last.get_weights())
    return rebuilt, True
