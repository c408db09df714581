from __future__ import annotations

import hashlib
import json

import keras
import numpy as np
import pytest
from hailo_helpers import drawn_faces, exported

from emo_utils.datasets import from_arrays
from emo_utils.errors import DataError, ModelError
from emo_utils.export import device_model, export_onnx, export_tflite, hailo, onnx_operators, tflite_operators
from emo_utils.export.device_part import DeviceModel
from emo_utils.export.hailo_operators import doubtful_operators
from emo_utils.models import build_model, load_model
from emo_utils.recipe import Recipe

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TFLite is written by TensorFlow")


@pytest.fixture(scope="module")
def bundle():
    return exported()


@pytest.fixture(scope="module")
def info(bundle):
    return json.loads((bundle[0] / "export_info.json").read_text())


def test_both_float_files_give_the_logits_of_the_model(bundle):
    folder, rows = bundle
    verified = {name: result for name, result in rows if result is not None}
    assert set(verified) == {"small-cnn.tflite", "small-cnn.onnx"}
    for result in verified.values():
        assert result.n == 70
        assert result.agreement == 1
        assert result.max_difference < 1e-4
    assert sorted(name for name, _ in rows) == sorted(path.name for path in folder.iterdir())
    assert {*hailo.SCRIPTS, "calib_set.npy", "model.alls", "samples.npz", "export_info.json"} <= dict(rows).keys()


def test_export_info_says_what_the_scripts_and_a_reader_need(bundle, info):
    folder, rows = bundle
    assert info["input"] == {"layout": "NHWC", "height": 48, "width": 48, "channels": 1, "range": [0, 255]}
    assert info["normalisation"]["mean"] == info["normalisation"]["std"] == [127.5]
    assert info["model"]["class_names"] == load_model("model/embedded-small-cnn.keras")[1]["class_names"]
    assert info["model"]["temperature"] > 0
    assert len(info["model"]["recipe_hash"]) == 12
    assert info["operators"]["tflite"]["CONV_2D"] == info["operators"]["onnx"]["Conv"] == 4
    assert info["in_doubt"] == []
    for name, entry in info["files"].items():
        content = (folder / name).read_bytes()
        assert entry == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    assert info["samples"]["accuracy"] == dict(rows)["small-cnn.onnx"].accuracy_before
    assert "stands in" in info["stand_in"]["what"]
    assert info["stand_in"]["agreement"] > 0.85


def test_calibration_is_raw_balanced_shuffled_and_says_when_it_is_small(bundle, info):
    calibration = np.load(bundle[0] / "calib_set.npy", allow_pickle=False)
    assert calibration.shape == (140, 48, 48, 1)
    assert calibration.dtype == np.float32
    assert calibration.max() > 200
    train = drawn_faces().part("train")
    label = {image.astype(np.float32).tobytes(): int(c) for image, c in zip(train.images, train.labels, strict=True)}
    labels = [label[image.tobytes()] for image in calibration]
    assert np.bincount(labels).tolist() == [20] * 7
    assert len(set(labels[:20])) > 3
    assert info["calibration"] == {"n": 140, "wanted": 1024, "from": "drawn"}
    assert "140 of the 1024 wanted, for the training part has no more" in (bundle[0] / "README.md").read_text()


def test_calibration_takes_more_of_large_classes_where_small_ones_run_out(monkeypatch):
    monkeypatch.setattr(hailo, "CALIBRATION", 100)
    labels = np.repeat([0, 1, 2], [10, 60, 200])
    images = np.broadcast_to(labels[:, None, None].astype(np.uint8), (270, 8, 8))
    drawn = hailo._draw(from_arrays(images, labels, ("angry", "happy", "sad"), usage=["train"] * 270))
    counts = np.bincount(drawn[:, 0, 0])
    assert counts.sum() == 100
    assert 8 <= counts[0] <= 10
    assert min(counts[1:]) >= 44


def test_faces_of_the_test_part_do_not_calibrate(tmp_path):
    model, info = load_model("model/embedded-small-cnn.keras")
    with pytest.raises(DataError, match="belong to the test part"):
        hailo._draw(drawn_faces())
    with pytest.raises(DataError, match="no faces"):
        hailo.export_hailo(model, info, "a", drawn_faces(), drawn_faces().part("val"), tmp_path)


def test_the_model_script_normalises_by_channel():
    script = hailo.model_script(DeviceModel(None, (103.939, 116.779, 123.68), (1.0, 1.0, 1.0)), 700)
    first, second, *_ = script.splitlines()
    assert first == "normalization1 = normalization([103.939, 116.779, 123.68], [1.0, 1.0, 1.0])"
    assert "calibset_size=700" in second
    assert "#" not in script  # that the compiler takes comments is not documented


def test_a_file_that_computes_something_else_is_refused(tmp_path, monkeypatch):
    model, info = load_model("model/embedded-small-cnn.keras")
    data = drawn_faces()
    right = hailo._onnx_logits
    monkeypatch.setattr(hailo, "_onnx_logits", lambda path, values: 1.1 * right(path, values))
    with pytest.raises(ModelError, match="onnx file does not agree with its model: n 70, same class 100"):
        hailo.export_hailo(model, info, "small-cnn", data.part("train"), data.part("test"), tmp_path)


def test_operators_in_doubt_are_named_with_why_and_remedy():
    tflite = {"CONV_2D": 41, "HARD_SWISH": 18, "MUL": 18, "DEPTHWISE_CONV_2D": 11, "MEAN": 10, "ADD": 6}
    onnx = {"Conv": 52, "HardSigmoid": 27, "Mul": 27, "Relu": 14, "GlobalAveragePool": 10, "Gemm": 1, "Einsum": 2}
    doubts = doubtful_operators(tflite, onnx)
    assert [(d.file, d.operator, d.count) for d in doubts] == [
        ("TFLite", "HARD_SWISH", 18),
        ("TFLite", "MEAN", 10),
        ("TFLite", "MUL", 18),
        ("ONNX", "Einsum", 2),
        ("ONNX", "GlobalAveragePool", 10),
        ("ONNX", "HardSigmoid", 27),
        ("ONNX", "Mul", 27),
    ]
    assert "squeeze-and-excitation" in doubts[1].why
    assert "minimalistic=True" in doubts[0].remedy
    assert str(doubts[3]).startswith("ONNX Einsum (2): not among the operators seen to compile. Remedy: run compile")


def test_the_remedy_is_one(tmp_path):
    recipe = Recipe("a", backbone="MobileNetV3SmallMinimalistic", input_size=48)
    net = device_model(build_model(recipe)).model
    tflite, onnx = export_tflite(net, tmp_path / "m.tflite"), export_onnx(net, tmp_path / "m.onnx")
    assert doubtful_operators(tflite_operators(tflite), onnx_operators(onnx)) == []
