from __future__ import annotations

import keras
import numpy as np
import pytest

from emo_utils.export import export_tflite, run_tflite
from emo_utils.models import build_model, load_model, save_model
from emo_utils.models.grouped import GroupedConv2D
from emo_utils.models.resnext import build_resnext
from emo_utils.recipe import Recipe, ResNeXt


def as_array(tensor) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def gradients(layer, x, target):
    """Return the gradients of sum(layer(x) * target) in the kernel and in x, on whatever backend runs."""
    if keras.backend.backend() == "jax":
        import jax

        kernel = layer.kernel.value

        def loss(kernel, x):
            outputs, _ = layer.stateless_call([kernel], [], x)
            return (outputs * target).sum()

        return jax.grad(loss, argnums=(0, 1))(kernel, x)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(layer(x) * target)
    return tape.gradient(loss, [layer.kernel.value, x])


@pytest.mark.parametrize(
    ("channels", "filters", "groups", "strides"), [(8, 8, 2, 1), (8, 8, 8, 2), (12, 24, 3, 2), (6, 6, 1, 1)]
)
def test_grouped_convolution_is_that_of_keras(channels, filters, groups, strides):
    options = {"strides": strides, "padding": "same", "groups": groups, "use_bias": False}
    native, fast = keras.layers.Conv2D(filters, 3, **options), GroupedConv2D(filters, 3, **options)
    rng = np.random.default_rng(0)
    x = keras.ops.convert_to_tensor(rng.normal(size=(2, 9, 9, channels)).astype("float32"))
    expected = native(x)
    fast.build(x.shape)
    assert fast.kernel.shape == native.kernel.shape
    fast.set_weights(native.get_weights())
    assert as_array(fast(x)) == pytest.approx(as_array(expected), abs=1e-5)
    target = keras.ops.convert_to_tensor(rng.normal(size=expected.shape).astype("float32"))
    for ours, theirs in zip(gradients(fast, x, target), gradients(native, x, target), strict=True):
        assert as_array(ours) == pytest.approx(as_array(theirs), abs=1e-4)


def grouped_layers(shape: ResNeXt, size: int = 48) -> list[GroupedConv2D]:
    return [layer for layer in build_resnext(size, shape).layers if isinstance(layer, GroupedConv2D)]


def test_group_width_and_cardinality_read_the_same_number_in_two_ways():
    # d2l.ai: 64 channels in groups of 32; the paper: 32 groups.
    assert [layer.groups for layer in grouped_layers(ResNeXt())] == [2, 2, 4, 4, 8, 8]
    paper = grouped_layers(ResNeXt(group_width=0, cardinality=32))
    assert [layer.groups for layer in paper] == [32] * 6
    assert [layer.kernel.shape[2] for layer in paper] == [2, 2, 4, 4, 8, 8]


@pytest.mark.parametrize(
    ("size", "stages", "side"), [(48, 3, 6), (48, 5, 2), (96, 3, 12), (224, 3, 14), (224, 4, 7), (112, 3, 14)]
)
def test_the_stem_leaves_room_for_the_stages(size, stages, side):
    shape = ResNeXt((1,) * stages, (32, 64, 96, 128, 160)[:stages], dropout=())
    assert build_resnext(size, shape).output_shape == (None, side, side, shape.channels[-1])


def test_dropout_stands_behind_the_last_blocks():
    def dropouts(rates):
        layers = build_resnext(48, ResNeXt(dropout=rates)).layers
        return {layer.name: layer.rate for layer in layers if isinstance(layer, keras.layers.Dropout)}

    assert dropouts((0.2, 0.4)) == {"stage3_block1_dropout": 0.2, "stage3_block2_dropout": 0.4}
    assert dropouts((0.1, 0.0, 0.4)) == {"stage2_block2_dropout": 0.1, "stage3_block2_dropout": 0.4}
    assert dropouts(()) == {}


def test_a_resnext_saves_loads_and_converts(tmp_path):
    recipe = Recipe("a", backbone="ResNeXt", input_size=32, resnext=ResNeXt((1, 1), (16, 32), 8, dropout=(0.2,)))
    model = build_model(recipe)
    faces = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1), dtype=np.uint8)
    model(faces.astype("float32"), training=True)  # moves batch norm's statistics off 0 and 1
    expected = as_array(model(faces))
    path = save_model(model, tmp_path / "m.keras", {"class_names": recipe.classes})
    assert as_array(load_model(path)[0](faces)) == pytest.approx(expected, abs=1e-6)
    assert as_array(keras.models.load_model(path)(faces)) == pytest.approx(expected, abs=1e-6)
    if keras.backend.backend() == "tensorflow":
        lite = export_tflite(model, tmp_path / "m.tflite")
        assert run_tflite(lite, faces[..., 0]) == pytest.approx(expected, abs=1e-5)
