from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, f1_score, recall_score

from emo_utils.datasets import from_arrays
from emo_utils.errors import DataError, ModelError
from emo_utils.evaluation import classification_metrics, evaluate_model, predict_probabilities
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
    assert a["accuracy_low"] == pytest.approx(b["accuracy_low"], abs=0.006)
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
        labels = np.arange(300) % 2
        m = classification_metrics(
            labels, np.eye(2)[np.where(right, labels, 1 - labels)], ["happy", "sad"], n_resamples=400, seed=trial
        )
        covered += m["accuracy_low"] <= 0.7 <= m["accuracy_high"]
    assert 0.91 <= covered / 300 <= 0.985


def test_intervals_over_people_cover_where_intervals_over_faces_are_too_narrow():
    # 40 people; of each either nearly all faces are recognised or hardly any, so that there are 40 facts, not 400.
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(40), 10)
    labels = np.arange(400) % 2
    covered = {"people": 0, "faces": 0}
    for trial in range(200):
        right = rng.random(400) < rng.choice([0.95, 0.35], 40)[people]
        said = np.eye(2)[np.where(right, labels, 1 - labels)]
        for name, groups in (("people", people), ("faces", None)):
            m = classification_metrics(labels, said, ["happy", "sad"], groups=groups, n_resamples=400, seed=trial)
            covered[name] += m["accuracy_low"] <= 0.65 <= m["accuracy_high"]
    assert 0.89 <= covered["people"] / 200 <= 0.99
    assert covered["faces"] / 200 < 0.8


def test_all_right_is_not_certainty():
    labels = np.array([0] * 9 + [1])
    m = classification_metrics(labels, np.eye(2)[labels], ["happy", "sad"])
    wilson = binomtest(1, 1).proportion_ci(method="wilson")
    assert (m["per_class"]["sad"]["recall_low"], m["per_class"]["sad"]["recall_high"]) == pytest.approx(wilson)
    assert m["accuracy_low"] == pytest.approx(binomtest(10, 10).proportion_ci(method="wilson").low)
    m = classification_metrics(labels, np.eye(2)[1 - labels], ["happy", "sad"], groups=np.arange(10) // 5)
    two_people = binomtest(0, 2).proportion_ci(method="wilson")
    assert (m["accuracy_low"], m["accuracy_high"]) == pytest.approx((two_people.low, two_people.high))


def test_one_person_leaves_a_doubt():
    labels, probabilities = some_predictions(n=200)
    m = classification_metrics(labels, probabilities, NAMES, groups=np.repeat("a", 200))
    assert m["accuracy_low"] < m["accuracy"] < m["accuracy_high"]
    assert (m["interval_over"], m["n_groups"]) == ("faces", 1)


def test_macro_f1_interval_is_the_bootstrap_with_scikit_learn():
    labels, probabilities = some_predictions(n=200)
    m = classification_metrics(labels, probabilities, NAMES, n_resamples=4000)
    predicted, rng = probabilities.argmax(axis=1), np.random.default_rng(3)
    rows = rng.integers(0, 200, (800, 200))
    drawn = [f1_score(labels[r], predicted[r], average="macro") for r in rows]
    assert [m["macro_f1_low"], m["macro_f1_high"]] == pytest.approx(np.percentile(drawn, [2.5, 97.5]), abs=0.012)


def test_every_figure_lies_in_its_interval():
    labels, probabilities = some_predictions()
    m = classification_metrics(labels, probabilities, NAMES)
    for name in ("accuracy", "macro_f1", "weighted_f1", "worst_class_recall", "ece", "nll", "brier"):
        assert m[f"{name}_low"] < m[name] < m[f"{name}_high"], name
    for row in m["per_class"].values():
        assert row["precision_low"] < row["precision"] < row["precision_high"]


def test_a_class_without_test_faces_is_refused_by_name():
    with pytest.raises(DataError, match="shows sad, so a mean over the classes"):
        classification_metrics(np.array([0, 0, 1]), np.eye(3)[[0, 1, 1]], NAMES)


def test_a_class_that_is_never_predicted_has_no_precision_interval():
    m = classification_metrics(np.array([0, 0, 1, 1]), np.eye(2)[[0, 0, 0, 0]], ["happy", "sad"])
    assert m["per_class"]["sad"]["precision_low"] is None
    assert m["per_class"]["sad"]["recall"] == 0


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([0, 1], [[1.0, 0.0]], "a row a face"),
        ([0, 1], [[0.5, 0.3]] * 2, "must sum to one"),
        ([0, 1], [[2.0, -1.0]] * 2, "must sum to one"),
        ([0, 1], [[np.nan, 1.0], [0.0, 1.0]], "1 of 2 rows of probabilities hold NaN"),
        ([0], [[1.0, 0.0]], "one face to evaluate on"),
        ([], np.empty((0, 2)), "no faces to evaluate"),
        ([0, 2], [[0.5, 0.5]] * 2, "Labels must be 0 to 1"),
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


def test_mirrored_answers_are_the_mean_over_a_face_and_its_mirror_image(model):
    images = np.random.default_rng(0).integers(0, 256, (5, 48, 48), dtype=np.uint8)
    straight, mirrored = (predict_probabilities(model, x) for x in (images, images[:, :, ::-1]))
    both = predict_probabilities(model, images, mirror=True, batch_size=2)
    np.testing.assert_allclose(both, (straight + mirrored) / 2, atol=1e-6)
    assert np.abs(straight - mirrored).max() > 1e-3  # otherwise nothing was tested


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
