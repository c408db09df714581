from __future__ import annotations

import sys

import keras
import numpy as np
import pytest

from emo_utils.bench import compare_latency, tflite_latency
from emo_utils.datasets import from_arrays
from emo_utils.errors import DataError, EmoUtilsError, ModelError
from emo_utils.export import (
    FORMATS,
    TFLiteModel,
    convert_tflite,
    export_all,
    export_tflite,
    run_tflite,
    verify_export,
)
from emo_utils.export.run import _dequantise, _quantise
from emo_utils.models import build_model
from emo_utils.quantise import MIN_CALIBRATION, calibration_images
from emo_utils.recipe import Recipe

NAMES = ("angry", "happy", "sad")

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TFLite is written by TensorFlow")


@pytest.fixture(scope="module")
def data():
    """Three classes that differ in brightness, so that a short training gets them right."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 360)
    images = np.clip(60 + 70 * labels[:, None, None] + rng.normal(0, 12, (360, 32, 32)), 0, 255).astype(np.uint8)
    return from_arrays(images, labels, NAMES, usage=["train"] * 240 + ["test"] * 120)


@pytest.fixture(scope="module")
def model(data):
    # Trained: an int8 file of an untrained net has no activation ranges to speak of and does not load.
    model = build_model(Recipe("a", classes=NAMES, input_size=32))
    train = data.part("train")
    model.compile(keras.optimizers.Adam(3e-3), "categorical_crossentropy")
    model.fit(train.images[..., None], train.one_hot(), batch_size=24, epochs=10, verbose=0)
    return model


@pytest.fixture(scope="module")
def exported(model, data, tmp_path_factory):
    """Every format, from one conversion: path and verification by format."""
    results = export_all(model, data, tmp_path_factory.mktemp("exported"), FORMATS)
    return {path.stem.removeprefix("model_"): (path, verification) for path, verification in results}


def test_every_format_agrees_with_the_model(exported):
    assert tuple(exported) == FORMATS
    exact = exported["float32"][1]
    assert exact.agreement == 1
    assert exact.max_difference < 1e-4
    assert exact.accuracy_before == exact.accuracy_after > 0.9
    for _, verification in exported.values():
        assert verification.n == 120
        assert verification.agreement > 0.9
    assert exported["float16"][1].max_difference < 0.02


def test_files_shrink_as_their_formats_promise(exported):
    size = {format: path.stat().st_size for format, (path, _) in exported.items()}
    assert size["float16"] < 0.55 * size["float32"]
    assert size["dynamic"] < 0.33 * size["float32"]
    assert size["int8"] < 0.33 * size["float32"]
    assert size["int8x16"] < 0.33 * size["float32"]
    assert size["int4"] < 0.6 * size["dynamic"]


@pytest.mark.parametrize(
    ("format", "dtype"), [("float16", np.float32), ("int8", np.uint8), ("int8x16", np.float32), ("int4", np.float32)]
)
def test_a_file_takes_and_gives_the_type_of_its_format(exported, data, format, dtype):
    tflite = TFLiteModel(exported[format][0])
    faces = tflite.quantise(data.images[:5])
    assert faces.shape == (5, 1, 32, 32, 1)
    assert faces.dtype == dtype
    assert np.array_equal(faces[..., 0].squeeze(), data.images[:5])
    output = tflite.run(faces[0])
    assert output.shape == (3,)
    assert output.dtype == dtype
    probabilities = run_tflite(exported[format][0], data.images[:5])
    assert probabilities.dtype == np.float32
    assert np.array_equal(probabilities[0], tflite.dequantise(output))
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=0.02)


def test_faces_of_another_size_are_resized(exported, data):
    large = data.images[:5].repeat(2, axis=1).repeat(2, axis=2)
    small, enlarged = (run_tflite(exported["int8"][0], images) for images in (data.images[:5], large))
    assert small.argmax(axis=1).tolist() == enlarged.argmax(axis=1).tolist()


def test_latency_of_a_file_and_of_several(exported):
    paths = [exported[format][0] for format in ("float32", "int8")]
    assert tflite_latency(paths[0], n=5, warmup=1).n == 5
    results = compare_latency(paths, n=3, rounds=2, warmup=1)
    assert list(results) == paths
    assert all(r.n == 6 and 0 < r.p50_ms <= r.p99_ms for r in results.values())


def test_sixteen_bit_inputs_are_scaled_and_clipped():
    details = {"dtype": np.int16, "quantization": (0.01, 0)}
    assert _quantise(np.array([[0, 3, 255]], np.uint8), details).tolist() == [[0, 300, 25500]]
    assert _quantise(np.array([255], np.uint8), {"dtype": np.int8, "quantization": (1.0, -100)}).tolist() == [127]
    assert _dequantise(np.array([0, 32767], np.int16), {"dtype": np.int16, "quantization": (1 / 32768, 0)})[1] < 1


def test_an_export_that_disagrees_fails_loudly(data):
    before = np.eye(3)[data.labels]
    with pytest.raises(ModelError, match=r"does not agree with its model: n 360, same class 0.0%"):
        verify_export(before, np.roll(before, 1, axis=1), data, "int8")


def test_a_bad_export_leaves_the_good_file_of_before(model, data, tmp_path, monkeypatch):
    from emo_utils.export import verify

    (tmp_path / "model_float32.tflite").write_text("the good one")
    monkeypatch.setattr(
        verify, "run_tflite", lambda path, images: np.roll(np.eye(3)[data.part("test").labels], 1, axis=1)
    )
    with pytest.raises(ModelError, match="does not agree"):
        list(export_all(model, data, tmp_path))
    assert [p.name for p in tmp_path.iterdir()] == ["model_float32.tflite"]
    assert (tmp_path / "model_float32.tflite").read_text() == "the good one"


def test_a_file_that_lost_its_softmax_or_gives_nan_does_not_pass(data):
    rng = np.random.default_rng(0)
    before = rng.dirichlet([1, 1, 1], len(data)).astype(np.float32)
    for format in ("float32", "float16", "onnx"):
        verify_export(before, before + 1e-5, data, format)
        with pytest.raises(ModelError, match="with the same probabilities"):
            verify_export(before, np.log(before), data, format)
    broken = np.full_like(before, np.nan)
    with pytest.raises(ModelError, match="The int8 file gives NaN"):
        verify_export(before, broken, data, "int8")
    with pytest.raises(ModelError, match="The model gives NaN"):
        verify_export(broken, broken, data, "int8")


def test_calibration_is_balanced_and_from_training(data):
    train = data.part("train")
    drawn = calibration_images(train, per_class=10)
    assert len(drawn) == 30
    assert {i.tobytes() for i in drawn} <= {i.tobytes() for i in train.images}
    by_face = {image.tobytes(): label for image, label in zip(train.images, train.labels, strict=True)}
    assert np.bincount([by_face[i.tobytes()] for i in drawn]).tolist() == [10, 10, 10]
    assert len(calibration_images(train.select(train.class_names[:2]))) == MIN_CALIBRATION  # of few classes more each
    with pytest.raises(DataError, match="120 of 360 faces offered for calibration belong to the test part"):
        calibration_images(data)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (None, r"at least 100 calibration images.*Got 0"),
        (np.zeros((99, 48, 48), np.uint8), r"at least 100 calibration images.*Got 99"),
        (np.zeros((200, 48, 48), np.float32), r"must be uint8.*Got float32 of shape \(200, 48, 48\)"),
        (np.zeros((200, 48, 48, 1), np.uint8), r"must be uint8 of shape \(n, height, width\)"),
        (np.ones((200, 48, 48), np.uint8), r"grey levels 0 to 255\. Got 0 to 1"),
    ],
)
def test_unfit_calibration_images_are_named(model, tmp_path, images, message):
    with pytest.raises(DataError, match=message):
        export_tflite(model, tmp_path / "m.tflite", "int8", calibration=images)
    assert not list(tmp_path.iterdir())


def test_a_missing_quantizer_is_named_before_anything_is_converted(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_quantizer.quantizer", None)
    with pytest.raises(EmoUtilsError, match="pip install ai-edge-quantizer"):
        next(convert_tflite(model, ["float32", "int4"]))


def test_a_model_that_cannot_be_converted_is_named(tmp_path):
    inputs = keras.Input((32, 32, 1))
    model = keras.Model(inputs, keras.layers.Lambda(lambda x: keras.random.gamma((1, 3), 2.0))(inputs))
    with pytest.raises(ModelError, match="TensorFlow cannot write this model as float32"):
        export_tflite(model, tmp_path / "m.tflite")


def test_bad_calls_are_named(model, data, tmp_path):
    with pytest.raises(EmoUtilsError, match=r"format must be one of float32, float16, .*Got 'int2'"):
        export_tflite(model, tmp_path / "m.tflite", "int2")
    with pytest.raises(DataError, match="needs a train and a test part"):
        list(export_all(model, data.part("train"), tmp_path))
    with pytest.raises(ModelError, match=r"m\.tflite: no such TFLite file"):
        run_tflite(tmp_path / "m.tflite", data.images)
    (tmp_path / "m.tflite").write_text("not a model")
    with pytest.raises(ModelError, match=r"m\.tflite: LiteRT cannot load it"):
        run_tflite(tmp_path / "m.tflite", data.images)
