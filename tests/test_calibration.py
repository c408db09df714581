from __future__ import annotations

import numpy as np
import pytest

from emo_utils.errors import DataError
from emo_utils.evaluation.calibration import (
    apply_temperature,
    brier_scores,
    ece_of_calibrated,
    expected_calibration_error,
    fit_temperature,
    log_losses,
    reliability,
    undo_label_smoothing,
)


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def calibrated(n, seed=0, n_classes=5):
    """Return labels drawn from the very probabilities that are returned."""
    rng = np.random.default_rng(seed)
    probabilities = softmax(rng.normal(size=(n, n_classes)) * 1.5)
    labels = (rng.random(n)[:, None] > probabilities.cumsum(axis=1)).sum(axis=1)
    return np.minimum(labels, n_classes - 1), probabilities


def test_ece_of_a_calibrated_model_goes_to_zero_with_n():
    errors = [expected_calibration_error(*calibrated(n)) for n in (500, 8_000, 128_000)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.004


def test_ece_is_the_gap_where_all_faces_have_one_confidence():
    sure = np.tile([0.9, 0.1], (1000, 1))
    assert expected_calibration_error(np.repeat([0, 1], [600, 400]), sure) == pytest.approx(0.3)


def test_ece_by_hand_in_two_bins():
    probabilities = np.array([[0.45, 0.35, 0.2], [0.4, 0.3, 0.3], [0.9, 0.05, 0.05], [0.8, 0.1, 0.1]])
    # Lower bin: confidences .45 and .4, one right: |.5 - .425|; upper bin: .9 and .8, both right: |1 - .85|.
    assert expected_calibration_error(np.array([0, 1, 0, 0]), probabilities, bins=2) == pytest.approx(0.1125)


def test_the_ece_that_chance_gives_is_that_of_calibrated_models():
    mean, high = ece_of_calibrated(calibrated(700)[1])
    seen = [expected_calibration_error(*calibrated(700, seed)) for seed in range(1, 60)]
    assert np.mean(seen) == pytest.approx(mean, rel=0.12)
    assert np.mean(np.array(seen) > high) < 0.2


def test_reliability_gives_counts_means_and_intervals_by_bin():
    labels, probabilities = calibrated(4000)
    r = reliability(labels, probabilities, bins=10)
    assert r["count"].sum() == 4000
    assert r["count"][0] == 0
    assert np.isnan(r["low"][0])
    used = r["count"] > 100
    assert (np.abs(r["accuracy"] - r["confidence"])[used] < 0.08).all()
    assert (r["low"][used] < r["accuracy"][used]).all()
    assert (r["accuracy"][used] < r["high"][used]).all()
    gap = np.nansum(r["count"] * np.abs(r["accuracy"] - r["confidence"])) / 4000
    assert r["ece"] == pytest.approx(gap)


@pytest.mark.parametrize("true_temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_was_planted_is_found(true_temperature):
    labels, honest = calibrated(20_000)
    skewed = apply_temperature(honest, 1 / true_temperature)
    assert fit_temperature(labels, skewed) == pytest.approx(true_temperature, rel=0.04)


def test_without_a_doubt_to_scale_the_temperature_is_one_and_right_answers_alone_drive_it_to_its_end():
    labels = np.arange(40) % 2
    assert fit_temperature(labels, np.eye(2)[labels]) == 1
    assert fit_temperature(labels, 0.2 + 0.6 * np.eye(2)[labels]) == pytest.approx(0.1, abs=1e-3)


def test_scaling_divides_logits_and_changes_no_answer():
    logits = np.random.default_rng(0).normal(size=(50, 7)) * 3
    scaled = apply_temperature(softmax(logits).astype(np.float32), 1.7)
    assert scaled == pytest.approx(softmax(logits / 1.7), abs=1e-5)
    assert (scaled.argmax(axis=1) == logits.argmax(axis=1)).all()
    assert np.isfinite(apply_temperature(np.array([[1.0, 0.0]]), 3.0)).all()


@pytest.mark.parametrize("temperature", [0, -1, float("nan")])
def test_a_temperature_that_is_none_is_refused(temperature):
    with pytest.raises(DataError, match="above zero"):
        apply_temperature(np.array([[0.5, 0.5]]), temperature)


def test_scaling_on_validation_lowers_the_test_losses_of_an_overconfident_model():
    labels, honest = calibrated(4000)
    skewed = apply_temperature(honest, 0.4)
    temperature = fit_temperature(labels[:2000], skewed[:2000])
    scaled = apply_temperature(skewed[2000:], temperature)
    for score in (log_losses, brier_scores):
        assert score(labels[2000:], scaled).mean() < score(labels[2000:], skewed[2000:]).mean()
    before, after = (expected_calibration_error(labels[2000:], p) for p in (skewed[2000:], scaled))
    assert after < before / 3


def test_losses_by_hand():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.0, 1.0, 0.0]])
    assert brier_scores(np.array([0, 0]), probabilities) == pytest.approx([0.09 + 0.04 + 0.01, 2.0])
    losses = log_losses(np.array([0, 0]), probabilities)
    assert losses[0] == pytest.approx(-np.log(0.7))
    assert np.isfinite(losses[1])
    assert losses[1] > 700


def test_undoing_label_smoothing_gives_back_what_was_smoothed():
    honest = softmax(np.random.default_rng(0).normal(size=(100, 7)))
    assert undo_label_smoothing(0.9 * honest + 0.1 / 7, 0.1) == pytest.approx(honest, abs=2e-3)
    assert undo_label_smoothing(honest, 0.0) == pytest.approx(honest)
    below = undo_label_smoothing(np.array([[0.99, 0.009, 0.001]]), 0.1)  # less than smoothing asks for
    assert below.sum() == pytest.approx(1)
    assert (below > 0).all()
