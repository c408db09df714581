from __future__ import annotations

import keras
import numpy as np
import pytest

from emo_utils.recipe import Recipe
from emo_utils.training.losses import make_loss

RECIPE = Recipe("loss")
FOCAL = RECIPE.but(loss="focal")
TARGETS = np.array([[1, 0, 0], [0, 1, 0], [0.3, 0, 0.7]], np.float32)
PROBABILITIES = np.array([[0.9, 0.05, 0.05], [0.5, 0.25, 0.25], [0.2, 0.2, 0.6]], np.float32)


def loss_of(recipe, targets=TARGETS, probabilities=PROBABILITIES, weights=None):
    return float(make_loss(recipe)(targets, probabilities, sample_weight=weights))


def test_cross_entropy_by_hand():
    by_hand = -np.mean([np.log(0.9), np.log(0.25), 0.3 * np.log(0.2) + 0.7 * np.log(0.6)])
    assert loss_of(RECIPE) == pytest.approx(by_hand, rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_focal_loss_at_gamma_0_and_alpha_1_is_cross_entropy(smoothing):
    focal = FOCAL.but(focal_gamma=0, focal_alpha=1, label_smoothing=smoothing)
    assert loss_of(focal) == pytest.approx(loss_of(RECIPE.but(label_smoothing=smoothing)), rel=1e-5)


def test_focal_loss_by_hand():
    # alpha (1 - p)^gamma (-log p): .25 * .1^2 * .10536 for the easy face, .25 * .75^2 * 1.38629 for the hard one.
    assert loss_of(FOCAL, TARGETS[:1], PROBABILITIES[:1]) == pytest.approx(0.25 * 0.01 * 0.105361, rel=1e-4)
    assert loss_of(FOCAL, TARGETS[1:2], PROBABILITIES[1:2]) == pytest.approx(0.25 * 0.5625 * 1.386294, rel=1e-4)


@pytest.mark.parametrize("kind", ["cross_entropy", "focal"])
def test_label_smoothing_moves_its_share_to_all_classes(kind):
    smoothed = loss_of(RECIPE.but(loss=kind, label_smoothing=0.3))
    assert smoothed == pytest.approx(loss_of(RECIPE.but(loss=kind), 0.7 * TARGETS + np.float32(0.1)), rel=1e-5)


@pytest.mark.parametrize("kind", ["cross_entropy", "focal"])
def test_sample_weights_multiply_and_the_batch_size_divides(kind):
    recipe = RECIPE.but(loss=kind)
    one_by_one = [loss_of(recipe, TARGETS[i : i + 1], PROBABILITIES[i : i + 1]) for i in range(3)]
    weights = np.array([3, 0, 0.5], np.float32)
    assert loss_of(recipe, weights=weights) == pytest.approx(np.dot(weights, one_by_one) / 3, rel=1e-5)


@pytest.mark.parametrize("kind", ["cross_entropy", "focal"])
@pytest.mark.parametrize("gamma", [0, 0.5, 2])
def test_a_training_step_stays_finite_where_the_model_is_sure(kind, gamma):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, "softmax")])
    model.set_weights([np.array([[80, 0, -80], [0, 80, -80]], np.float32), np.zeros(3, np.float32)])
    model.compile("sgd", make_loss(RECIPE.but(loss=kind, focal_gamma=gamma)))
    inputs = np.array([[1, 0], [0, 1], [1, 0]], np.float32)  # surely right, surely wrong, wrong with a blend
    targets = np.array([[1, 0, 0], [0, 0, 1], [0, 0.5, 0.5]], np.float32)
    assert np.isfinite(model.train_on_batch(inputs, targets))
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
