from __future__ import annotations

import keras
import numpy as np
import pytest

from emo_utils.bench import count_macs, count_parameters
from emo_utils.errors import ModelError
from emo_utils.models import build_model
from emo_utils.models.grouped import GroupedConv2D
from emo_utils.recipe import Recipe
from emo_utils.recipes import get_recipe

layers = keras.layers


@pytest.mark.parametrize(
    ("name", "parameters", "macs"),
    [("jetson-teacher", 5_094_407, 93_638_144), ("jetson-student", 241_367, 5_862_272)],
)
def test_the_sources_nets_cost_what_the_source_counts(name, parameters, macs):
    model = build_model(get_recipe(name))
    assert count_macs(model) == macs
    assert count_parameters(model).trainable == parameters
    assert count_parameters(model).total == model.count_params() > parameters


def test_a_published_net_costs_what_its_paper_says():
    model = keras.applications.MobileNetV3Small(weights=None, input_shape=(224, 224, 3))
    assert count_macs(model) == pytest.approx(56e6, rel=0.02)


def _net(*stack):
    return keras.Sequential([keras.Input((8, 8, 4)), *stack])


# By hand: positions of the output x values of a kernel; 7x7 positions where a kernel of 2 meets no padding.
@pytest.mark.parametrize(
    ("layer", "macs"),
    [
        (layers.Conv2D(6, 3, padding="same"), 64 * 3 * 3 * 4 * 6),
        (layers.Conv2D(6, 2, strides=2), 16 * 2 * 2 * 4 * 6),
        (layers.Conv2D(6, 2, groups=2), 49 * 2 * 2 * 2 * 6),
        (GroupedConv2D(6, 2, groups=2), 49 * 2 * 2 * 2 * 6),
        (layers.DepthwiseConv2D(2, depth_multiplier=3), 49 * 2 * 2 * 4 * 3),
        (layers.SeparableConv2D(5, 2), 49 * (2 * 2 * 4 + 4 * 5)),
        (layers.Dense(3), 64 * 4 * 3),
        (layers.BatchNormalization(), 0),
        (layers.MaxPooling2D(), 0),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_a_layer_alone(layer, macs):
    assert count_macs(_net(layer)) == macs


def test_a_layer_called_twice_costs_twice():
    shared = layers.Conv2D(4, 1)
    inputs = keras.Input((8, 8, 4))
    assert count_macs(keras.Model(inputs, shared(shared(inputs)))) == 2 * 64 * 4 * 4


def test_frozen_layers_are_still_parameters_of_the_net():
    model = build_model(Recipe("a", input_size=32))
    before = count_parameters(model)
    model.get_layer("SmallCNN").trainable = False
    assert count_parameters(model) == before
    assert not model.get_layer("SmallCNN").trainable


def test_what_cannot_be_counted_is_named():
    with pytest.raises(ModelError, match=r"layer up \(Conv2DTranspose\) are not known"):
        count_macs(_net(layers.Conv2DTranspose(2, 2, name="up")))
    with pytest.raises(ModelError, match="depends on the size of the input"):
        count_macs(keras.Sequential([keras.Input((None, None, 1)), layers.Conv2D(2, 3)]))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the profiler is TensorFlow's")
@pytest.mark.parametrize("backbone", ["StudentCNN", "SmallCNN"])
def test_tensorflows_profiler_agrees(backbone, capfd):
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    model = build_model(Recipe("a", backbone=backbone))
    face = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32)
    frozen = convert_variables_to_constants_v2(
        tf.function(lambda x: model(x, training=False)).get_concrete_function(face)
    )
    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder(profiler.ProfileOptionBuilder.float_operation()).with_empty_output().build()
    found = profiler.profile(frozen.graph, options=options).total_float_ops / 2
    # It counts biases, batch norm and pooling, too.
    assert np.isclose(found, count_macs(model), rtol=0.05)
    assert found >= count_macs(model)
