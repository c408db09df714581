"""Batch norm folded into the layer before it."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from emo_utils.models import build_model
from emo_utils.models.backbones import BACKBONES
from emo_utils.quantise import fold_batch_norm
from emo_utils.recipe import Head, Recipe

RNG = np.random.default_rng(0)
# Every second batch norm of DenseNet stands before a convolution, behind a concatenation; NASNet has a few that stand
# behind a pooling or an addition.
MIXED = ("DenseNet121", "NASNetMobile")


def layers_of(model: keras.Model) -> list[keras.layers.Layer]:
    return [
        inner for layer in model.layers for inner in (layers_of(layer) if isinstance(layer, keras.Model) else [layer])
    ]


def norms(model: keras.Model) -> list[keras.layers.BatchNormalization]:
    return [layer for layer in layers_of(model) if isinstance(layer, keras.layers.BatchNormalization)]


def names(model: keras.Model) -> list[str]:
    # Keras gives the input of a nested model another name when it copies the model.
    return [layer.name for layer in layers_of(model) if not isinstance(layer, keras.layers.InputLayer)]


def with_random_norms(model: keras.Model) -> keras.Model:
    for norm in norms(model):
        spread = {"gamma": (0.8, 1.2), "beta": (-0.2, 0.2), "moving_mean": (-0.1, 0.1), "moving_variance": (0.5, 1.5)}
        norm.set_weights([RNG.uniform(*spread[w.name], size=w.shape) for w in norm.weights])
    return model


def output(model: keras.Model, faces: np.ndarray, layer: str) -> np.ndarray:
    part = keras.Model(model.input, model.get_layer(layer).output)
    return keras.ops.convert_to_numpy(part(faces, training=False))


# NASNetMobile and ResNet50 hold no kind of layer that the others lack, and take the longest.
@pytest.mark.parametrize("name", [name for name in BACKBONES if name not in ("NASNetMobile", "ResNet50")])
def test_the_same_features_in_a_backbone(name):
    size = BACKBONES[name].min_size
    model = with_random_norms(build_model(Recipe("a", backbone=name, input_size=size, head=Head(units=(8,)))))
    folded = fold_batch_norm(model)
    faces = RNG.integers(0, 256, (2, size, size, 1), dtype=np.uint8)
    expected = output(model, faces, "pool")
    np.testing.assert_allclose(output(folded, faces, "pool"), expected, rtol=0, atol=1e-4 * np.abs(expected).max())
    assert names(folded) == names(model)
    assert [layer.name for layer in folded.layers] == [layer.name for layer in model.layers]
    left = len(norms(folded))
    assert (0 < left < len(norms(model))) if name in MIXED else left == 0


def stack(*layers: keras.layers.Layer) -> keras.Model:
    inputs = keras.Input((8, 8, 4))
    x = inputs
    for layer in layers:
        x = layer(x)
    return with_random_norms(keras.Model(inputs, x))


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.Dense(6),
        keras.layers.DepthwiseConv2D(3, depth_multiplier=3, use_bias=False),
        keras.layers.SeparableConv2D(6, 3, depth_multiplier=2),
        keras.layers.Conv2D(6, 3, groups=2),
    ],
)
@pytest.mark.parametrize("options", [{}, {"scale": False, "center": False}])
def test_every_kind_of_layer(layer, options):
    model = stack(layer.__class__.from_config(layer.get_config()), keras.layers.BatchNormalization(**options))
    folded = fold_batch_norm(model)
    x = RNG.normal(size=(2, 8, 8, 4)).astype(np.float32)
    assert not norms(folded)
    np.testing.assert_allclose(folded(x), model(x), rtol=1e-4, atol=1e-5)


def test_norms_that_stay():
    shared, norm = keras.layers.Conv2D(4, 1), keras.layers.BatchNormalization
    inputs = keras.Input((8, 8, 4))
    between = keras.layers.Conv2D(4, 1)(inputs)
    read_twice = keras.layers.Conv2D(4, 1)(inputs)
    for model in (
        stack(norm()),
        stack(keras.layers.Conv2D(4, 1, activation="relu"), norm()),
        stack(keras.layers.Conv2D(4, 1), norm(axis=1)),
        keras.Model(inputs, keras.layers.Add()([norm()(keras.layers.ReLU()(between)), between])),
        keras.Model(inputs, keras.layers.Add()([norm()(read_twice), read_twice])),
        keras.Model(inputs, norm()(shared(shared(inputs)))),
    ):
        assert len(norms(fold_batch_norm(model))) == 1
