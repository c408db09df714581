from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from emo_utils.errors import DataError
from emo_utils.evaluation.label_errors import find_label_errors, out_of_sample_probabilities, score_label_errors
from emo_utils.faces import make_faces


def lda(features, labels, new):
    return LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3).fit(features, labels).predict_proba(new)


@pytest.fixture(scope="module")
def noisy():
    """Two emotions that pixels tell apart well, with a tenth of the labels wrong."""
    return make_faces(600, emotions=("surprise", "disgust"), people=30, label_noise=0.1)


def test_planted_errors_are_found_far_above_the_base_rate_and_in_silence(noisy, capfd):
    pixels = noisy.images.reshape(len(noisy), 12, 4, 12, 4).mean(axis=(2, 4)).reshape(len(noisy), -1)
    probabilities = out_of_sample_probabilities(lda, pixels, noisy.labels, groups=noisy.people)
    found = find_label_errors(noisy.labels, probabilities)
    given = probabilities[found, noisy.labels[found]]
    assert (np.diff(given) >= 0).all()
    wrong = noisy.labels != noisy.true_labels
    score = score_label_errors(found, wrong)["share"]
    assert score["wrong labels"] == pytest.approx(0.1)
    assert min(score["precision"], score["precision of the first 20"]) > 0.25
    assert score["recall"] > 0.5
    assert capfd.readouterr() == ("", "")


def test_no_person_stands_on_both_sides_and_every_face_is_predicted_once():
    rng = np.random.default_rng(0)
    labels, people = rng.integers(0, 3, 90), rng.integers(0, 9, 90)
    features = np.stack([np.arange(90), people], axis=1)
    seen = []

    def fit_predict(fitted, fitted_labels, new):
        assert not set(fitted[:, 1]) & set(new[:, 1])
        assert (fitted_labels == labels[fitted[:, 0]]).all()
        seen.extend(new[:, 0])
        return np.eye(3)[new[:, 0] % 3]

    probabilities = out_of_sample_probabilities(fit_predict, features, labels, groups=people, folds=3)
    assert sorted(seen) == list(range(90))
    assert (probabilities.argmax(axis=1) == np.arange(90) % 3).all()


@pytest.mark.parametrize(
    ("labels", "groups", "message"),
    [
        ([0] * 6 + [1] * 2, None, r"3 folds need as many faces of each class\. The rarest class has 2"),
        ([0, 1] * 4, [0, 1] * 4, r"as many groups\. The rarest class has 4 faces and 2 groups"),
        ([0, 0, 0, 0, 1, 1, 1], None, r"fit_predict returned shape \(3, 1\) instead of \(3, 2\)"),
    ],
)
def test_folds_that_cannot_be_made_are_refused(labels, groups, message):
    labels = np.array(labels)
    groups = None if groups is None else np.array(groups)
    with pytest.raises(DataError, match=message):
        out_of_sample_probabilities(lambda x, y, new: np.ones((len(new), 1)), labels, labels, groups=groups, folds=3)


def test_scores_are_shares_by_hand():
    wrong = np.zeros(200, bool)
    wrong[:40] = True
    found = np.r_[0:15, 100:105, 15:20, 105:140]  # 15 of the first 20 right, 20 of all 60
    score = score_label_errors(found, wrong, at=(20, 50, 100))
    assert score["share"].to_dict() == {
        "wrong labels": 0.2,
        "precision": pytest.approx(20 / 60),
        "precision of the first 20": 0.75,
        "precision of the first 50": 0.4,
        "recall": 0.5,
    }
    assert score["n"].tolist() == [200, 60, 20, 50, 40]
    assert ((score["low"] < score["share"]) & (score["share"] < score["high"])).all()


def test_a_short_list_without_a_miss_is_still_uncertain():
    score = score_label_errors(np.arange(20), np.arange(200) < 40)
    assert score.loc["precision of the first 20", ["share", "low", "high"]].tolist() == pytest.approx(
        [1, 20 / (20 + 1.959964**2), 1]
    )


@pytest.mark.parametrize(
    ("found", "wrong", "message"),
    [
        ([0], [False, False], "No label is wrong"),
        ([], [True, False], "No label error was found"),
        ([2], [True, False], "different indices below 2"),
        ([0, 0], [True, False], "different indices below 2"),
    ],
)
def test_what_cannot_be_scored_is_refused(found, wrong, message):
    with pytest.raises(DataError, match=message):
        score_label_errors(np.array(found, int), np.array(wrong))


def test_probabilities_are_checked_before_cleanlab_sees_them():
    with pytest.raises(DataError, match="must sum to one"):
        find_label_errors(np.array([0, 1]), np.array([[2.0, 1.0], [0.0, 1.0]]))


def test_a_class_without_a_label_is_no_obstacle():
    labels = np.repeat([0, 1], 50)
    probabilities = np.full((100, 3), 0.05) + 0.85 * np.eye(3)[labels]
    probabilities[7] = [0.02, 0.97, 0.01]
    assert find_label_errors(labels, probabilities).tolist() == [7]
