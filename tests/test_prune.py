from __future__ import annotations

import functools

import keras
import numpy as np
import pytest

from emo_utils.models import build_model
from emo_utils.prune import LEVELS, filter_table, prune_model, silence_filters
from emo_utils.recipe import Head, Recipe, ResNeXt
from emo_utils.recipes import get_recipe

layers = keras.layers


def as_array(tensor) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def trained_like(model: keras.Model, images: np.ndarray) -> keras.Model:
    """Give every weight another value, as training would, and batch norm the statistics of the images."""
    rng = np.random.default_rng(0)
    norms = []
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, keras.Model):
            continue
        for variable in layer.weights:
            if variable.name in ("bias", "beta"):
                variable.assign(rng.normal(0, 0.1, variable.shape))
            elif variable.name == "gamma":
                variable.assign(rng.uniform(0.3, 1.7, variable.shape))
        if isinstance(layer, layers.BatchNormalization):
            norms.append((layer, layer.momentum))
            layer.momentum = 0.0
    model(images, training=True)
    for layer, momentum in norms:
        layer.momentum = momentum
    return model


def faces(model: keras.Model, n: int = 3) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (n, *model.input_shape[1:])).astype("float32")


def logits(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return what goes into the softmax: behind it differences would be too small to see."""
    return as_array(keras.Model(model.input, model.get_layer("logits").output)(images))


SMALL_RESNEXT = ResNeXt((1, 1), (16, 32), group_width=8, dropout=())
RECIPES = {
    "SmallCNN": Recipe("a", backbone="SmallCNN", input_size=32),
    "StudentCNN": Recipe("a", backbone="StudentCNN", input_size=32, head=Head("flatten", (16,), dropout=(0.0, 0.3))),
    "ResNeXt": Recipe("a", backbone="ResNeXt", input_size=32, resnext=SMALL_RESNEXT),
    "MobileNetV3Small": Recipe("a", backbone="MobileNetV3Small", input_size=32),
}


@functools.cache
def model_of(name: str) -> keras.Model:
    model = build_model(RECIPES[name])
    return trained_like(model, faces(model, 16))


def check_same_as_silenced(model: keras.Model, ratios, criterion: str) -> keras.Model:
    images = faces(model)
    pruned, silenced = prune_model(model, ratios, criterion), silence_filters(model, ratios, criterion)
    before, expected, found = (logits(m, images) for m in (model, silenced, pruned))
    scale = np.abs(expected).max()
    assert np.abs(before - expected).max() > 1e-3 * scale  # the filters did something
    assert np.abs(found - expected).max() < 1e-5 * max(1, scale)
    assert silenced.count_params() == model.count_params() > pruned.count_params()
    assert as_array(pruned(images)) == pytest.approx(as_array(silenced(images)), abs=1e-5)
    return pruned


@pytest.mark.parametrize("criterion", ["l1", "batch_norm"])
@pytest.mark.parametrize("ratios", [0.25, LEVELS["high"]])
@pytest.mark.parametrize("name", ["SmallCNN", "StudentCNN", "ResNeXt"])
def test_removing_filters_is_like_silencing_them(name, ratios, criterion):
    check_same_as_silenced(model_of(name), ratios, criterion)


@pytest.mark.parametrize("ratios", [0.3, LEVELS["high"]])
def test_removing_filters_of_mobilenet_is_like_silencing_them(ratios):
    check_same_as_silenced(model_of("MobileNetV3Small"), ratios, "l1")


@pytest.mark.parametrize(
    ("level", "filters", "parameters"),
    [("low", [12, 22, 28], 138_485), ("medium", [11, 19, 24], 118_067), ("high", [9, 16, 19], 92_990)],
)
def test_student_of_the_source_shrinks_as_in_the_source(level, filters, parameters):
    model = build_model(get_recipe("jetson-student"))
    table = filter_table(model, LEVELS[level])
    assert table["layer"].tolist() == ["block1_conv", "block2_conv", "block3_conv"]
    assert table["kept"].tolist() == filters
    assert table["ratio"].tolist() == list(LEVELS[level])
    pruned = prune_model(model, LEVELS[level])
    assert sum(int(np.prod(v.shape)) for v in pruned.trainable_variables) == parameters
    backbone = pruned.get_layer("StudentCNN")
    assert [backbone.get_layer(name).filters for name in table["layer"]] == filters
