from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score

from emo_utils.datasets import from_arrays
from emo_utils.errors import DataError, ModelError
from emo_utils.evaluation import classification_metrics, evaluate_model, predict_probabilities
from emo_utils.evaluation.metrics import expected_calibration_error
from emo_utils.models import build_model
from emo_utils.recipe import Recipe

NAMES = ("angry", "happy", "sad")


def some_predictions(n=500, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, n, p=[0.2, 0.5, 0.3])
    logits = rng.normal(size=(n, 3)) + 1.5 * np.eye(3)[labels]
    probabilities = np.exp(logits)
    return labels, probabilities / probabilities.sum(axis=1, keepdims=True)


def test_figures_are_those_of_scikit_learn():
    labels, probabilities = some_predictions()
    m = classification_metrics(labels, probabilities, NAMES)
    predicted = probabilities.argmax(axis=1)
    assert m["accuracy"] == pytest.approx(accuracy_score(labels, predicted))
    assert m["macro_f1"] == pytest.approx(f1_score(labels, predicted, average="macro"))
    assert m["worst_class_recall"] == pytest.approx(recall_score(labels, predicted, average=None).min())
    assert sum(row["support"] for row in m["per_class"].values()) == m["n"] == 500
    assert np.sum(m["confusion"]) == 500


def test_the_order_of_faces_does_not_matter():
    labels, probabilities = some_predictions()
    shuffle = np.random.default_rng(1).permutation(len(labels))
    a = classification_metrics(labels, probabilities, NAMES)
    b = classification_metrics(labels[shuffle], probabilities[shuffle], NAMES)
    assert a["confusion"] == b["confusion"]
    assert a["accuracy_low"] == b["accuracy_low"]
    assert a["nll"] == pytest.approx(b["nll"])


def test_accuracy_interval_is_the_bootstrap_over_faces():
    labels, probabilities = some_predictions(n=400)
    m = classification_metrics(labels, probabilities, NAMES, n_resamples=4000)
    rng = np.random.default_rng(5)
    correct = probabilities.argmax(axis=1) == labels
    draws = rng.choice(correct, (4000, 400)).mean(axis=1)
    assert [m["accuracy_low"], m["accuracy_high"]] == pytest.approx(np.percentile(draws, [2.5, 97.5]), abs=0.006)


def test_accuracy_interval_covers_the_truth_at_its_nominal_rate():
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(300):
        right = rng.random(300) < 0.7
        labels = np.zeros(300, int)
        m = classification_metrics(
            labels, np.eye(2)[np.where(right, 0, 1)], ["happy", "sad"], n_resamples=400, seed=trial
        )
        covered += m["accuracy_low"] <= 0.7 <= m["accuracy_high"]
    assert 0.91 <= covered / 300 <= 0.985


def test_a_class_without_test_faces_has_no_recall_and_does_not_count():
    m = classification_metrics(np.array([0, 0, 1]), np.eye(3)[[0, 1, 1]], NAMES)
    assert m["per_class"]["sad"]["recall"] is None
    assert m["macro_f1"] == pytest.approx(2 / 3)
    assert m["worst_class"] == "angry"


def test_ece_is_zero_for_calibrated_confidence_and_the_gap_otherwise():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, 200_000)
    right = rng.random(200_000) < confidence
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    assert expected_calibration_error(np.where(right, 0, 1), probabilities) < 0.005
    sure = np.tile([0.9, 0.1], (1000, 1))
    assert expected_calibration_error(np.repeat([0, 1], [600, 400]), sure) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([0, 1], [[1.0, 0.0]], "a row a face"),
        ([0], [[0.5, 0.3]], "must sum to one"),
        ([0], [[2.0, -1.0]], "must sum to one"),
        ([0], [[np.nan, 1.0]], "1 of 1 rows of probabilities hold NaN"),
        ([], np.empty((0, 2)), "no faces to evaluate"),
    ],
)
def test_bad_probabilities_are_refused(labels, probabilities, message):
    with pytest.raises(DataError, match=message):
        classification_metrics(np.array(labels, int), np.asarray(probabilities, float), ["happy", "sad"])


@pytest.fixture(scope="module")
def model():
    import keras

    from emo_utils.models import build_model
    from emo_utils.recipe import Recipe

    keras.utils.set_random_seed(0)
    return build_model(Recipe("tiny", classes=NAMES))


def faces(n):
    rng = np.random.default_rng(0)
    return from_arrays(rng.integers(0, 256, (n, 40, 40), dtype=np.uint8), rng.integers(0, 3, n), NAMES)


def test_probabilities_do_not_depend_on_the_batch(model):
    data = faces(21)
    whole = predict_probabilities(model, data.images, batch_size=64)
    parts = predict_probabilities(model, data.images, batch_size=8)
    assert whole.shape == (21, 3)
    assert whole == pytest.approx(parts, abs=1e-5)


def test_evaluation_checks_class_names_and_saves_predictions(model, tmp_path):
    data = faces(21)
    with pytest.raises(ModelError, match="tells sad, happy, angry apart"):
        evaluate_model(model, data, class_names=NAMES[::-1])
    evaluation = evaluate_model(model, data, class_names=NAMES)
    with np.load(evaluation.save(tmp_path / "p.npz")) as saved:
        assert (saved["ids"] == data.ids).all()
        assert (saved["labels"] == data.labels).all()
        assert saved["class_names"].tolist() == list(NAMES)


def test_a_model_of_colour_images_is_refused_by_its_shape():
    import keras

    inputs = keras.Input((32, 32, 3))
    outputs = keras.layers.Dense(3, activation="softmax")(keras.layers.GlobalAveragePooling2D()(inputs))
    with pytest.raises(ModelError, match="must take square grey faces"):
        predict_probabilities(keras.Model(inputs, outputs), faces(3).images)


def test_many_faces_get_the_same_answers_by_the_traced_model_as_few_by_the_plain_call():
    model = build_model(Recipe("a", input_size=32))
    images = np.random.default_rng(0).integers(0, 256, (1700, 32, 32), dtype=np.uint8)
    halves = [predict_probabilities(model, half) for half in (images[:850], images[850:])]
    assert predict_probabilities(model, images) == pytest.approx(np.concatenate(halves), abs=1e-5)
