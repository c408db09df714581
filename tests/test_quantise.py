"""Fake quantisation of weights and activations, and training through it."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from emo_utils.errors import DataError, ModelError
from emo_utils.models import build_model, load_model, save_model
from emo_utils.models.fake_quantised import FAKE_OF, kernels_of, quantise_kernel
from emo_utils.models.graph import leaf_calls
from emo_utils.models.grouped import GroupedConv2D
from emo_utils.quantise import FakeQuantise, fold_batch_norm, quantise_model, unquantise_model
from emo_utils.recipe import Recipe, ResNeXt

RNG = np.random.default_rng(0)
RECIPES = {
    "SmallCNN": Recipe("a", backbone="SmallCNN", input_size=32),
    "StudentCNN": Recipe("a", backbone="StudentCNN", input_size=32),
    "ResNeXt": Recipe("a", backbone="ResNeXt", input_size=32, resnext=ResNeXt((1, 1), (16, 32), 8, dropout=(0.2,))),
    "MobileNetV3Small": Recipe("a", backbone="MobileNetV3Small", input_size=32),
}
# One grey level a class, with noise.
LABELS = np.arange(140) % 7
FACES = np.clip(LABELS[:, None, None] * 36 + RNG.normal(0, 12, (140, 32, 32)), 0, 255).astype(np.uint8)


def outputs(model: keras.Model) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(FACES[:16, ..., None], training=False))


def fit(model: keras.Model, epochs: int, rate: float = 1e-3) -> list[float]:
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    return model.fit(FACES[..., None], LABELS, batch_size=28, epochs=epochs, verbose=0, shuffle=False).history["loss"]


@pytest.fixture(scope="module")
def small() -> keras.Model:
    model = build_model(RECIPES["SmallCNN"])
    for layer in model.get_layer("SmallCNN").layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.5  # a few steps give it the statistics of these faces
    fit(model, 4)
    return model


@pytest.mark.parametrize("axes", [(0, 1, 2), (0, 1, 2, 3)])
@pytest.mark.parametrize("bits", [2, 4, 8, 16])
def test_codes_are_the_nearest_integers_in_range(bits, axes):
    kernel = RNG.normal(size=(3, 3, 4, 5)).astype(np.float32)
    kernel[..., 0] = 0
    codes, scale = (keras.ops.convert_to_numpy(t) for t in quantise_kernel(kernel, bits, axes))
    assert np.abs(codes).max() == 2 ** (bits - 1) - 1
    np.testing.assert_array_equal(codes, np.rint(codes))
    assert (np.abs(codes * scale - kernel) <= scale * 0.501).all()
    assert (codes[..., 0] == 0).all()


@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize(
    "plain",
    [
        keras.layers.Conv2D(6, 3, groups=2, activation="relu"),
        GroupedConv2D(6, 3, groups=2),
        keras.layers.DepthwiseConv2D(3, depth_multiplier=2),
        keras.layers.SeparableConv2D(6, 3, depth_multiplier=2),
        keras.layers.Dense(6),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_a_layer_computes_with_the_quantised_kernel(plain, per_channel):
    x = RNG.normal(size=(2, 5, 5, 4)).astype(np.float32)
    plain = plain.__class__.from_config(plain.get_config())
    plain(x)
    fake = FAKE_OF[type(plain)].from_config({**plain.get_config(), "weight_bits": 3, "per_channel": per_channel})
    fake.build(x.shape)
    fake.set_weights(plain.get_weights())
    for kernel, axes in kernels_of(plain, per_channel):
        codes, scale = quantise_kernel(kernel, 3, axes)
        assert (scale.shape[-1] > 1) == per_channel
        kernel.assign(codes * scale)
    np.testing.assert_allclose(fake(x), plain(x), rtol=1e-5, atol=1e-6)
    assert fake.name == plain.name


def test_activations_take_the_levels_between_their_bounds():
    x = np.linspace(-3, 9, 1001).astype(np.float32)
    y = keras.ops.convert_to_numpy(FakeQuantise(3, -1.0, 6.0)(x))
    np.testing.assert_allclose(np.unique(y), np.arange(-1, 7), atol=1e-6)
    inside = (x > -1) & (x < 6)
    assert np.abs(y - x)[inside].max() <= 0.5 + 1e-6
    # 0 is a level wherever the bounds lie, and a layer that never fired stays silent
    assert keras.ops.convert_to_numpy(FakeQuantise(4, -0.3, 1.0)(np.zeros(1))) == 0
    assert np.abs(keras.ops.convert_to_numpy(FakeQuantise(4, 0.0, 0.0)(x))).max() < 1e-6


@pytest.mark.parametrize("name", RECIPES)
def test_models_keep_names_and_nearly_their_outputs_and_come_back_from_a_file(name, tmp_path):
    model = build_model(RECIPES[name])
    for layer in model.get_layer(name).layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.gamma.assign(layer.gamma * 2)  # as built, what a face gives fades away in the deeper ones
    quantised = quantise_model(model, weight_bits=8, activation_bits=12, calibration=FACES)
    assert not np.array_equal(outputs(quantised), outputs(model))
    np.testing.assert_allclose(outputs(quantised), outputs(model), rtol=0, atol=0.05)
    names = [layer.name for layer in quantised.layers if not isinstance(layer, FakeQuantise)]
    assert names == [layer.name for layer in model.layers]
    path = save_model(quantised, tmp_path / "q.keras", {"class_names": list(RECIPES[name].classes)})
    np.testing.assert_allclose(outputs(load_model(path)[0]), outputs(quantised), rtol=0, atol=1e-6)


def test_32_bits_are_the_float_model(small):
    same = quantise_model(small, weight_bits=32, activation_bits=32)
    np.testing.assert_array_equal(outputs(same), outputs(fold_batch_norm(small)))


def test_fewer_bits_lose_more(small):
    def loss(**options):
        return np.abs(outputs(quantise_model(small, calibration=FACES, **options)) - outputs(small)).mean()

    assert loss(weight_bits=8) < loss(weight_bits=5) < loss(weight_bits=2)
    assert loss(weight_bits=32, activation_bits=8) < loss(weight_bits=32, activation_bits=3)
    assert loss(weight_bits=4, per_channel=True) < loss(weight_bits=4, per_channel=False)


def test_what_an_engine_stores_is_quantised():
    quantised = quantise_model(build_model(RECIPES["ResNeXt"]), weight_bits=8, activation_bits=8, calibration=FACES)
    calls = leaf_calls(quantised)[1]
    names = [c.operation.name.removesuffix("_quantised") for c in calls if isinstance(c.operation, FakeQuantise)]
    block1 = ["stage1_block1_relu1", "stage1_block1_relu2", "stage1_block1_conv3", "stage1_block1_relu"]
    assert [n for n in names if not n.startswith("stage2")] == [
        "preprocess", "stem_relu", *block1, "pool", "logits"
    ]  # fmt: skip
    assert {"stage2_block1_conv3", "stage2_block1_project", "stage2_block1_relu"} < set(names)


def test_training_at_4_bits_lowers_the_loss_and_moves_every_kernel(small):
    quantised = quantise_model(small, weight_bits=4, activation_bits=4, calibration=FACES)
    before = [w.copy() for w in quantised.get_weights()]
    losses = fit(quantised, 4)
    assert losses[-1] < 0.7 * losses[0]
    moved = [np.abs(new - old).max() for new, old in zip(quantised.get_weights(), before, strict=True)]
    assert min(moved) > 1e-4
    assert len(quantised.trainable_weights) == len(before)


def test_taken_back_to_float_it_keeps_what_it_has_learnt(small):
    model = quantise_model(small, weight_bits=4, activation_bits=8, calibration=FACES)
    fit(model, 1)
    plain = unquantise_model(model)
    kinds = {type(call.operation) for call in leaf_calls(plain)[1]}
    assert not kinds & {*FAKE_OF.values(), FakeQuantise}
    for mine, learnt in zip(plain.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, learnt)
    # Rounded again with the same bounds it would be the model that was trained; unrounded it computes nearly the same.
    assert 0 < np.abs(outputs(plain) - outputs(model)).mean() < 0.2


def test_unfit_arguments(small):
    with pytest.raises(ModelError, match=r"weight_bits must be 2 to 16, or 32 for float\. Got 20"):
        quantise_model(small, weight_bits=20)
    with pytest.raises(ModelError, match=r"activation_bits must be .* Got 1\."):
        quantise_model(small, weight_bits=8, activation_bits=1, calibration=FACES)
    with pytest.raises(DataError, match=r"at least 100 calibration images .* Got 0"):
        quantise_model(small, weight_bits=8, activation_bits=8)
    with pytest.raises(ModelError, match="'block1_conv' is quantised already"):
        quantise_model(quantise_model(small, weight_bits=8), weight_bits=4)
    inputs = keras.Input((8, 8, 1))
    unknown = keras.Model(inputs, keras.layers.Conv2DTranspose(2, 3, name="up")(inputs))
    with pytest.raises(ModelError, match="'up' is a Conv2DTranspose, whose weights cannot be quantised"):
        quantise_model(unknown, weight_bits=8)
