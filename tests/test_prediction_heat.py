"""Prediction where Keras takes part: the twins agree, and the heat is that of the answer."""

from __future__ import annotations

import json
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

import emo_utils
from emo_utils import predict
from emo_utils.cli import main
from emo_utils.errors import ModelError
from emo_utils.evaluation import predict_probabilities, stored_calibration
from emo_utils.evaluation.explain import grad_cam
from emo_utils.models import files, model_class_names
from emo_utils.models.info import INFO_MEMBER, find_model_file, read_info
from emo_utils.prediction import keras_twin, open_classifier
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


def with_info(source, target, **more):
    """Copy a .keras file, with other words on itself."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for member in old.namelist():
            if member != INFO_MEMBER:
                new.writestr(member, old.read(member))
        new.writestr(INFO_MEMBER, json.dumps({**read_info(source), **more}))
    return target


def test_a_model_explains_only_its_own_answers(tmp_path, capsys):
    path, twin = tmp_path / "one.tflite", tmp_path / "one.keras"
    shutil.copy(REPO / "model" / "fer2013-mobilenet.tflite", path)
    small = REPO / "model" / f"{MODEL}.keras"
    shutil.copy(small, twin)
    words = ["predict", str(SAMPLES / "drawn_happy.png"), "--model", str(path), "--explain", str(tmp_path / "heat")]
    assert main(words) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert f"{twin}: not the model that one.tflite was made from" in err
    classifier = open_classifier(path)
    with_info(small, twin, run_id=None)
    assert keras_twin(classifier) == twin  # of the same classes; that it takes smaller faces shows once it is open
    with pytest.raises(ModelError, match=r"one\.keras: not the model that"):
        predict(SAMPLES / "drawn_happy.png", classifier, explain=True)
    with_info(small, twin, run_id=None, class_names=list(reversed(classifier.class_names)))
    with pytest.raises(ModelError, match=r"one\.keras: not the model that"):
        keras_twin(classifier)


def test_models_go_by_the_same_names_everywhere(tmp_path, monkeypatch, keras_model):
    monkeypatch.chdir(tmp_path)  # the course folder is found from the package
    (tmp_path / MODEL).mkdir()  # no model
    assert open_classifier(f"{MODEL}.keras").path == REPO / "model" / f"{MODEL}.keras"
    assert open_classifier(MODEL).path == REPO / "model" / f"{MODEL}.tflite"
    assert emo_utils.load_model(MODEL)[1] == keras_model[1]
    assert find_model_file(f"{MODEL}.keras").is_file()
    with pytest.raises(ModelError, match="no such model file"):
        find_model_file(MODEL)  # where a name may be a run's or a recipe's


def test_two_outputs_of_one_meaning_are_refused():
    with pytest.raises(ModelError, match=r"m\.keras: several of its outputs mean happy"):
        model_class_names({"class_names": ["happy", "sad", "Happiness"]}, "m.keras")


def test_a_model_for_colour_is_refused_by_name(tmp_path):
    import keras

    layers = [keras.Input((32, 32, 3)), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)]
    path = emo_utils.save_model(keras.Sequential(layers), tmp_path / "rgb.keras", {"class_names": ["happy", "sad"]})
    with pytest.raises(ModelError, match=r"rgb\.keras: The model must take square grey faces"):
        open_classifier(path)
