"""Forms of models that the course's backbones do not have, each with everything that makes pruning go wrong in it."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from test_prune import as_array, check_same_as_silenced, faces, trained_like

from emo_utils.errors import PruningError
from emo_utils.models.grouped import GroupedConv2D
from emo_utils.prune import filter_table, prune_model, silence_filters

layers = keras.layers


def classifier(build, side: int = 12) -> keras.Model:
    """Put a head behind build(features), or behind what a first convolution makes of the image."""
    inputs = keras.Input((side, side, 1))
    x = layers.Conv2D(8, 3, padding="same", name="first")(layers.Rescaling(1 / 255)(inputs))
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = build(x)
    if len(x.shape) == 4:
        x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, layers.Softmax(name="probabilities")(layers.Dense(4, name="logits")(x)))
    return trained_like(model, faces(model, 8))


def dense_block(x):
    for _ in range(2):
        y = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.Concatenate()([x, layers.Conv2D(6, 3, padding="same")(y)])
    return layers.ReLU()(layers.BatchNormalization()(x))


def squeeze_by_dense(x):
    gate = layers.Dense(4, activation="relu")(layers.GlobalAveragePooling2D()(x))
    gate = layers.Reshape((1, 1, 8))(layers.Dense(8, activation="sigmoid")(gate))
    return layers.Conv2D(6, 3)(layers.Multiply()([x, gate]))


def spatial_attention(x):
    gate = layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="gate")(x)
    return layers.Conv2D(6, 1)(layers.Multiply()([x, gate]))


def multiplied(x):
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, bias_initializer="ones")(x)
    x = layers.PReLU(shared_axes=[1, 2])(layers.BatchNormalization()(x))
    return layers.SeparableConv2D(6, 3, depth_multiplier=3, activation="relu")(x)


def residual_of_a_concatenation(x):
    branches = layers.Concatenate()([layers.Conv2D(4, 1)(x), layers.Conv2D(6, 1)(x)])
    return layers.Conv2D(5, 1)(layers.Add()([branches, layers.Conv2D(10, 1)(x)]))


def called_twice(x):
    same = layers.Conv2D(8, 3, padding="same", activation="relu", name="same")
    norm = layers.BatchNormalization()
    return layers.Conv2D(6, 1)(norm(same(norm(same(x)))))


def flattened(x):
    x = layers.Flatten()(layers.MaxPooling2D(4)(x))
    x = layers.BatchNormalization()(x)
    return layers.Dense(5, activation="relu")(layers.Reshape((72,))(x))


def reshaped_back(x):
    x = layers.Reshape((12 * 12, 8))(x)
    return layers.Conv2D(6, 3)(layers.Reshape((12, 12, 8))(layers.Flatten()(x)))


def plain_operations(x):
    return layers.Conv2D(6, 1)(x * keras.ops.relu6(x + 3.0) * (1 / 6))


def groups(x):
    x = layers.Conv2D(12, 3, groups=2, padding="same", activation="relu", use_bias=False)(x)
    x = GroupedConv2D(8, 3, groups=4, padding="same", activation="relu", name="second")(x)
    return layers.Conv2D(6, 1)(x)


def groups_split_in_two_ways(x):
    x = layers.Conv2D(12, 3, groups=2, padding="same", activation="relu")(x)
    return layers.Conv2D(6, 3, groups=3, name="second")(x)


FORMS = [
    *(dense_block, squeeze_by_dense, spatial_attention, multiplied, residual_of_a_concatenation, called_twice),
    *(flattened, reshaped_back, plain_operations, groups),
]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_prunes_as_if_silenced(form):
    check_same_as_silenced(classifier(form), 0.4, "l1")


def test_groups_split_in_two_ways_keep_equal_parts():
    model = classifier(groups_split_in_two_ways)
    # 12 filters stand in 2 groups on one side and in 3 on the other: parts of 4, 2, 2 and 4.
    assert check_same_as_silenced(model, 0.5, "l1").get_layer("second").kernel.shape[2:] == (2, 3)
    with pytest.raises(PruningError, match="The groups of 'second' would keep 3, 2, 3 channels"):
        prune_model(model, (0.2, 0.2, 0.0))


def test_groups_of_different_origin_are_refused():
    def build(x):
        both = layers.Concatenate()([layers.Conv2D(4, 1, name="a")(x), layers.Conv2D(4, 1, name="b")(x)])
        return layers.Conv2D(8, 1, groups=2, name="grouped")(both)

    with pytest.raises(PruningError, match="The groups of 'grouped' would keep 3, 2 channels"):
        prune_model(classifier(build), (0.0, 0.25, 0.5, 0.5))


def test_nested_parts_get_smaller_inputs():
    images = faces(classifier(lambda x: x))
    features = keras.Sequential(
        [keras.Input((12, 12, 1)), layers.Conv2D(8, 3, name="a"), layers.ReLU()], name="features"
    )
    middle_input = keras.Input((10, 10, 8), name="maps")
    middle = keras.Model(middle_input, layers.Conv2D(6, 3, name="b")(middle_input), name="middle")
    head = keras.Sequential([layers.Flatten(), layers.Dense(3, name="scores"), layers.Softmax()], name="head")
    model = trained_like(keras.Sequential([features, middle, head]), images)
    pruned, silenced = prune_model(model, 0.5), silence_filters(model, 0.5)
    assert isinstance(pruned, keras.Sequential)
    assert [layer.name for layer in pruned.layers] == ["features", "middle", "head"]
    assert pruned.get_layer("middle").input_shape == (None, 10, 10, 4)
    assert pruned.get_layer("head").get_layer("scores").kernel.shape == (8 * 8 * 3, 3)
    assert as_array(pruned(images)) == pytest.approx(as_array(silenced(images)), abs=1e-5)


def test_the_weakest_filters_go():
    """By hand: weights of filter i have the size `strength[i]`; the second convolution adds its own."""
    inputs = keras.Input((4, 4, 1))
    a, b = layers.Conv2D(4, 1, name="a")(inputs), layers.Conv2D(4, 1, name="b")(inputs)
    summed = layers.BatchNormalization(name="norm")(layers.Add()([a, b]))
    model = keras.Model(inputs, layers.Dense(2, name="logits")(layers.Flatten()(summed)))
    model.get_layer("a").set_weights([np.reshape([1.0, -2.0, 3.0, -4.0], (1, 1, 1, 4)), np.zeros(4)])
    model.get_layer("b").set_weights([np.reshape([-9.0, 1.0, 1.0, 2.0], (1, 1, 1, 4)), np.arange(4.0)])
    model.get_layer("norm").gamma.assign([0.1, -0.5, 0.3, 0.2])
    by_l1, by_norm = prune_model(model, 0.5), prune_model(model, 0.5, "batch_norm")
    assert by_l1.get_layer("a").get_weights()[0].ravel().tolist() == [1.0, -4.0]  # 10 and 6 against 3 and 4
    assert by_l1.get_layer("b").get_weights()[1].tolist() == [0.0, 3.0]
    assert by_norm.get_layer("a").get_weights()[0].ravel().tolist() == [-2.0, 3.0]
    places = model.get_layer("logits").get_weights()[0].reshape(16, 4, 2)
    assert by_l1.get_layer("logits").get_weights()[0] == pytest.approx(places[:, [0, 3]].reshape(32, 2))
    assert filter_table(model, 0.5).to_dict("list") == {"layer": ["a"], "filters": [4], "kept": [2], "ratio": [0.5]}


def test_a_gate_does_not_vote():
    def build(x):
        gate = layers.Conv2D(8, 1, name="gate", activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(x))
        return layers.Multiply()([gate, x])

    model = classifier(build)
    first = model.get_layer("first")
    strength = np.abs(first.get_weights()[0]).mean(axis=(0, 1, 2))
    gate = model.get_layer("gate")
    gate.set_weights([gate.get_weights()[0] * np.where(strength < np.median(strength), 100, 0.01), np.zeros(8)])
    kept = prune_model(model, 0.5).get_layer("first").get_weights()[0]
    assert np.abs(kept).mean(axis=(0, 1, 2)).min() > np.median(strength)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda x: layers.Lambda(lambda y: y, name="mine")(x), r"'mine' \(Lambda\).* of this class"),
        (lambda x: layers.LayerNormalization(name="norm")(x), r"'norm' \(LayerNormalization\).* of this class"),
        (lambda x: layers.Reshape((24, 12, 4), name="split")(x), r"'split' \(Reshape\).* with these settings"),
        (lambda x: layers.BatchNormalization(axis=1, name="rows")(x), r"'rows' \(BatchNormalization\).* with these"),
        (lambda x: layers.Activation(lambda y: y, name="own")(x), r"'own' \(Activation\).* with these settings"),
        (lambda x: x + np.ones(8, dtype="float32"), r"\(Add\).* with these settings"),
        (lambda x: keras.ops.flip(x, axis=-1), r"\(Flip\).* of this class"),
    ],
)
def test_what_cannot_be_followed_is_named(build, message):
    inputs = keras.Input((12, 12, 1))
    x = build(layers.Conv2D(8, 3, padding="same")(inputs))
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))
    with pytest.raises(PruningError, match=message):
        prune_model(model, 0.5)


def test_any_layer_may_prepare_the_image():
    inputs = keras.Input((12, 12, 1))
    x = layers.Normalization(mean=3.0, variance=2.0)(layers.Resizing(16, 16)(inputs))
    x = layers.Conv2D(8, 3)(layers.Rescaling([0.001, 0.002, 0.003])(layers.Concatenate()([x, x, x])))
    model = keras.Model(inputs, layers.Dense(2, name="logits")(layers.Flatten()(x)))
    check_same_as_silenced(model, 0.5, "l1")


class Uncopied(layers.Layer):
    """Its configuration does not say what it was made with."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, x):
        return x * self.factor

    def get_config(self):
        return {}


def test_a_layer_that_keras_cannot_copy_is_named():
    inputs = keras.Input((12, 12, 1))
    x = layers.Conv2D(8, 3)(Uncopied(2.0)(inputs))
    model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x)), name="mine")
    with pytest.raises(PruningError, match=r"Model 'mine': Keras cannot copy it \(.*Uncopied"):
        prune_model(model, 0.5)


def test_outputs_stay_whatever_makes_them():
    inputs = keras.Input((12, 12, 1))
    x = layers.Conv2D(3, 1, name="last")(layers.Conv2D(8, 3, name="first")(inputs))
    model = keras.Model(inputs, layers.Softmax()(layers.GlobalAveragePooling2D()(x)))
    assert filter_table(model, 0.5)["layer"].tolist() == ["first"]
    assert prune_model(model, 0.5).output_shape == (None, 3)


def test_other_models_are_refused():
    one, two = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    x = layers.Conv2D(4, 3)(one)
    for model in (
        keras.Model([one, two], layers.Add()([one, two]), name="pair"),
        keras.Model(one, [x, layers.ReLU()(x)], name="pair"),
        keras.Sequential([layers.Conv2D(4, 3)], name="pair"),
    ):
        with pytest.raises(PruningError, match=r"'pair': the pruner takes .* one input"):
            prune_model(model, 0.5)
