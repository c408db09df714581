"""One real run of the benchmark, small; what a wrong one says; and how its processes end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest

from emo_utils.bench import engines, read_bench_file, run_bench
from emo_utils.bench.processes import started
from emo_utils.cli import main
from emo_utils.datasets import load_dataset
from emo_utils.errors import EmoUtilsError, ModelError
from emo_utils.export.metadata import MEMBER, read_metadata
from emo_utils.table import read_bench

MODEL = "model/embedded-small-cnn.keras"
tensorflow_only = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="exports are TensorFlow's")


@pytest.fixture(scope="module")
def run(tmp_path_factory, session_data):
    """Frame, folder and rows of the table of one run."""
    pytest.importorskip("onnxruntime")
    out = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMO_OUT", str(out))
        patch.setenv("EMO_DATA", str(session_data))
        data = load_dataset("embedded")
        frame = run_bench([MODEL], data, threads=(1,), rounds=2, n=3, limit=40, out=out / "bench")
        return frame, out / "bench", read_bench()


@tensorflow_only
def test_every_runtime_is_measured(run):
    frame, folder, rows = run
    assert list(zip(frame["runtime"], frame["precision"], strict=True)) == [
        ("keras", "float32"), ("litert", "float32"), ("litert", "int8"), ("onnxruntime", "float32"),
    ]  # fmt: skip
    figures = ("init_ms", "first_ms", "warmup_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "mean_ms", "peak_share")
    assert (frame[[*figures, "per_second_b1", "per_second_b8", "per_second_b32", "peak_mb"]] > 0).all(axis=None)
    assert (frame["n"] == 6).all()
    assert (frame["accuracy_n"] == 40).all()
    exact = frame[frame["precision"] == "float32"]
    assert (exact["agreement"] == 1).all()
    assert exact["accuracy"].nunique() == 1
    assert frame["macs"].nunique() == 1
    assert frame["bytes"].tolist()[2] < frame["bytes"].min() * 1.01 < frame["bytes"].max() / 3
    assert frame.attrs["refused"] == []
    results = read_bench_file(folder / "bench.json")["results"]
    assert [len(result["latencies_ms"]) for result in results] == [6] * 4
    assert [row["p50_ms"] for row in rows] == frame["p50_ms"].tolist()
    assert {row["file_path"] for row in rows} == {"bench/bench.json"}


@tensorflow_only
def test_runtimes_without_tensorflow_hold_less_memory(run):
    memory = run[0].set_index("runtime")["peak_mb"]
    assert memory[["litert", "onnxruntime"]].max() < memory["keras"] / 2


@tensorflow_only
@pytest.mark.parametrize("name", ["litert", "onnxruntime"])
def test_a_batch_gives_the_answers_of_its_faces(run, name):
    path = run[1] / f"embedded-small-cnn{'_float32.tflite' if name == 'litert' else '.onnx'}"
    load = engines.ENGINES[name](str(path), 1)
    shape = (8, 48, 48, 1) if name == "litert" else (8, 1, 48, 48)
    faces = np.random.default_rng(0).integers(0, 256, shape).astype(np.float32)
    singly = np.concatenate([load(face[None])() for face in faces])
    np.testing.assert_allclose(load(faces)(), singly, atol=1e-5)
    assert len(np.unique(singly[:, 0])) == 8


@tensorflow_only
@pytest.mark.usefixtures("drawn_once")
def test_an_exported_file_is_run_as_it_is(run, capsys):
    words = [str(run[1] / "embedded-small-cnn_int8.tflite"), "--data", "embedded", "--limit", "40"]
    assert main(["bench", *words, "--threads", "1", "--rounds", "1", "--n", "2"]) == 0
    heading, row = (line.split() for line in capsys.readouterr().out.splitlines())
    assert row[:4] == ["embedded-small-cnn_int8.tflite", "litert", "int8", "1"]
    assert f"{run[0]['accuracy'][2]:.3f}" in row
    assert row[-1] == "-"  # no Keras model to agree with
    assert heading[-1] == "agrees"
    assert read_bench() == []  # without --out nothing is kept
    with pytest.raises(EmoUtilsError, match=r"int8\.tflite: only litert runs it"):
        run_bench([run[1] / "embedded-small-cnn_int8.tflite"], runtimes=["keras"])


@tensorflow_only
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"macs": "many"}, "macs cannot be 'many'"),
        ({"format": "int7"}, "precision cannot be 'int7'"),
        ({"class_names": ["happy", "sad"]}, "7 outputs but 2 class names"),
        ({"class_names": None}, "does not say what its outputs mean"),
    ],
)
@pytest.mark.usefixtures("drawn_once")
def test_what_an_exported_file_says_is_not_trusted(run, wrong, message, tmp_path):
    source = run[1] / "embedded-small-cnn_float32.tflite"
    (tmp_path / "m.tflite").write_bytes(source.read_bytes())
    metadata = {**read_metadata(source), **wrong}
    with zipfile.ZipFile(tmp_path / "m.tflite", "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr(MEMBER, json.dumps(metadata))  # of two of a name the last one counts
    data = load_dataset("embedded")
    with pytest.raises(ModelError, match=rf"m\.tflite.* {message}"):
        run_bench([tmp_path / "m.tflite"], data, limit=4)


@tensorflow_only
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"runtimes": ["tvm"]}, "runtimes must be of keras, litert, onnxruntime. Got 'tvm'"),
        ({"runtimes": []}, "runtimes must be"),
        ({"threads": [0]}, "threads must be at least 1. Got 0"),
        ({"threads": []}, "threads must be at least 1"),
        ({"rounds": 0}, "rounds must be at least 1"),
        ({"n": 0}, "n must be at least 1"),
        ({"limit": 0}, "limit must be at least 1"),
        ({"models": []}, "at least one model"),
        ({"models": ["gone.tflite"]}, "gone.tflite: no such model file"),
    ],
)
def test_settings_that_make_no_sense_are_named(settings, message):
    with pytest.raises(EmoUtilsError, match=message):
        run_bench(**{"models": [MODEL], **settings})


def test_a_folder_with_something_in_it_is_left_alone(tmp_path, capsys):
    (tmp_path / "bench.json").write_text("measured before")
    with pytest.raises(EmoUtilsError, match="is not empty"):
        run_bench(["gone.keras"], out=tmp_path)  # said before a model is looked for
    assert main(["bench", "gone.keras", "--out", str(tmp_path)]) == 1
    assert "is not empty" in capsys.readouterr().err
    assert (tmp_path / "bench.json").read_text() == "measured before"


def test_a_run_that_fails_leaves_no_folder(tmp_path):
    with pytest.raises(ModelError, match=r"gone\.keras"):
        run_bench(["gone.keras"], out=tmp_path / "bench")
    assert list(tmp_path.iterdir()) == []


def _job(**changes) -> dict:
    return {"runtime": "matrix_product", "path": "", "threads": 1, "batches": [], "warmup": 1, **changes}


@pytest.fixture
def face(tmp_path) -> str:
    np.save(tmp_path / "face.npy", np.zeros((1, 2), np.float32))
    return str(tmp_path / "face.npy")


def test_a_worker_outlives_ctrl_c_but_not_its_block(face, tmp_path):
    with started("a product", _job(face=face), tmp_path) as worker:
        worker.receive()
        worker._process.send_signal(signal.SIGINT)  # whoever started it decides
        assert worker.ask("load")["init_ms"] > 0
        assert len(worker.ask("4")["1"]) == 4
    assert worker._process.returncode is not None


def test_a_batch_that_is_refused_is_left_out(face, tmp_path):
    with started("a product", _job(face=face, batches=[8]), tmp_path) as worker:
        worker.receive()
        assert worker.ask("load")["refused"] == {"8": "512 answers to 8 faces"}
        assert list(worker.ask("4")) == ["1"]


def test_a_worker_ends_with_its_input(face):
    command = [sys.executable, "-m", "emo_utils.bench.worker", json.dumps(_job(face=face))]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, '{"ready": true}\n')


def test_a_killed_worker_is_one_line(face, tmp_path):
    with started("a product", _job(face=face), tmp_path) as worker:
        worker.receive()
        worker._process.kill()
        worker._process.wait()
        with pytest.raises(EmoUtilsError, match="a product cannot be timed: its process was ended by SIGKILL"):
            worker.ask("load")


def test_a_worker_that_cannot_load_says_why(face, tmp_path):
    pytest.importorskip("ai_edge_litert")
    (tmp_path / "m.tflite").write_bytes(b"no model")
    with started("m.tflite", _job(face=face, runtime="litert", path=str(tmp_path / "m.tflite")), tmp_path) as worker:
        worker.receive()
        with pytest.raises(EmoUtilsError, match=r"m\.tflite cannot be timed: The model is not a valid"):
            worker.ask("load")


def test_a_worker_that_cannot_start_says_why(tmp_path):
    with started("a job", {"threads": 1}, tmp_path) as worker, pytest.raises(EmoUtilsError, match="a job cannot be"):
        worker.receive()
