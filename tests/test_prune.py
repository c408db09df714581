from __future__ import annotations

import functools

import keras
import numpy as np
import pytest

from emo_utils.errors import PruningError
from emo_utils.export import export_tflite, run_tflite
from emo_utils.models import build_model, load_model, save_model
from emo_utils.prune import CRITERIA, LEVELS, filter_table, prune_model, silence_filters
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


@pytest.mark.parametrize("name", RECIPES)
def test_a_pruned_model_is_an_ordinary_one(name, tmp_path):
    model, images = model_of(name), faces(model_of(name))
    before = as_array(model(images))
    pruned = prune_model(model, LEVELS["medium"])
    assert as_array(model(images)) == pytest.approx(before, abs=1e-6)  # stays as it is
    assert (pruned.name, pruned.input_shape, pruned.output_shape) == (model.name, model.input_shape, model.output_shape)
    assert [x.name for x in pruned.layers] == [x.name for x in model.layers]
    inner = [m.get_layer(name).layers for m in (pruned, model)]
    assert [x.name for x in inner[0]] == [x.name for x in inner[1]]
    path = save_model(pruned, tmp_path / "m.keras", {"class_names": RECIPES[name].classes})
    assert as_array(load_model(path)[0](images)) == pytest.approx(as_array(pruned(images)), abs=1e-6)
    pruned.compile("sgd", "sparse_categorical_crossentropy")
    before = [as_array(v).copy() for v in pruned.trainable_variables]
    pruned.fit(images, np.arange(3), verbose=0)
    learnt = [(as_array(v) != old).any() for v, old in zip(pruned.trainable_variables, before, strict=True)]
    assert np.mean(learnt) > 0.9  # a few lie behind activations that three faces leave at zero


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TFLite files are written by TensorFlow")
def test_a_pruned_model_converts(tmp_path):
    pruned = prune_model(model_of("ResNeXt"), LEVELS["medium"])
    images = faces(pruned).astype("uint8")
    lite = export_tflite(pruned, tmp_path / "m.tflite")
    assert run_tflite(lite, images[..., 0]) == pytest.approx(as_array(pruned(images)), abs=1e-5)


def test_frozen_layers_stay_frozen():
    model = build_model(RECIPES["SmallCNN"])
    model.get_layer("SmallCNN").get_layer("block2_norm").trainable = False
    backbone = prune_model(model, 0.5).get_layer("SmallCNN")
    assert [x.name for x in backbone.layers if not x.trainable] == ["block2_norm"]


def test_ratios_are_spread_from_first_to_last_convolution():
    table = filter_table(model_of("SmallCNN"), (0.1, 0.4, 0.6))
    assert table["layer"].tolist() == [f"block{i}_conv" for i in range(1, 5)]
    assert table["ratio"].tolist() == pytest.approx([0.1, 0.3, 0.4 + 0.2 / 3, 0.6])
    assert table["kept"].tolist() == [14, 22, 34, 51]
    assert filter_table(model_of("SmallCNN"), 0.9)["kept"].tolist() == [1, 3, 6, 12]
    assert filter_table(model_of("SmallCNN"), 0)["kept"].tolist() == [16, 32, 64, 128]


def test_groups_of_a_resnext_stay_alike():
    backbone = prune_model(model_of("ResNeXt"), 0.3).get_layer("ResNeXt")
    for name, groups in (("stage1_block1_conv2", 2), ("stage2_block1_conv2", 4)):
        layer = backbone.get_layer(name)
        # 8 filters a group, of which floor(5.6) stay on both sides.
        assert (layer.groups, layer.filters, layer.kernel.shape[2:]) == (groups, 5 * groups, (5, 5 * groups))
    assert backbone.get_layer("stage2_block1_project").filters == 22  # not in groups: floor(32 * .7)


@pytest.mark.parametrize("ratios", [-0.1, 1, 1.5, (), "low", None, (0.2, float("nan")), [[0.1, 0.2]]])
def test_ratios_out_of_range_are_named(ratios):
    with pytest.raises(PruningError, match=r"ratios must be one or more numbers from 0 up to, .* Got"):
        prune_model(model_of("SmallCNN"), ratios)


def test_a_ratio_that_leaves_nothing_names_the_layer_and_a_better_one():
    model = model_of("SmallCNN")
    with pytest.raises(PruningError, match=r"Ratio 0\.95 leaves none of the 16 filters of 'block1_conv'\. .* 0\.937\."):
        prune_model(model, 0.95)
    assert prune_model(model, (0.937, 0.5, 0.5)).get_layer("SmallCNN").get_layer("block1_conv").filters == 1
    grouped = r"Ratio 0\.9 leaves none of the 8 filters in a group of 'stage1_block1_conv1'\. .* 0\.875\."
    with pytest.raises(PruningError, match=grouped):
        prune_model(model_of("ResNeXt"), 0.9)


def test_criteria_that_cannot_rank_are_named():
    with pytest.raises(PruningError, match=r"criterion must be one of l1, batch_norm\. Got 'l2'"):
        prune_model(model_of("SmallCNN"), 0.5, "l2")
    plain = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3), keras.layers.Conv2D(2, 3)])
    with pytest.raises(PruningError, match=r"No batch norm with a scale stands in this model.* Use criterion 'l1'"):
        prune_model(plain, 0.5, "batch_norm")


def test_filters_without_batch_norm_are_ranked_by_their_weights():
    model = model_of("MobileNetV3Small")
    squeeze = "expanded_conv_squeeze_excite_conv"
    by_l1, by_norm = (prune_model(model, 0.5, criterion).get_layer("MobileNetV3Small") for criterion in CRITERIA)
    assert by_norm.get_layer(squeeze).filters == by_l1.get_layer(squeeze).filters < 8
    check_same_as_silenced(model, 0.3, "batch_norm")
