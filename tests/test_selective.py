from __future__ import annotations

import numpy as np
import pytest

from emo_utils.errors import DataError
from emo_utils.evaluation.selective import choose_threshold, risk_coverage, selective_metrics

# Confidence .9 right, .8 right, .7 wrong, .6 and .6 one right one wrong.
LABELS = np.array([0, 0, 1, 0, 1])
SAID = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4], [0.6, 0.4]])


def test_risk_and_coverage_by_hand():
    curve = risk_coverage(LABELS, SAID)
    assert curve["threshold"].tolist() == [0.9, 0.8, 0.7, 0.6]
    assert curve["coverage"].tolist() == [0.2, 0.4, 0.6, 1.0]
    assert curve["risk"].tolist() == pytest.approx([0, 0, 1 / 3, 2 / 5])
    assert curve["aurc"] == pytest.approx((0 + 0 + 1 / 3 + 1.5 / 4 + 2 / 5) / 5)


def test_the_order_of_equally_sure_faces_does_not_move_the_area():
    labels, said = np.repeat([0, 1], 50), np.tile(np.float32([0.7, 0.3]), (100, 1))
    areas = [risk_coverage(order, said)["aurc"] for order in (labels, labels[::-1])]
    assert areas == pytest.approx([0.5, 0.5])


def test_the_threshold_answers_as_many_faces_as_it_may():
    assert choose_threshold(LABELS, SAID, 1.0) == 0.8
    assert choose_threshold(LABELS, SAID, 0.65) == 0.7
    assert choose_threshold(LABELS, SAID, 0.5) == 0.0


def test_an_accuracy_out_of_reach_is_refused():
    with pytest.raises(DataError, match="No confidence makes 90% of the answers right"):
        choose_threshold(1 - LABELS[:2], SAID[:2], 0.9)
    with pytest.raises(DataError, match="above 0"):
        choose_threshold(LABELS, SAID, 90)


def test_what_a_threshold_does():
    m = selective_metrics(LABELS, SAID, 0.7)
    assert (m["coverage"], m["n_answered"], m["n"]) == (0.6, 3, 5)
    assert m["accuracy"] == pytest.approx(2 / 3)
    assert m["accuracy_low"] <= m["accuracy"] <= m["accuracy_high"]
    nobody = selective_metrics(LABELS, SAID, 0.95)
    assert (nobody["coverage"], nobody["accuracy"], nobody["accuracy_low"]) == (0.0, None, None)


def test_the_surest_answers_of_a_sensible_model_are_better():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, 5000)
    labels = np.where(rng.random(5000) < confidence, 0, 1)
    said = np.stack([confidence, 1 - confidence], axis=1)
    threshold = choose_threshold(labels[:2500], said[:2500], 0.9)
    m = selective_metrics(labels[2500:], said[2500:], threshold)
    assert m["accuracy_low"] < 0.9 < m["accuracy_high"] + 0.02
    assert m["accuracy"] > (labels == 0).mean() + 0.05
