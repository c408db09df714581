"""bench_jetson.py against doubles of trtexec, tegrastats and nvpmodel; nothing here has run on a Jetson."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from emo_utils.bench.schema import read_bench_file

REPO = Path(__file__).resolve().parents[1]
DEVICE = REPO / "emo_utils" / "device" / "jetson"
DOUBLES = Path(__file__).parent / "doubles"
NAMES = ("angry", "happy", "sad")
SIZE = 8

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a Jetson runs Linux; the doubles are scripts")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A bundle of a model of one matrix, as `export_jetson` writes it."""
    onnx, ort = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    folder, rng = tmp_path_factory.mktemp("bundle"), np.random.default_rng(0)
    helper, weights = onnx.helper, rng.normal(0, 0.01, (SIZE * SIZE, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Flatten", ["face"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["predictions"]),
    ]
    ends = [("face", (1, 1, SIZE, SIZE)), ("predictions", (1, 3))]
    face, predictions = (helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in ends)
    tensor = onnx.numpy_helper.from_array(weights, "weights")
    graph = helper.make_graph(nodes, "tiny", [face], [predictions], [tensor])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    for name in ("tiny.onnx", "tiny_int8_qdq.onnx"):
        onnx.save(model, folder / name)

    images = rng.integers(0, 256, (9, SIZE, SIZE), dtype=np.uint8)
    session = ort.InferenceSession(folder / "tiny.onnx")
    answers = [session.run(None, {"face": image[None, None].astype(np.float32)})[0][0] for image in images]
    probabilities = np.array(answers)
    labels = probabilities.argmax(axis=1)
    labels[0] = (labels[0] + 1) % 3
    np.savez(folder / "samples.npz", images=images, labels=labels, probabilities=probabilities)
    info = {
        "schema": "emo_utils.jetson",
        "version": 1,
        "name": "tiny",
        "input": {"name": "face", "shape": [1, 1, SIZE, SIZE], "range": "0..255"},
        "class_names": NAMES,
        "recipe_hash": "abc",
        "parameters": 192,
        "macs": 192,
        "files": {
            path.name: {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
            for path in folder.iterdir()
        },
    }
    (folder / "export_info.json").write_text(json.dumps(info))
    return folder


@pytest.fixture
def bench(exported, tmp_path, monkeypatch):
    """Return run(*options, board): main in a copy of the bundle, the doubles first on PATH."""
    monkeypatch.syspath_prepend(DEVICE)
    import bench_jetson
    import jetson_power

    folder = shutil.copytree(exported, tmp_path / "bundle")
    (tmp_path / "board").write_text("NVIDIA Jetson Nano Developer Kit\0")
    (tmp_path / "release").write_text("# R32 (release), REVISION: 7.1, GCID: 29818004, BOARD: t210ref\n")
    monkeypatch.setattr(jetson_power, "MODEL_FILE", str(tmp_path / "board"))
    monkeypatch.setattr(jetson_power, "RELEASE_FILE", str(tmp_path / "release"))
    monkeypatch.setenv("PATH", f"{DOUBLES}:{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("TEGRASTATS_DOUBLE", "whole")

    def idle(seconds):
        """Wait until the double of tegrastats has written, not for seconds."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            newest = max(folder.glob("engines/*_idle.txt"), key=os.path.getmtime, default=None)
            if newest and newest not in seen and newest.stat().st_size:
                seen.add(newest)
                break
            time.sleep(0.01)

    seen = set()

    monkeypatch.setattr(bench_jetson, "time", SimpleNamespace(sleep=idle, monotonic=time.monotonic))

    def run(*options, board="NVIDIA Jetson Nano Developer Kit"):
        (tmp_path / "board").write_text(board + "\0")
        return bench_jetson.main(["--samples", "2", *options], str(folder))

    run.folder = folder
    return run


def written(bench):
    return read_bench_file(bench.folder / "bench.json")


def test_a_nano_measures_two_precisions(bench, capsys):
    assert bench() == 0
    out = capsys.readouterr().out
    assert "float32: p50 2.050 ms, p90 2.100 ms, 488 images/s, 8.51 mJ an image, same class as Keras on 100%" in out
    bundle = written(bench)
    assert (bundle["schema"], bundle["version"], bundle["made_by"]) == ("emo_utils.bench", 1, "bench_jetson.py")
    device = bundle["device"]
    assert (device["name"], device["system"]) == ("NVIDIA Jetson Nano Developer Kit", "L4T 32.7.1")
    assert (device["power_mode"], device["software"]) == ("MAXN", "TensorRT 8.2.1")
    first, second = bundle["results"]
    assert (first["precision"], second["precision"]) == ("float32", "float16")
    assert first["n"] == len(first["latencies_ms"]) == 200
    assert (first["first_ms"], first["warmup_ms"]) == (9, 9)  # TensorRT 8.2 writes its warm-up among the times
    assert first["p50_ms"] == pytest.approx(2.05)
    assert first["init_ms"] == 250
    assert (first["power_rail"], first["power_mw"], first["idle_mw"]) == ("POM_5V_IN", 4150, 1750)
    assert first["energy_gross_mj"] == pytest.approx(4150 * 2.05e-3, rel=1e-4)
    assert first["energy_net_mj"] == pytest.approx((4150 - 1750) * 2.05e-3, rel=1e-4)
    assert (first["agreement"], first["accuracy"], first["accuracy_n"]) == (1, 0.5, 2)
    assert first["gmacs_per_s"] == pytest.approx(192 / 2.05e-3 / 1e9)
    assert first["per_second_b8"] is None
    assert first["peak_mb"] > 1


def test_an_orin_has_int8_and_newer_options(bench, monkeypatch):
    monkeypatch.setenv("TRTEXEC_DOUBLE", "10.3")  # which knows no --workspace
    assert bench("--samples", "1", board="NVIDIA Jetson Orin Nano Developer Kit") == 0
    bundle = written(bench)
    assert [r["precision"] for r in bundle["results"]] == ["float32", "float16", "int8"]
    assert bundle["device"]["software"] == "TensorRT 10.3.0"
    assert bundle["results"][0]["first_ms"] is None  # TensorRT 10 leaves the warm-up out of its times
    assert bundle["results"][0]["p50_ms"] == pytest.approx(2.05)
    assert json.loads((bench.folder / "engines" / "tiny_int8.engine").read_text())["onnx"].endswith(
        "tiny_int8_qdq.onnx"
    )


def test_power_is_that_of_the_time_that_was_timed(bench, monkeypatch):
    import bench_jetson

    clock = iter(np.arange(100) * 0.82)  # trtexec timed 0.41 s of it: half the lines, at whatever rate they came
    monkeypatch.setattr(bench_jetson.time, "monotonic", lambda: next(clock))
    monkeypatch.setenv("TEGRASTATS_DOUBLE", "loading")
    assert bench("--samples", "1") == 0
    assert [r["power_mw"] for r in written(bench)["results"]] == [4150, 4150]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("disk full")])
def test_what_is_finished_stays_when_the_rest_fails(bench, capsys, monkeypatch, error):
    import bench_jetson

    def check_answers(setup, command):
        if "float16" in command[1]:
            raise error
        return {"agreement": 1.0, "accuracy": 1.0, "accuracy_n": 1}

    monkeypatch.setattr(bench_jetson, "check_answers", check_answers)
    assert bench() == 1
    assert capsys.readouterr().err.startswith("error: ")
    assert [r["precision"] for r in written(bench)["results"]] == ["float32"]


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (".", "bundle: a folder. Name a file"),
        ("nowhere/a.json", "nowhere/a.json: cannot be written: No such file"),
        ("export_info.json", "export_info.json: holds an earlier measurement. Move it away"),
    ],
)
def test_a_file_that_cannot_be_written_is_said_before_the_work(bench, capsys, out, message):
    assert bench("--out", str(bench.folder / out)) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1
    assert not (bench.folder / "engines").exists()


def test_a_dry_run_shows_each_step_and_runs_none(bench, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(bench.folder))
    assert bench("--dry-run") == 0
    out = capsys.readouterr().out
    assert "no trtexec on PATH nor at /usr/src/tensorrt/bin/trtexec" in out
    assert "Shown with the options of TensorRT 8.2" in out
    assert "/usr/src/tensorrt/bin/trtexec --onnx=" in out
    assert "--saveEngine=tiny_float16.engine --workspace=512 --fp16" in out
    assert "tegrastats --interval 100 --logfile" in out
    assert "--exportTimes=tiny_float32_times.json --useSpinWait" in out
    assert "--loadInputs=face:face.bin --exportOutput=answer.json" in out
    assert not (bench.folder / "engines").exists()
    assert not (bench.folder / "bench.json").exists()


def test_a_trtexec_given_by_a_relative_path_is_found_from_everywhere(bench, capsys, monkeypatch):
    monkeypatch.chdir(DOUBLES)
    assert bench("--trtexec", "./trtexec", "--dry-run") == 0
    assert f"{DOUBLES}/trtexec --onnx=" in capsys.readouterr().out


def test_no_trtexec_is_one_line(bench, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(bench.folder))
    assert bench() == 1
    assert capsys.readouterr().err.startswith("error: no trtexec on PATH nor at")
    assert bench("--trtexec", "nowhere") == 1
    assert capsys.readouterr().err.startswith("error: nowhere: no such program")


def test_a_failed_build_names_its_cause(bench, capsys, monkeypatch):
    monkeypatch.setenv("TRTEXEC_DOUBLE", "failed")
    assert bench() == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2  # one a precision
    assert lines[0].startswith("error: float32: building the engine: Error[10]")
    assert not (bench.folder / "bench.json").exists()


def test_damaged_times_are_named(bench, capsys, monkeypatch):
    monkeypatch.setenv("TRTEXEC_DOUBLE", "damaged")
    assert bench() == 1
    assert "tiny_float32_times.json: not JSON, or cut short. Run this again." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("double", "words", "power"),
    [
        ("cut", "tiny_float32_tegrastats.txt: its last line is cut and was left out", 4150),
        ("silent", "tiny_float32_tegrastats.txt: no line with power in it: power and energy stay empty", None),
    ],
)
def test_a_log_of_tegrastats_that_is_not_whole(bench, capsys, monkeypatch, double, words, power):
    monkeypatch.setenv("TEGRASTATS_DOUBLE", double)
    assert bench("--samples", "1") == 0
    assert words in capsys.readouterr().out
    result = written(bench)["results"][0]
    assert result["power_mw"] == power
    assert (result["energy_gross_mj"] is None) is (power is None)


OUTSIDE = json.dumps(
    {
        "schema": "emo_utils.jetson",
        "version": 1,
        "name": "../tiny",  # which would be written outside the bundle
        "input": {"name": "face", "shape": [1, 1, SIZE, SIZE]},
        "class_names": NAMES,
        "files": {},
    }
).encode()


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("export_info.json", None, "no such file. Run this script in the folder of the bundle"),
        ("export_info.json", b"{", "not JSON, or cut short"),
        (
            "export_info.json",
            b'{"schema": "emo_utils.jetson", "version": 2}',
            "not of schema emo_utils.jetson version 1",
        ),
        ("export_info.json", b'{"schema": "emo_utils.jetson", "version": 1}', "not as it should be: name, input name"),
        ("export_info.json", OUTSIDE, "not as it should be: name. Export"),
        ("export_info.json", 100_000 * b"[", "not JSON, or cut short"),
        ("samples.npz", b"PK", "not the file that was exported"),
        ("samples.npz", None, "not in this bundle. Copy the whole folder"),
    ],
)
def test_a_bundle_that_is_not_whole(bench, capsys, file, content, message):
    (bench.folder / file).unlink()
    if content is not None:
        (bench.folder / file).write_bytes(content)
    assert bench("--dry-run") == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("macs", "x"),
        ("macs", -1),
        ("parameters", True),
        ("recipe_hash", float("nan")),
        ("class_names", "ab"),
        ("temperature", "x"),
        ("temperature", -1),
        ("calibration", [1]),
        ("not_sure_below", "x"),
        ("files", []),
    ],
)
def test_a_value_of_the_bundle_that_cannot_be_is_named(bench, capsys, key, value):
    path = bench.folder / "export_info.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    assert bench("--dry-run") == 1
    assert f"missing, or not as it should be: {key}. Export" in capsys.readouterr().err


def test_samples_that_would_fill_the_memory_are_refused(bench, capsys):
    content = bytearray((bench.folder / "samples.npz").read_bytes())
    entry = content.rindex(b"PK\x01\x02")  # of the list of its files, where the size of each stands unpacked
    content[entry + 24 : entry + 28] = (4 * 10**9).to_bytes(4, "little")
    (bench.folder / "samples.npz").write_bytes(content)
    path = bench.folder / "export_info.json"
    info = json.loads(path.read_text())
    info["files"]["samples.npz"]["sha256"] = hashlib.sha256(content).hexdigest()
    path.write_text(json.dumps(info))
    assert bench("--dry-run") == 1
    assert "samples.npz: larger than any such file" in capsys.readouterr().err


@pytest.mark.parametrize("shape", [[1, 1, 48, 96], [1, 3, 48, 48], [1, 1, 0, 0], [1, 1, "48", "48"], [48, 48], None])
def test_the_input_is_one_grey_square(bench, capsys, shape):
    path = bench.folder / "export_info.json"
    info = json.loads(path.read_text())
    path.write_text(json.dumps({**info, "input": {**info["input"], "shape": shape}}))
    assert bench("--dry-run") == 1
    assert "not as it should be: input shape. Export" in capsys.readouterr().err
