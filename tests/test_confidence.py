from __future__ import annotations

import zipfile

import numpy as np
import pytest

from emo_utils.datasets import from_arrays
from emo_utils.errors import DataError, ModelError
from emo_utils.evaluation import (
    Calibration,
    apply_temperature,
    calibrate,
    evaluate_model,
    predict_probabilities,
    stored_calibration,
)
from emo_utils.evaluation.calibration import expected_calibration_error
from emo_utils.models import build_model, load_model, save_model, update_info
from emo_utils.recipe import Recipe

TINY = Recipe("tiny", classes=("happy", "sad"))


def faces(n=40):
    rng = np.random.default_rng(0)
    return from_arrays(rng.integers(0, 256, (n, 48, 48), dtype=np.uint8), np.arange(n) % 2, TINY.classes)


@pytest.fixture(scope="module")
def model():
    return build_model(TINY)


def test_a_calibration_survives_the_file_and_leaves_the_weights_alone(model, tmp_path):
    path = save_model(model, tmp_path / "m.keras", {"class_names": TINY.classes, "run_id": "r"})
    with zipfile.ZipFile(path) as archive:
        weights = archive.read("model.weights.h5")
    calibration = Calibration(temperature=1.6, label_smoothing=0.1, not_sure_below=0.4, wanted_accuracy=0.8, n=100)
    update_info(path, {"calibration": calibration.to_dict()})
    loaded, info = load_model(path)
    assert stored_calibration(info, path) == calibration
    assert info["run_id"] == "r"
    with zipfile.ZipFile(path) as archive:
        assert archive.read("model.weights.h5") == weights
        assert len(set(archive.namelist())) == len(archive.namelist())
    assert [p.name for p in tmp_path.iterdir()] == ["m.keras"]
    images = faces().images
    scaled = predict_probabilities(loaded, images, calibration=calibration)
    assert scaled == pytest.approx(calibration.apply(predict_probabilities(model, images)), abs=1e-5)


def test_a_file_without_class_names_takes_no_calibration(model, tmp_path):
    path = tmp_path / "plain.keras"
    model.save(path)
    with pytest.raises(ModelError, match="does not say what its outputs mean"):
        update_info(path, {"calibration": {}})


@pytest.mark.parametrize(
    "stored",
    [
        {"temperature": -1.0, "label_smoothing": 0.1, "not_sure_below": None, "wanted_accuracy": 0.8, "n": 3},
        {"temperature": "hot", "label_smoothing": 0.1, "not_sure_below": None, "wanted_accuracy": 0.8, "n": 3},
        {"temperature": 1.0, "label_smoothing": 0.1, "not_sure_below": 40, "wanted_accuracy": 0.8, "n": 3},
        {"temperature": 1e-320, "label_smoothing": 0.1, "not_sure_below": None, "wanted_accuracy": 0.8, "n": 3},
        {"temperature": 1.0, "label_smoothing": 0.1, "not_sure_below": 0.4, "wanted_accuracy": "all", "n": 3},
        {"temperature": 1.0, "label_smoothing": 0.1, "not_sure_below": 0.4, "wanted_accuracy": 0.8, "n": "many"},
        {"temperature": 1.0},
        [1.0],
    ],
)
def test_a_calibration_that_makes_no_sense_is_refused(stored):
    with pytest.raises(ModelError, match=r"m\.keras: its calibration makes no sense"):
        stored_calibration({"calibration": stored}, "m.keras")
    assert stored_calibration({}, "m.keras") is None


def test_smoothed_training_is_undone_before_the_temperature_is_fitted():
    rng = np.random.default_rng(0)
    honest = rng.dirichlet([0.4] * 5, 6000)
    labels = np.minimum((rng.random(6000)[:, None] > honest.cumsum(axis=1)).sum(axis=1), 4)
    smoothed = 0.9 * honest + 0.1 / 5
    plain, aware = calibrate(labels, smoothed), calibrate(labels, smoothed, label_smoothing=0.1)
    assert aware.temperature == pytest.approx(1.0, abs=0.05)
    errors = [expected_calibration_error(labels, c.apply(smoothed)) for c in (plain, aware)]
    assert errors[1] < errors[0]
    with pytest.raises(DataError, match="Label smoothing must be"):
        calibrate(labels, smoothed, label_smoothing=1.0)


def test_a_poor_model_gets_a_temperature_but_no_threshold():
    labels, said = np.array([0, 1, 0, 1]), np.array([[0.4, 0.6], [0.6, 0.4]] * 2)
    calibration = calibrate(labels, said)
    assert calibration.not_sure_below is None
    assert calibration.n == 4
    with pytest.raises(DataError, match="wanted accuracy"):
        calibrate(labels, said, wanted_accuracy=80)


def test_evaluation_with_a_temperature_tells_both_states(model):
    data = faces()
    calibration = Calibration(2.0, 0.0, None, 0.8, 40)
    evaluation = evaluate_model(model, data, calibration=calibration)
    scaled = apply_temperature(evaluation.probabilities, 2.0)
    assert evaluation.scaled_metrics["nll"] == pytest.approx(-np.log(scaled[np.arange(40), data.labels]).mean())
    assert evaluation.metrics["nll"] != evaluation.scaled_metrics["nll"]
    assert "accuracy" not in evaluation.scaled_metrics
    assert evaluate_model(model, data).scaled_metrics is None
