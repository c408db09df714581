"""Prediction where Keras takes part: the twins agree, and the heat is that of the answer."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import emo_utils
from emo_utils import predict
from emo_utils.cli import main
from emo_utils.evaluation import predict_probabilities, stored_calibration
from emo_utils.evaluation.explain import grad_cam
from emo_utils.models import files
from emo_utils.prediction import open_classifier
from tests.conftest import REPO

SAMPLES = REPO / "data" / "samples"
MODEL = "embedded-small-cnn"


@pytest.fixture(scope="module")
def keras_model():
    return emo_utils.load_model(f"model/{MODEL}.keras")


@pytest.fixture(scope="module")
def faces():
    size = open_classifier(MODEL).input_size
    paths = sorted(SAMPLES.glob("drawn_*.png"))
    return np.stack([np.asarray(Image.open(path).resize((size, size), Image.Resampling.BOX)) for path in paths])


def test_both_files_of_a_model_answer_as_an_evaluation_does(keras_model, faces):
    model, info = keras_model
    expected = predict_probabilities(model, faces, calibration=stored_calibration(info, MODEL))
    for name in (MODEL, f"model/{MODEL}.keras"):
        np.testing.assert_allclose(open_classifier(name)(faces), expected, atol=1e-4)
    rounded = open_classifier(f"{MODEL}-int8")(faces)
    assert (rounded.argmax(axis=1) == expected.argmax(axis=1)).mean() >= 0.8


def test_heat_is_that_of_the_answer_at_the_size_of_the_face(keras_model, faces):
    frame = predict([*faces, np.zeros((300, 300), np.uint8)], MODEL, explain=True)
    *heat, none = frame["heat"]
    assert none is None
    assert all(one.shape == faces.shape[1:] and one.dtype == np.float32 for one in heat)
    np.testing.assert_allclose(np.stack(heat), grad_cam(keras_model[0], faces), atol=1e-3)


def test_explain_writes_a_picture_a_face(tmp_path):
    assert main(["predict", str(SAMPLES / "drawn_happy.png"), "--model", MODEL, "--explain", str(tmp_path)]) == 0
    (path,) = tmp_path.iterdir()
    assert path.name == "drawn_happy-face1.png"
    left, right = np.hsplit(np.asarray(Image.open(path).convert("RGB")).astype(int), [288 + 4])
    assert (np.ptp(left[:, :288], axis=2) == 0).all()  # grey
    assert np.ptp(right[:, 4:], axis=2).max() > 50  # warm


def test_without_a_path_the_model_that_ships_is_loaded(monkeypatch):
    assert (REPO / "model" / f"{files.DEFAULT_MODEL}.keras").is_file()
    monkeypatch.setattr(files, "DEFAULT_MODEL", MODEL)  # the smaller one, which loads in less time
    model, info = emo_utils.load_model()
    assert info["recipe"]["name"] == MODEL
    assert model.output_shape[-1] == len(info["class_names"])
