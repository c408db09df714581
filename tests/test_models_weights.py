from __future__ import annotations

import cv2
import keras
import numpy as np
import pytest
from conftest import shared_file
from sklearn.datasets import load_sample_image

from emo_utils.errors import ModelError
from emo_utils.models import build_feature_extractor, build_model, set_trainable
from emo_utils.recipe import Head, Recipe, ResNeXt

FOLDED = "weights/mobilenet_v2_1.00_224_imagenet_dequantised_bnfolded_notop.weights.h5"
MOBILENET_V2 = Recipe("a", backbone="MobileNetV2", input_size=96, head=Head(dropout=0))


def photographs() -> np.ndarray:
    """Return grey photographs, float32 of shape (4, 96, 96, 1): two, and a part of each."""
    grey = [cv2.cvtColor(load_sample_image(name), cv2.COLOR_RGB2GRAY) for name in ("china.jpg", "flower.jpg")]
    parts = [grey[0][200:, :300], grey[1][:200, 400:]]
    return np.stack([cv2.resize(x, (96, 96), interpolation=cv2.INTER_AREA) for x in grey + parts])[..., None]


def as_array(tensor) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def test_published_weights_with_folded_batch_norm_stay_as_they_are_in_every_stage():
    recipe = MOBILENET_V2.but(weights=str(shared_file(FOLDED)))
    model = build_model(recipe)
    backbone = model.get_layer("MobileNetV2")
    norms = [layer for layer in backbone.layers if isinstance(layer, keras.layers.BatchNormalization)]
    before = [np.array(w) for layer in norms for w in layer.get_weights()]
    counts = []
    for train in ("head", "top", 30, "all"):
        counts.append(set_trainable(model, recipe, train))
        assert not any(layer.trainable for layer in norms)
    model.compile("sgd", "categorical_crossentropy")
    kernel = as_array(backbone.get_layer("Conv1").kernel)
    model.fit(photographs()[:2], np.eye(7)[:2], epochs=1, verbose=0)
    assert (as_array(backbone.get_layer("Conv1").kernel) != kernel).any()
    assert all((a == b).all() for a, b in zip(before, [w for n in norms for w in n.get_weights()], strict=True))
    assert counts == sorted(set(counts))


@pytest.mark.parametrize("adapts", [False, True])
def test_batch_norm_with_weights_from_elsewhere_learns_only_where_it_may_adapt(adapts, tmp_path):
    recipe = Recipe("a", backbone="MobileNetShort", input_size=32, adapt_norm=adapts)
    file = tmp_path / "backbone.weights.h5"
    build_model(recipe).get_layer("MobileNetShort").save_weights(file)
    recipe = recipe.but(weights=str(file))
    model = build_model(recipe)
    set_trainable(model, recipe, 50)
    layers = model.get_layer("MobileNetShort").layers
    assert next(layer.name for layer in layers if layer.trainable and layer.weights) == "conv_dw_3"
    norms = [layer for layer in layers[-50:] if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(norms) == 16  # two in each of eight blocks
    assert {layer.trainable for layer in norms} == {adapts}


def test_published_weights_give_sensible_features():
    recipe = MOBILENET_V2.but(weights=str(shared_file(FOLDED)))
    images = photographs()
    features = as_array(build_feature_extractor(build_model(recipe), recipe)(images))
    assert features.shape == (4, 1280)
    assert np.isfinite(features).all()
    # Every image excites some features strongly and leaves most almost silent, as ReLU features of ImageNet do.
    assert (features.max(axis=1) > 1).all()
    assert (features.std(axis=0) > 0.01).mean() > 0.9
    # A mirrored photograph looks more like itself than like any other one.
    mirrored = as_array(build_feature_extractor(build_model(recipe), recipe)(images[:, :, ::-1]))
    unit, other = (f / np.linalg.norm(f, axis=1, keepdims=True) for f in (features, mirrored))
    assert ((unit @ other.T).argmax(axis=1) == np.arange(4)).all()


@pytest.fixture
def weights_file(tmp_path):
    path = tmp_path / "small.weights.h5"
    build_model(Recipe("a", seed=3)).get_layer("SmallCNN").save_weights(path)
    return path


def test_weights_of_a_backbone_are_read(weights_file):
    model, donor = build_model(Recipe("b", weights=str(weights_file))), build_model(Recipe("a", seed=3))
    pairs = zip(*(m.get_layer("SmallCNN").get_weights() for m in (model, donor)), strict=True)
    assert all((a == b).all() for a, b in pairs)


def test_bad_weights_files_are_named(weights_file, tmp_path):
    def error_of(recipe: Recipe) -> str:
        with pytest.raises(ModelError) as caught:
            build_model(recipe)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    nowhere = tmp_path / "nowhere.weights.h5"
    assert "nowhere.weights.h5: no such model file" in error_of(Recipe("b", weights=str(nowhere)))
    wrong = error_of(
        Recipe("b", backbone="ResNeXt", resnext=ResNeXt((1,), (32,), dropout=()), weights=str(weights_file))
    )
    assert "small.weights.h5: not the weights of ResNeXt" in wrong
    assert "`backbone.save_weights`" in wrong
    whole = tmp_path / "whole.weights.h5"
    build_model(Recipe("a")).save_weights(whole)
    assert "not the weights of SmallCNN" in error_of(Recipe("b", weights=str(whole)))
    damaged = tmp_path / "damaged.weights.h5"
    for content in (weights_file.read_bytes()[:5000], b"hello", b""):
        damaged.write_bytes(content)
        assert "damaged.weights.h5: damaged or not an HDF5 file" in error_of(Recipe("b", weights=str(damaged)))
