"""A model with fake-quantised weights and activations: what integers will cost, and how to train for them."""

from __future__ import annotations

import keras
import numpy as np

from emo_utils.errors import ModelError
from emo_utils.models.fake_quantised import FAKE_OF, PLAIN_OF, FakeQuantise
from emo_utils.models.graph import clone_layers, leaf_calls
from emo_utils.quantise.calibration import check_calibration
from emo_utils.quantise.fold import fold_batch_norm
from emo_utils.quantise.ranges import PERCENTILES, QUANTISED, activation_ranges

FLOAT_BITS = 32


def quantise_model(
    model: keras.Model,
    *,
    weight_bits: int,
    activation_bits: int | None = None,
    per_channel: bool = True,
    calibration: np.ndarray | None = None,
    percentiles: tuple[float, float] = PERCENTILES,
) -> keras.Model:
    """Return a copy of a model that computes, in float, what one of integers would compute.

    Batch norm is folded first. Weights of convolution and dense layers are symmetric integers, their scales follow
    the weights at every step; activations are affine integers between bounds that stay as calibrated. Biases stay
    float: engines keep them in 32 bits. So do the probabilities and the input, whose grey levels are bytes already. The
    copy trains like any model (quantisation-aware training) and is saved like any.

    Args:
        model: functional, from grey levels (n, size, size, 1); stays as it is.
        weight_bits: 2 to 16; 32 leaves weights float.
        activation_bits: 2 to 16; None or 32 leaves activations float.
        per_channel: one scale an output channel of a kernel; else one a kernel.
        calibration: needed with `activation_bits`; training images, see `emo_utils.quantise.calibration_images`.
        percentiles: of the activations of a batch of calibration images; their mean over the batches is the range, and
            what lies beyond is cut off. (0, 100) cuts off next to nothing.

    Raises:
        ModelError: another number of bits, or a layer whose weights cannot be quantised, by name.
        DataError: calibration images that cannot serve.
    """
    activation_bits = FLOAT_BITS if activation_bits is None else activation_bits
    check_bits("weight_bits", weight_bits)
    check_bits("activation_bits", activation_bits)
    check_layers(model)
    folded = fold_batch_norm(model)
    behind = {}
    if activation_bits < FLOAT_BITS:
        behind = _activations(folded, activation_bits, check_calibration(calibration), percentiles)
    pairs = []

    def replace(layer):
        config = layer.get_config()
        if weight_bits < FLOAT_BITS and type(layer) in FAKE_OF:
            options = {"weight_bits": weight_bits, "per_channel": per_channel}
            new = FAKE_OF[type(layer)].from_config({**config, **options})
        else:
            new = layer.__class__.from_config(config)
        pairs.append((layer, new))
        if id(layer) in behind:
            behind[id(new)] = behind[id(layer)]
        return new

    def call(operation, *args, **kwargs):
        output = operation(*args, **kwargs)
        return behind[id(operation)](output) if id(operation) in behind else output

    result = clone_layers(folded, replace, call)
    for old, new in pairs:
        new.set_weights(old.get_weights())
    return result


def unquantise_model(model: keras.Model, *, activations: bool = True) -> keras.Model:
    """Return a model from `quantise_model` as plain float layers with the weights that it has learnt.

    This is what to export after quantisation-aware training: the weights have settled where rounding hurts least, and
    the format's own integers take the place of the imitated ones.

    Args:
        model: from `quantise_model`, perhaps trained since; stays as it is.
        activations: unround these, too; False leaves them as they are.
    """
    pairs = []

    def replace(layer):
        if isinstance(layer, FakeQuantise) and activations:
            return keras.layers.Identity(name=layer.name)
        if type(layer) not in PLAIN_OF:
            return None
        config = layer.get_config()
        for key in ("weight_bits", "per_channel"):
            config.pop(key)
        new = PLAIN_OF[type(layer)].from_config(config)
        pairs.append((layer, new))
        return new

    plain = clone_layers(model, replace)
    for old, new in pairs:
        new.set_weights(old.get_weights())
    return plain


def check_bits(name: str, bits: int) -> None:
    """Raise a ModelError unless bits is 2 to 16, or 32 for float."""
    if bits != FLOAT_BITS and bits not in range(2, 17):
        raise ModelError(f"{name} must be 2 to 16, or {FLOAT_BITS} for float. Got {bits!r}.")


def check_layers(model: keras.Model) -> None:
    """Raise a ModelError that names the first layer whose weights cannot be quantised, or are already."""
    known = (*FAKE_OF, keras.layers.BatchNormalization)
    for call in leaf_calls(model)[1]:
        layer = call.operation
        if type(layer) in PLAIN_OF:
            raise ModelError(f"Layer {layer.name!r} is quantised already. Start from the float model.")
        if getattr(layer, "weights", None) and type(layer) not in known:
            raise ModelError(
                f"Layer {layer.name!r} is a {type(layer).__name__}, whose weights cannot be quantised. Known are "
                f"{', '.join(c.__name__ for c in known)}."
            )


def _activations(
    model: keras.Model, bits: int, images: np.ndarray, percentiles: tuple[float, float]
) -> dict[int, FakeQuantise]:
    """Return the layer to put behind a layer or operation, by the id of the latter."""
    bounds: dict[int, tuple] = {}  # one that is called twice has one pair of bounds
    for operation, low, high in activation_ranges(model, images, percentiles):
        _, least, most = bounds.get(id(operation), (operation, 0.0, 0.0))
        bounds[id(operation)] = operation, min(least, low), max(most, high)
    return {
        key: FakeQuantise(bits, low, high, name=operation.name + QUANTISED)
        for key, (operation, low, high) in bounds.items()
    }
