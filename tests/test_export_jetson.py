"""The Jetson bundle: what is written, and that its files compute what the model does."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest

from emo_utils.datasets import split_dataset
from emo_utils.datasets.embedded import load_embedded
from emo_utils.errors import EmoUtilsError, ModelError
from emo_utils.export import read_metadata
from emo_utils.export.jetson import export_jetson
from emo_utils.export.onnx import load_onnx, run_onnx
from emo_utils.export.qdq import _depthwise, has_quantiser, quantise_onnx
from emo_utils.models import load_model

pytest.importorskip("tf2onnx")
pytestmark = [
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf2onnx reads TensorFlow's graphs"),
    pytest.mark.skipif(not has_quantiser(), reason="the int8 file needs onnxruntime and sympy"),
]


@pytest.fixture(scope="module")
def faces(session_data):
    patch = pytest.MonkeyPatch()
    patch.setenv("EMO_DATA", str(session_data))
    info = load_model("model/embedded-small-cnn.keras")[1]
    data = split_dataset(load_embedded(500, emotions=info["class_names"]))
    patch.undo()
    return data


@pytest.fixture(scope="module")
def exported(faces, tmp_path_factory):
    """The bundle and what its files were found to do, from one conversion."""
    folder = tmp_path_factory.mktemp("jetson")
    model, info = load_model("model/embedded-small-cnn.keras")
    return folder, export_jetson(model, info, "small", faces.part("train"), faces.part("test"), folder)


def test_the_bundle_is_whole_and_verified(exported):
    folder, files = exported
    assert {path.name for path in folder.iterdir()} == {name for name, _ in files}
    verified = {name: verification for name, verification in files if verification}
    assert set(verified) == {"small.onnx", "small_int8_qdq.onnx"}
    assert verified["small.onnx"].agreement == 1
    assert verified["small_int8_qdq.onnx"].agreement > 0.95
    about = json.loads((folder / "export_info.json").read_text())
    assert about["name"] == "small"
    assert about["input"] == {"name": "face", "shape": [1, 1, 48, 48], "range": "0..255"}
    assert set(about["files"]) == {path.name for path in folder.iterdir()} - {"export_info.json"}
    assert about["files"]["small.onnx"]["bytes"] == (folder / "small.onnx").stat().st_size
    assert {"class_names", "temperature", "not_sure_below", "recipe_hash", "parameters", "macs"} <= set(about)


def test_the_int8_file_is_one_that_tensorrt_takes(exported):
    folder, _ = exported
    proto = load_onnx(folder / "small_int8_qdq.onnx")
    assert proto.ir_version == 7
    assert {o.version for o in proto.opset_import if not o.domain} == {13}
    told, told_by_float = read_metadata(folder / "small_int8_qdq.onnx"), read_metadata(folder / "small.onnx")
    assert told == {**told_by_float, "format": "int8"}
    import onnx

    tensors = {t.name: onnx.numpy_helper.to_array(t) for t in proto.graph.initializer}
    pairs = [node for node in proto.graph.node if node.op_type == "QuantizeLinear"]
    assert pairs
    assert all(not tensors[node.input[2]].any() for node in pairs)  # zero points
    assert any(tensors[node.input[1]].size > 1 for node in pairs)  # scales by channel
    quantised = {node.input[0] for node in pairs}
    weights = [node.input[1] for node in proto.graph.node if node.op_type in ("Conv", "Gemm")]
    assert not set(weights) & set(tensors)  # each weight goes through a pair of its own
    biases = [node.input[2] for node in proto.graph.node if node.op_type in ("Conv", "Gemm")]
    assert not set(biases) & quantised
    assert all(tensors[name].dtype == np.float32 for name in biases)


def test_the_scripts_take_the_bundle(exported):
    folder, _ = exported
    done = subprocess.run(
        [sys.executable, folder / "bench_jetson.py", "--dry-run"], capture_output=True, text=True, cwd=folder.parent
    )
    assert done.returncode == 0, done.stderr
    assert f"--onnx={folder / 'small.onnx'} --saveEngine=small_float32.engine" in done.stdout
    assert f"--onnx={folder / 'small_int8_qdq.onnx'} --saveEngine=small_int8.engine" in done.stdout


def test_only_depthwise_convolutions_stay_float():
    import onnx

    shapes = {"plain": (8, 1, 3, 3), "depthwise": (8, 1, 3, 3), "grouped": (8, 2, 3, 3), "point": (8, 8, 1, 1)}
    groups = {"plain": 1, "depthwise": 8, "grouped": 4, "point": 1}
    nodes = [
        onnx.helper.make_node("Conv", ["face", kernel], ["out"], name=kernel, group=group)
        for kernel, group in groups.items()
    ]
    tensors = [onnx.numpy_helper.from_array(np.zeros(shape, np.float32), name) for name, shape in shapes.items()]
    assert _depthwise(onnx.helper.make_graph(nodes, "convolutions", [], [], tensors)) == ["depthwise"]


def test_quantising_leaves_logging_as_it_was(exported, faces, tmp_path):
    root = logging.getLogger()
    before = root.level, list(root.handlers)
    path = quantise_onnx(exported[0] / "small.onnx", tmp_path / "q.onnx", faces.part("train").images[:100])
    assert (root.level, root.handlers) == before
    assert run_onnx(path, faces.images[:2]).shape == (2, len(faces.class_names))


def test_what_cannot_be_quantised_is_named(exported, faces, tmp_path, monkeypatch):
    images = faces.part("train").images[:100]
    with pytest.raises(ModelError, match="no such ONNX file"):
        quantise_onnx(tmp_path / "none.onnx", tmp_path / "q.onnx", images)
    monkeypatch.setattr("emo_utils.export.qdq.has_quantiser", lambda: False)
    with pytest.raises(EmoUtilsError, match="pip install onnxruntime sympy"):
        quantise_onnx(exported[0] / "small.onnx", tmp_path / "q.onnx", images)
    assert not list(tmp_path.iterdir())


def test_without_the_quantiser_the_int8_file_is_left_out(exported, faces, tmp_path, monkeypatch):
    monkeypatch.setattr("emo_utils.export.jetson.has_quantiser", lambda: False)
    model, info = load_model("model/embedded-small-cnn.keras")
    # What it would write is there already; converting once more would show nothing.
    monkeypatch.setattr(
        "emo_utils.export.jetson.export_onnx", lambda model, path, **_: shutil.copy(exported[0] / "small.onnx", path)
    )
    with pytest.warns(UserWarning, match="int8 file for Orin boards is left out: it needs sympy"):
        files = export_jetson(model, info, "small", faces.part("train"), faces.part("test"), tmp_path)
    assert "small_int8_qdq.onnx" not in dict(files)
