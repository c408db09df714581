"""Noise of rounding by layer, and layers with bits of their own."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from emo_utils.errors import ModelError
from emo_utils.models import build_model
from emo_utils.quantise import FakeQuantise, change_bits, layer_noise, quantise_model
from emo_utils.recipe import Recipe

# The same batch twice, so that the mean of its extremes is its extreme: nothing is cut off.
FACES = np.tile(np.random.default_rng(0).integers(0, 256, (50, 32, 32), dtype=np.uint8), (2, 1, 1))
LAYERS = ["rescale", "block1_conv", "block2_conv", "block3_conv", "block4_conv", "logits"]


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return build_model(Recipe("a", backbone="SmallCNN", input_size=32))


@pytest.fixture(scope="module")
def rounded(model) -> keras.Model:
    return quantise_model(model, weight_bits=8, activation_bits=8, calibration=FACES, percentiles=(0, 100))


def test_noise_is_that_of_the_definition(model, rounded):
    noise = layer_noise(model, rounded, FACES[:3])
    assert list(noise) == ["rescale", *(f"block{i}_relu" for i in (1, 2, 3, 4)), "pool", "logits"]
    assert all(values.shape == (3,) and values.dtype == np.float64 for values in noise.values())
    pixels = FACES[1] / 127.5 - 1
    layer = FakeQuantise(8, pixels.min(), pixels.max())
    after = keras.ops.convert_to_numpy(layer(pixels.astype(np.float32)))
    expected = 10 * np.log10((pixels**2).sum() / ((after - pixels) ** 2).sum())
    assert noise["rescale"][1] == pytest.approx(expected, abs=1)  # its bounds are of all faces, those here of one


def test_each_bit_halves_the_error_where_nothing_is_cut_off(model, rounded):
    means = [np.mean(layer_noise(model, change_bits(rounded, LAYERS, bits), FACES[:20])["logits"]) for bits in (8, 12)]
    assert means[1] - means[0] == pytest.approx(4 * 20 * np.log10(2), abs=6)


def test_only_the_named_layer_and_what_follows_it_change(rounded):
    changed = change_bits(rounded, ["block2_conv"], 16)
    bits = {}
    for part in (changed, changed.get_layer("SmallCNN")):
        for layer in part.layers:
            bits[layer.name] = getattr(layer, "weight_bits", getattr(layer, "bits", None))
    assert {name for name, b in bits.items() if b == 16} == {"block2_conv", "block2_relu_quantised"}
    assert all(np.array_equal(a, b) for a, b in zip(changed.get_weights(), rounded.get_weights(), strict=True))


def test_an_unknown_layer_is_named(rounded):
    with pytest.raises(ModelError, match=r"No quantised layer is called 'block9'\. There are rescale, block1_conv"):
        change_bits(rounded, ["block9"], 16)
