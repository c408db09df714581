from __future__ import annotations

import functools
import math

import keras
import numpy as np
import pytest

from emo_utils.errors import ModelError
from emo_utils.models import (
    build_feature_extractor,
    build_head,
    build_model,
    load_model,
    model_class_names,
    save_model,
    set_trainable,
)
from emo_utils.models.backbones import BACKBONES
from emo_utils.recipe import BACKBONES as NAMES
from emo_utils.recipe import Head, Recipe

PREPROCESSING = {
    "ResNet50": "resnet50",
    "VGG16": "vgg16",
    "Xception": "xception",
    "MobileNetV2": "mobilenet_v2",
    "DenseNet121": "densenet",
    "NASNetMobile": "nasnet",
}


def recipe_of(name: str) -> Recipe:
    return Recipe("a", backbone=name, input_size=BACKBONES[name].min_size, head=Head(units=(8,)))


@functools.cache
def model_of(name: str) -> keras.Model:
    """Build each backbone once for all tests of this module: some take seconds."""
    return build_model(recipe_of(name))


@functools.cache
def faces_and_output(name: str) -> tuple[np.ndarray, np.ndarray]:
    size = BACKBONES[name].min_size
    faces = np.random.default_rng(0).integers(0, 256, (3, size, size, 1), dtype=np.uint8)
    return faces, as_array(model_of(name)(faces))


def as_array(tensor) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def test_recipe_names_are_the_registry():
    assert set(NAMES) == set(BACKBONES)


@pytest.mark.parametrize("name", BACKBONES)
def test_each_backbone_builds_predicts_saves_and_loads(name, tmp_path):
    recipe, model = recipe_of(name), model_of(name)
    faces, before = faces_and_output(name)
    assert before.shape == (3, 7)
    assert before.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert model.get_layer("logits").output.shape == (None, 7)
    assert not any(isinstance(layer, keras.Model) for layer in model.get_layer(name).layers)
    path = save_model(model, tmp_path / "m.keras", {"class_names": recipe.classes})
    again, info = load_model(path)
    assert model_class_names(info, path) == recipe.classes
    assert as_array(again(faces)) == pytest.approx(before, abs=1e-6)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.keras"]


@pytest.mark.parametrize("name", BACKBONES)
def test_stages_free_more_and_more(name):
    recipe, model = recipe_of(name), model_of(name)
    backbone = model.get_layer(name)
    head, top, everything = (set_trainable(model, recipe, train) for train in ("head", "top", "all"))
    dense = [model.get_layer("dense_1"), model.get_layer("logits")]
    assert head == sum(layer.count_params() for layer in dense)
    assert head < top < everything
    assert everything - head == sum(math.prod(v.shape) for v in backbone.trainable_variables)
    assert set_trainable(model, recipe, 3) == head + sum(
        math.prod(v.shape) for layer in backbone.layers[-3:] for v in layer.trainable_variables
    )
    assert set_trainable(model, recipe, 10_000) == everything
    assert set_trainable(model, recipe, "head") == head
    set_trainable(model, recipe, "all")


@pytest.mark.parametrize("name", BACKBONES)
def test_head_on_features_is_the_model(name):
    recipe, model = recipe_of(name), model_of(name)
    faces, whole = faces_and_output(name)
    extractor, head = build_feature_extractor(model, recipe), build_head(model, recipe)
    features = as_array(extractor(faces))
    assert features.shape == (3, model.get_layer("dense_1").kernel.shape[0])
    assert as_array(head(features)) == pytest.approx(whole, abs=1e-6)
    assert head.get_layer("logits") is model.get_layer("logits")


@pytest.mark.parametrize(("name", "module"), PREPROCESSING.items())
def test_preprocessing_is_that_of_the_published_weights(name, module):
    size = BACKBONES[name].min_size
    grey = np.random.default_rng(1).integers(0, 256, (2, size, size, 1)).astype(np.float32)
    colour = np.repeat(grey, 3, axis=-1)
    expected = getattr(keras.applications, module).preprocess_input(colour.copy())
    assert as_array(model_of(name).get_layer(name).get_layer("preprocess")(colour)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("name", BACKBONES)
def test_batch_norm_follows_short_runs(name):
    layers = model_of(name).get_layer(name).layers
    assert all(x.momentum <= 0.98 for x in layers if isinstance(x, keras.layers.BatchNormalization))


def test_too_small_an_input_is_named():
    with pytest.raises(ModelError, match=r"Xception needs inputs of at least 71 px\. Got input_size 48"):
        build_model(Recipe("a", backbone="Xception", input_size=48))


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        (
            "URL fetch failure on https://example.org/nets/no_top.h5: None -- unreachable",
            "Put the file in ~/.keras/models/no_top.h5,",
        ),
        (
            "URL fetch failure on https://example.org/NASNet-mobile-no-top.h5: None -- x",
            "models/nasnet_mobile_no_top.h5,",
        ),
        ("Unable to open file (file signature not found)", "Replace the damaged file in ~/.keras/models,"),
    ],
)
def test_missing_imagenet_weights_name_the_remedy(monkeypatch, reason, remedy):
    def refuse(*args, **kwargs):
        raise Exception(reason)

    monkeypatch.setattr(keras.applications, "MobileNetV3Small", refuse)
    with pytest.raises(ModelError, match="need no network") as caught:
        build_model(Recipe("a", backbone="MobileNetV3Small", weights="imagenet"))
    assert remedy in str(caught.value)


def test_small_networks_have_no_imagenet_weights():
    for name in ("SmallCNN", "ResNeXt"):
        with pytest.raises(ModelError, match=f"{name} has no ImageNet weights"):
            build_model(Recipe("a", backbone=name, weights="imagenet"))
