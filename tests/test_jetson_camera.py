"""camera_jetson.py on a small video of drawn faces, with a model of one matrix."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from emo_utils.faces import make_faces

cv2 = pytest.importorskip("cv2")
DEVICE = Path(__file__).resolve().parents[1] / "emo_utils" / "device" / "jetson"
NAMES = ["happy", "sad"]
SIZE, RATE, FRAMES = 8, 10, 20


@pytest.fixture
def camera(monkeypatch):
    monkeypatch.syspath_prepend(DEVICE)
    import camera_jetson

    monkeypatch.setattr(camera_jetson, "find_cascade", lambda: None)  # the same with every OpenCV
    return camera_jetson


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A model that says happy, the surer the brighter the image, and a video that brightens."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    folder, helper = tmp_path_factory.mktemp("bundle"), onnx.helper
    weights = np.stack([np.full(SIZE * SIZE, 3e-4, np.float32), np.zeros(SIZE * SIZE, np.float32)], axis=1)
    nodes = [
        helper.make_node("Flatten", ["face"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["predictions"]),
    ]
    ends = [("face", (1, 1, SIZE, SIZE)), ("predictions", (1, 2))]
    face, predictions = (helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in ends)
    graph = helper.make_graph(nodes, "tiny", [face], [predictions], [onnx.numpy_helper.from_array(weights, "weights")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7), folder / "tiny.onnx")
    info = {
        "schema": "emo_utils.jetson",
        "version": 1,
        "name": "tiny",
        "input": {"name": "face", "shape": [1, 1, SIZE, SIZE], "range": "0..255"},
        "class_names": NAMES,
        "temperature": 2.0,
        "not_sure_below": 0.7,
        "files": {"tiny.onnx": {"sha256": hashlib.sha256((folder / "tiny.onnx").read_bytes()).hexdigest()}},
    }
    (folder / "export_info.json").write_text(json.dumps(info))

    face = make_faces(1, seed=1).images[0]
    video = cv2.VideoWriter(str(folder / "film.avi"), cv2.VideoWriter_fourcc(*"MJPG"), RATE, (96, 64))
    for i in range(FRAMES):
        frame = np.full((64, 96, 3), 255 * i // FRAMES, np.uint8)
        frame[8:56, 24:72] = np.clip(face.astype(int) // 4 + 255 * i // FRAMES, 0, 255)[..., None]
        video.write(frame)
    video.release()
    return folder


def test_a_video_is_answered_line_by_line(camera, bundle, capsys):
    assert camera.main([str(bundle / "film.avi"), "--no-window"], str(bundle)) == 0
    head, note, *lines = capsys.readouterr().out.splitlines()
    assert head == "tiny by CPUExecutionProvider"
    assert note.startswith("this OpenCV has no face detector")
    # Every second frame of ten a second are the five answers a second that are allowed.
    assert [line.split(":")[0] for line in lines] == [f"frame {i}" for i in range(0, FRAMES, 2)]
    assert "not sure" in lines[0]
    assert "happy" in lines[-1]
    assert "at (16, 0, 64, 64)" in lines[0]


@pytest.mark.parametrize(
    ("options", "answered"),
    [
        (["--skip", "1", "--fps", "100"], list(range(FRAMES))),
        (["--skip", "3", "--fps", "100"], [0, 3, 6, 9, 12, 15, 18]),
        (["--skip", "1", "--fps", "2"], [0, 5, 10, 15]),
        (["--skip", "2", "--frames", "5"], [0, 2, 4]),
    ],
)
def test_frames_are_skipped(camera, bundle, capsys, options, answered):
    assert camera.main([str(bundle / "film.avi"), "--no-window", *options], str(bundle)) == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [int(line.split(":")[0].split()[1]) for line in lines] == answered


def test_boxes_stay_between_two_searches(camera, bundle):
    searched = []

    def find(grey, cascade):
        searched.append(grey.shape)
        return [(0, 0, 10, 10)] if len(searched) == 1 else []

    camera.find_faces = find
    args = camera.read_arguments(["--detect", "3", "--skip", "1", "--fps", "100", "--frames", "5"])
    info = json.loads((bundle / "export_info.json").read_text())
    model, _ = camera.open_model(str(bundle / "tiny.onnx"))
    capture = cv2.VideoCapture(str(bundle / "film.avi"))
    found = [len(answers) for *_, answers, _ in camera.watch(capture, lambda n: n, None, model, info, args)]
    assert found == [1, 1, 1, 0, 0]
    assert searched == [(64, 96)] * 2


def test_confidence_is_calibrated_and_may_be_too_low(camera):
    logits = np.array([2.0, 0.5])
    softmax = np.exp(logits) / np.exp(logits).sum()
    tempered = np.exp(logits / 2) / np.exp(logits / 2).sum()
    label, confidence = camera.judge(softmax, {"class_names": NAMES, "temperature": 2.0, "not_sure_below": 0.5})
    assert (label, confidence) == ("happy", pytest.approx(tempered[0]))
    assert camera.judge(softmax, {"class_names": NAMES, "temperature": 2.0, "not_sure_below": 0.7})[0] == "not sure"
    assert camera.judge(softmax, {"class_names": NAMES})[1] == pytest.approx(softmax[0])


def test_the_pipeline_of_the_csi_camera(camera):
    assert camera.csi_pipeline().split(" ! ") == [
        "nvarguscamerasrc",
        "video/x-raw(memory:NVMM), width=(int)640, height=(int)480, format=(string)NV12, framerate=(fraction)15/1",
        "nvvidconv flip-method=0",
        "video/x-raw, width=(int)640, height=(int)480, format=(string)BGRx",
        "videoconvert",
        "video/x-raw, format=(string)BGR",
        "appsink drop=true max-buffers=1",
    ]


def test_box_label_and_confidence_are_drawn(camera):
    frame = np.zeros((64, 96, 3), np.uint8)
    camera.draw(frame, [((20, 30, 30, 30), "happy", 0.93)])
    assert frame[30, 20:51, 1].all()  # the upper edge of the box
    assert frame[:28, 20:, 1].any()  # the text above it


@pytest.mark.parametrize(
    ("source", "message"),
    [("none.avi", "none.avi: no such file."), ("export_info.json", "cannot be opened. Is it a video?")],
)
def test_what_cannot_be_watched_is_named(camera, bundle, capfd, monkeypatch, source, message):
    monkeypatch.chdir(bundle)
    assert camera.main([source, "--no-window"], str(bundle)) == 1
    error = capfd.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert message in error


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"class_names": ["happy", "sad", "angry"]}, "names 3 classes, the model has 2. Export"),
        ({"input": {"name": "face", "shape": [1, 1, 9, 9]}}, "tiny.onnx: onnxruntime cannot run it: "),
        ({"calibration": {"label_smoothing": 1}}, "not as it should be: label_smoothing. Export"),
    ],
)
def test_a_bundle_that_does_not_fit_its_model_is_one_line(camera, bundle, tmp_path, capsys, changes, message):
    info = json.loads((bundle / "export_info.json").read_text())
    (tmp_path / "export_info.json").write_text(json.dumps({**info, **changes}))
    shutil.copy(bundle / "tiny.onnx", tmp_path)
    assert camera.main([str(bundle / "film.avi"), "--no-window"], str(tmp_path)) == 1
    out, error = capsys.readouterr()
    assert message in error
    assert error.count("\n") == 1
    assert out == ""


def test_no_onnxruntime_is_one_line(camera, bundle, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert camera.main([str(bundle / "film.avi")], str(bundle)) == 1
    assert capsys.readouterr().err.startswith("error: no onnxruntime here")


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_board_is_as_sure_as_the_course(camera, smoothing):
    from emo_utils.evaluation import Calibration

    calibration = Calibration(1.3, smoothing, 0.6, 0.8, 100)
    probabilities = np.random.default_rng(0).dirichlet([0.3, 0.3, 0.3], 50)
    info = {"class_names": list("abc"), "temperature": 1.3, "calibration": calibration.to_dict()}
    sure = [camera.judge(p, info)[1] for p in probabilities]
    np.testing.assert_allclose(sure, calibration.apply(probabilities).max(axis=1), rtol=1e-6)
