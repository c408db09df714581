"""What of a model is timed, under which name, and that nothing of its maker's runs unasked."""

from __future__ import annotations

import json
import zipfile
from contextlib import ExitStack, nullcontext

import keras
import numpy as np
import pytest

from emo_utils.bench import run
from emo_utils.bench.candidates import Candidate, candidates
from emo_utils.bench.engines import ENGINES
from emo_utils.bench.subjects import Faces, open_subjects
from emo_utils.errors import ModelError
from emo_utils.export.metadata import with_metadata
from emo_utils.models import save_model

INFO = {"class_names": ["happy", "sad"], "scaling": "0..255"}


def _model(layer: keras.Layer) -> keras.Model:
    face = keras.Input((48, 48, 1))
    pooled = keras.layers.GlobalAveragePooling2D()(layer(face))
    return keras.Model(face, keras.layers.Dense(2, activation="softmax")(pooled))


@pytest.fixture(scope="module")
def plain() -> keras.Model:
    return _model(keras.layers.Rescaling(1 / 255))


@pytest.fixture
def sly(tmp_path) -> keras.Model:
    """A model that leaves a file wherever it is built."""
    mark = str(tmp_path / "it has run")
    return _model(keras.layers.Lambda(lambda values: (open(mark, "w").close(), values)[1]))


def _loaded(reference, tmp_path, trusted=False) -> Candidate:
    """Have the file that stands for a Keras model loaded as the process that times it would."""
    (subject,) = open_subjects([reference], trusted)
    (found,) = candidates(subject, Faces(None, None, None), ["keras"], [], tmp_path / "out", tmp_path)
    ENGINES["keras"](str(found.path), 1, found.trusted)(found.face)
    return found


def test_timed_is_the_model_that_was_judged_not_its_file(plain, sly, tmp_path):
    """The file may hold another one, where what was loaded was built from its recipe."""
    path = save_model(plain, tmp_path / "m.keras", INFO)
    sly.save(tmp_path / "sly.keras")
    with zipfile.ZipFile(tmp_path / "sly.keras") as other, zipfile.ZipFile(path, "a") as archive:
        config = other.read("config.json")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("config.json", config)  # of two of a name the last one counts
    (tmp_path / "it has run").unlink()
    found = _loaded((path, plain, INFO), tmp_path / "scratch")
    assert not (tmp_path / "it has run").exists()
    assert found.known["bytes"] == path.stat().st_size


def test_code_of_a_maker_is_loaded_only_where_it_is_trusted(sly, tmp_path):
    path = tmp_path / "sly.keras"
    sly.save(path)
    assert _loaded((path, sly, INFO), tmp_path / "scratch", trusted=True).trusted
    with pytest.raises(ModelError, match="Lambda"):
        _loaded((path, sly, INFO), tmp_path / "scratch")


@pytest.mark.parametrize("trusted", [False, True])
def test_the_process_is_told_whom_to_trust(trusted, tmp_path, monkeypatch):
    jobs = []
    monkeypatch.setattr(run, "started", lambda title, job, folder: nullcontext(jobs.append(job)))
    known = {"model": "m.keras", "precision": "float32"}
    with ExitStack() as stack:
        run._start(stack, "keras", tmp_path, 1, tmp_path, Candidate(known, tmp_path, np.zeros(1), trusted))
        run._start(stack, "matrix_product", tmp_path, 1, tmp_path)
    assert [job["trusted"] for job in jobs] == [trusted, False]


@pytest.mark.parametrize(
    ("paths", "titles", "stems"),
    [
        (["a/net.h5", "a/net.keras"], ["net.h5", "net.keras"], ["net", "net_2"]),
        (["a/x/m.keras", "b/x/m.keras", "n.keras"], ["a/x/m.keras", "b/x/m.keras", "n.keras"], ["a_x_m", "b_x_m", "n"]),
        (["run1/model.keras"], ["run1/model.keras"], ["run1_model"]),
        (["a/m.keras", "b/m.keras", "a_m.keras"], ["a/m.keras", "b/m.keras", "a_m.keras"], ["a_m", "b_m", "a_m_2"]),
        (["a/Net.keras", "net.keras", "net_2.h5"], ["Net.keras", "net.keras", "net_2.h5"], ["Net", "net_2", "net_2_2"]),
    ],
)
def test_models_of_the_same_name_are_told_apart(paths, titles, stems, plain, tmp_path):
    subjects = open_subjects([(tmp_path / path, plain, INFO) for path in paths])
    assert [subject.title for subject in subjects] == titles
    assert [subject.stem for subject in subjects] == stems


def _exported(path, graph: str):
    """Write an ONNX file that says of itself no more than what its outputs mean."""
    parser = pytest.importorskip("onnx.parser")
    proto = parser.parse_model(f'<ir_version: 7, opset_import: ["": 13]> g {graph}')
    proto.metadata_props.add(key="emo_utils", value=json.dumps({"class_names": INFO["class_names"]}))
    path.write_bytes(proto.SerializeToString())
    (subject,) = open_subjects([path])
    return candidates(subject, Faces(None, None, None), ["onnxruntime"], [], path.parent, path.parent)


@pytest.mark.parametrize(
    ("nodes", "precision"),
    [
        ("x = Identity(face)", "float32"),
        ("q = QuantizeLinear(face, s) x = DequantizeLinear(q, s)", "int8"),
        ("w = Constant<value = int8 {2}>() v = DequantizeLinear(w, s) x = Add(face, v)", "int8"),  # weights alone
    ],
)
def test_an_onnx_file_of_eight_bits_is_no_float32(nodes, precision, tmp_path):
    nodes = (
        "s = Constant<value_float = 1.>() "
        f"{nodes} y = AveragePool<kernel_shape = [24, 12], strides = [24, 12]>(x) out = Flatten(y)"
    )
    (found,) = _exported(tmp_path / "m.onnx", f"(float[1,1,24,24] face) => (float[1,2] out) {{ {nodes} }}")
    assert found.known["precision"] == precision
    assert found.face.shape == (1, 1, 24, 24)


@pytest.mark.parametrize(
    "graph",
    [
        "(float[1,1,S,S] face) => (float[1,2] out) { out = Flatten(face) }",
        "(float[N,1,8,8] face) => (float[N,64] out) { out = Flatten(face) }",
        "(uint8[1,1,8,8] face) => (float[1,64] out) { x = Cast<to = 1>(face) out = Flatten(x) }",
        "(float[1,1,8,8] face) => (float out) { out = ReduceMean<keepdims = 0>(face) }",
        "(float[1,1,8,12] face) => (float[1,96] out) { out = Flatten(face) }",
    ],
)
def test_an_onnx_file_that_takes_no_face_is_named(graph, tmp_path):
    with pytest.raises(ModelError, match=r"^\S+m\.onnx: [^\n]+$"):
        list(_exported(tmp_path / "m.onnx", graph))


def test_a_tflite_file_that_takes_no_face_is_named(tmp_path):
    tf = pytest.importorskip("tensorflow")
    face = tf.TensorSpec((1, 8, 12, 1), tf.float32)
    function = tf.function(lambda face: tf.reshape(face, (1, 96))).get_concrete_function(face)
    path = tmp_path / "m.tflite"
    content = tf.lite.TFLiteConverter.from_concrete_functions([function]).convert()
    path.write_bytes(with_metadata(content, {"class_names": INFO["class_names"]}))
    (subject,) = open_subjects([path])
    with pytest.raises(ModelError, match=r"^\S+m\.tflite: [^\n]+$"):
        list(candidates(subject, Faces(None, None, None), ["litert"], [], tmp_path, tmp_path))
