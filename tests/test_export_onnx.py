"""ONNX files, what exported files say of themselves, and the parts that bundles are made of."""

from __future__ import annotations

import json
import sys
import zipfile

import keras
import numpy as np
import pytest

from emo_utils.datasets import from_arrays
from emo_utils.errors import EmoUtilsError, ModelError
from emo_utils.evaluation import predict_probabilities
from emo_utils.models import load_foreign_model, load_model
from emo_utils.models.grouped import GroupedConv2D

if keras.backend.backend() != "tensorflow":
    pytest.skip("TensorFlow writes the files", allow_module_level=True)

import onnx
from onnx import numpy_helper

from emo_utils.export.device_part import device_model
from emo_utils.export.metadata import file_metadata, read_metadata
from emo_utils.export.onnx import ONNXModel, export_onnx, run_onnx
from emo_utils.export.onnx_convert import IR_VERSION, OPSET
from emo_utils.export.onnx_graph import ALLOWED
from emo_utils.export.operators import onnx_operators, tflite_operators
from emo_utils.export.run import TFLiteModel, run_tflite
from emo_utils.export.samples import take_samples
from emo_utils.export.tflite import export_tflite

layers = keras.layers
NAMES = ("angry", "happy", "sad")
INFO = {"class_names": list(NAMES), "run_id": "r1", "calibration": {"temperature": 1.5, "not_sure_below": 0.4}}


def gates_and_groups() -> keras.Model:
    """A net with what MobileNetV3 and ResNeXt have: hard swish, a gate, groups, batch norm, a nested model."""
    keras.utils.set_random_seed(0)
    given = keras.Input((None, None, 3))
    x = layers.Rescaling(1 / 127.5, -1.0)(given)
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.Activation("hard_swish")(x)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(8, 1)(gate)
    gate = layers.ReLU(6.0)(gate + 3.0) * (1.0 / 6.0)
    x = layers.Multiply()([x, gate])
    x = GroupedConv2D(8, 3, groups=2, padding="same")(x)
    body = keras.Model(given, x, name="body")
    body.get_layer("norm").set_weights([np.full(8, value) for value in (1.5, 0.1, 0.2, 0.8)])
    face = keras.Input((20, 20, 1), name="face")
    y = body(layers.Concatenate()([face, face, face]))
    y = layers.GlobalAveragePooling2D(name="pool")(y)
    y = layers.Dense(3, kernel_initializer=keras.initializers.RandomNormal(stddev=3), name="logits")(y)
    return keras.Model(face, layers.Activation("softmax", name="probabilities")(y), name="gates")


@pytest.fixture(scope="module")
def model():
    return gates_and_groups()


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (30, 20, 20), dtype=np.uint8)


@pytest.fixture(scope="module")
def path(model, tmp_path_factory):
    return export_onnx(model, tmp_path_factory.mktemp("onnx") / "m.onnx", metadata=file_metadata(model, INFO, "m"))


def test_the_file_computes_what_the_model_does(model, images, path):
    before = predict_probabilities(model, images)
    assert before.argmax(axis=1).min() < before.argmax(axis=1).max()  # or the agreement would say nothing
    np.testing.assert_allclose(run_onnx(path, images), before, atol=1e-5)


def test_old_engines_can_read_it(path):
    proto = onnx.load(path)
    onnx.checker.check_model(proto, full_check=True)
    assert (proto.opset_import[0].version, proto.ir_version) == (OPSET, IR_VERSION) == (13, 7)
    [face], [out] = proto.graph.input, proto.graph.output
    assert (face.name, [d.dim_value for d in face.type.tensor_type.shape.dim]) == ("face", [1, 1, 20, 20])
    assert (out.name, [d.dim_value for d in out.type.tensor_type.shape.dim]) == ("probabilities", [1, 3])
    found = onnx_operators(path)
    assert set(found) <= ALLOWED
    assert found["HardSigmoid"] == 2
    assert found["Conv"] == 3
    assert {"Clip", "Transpose", "Split", "BatchNormalization", "ReduceMean"}.isdisjoint(found)
    groups = [a.i for node in proto.graph.node for a in node.attribute if a.name == "group"]
    assert 2 in groups
    assert {t.name for t in proto.graph.initializer} <= {name for node in proto.graph.node for name in node.input}
    assert all(np.isfinite(numpy_helper.to_array(t)).all() for t in proto.graph.initializer)


def test_a_clip_that_is_no_gate_stays(tmp_path):
    face = keras.Input((8, 8, 1))
    x = layers.ReLU(6.0)(layers.Conv2D(3, 3)(face) + 3.0)  # and no division by six behind it
    model = keras.Model(face, layers.Softmax()(layers.GlobalAveragePooling2D()(x)))
    path = export_onnx(model, tmp_path / "m.onnx")
    assert onnx_operators(path)["Clip"] == 1
    assert onnx_operators(path)["HardSigmoid"] == 0
    images = np.random.default_rng(1).integers(0, 9, (5, 8, 8), dtype=np.uint8)
    np.testing.assert_allclose(run_onnx(path, images), predict_probabilities(model, images), atol=1e-5)


def test_a_map_of_one_pixel_is_not_reshaped_to_and_fro(tmp_path):
    face = keras.Input((4, 4, 1))
    x = layers.Conv2D(3, 4, bias_initializer="ones")(face)
    x = x + layers.Conv2D(3, 1, bias_initializer="ones")(layers.ReLU()(layers.DepthwiseConv2D(1)(x)))
    model = keras.Model(face, layers.Softmax()(layers.GlobalAveragePooling2D()(x)))
    path = export_onnx(model, tmp_path / "m.onnx")
    assert set(onnx_operators(path)) <= {"Conv", "Relu", "Add", "GlobalAveragePool", "Flatten", "Softmax"}
    images = np.random.default_rng(2).integers(0, 3, (5, 4, 4), dtype=np.uint8)
    np.testing.assert_allclose(run_onnx(path, images), predict_probabilities(model, images), atol=1e-5)


@pytest.mark.parametrize("flat", [False, True])
def test_a_dense_layer_reads_the_map_channels_first(flat, tmp_path):
    face = keras.Input((8, 8, 1))
    x = layers.Conv2D(5, 3, activation="relu")(face)
    x = layers.Dropout(0.5)(layers.Flatten()(x) if flat else layers.GlobalAveragePooling2D()(x))
    x = layers.Dense(6, activation="relu")(x)
    model = keras.Model(face, layers.Dense(3, activation="softmax")(x))
    path = export_onnx(model, tmp_path / "m.onnx")
    assert {"Reshape", "Squeeze", "Transpose"}.isdisjoint(onnx_operators(path))
    images = np.random.default_rng(3).integers(0, 9, (9, 8, 8), dtype=np.uint8)
    np.testing.assert_allclose(run_onnx(path, images), predict_probabilities(model, images), atol=1e-5)


def test_a_constant_that_became_an_input_is_named(tmp_path):
    face = keras.Input((8, 8, 1))
    x = layers.Flatten()(layers.Normalization(mean=3.0, variance=2.0)(face))
    model = keras.Model(face, layers.Dense(3, activation="softmax")(x), name="odd")
    try:
        path = export_onnx(model, tmp_path / "m.onnx")
    except ModelError as error:
        assert "odd" in str(error)  # noqa: PT017  whether tf2onnx does it depends on its version
    else:
        ONNXModel(path)


def test_a_sequential_model_exports(tmp_path):
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Conv2D(4, 3), layers.BatchNormalization(), layers.Flatten()]
    )
    model.add(layers.Dense(3, activation="softmax"))
    images = np.random.default_rng(4).integers(0, 9, (5, 8, 8), dtype=np.uint8)
    after = run_onnx(export_onnx(model, tmp_path / "m.onnx"), images)
    np.testing.assert_allclose(after, predict_probabilities(model, images), atol=1e-5)
    assert device_model(model).model.output_shape == (None, 3)


def test_an_operator_that_engines_lack_is_named(tmp_path):
    face = keras.Input((8, 8, 1))
    x = keras.ops.erf(layers.Conv2D(3, 3)(face))
    model = keras.Model(face, layers.Softmax()(layers.GlobalAveragePooling2D()(x)), name="odd")
    with pytest.raises(ModelError, match=r"odd.* Erf \(1\)"):
        export_onnx(model, tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_files_say_what_they_are(model, path, images, tmp_path):
    lite = export_tflite(model, tmp_path / "m.tflite", metadata=file_metadata(model, INFO, "m"))
    for file in (path, lite):
        told = read_metadata(file)
        assert told["class_names"] == list(NAMES)
        assert told["temperature"] == told["calibration"]["temperature"] == 1.5
        assert (told["name"], told["input_size"], told["input_range"], told["run_id"]) == ("m", 20, "0..255", "r1")
        assert told["parameters"] == model.count_params()
        assert told["recipe_hash"] is None
    assert zipfile.ZipFile(lite).read("labels.txt").decode().split() == list(NAMES)
    np.testing.assert_allclose(run_tflite(lite, images), run_onnx(path, images), atol=1e-5)
    assert tflite_operators(lite)["HARD_SWISH"] == 1
    assert read_metadata(export_tflite(model, tmp_path / "silent.tflite")) == {}


def test_metadata_is_not_trusted(path, tmp_path):
    proto = onnx.load(path)
    proto.metadata_props[0].value = "{"
    onnx.save(proto, tmp_path / "bad.onnx")
    with pytest.raises(ModelError, match=r"bad\.onnx: what it says"):
        read_metadata(tmp_path / "bad.onnx")
    proto.metadata_props[0].value = json.dumps([1])
    onnx.save(proto, tmp_path / "list.onnx")
    assert read_metadata(tmp_path / "list.onnx") == {}
    with zipfile.ZipFile(tmp_path / "big.tflite", "w") as archive:
        archive.writestr("emo_utils.json", " " * 1_000_001)
    with pytest.raises(ModelError, match="longer than"):
        read_metadata(tmp_path / "big.tflite")
    with pytest.raises(ModelError, match="no such file"):
        read_metadata(tmp_path / "gone.onnx")


@pytest.mark.parametrize("read", [ONNXModel, onnx_operators, tflite_operators, TFLiteModel])
def test_a_file_of_another_kind_is_named(read, tmp_path):
    bad = tmp_path / "m.onnx"
    bad.write_bytes(b"not a model" * 50)
    with pytest.raises(ModelError, match=r"m\.onnx"):
        read(bad)
    with pytest.raises(ModelError, match="no such"):
        read(tmp_path / "gone")


@pytest.mark.parametrize(
    ("kind", "face", "answer"),
    [
        ("FLOAT", (1, 1, "s", "s"), (1, 2)),
        ("UINT8", (1, 1, 4, 4), (1, 2)),
        ("FLOAT", (1, 1, 4, 6), (1, 2)),
        ("FLOAT", (1, 1, 4, 4), ()),
    ],
)
def test_an_onnx_file_of_other_ends_is_named(kind, face, answer, tmp_path):
    types, helper = onnx.TensorProto, onnx.helper
    given = helper.make_tensor_value_info("face", getattr(types, kind), face)
    made = helper.make_tensor_value_info("out", types.FLOAT, answer)
    nodes = [helper.make_node("Cast", ["face"], ["real"], to=types.FLOAT)]
    if answer:
        nodes += [
            helper.make_node("GlobalAveragePool", ["real"], ["one"]),
            helper.make_node("Flatten", ["one"], ["out"]),
        ]
    else:
        nodes += [helper.make_node("ReduceMean", ["real"], ["out"], keepdims=0)]
    proto = helper.make_model(
        helper.make_graph(nodes, "g", [given], [made]), opset_imports=[helper.make_opsetid("", 13)]
    )
    proto.ir_version = 7
    onnx.save(proto, tmp_path / "m.onnx")
    with pytest.raises(ModelError, match=r"m\.onnx: (takes and gives|ONNX Runtime cannot load it)"):
        ONNXModel(tmp_path / "m.onnx")


def test_a_damaged_tflite_file_is_named(model, tmp_path):
    whole = export_tflite(model, tmp_path / "m.tflite").read_bytes()
    (tmp_path / "cut.tflite").write_bytes(whole[:200])
    with pytest.raises(ModelError, match=r"cut\.tflite"):
        tflite_operators(tmp_path / "cut.tflite")


def test_a_device_gets_normalised_values_and_gives_logits(model, images):
    device = device_model(model)
    assert device.model.input_shape == (None, 20, 20, 3)
    np.testing.assert_allclose((device.mean, device.std), [[127.5] * 3] * 2, atol=1e-3)
    logits = keras.ops.convert_to_numpy(device.model(device.normalise(images)))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(
        powers / powers.sum(axis=1, keepdims=True), predict_probabilities(model, images), atol=1e-5
    )


def test_a_device_needs_a_softmax_at_the_end():
    face = keras.Input((8, 8, 1))
    model = keras.Model(face, layers.Dense(3, activation="sigmoid")(layers.Flatten()(face)), name="other")
    with pytest.raises(ModelError, match="other: it must end in a softmax"):
        device_model(model)


def test_preprocessing_that_others_go_around_cannot_be_cut_off():
    face = keras.Input((8, 8, 1))
    x = layers.Concatenate()([layers.Rescaling(1 / 255)(face), layers.Conv2D(1, 1)(face)])
    model = keras.Model(face, layers.Dense(3, activation="softmax")(layers.Flatten()(x)), name="round")
    with pytest.raises(ModelError, match="round: its preprocessing cannot be cut off"):
        device_model(model)


def test_a_softmax_inside_the_last_dense_layer_is_taken_off(images):
    face = keras.Input((20, 20, 1))
    x = layers.Flatten()(layers.Rescaling(1 / 255)(face))
    model = keras.Model(face, layers.Dense(3, activation="softmax")(x))
    device = device_model(model)
    logits = keras.ops.convert_to_numpy(device.model(device.normalise(images)))
    assert logits.min() < 0
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = predict_probabilities(model, images)
    np.testing.assert_allclose(powers / powers.sum(axis=1, keepdims=True), probabilities, atol=1e-5)


def test_costs_that_are_not_known_are_no_reason_not_to_export():
    face = keras.Input((8, 8, 1))
    x = layers.PReLU()(layers.Conv2D(3, 3)(face))
    model = keras.Model(face, layers.Softmax()(layers.GlobalAveragePooling2D()(x)))
    told = file_metadata(model, {**INFO, "calibration": "x"}, "m")
    assert told["macs"] is None
    assert told["temperature"] is None


def test_samples_are_balanced_and_read_back(model, images, tmp_path):
    labels = np.array([0] * 20 + [1] * 8 + [2] * 2)
    faces = from_arrays(images, labels, NAMES)
    samples = take_samples(model, faces, 12)
    assert np.bincount(samples.labels).tolist() == [5, 5, 2]
    same = take_samples(model, faces, 12)
    assert np.array_equal(samples.images, same.images)
    with np.load(samples.save(tmp_path / "s.npz"), allow_pickle=False) as read:
        assert set(read) == {"images", "labels", "probabilities", "logits", "class_names"}
        assert read["images"].dtype == np.uint8
        np.testing.assert_array_equal(read["logits"].argmax(axis=1), read["probabilities"].argmax(axis=1))
        assert read["class_names"].tolist() == list(NAMES)
    assert len(take_samples(model, faces, 100).labels) == 30


@pytest.fixture(scope="module")
def lambda_file(tmp_path_factory):
    face = keras.Input((20, 20, 1))
    x = layers.Lambda(lambda v: v * 2.0, output_shape=(20, 20, 1), name="sly")(face)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(3, 3)(x))
    path = tmp_path_factory.mktemp("lambda") / "m.keras"
    keras.Model(face, layers.Softmax()(x)).save(path)
    return path


def test_a_lambda_layer_is_loaded_only_for_who_trusts_it(lambda_file, images, tmp_path):
    options = {"scaling": "0..1", "classes": NAMES}
    with pytest.raises(ModelError, match=r"Lambda \('sly'\).*--trust"):
        load_foreign_model(lambda_file, **options)
    model, _ = load_foreign_model(lambda_file, **options, trusted=True)
    exported = export_onnx(model, tmp_path / "m.onnx")
    np.testing.assert_allclose(run_onnx(exported, images), predict_probabilities(model, images), atol=1e-5)


def test_keras_is_not_handed_an_exported_file(model, path, tmp_path):
    lite = export_tflite(model, tmp_path / "m.tflite", metadata=file_metadata(model, INFO, "m"))
    for file, kind in (
        (lite, "a TFLite file"),
        (path, "an ONNX file"),
        (lite.rename(tmp_path / "m.keras"), "a TFLite"),
    ):
        if not file.exists():
            continue
        with pytest.raises(ModelError, match=kind):
            load_model(file)
        with pytest.raises(ModelError, match=kind):
            load_foreign_model(file, scaling="0..1", classes=NAMES)


def test_a_model_of_others_may_name_its_layers_as_ours(images, tmp_path):
    face = keras.Input((20, 20, 1), name="face")
    x = layers.Flatten()(layers.Rescaling(1 / 255, name="scaling")(face))
    x = layers.Activation("softmax", name="probabilities")(layers.Dense(3)(x))
    keras.Model(face, x).save(tmp_path / "ours.keras")
    wrapped, info = load_foreign_model(tmp_path / "ours.keras", scaling="0..255", classes=NAMES)
    path = export_onnx(wrapped, tmp_path / "m.onnx", metadata=file_metadata(wrapped, info, "m"))
    np.testing.assert_allclose(run_onnx(path, images), predict_probabilities(wrapped, images), atol=1e-5)


@pytest.mark.parametrize("missing", ["onnx", "tf2onnx", "onnxslim"])
def test_a_missing_tool_is_named(missing, model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(EmoUtilsError, match=r"onnx.* needs .*pip install"):
        export_onnx(model, tmp_path / "m.onnx")
