"""How much noise rounding puts into a network, layer by layer, and other bits for the layers where it matters."""

from __future__ import annotations

from collections.abc import Collection

import keras
import numpy as np

from emo_utils.errors import ModelError
from emo_utils.models.fake_quantised import PLAIN_OF, FakeQuantise
from emo_utils.models.graph import clone_layers, leaf_calls
from emo_utils.pipeline import resize_images
from emo_utils.quantise.fold import fold_batch_norm
from emo_utils.quantise.ranges import QUANTISED


def layer_noise(model: keras.Model, quantised: keras.Model, images: np.ndarray) -> dict[str, np.ndarray]:
    """Compare the activations of a quantised model with those of the float model.

    Args:
        model: functional, float.
        quantised: from `quantise_model(model, activation_bits=...)`, perhaps changed by `change_bits`.
        images: uint8 (n, height, width), brought to the model's size. All layers of both models are kept in memory:
            some dozens will do.

    Returns:
        Layer or operation -> signal-to-noise ratio of each face in decibels, float64 (n,), in the order of computing:
        10 log10 of the sum of the squared float values over that of the squared differences, inf where nothing is lost.
        Noise that comes from the layers before is in it.
    """
    face, calls = leaf_calls(fold_batch_norm(model))
    rounded_face, rounded_calls = leaf_calls(quantised)
    outputs = {call.operation.name: call.output for call in calls}
    rounded = {
        call.operation.name.removesuffix(QUANTISED): call.output
        for call in rounded_calls
        if isinstance(call.operation, FakeQuantise)
    }
    given = resize_images(images, model.input_shape[1])[..., None]
    before = keras.Model(face, [outputs[name] for name in rounded])(given, training=False)
    after = keras.Model(rounded_face, list(rounded.values()))(given, training=False)
    return {name: _decibels(b, a) for name, b, a in zip(rounded, before, after, strict=True)}


def change_bits(quantised: keras.Model, layers: Collection[str], bits: int) -> keras.Model:
    """Return a copy in which some layers have other bits, for weights and activations alike.

    Engines fuse a convolution or dense layer with what follows it, and so does this: to a layer belong the activations
    behind it, up to the next layer with weights. What is rounded before the first one, preprocessing, goes by its own
    name.

    Args:
        quantised: from `quantise_model`; stays as it is.
        layers: names of convolution and dense layers, and of preprocessing layers.
        bits: 2 to 16.

    Raises:
        ModelError: no quantised layer has such a name.
    """
    owners = _owners(quantised)
    known = list(dict.fromkeys(owners.values()))
    unknown = sorted(set(layers) - set(known))
    if unknown:
        raise ModelError(f"No quantised layer is called {unknown[0]!r}. There are {', '.join(known)}.")
    pairs = []

    def replace(layer):
        if owners.get(layer.name) not in layers:
            return None
        setting = "bits" if isinstance(layer, FakeQuantise) else "weight_bits"
        new = layer.__class__.from_config({**layer.get_config(), setting: bits})
        pairs.append((layer, new))
        return new

    changed = clone_layers(quantised, replace)
    for old, new in pairs:
        new.set_weights(old.get_weights())
    return changed


def _owners(quantised: keras.Model) -> dict[str, str]:
    """Return the layer that each rounding layer belongs to, by its name, in the order of computing."""
    owners, last = {}, None
    for call in leaf_calls(quantised)[1]:
        name = call.operation.name
        if type(call.operation) in PLAIN_OF:
            owners[name] = last = name
        elif isinstance(call.operation, FakeQuantise):
            owners[name] = last or name.removesuffix(QUANTISED)
    return owners


def _decibels(before, after) -> np.ndarray:
    before, after = (keras.ops.convert_to_numpy(values).astype(np.float64) for values in (before, after))
    inner = tuple(range(1, before.ndim))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (before**2).sum(inner) / ((after - before) ** 2).sum(inner)
        return 10 * np.log10(np.nan_to_num(ratio, nan=np.inf, posinf=np.inf))  # 0 / 0: nothing there, nothing lost
