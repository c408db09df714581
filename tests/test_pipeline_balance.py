from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare

from emo_utils.datasets import from_arrays
from emo_utils.errors import DataError
from emo_utils.pipeline import (
    class_weights,
    compute_class_weights_effective,
    oversample_minority_classes,
    sample_balanced,
)
from emo_utils.recipe import Recipe

LABELS = np.repeat([0, 1, 2], [400, 150, 50])
RECIPE = Recipe("balance", classes=["happy", "sad", "fear"])


def rng(seed=0):
    return np.random.default_rng(seed)


def faces(labels=LABELS):
    return from_arrays(np.zeros((len(labels), 8, 8), np.uint8), labels, RECIPE.classes, usage=["train"] * len(labels))


def test_oversampling_levels_the_classes_and_keeps_every_face():
    index = oversample_minority_classes(LABELS, rng())
    assert (np.bincount(LABELS[index]) == 400).all()
    assert set(index) == set(range(600))


def test_oversampling_skips_classes_without_faces():
    index = oversample_minority_classes(np.array([0, 0, 0, 2]), rng())
    assert np.bincount(np.array([0, 0, 0, 2])[index]).tolist() == [3, 0, 3]


def test_balanced_sampler_draws_classes_and_faces_of_a_class_uniformly():
    draws = [sample_balanced(LABELS, rng(seed)) for seed in range(20)]
    assert all(len(order) == len(LABELS) for order in draws)
    drawn = np.concatenate(draws)
    assert chisquare(np.bincount(LABELS[drawn])).pvalue > 0.01
    for times in np.split(np.bincount(drawn, minlength=600), [400, 550]):
        assert chisquare(times).pvalue > 0.01


def test_balanced_sampler_mixes_the_order_and_skips_classes_without_faces():
    labels = np.repeat([0, 2], [90, 10])
    drawn = labels[sample_balanced(labels, rng())]
    assert set(drawn) == {0, 2}
    assert 30 < np.count_nonzero(np.diff(drawn)) < 70


def test_effective_number_weights_follow_the_paper():
    # E_n = (1 - beta^n) / (1 - beta) faces are worth counting: 1, 1.9 and 2.71 of 1, 2 and 3 faces at beta .9.
    weights = compute_class_weights_effective(np.repeat([0, 1, 2], [1, 2, 3]), 3, 0.9)
    by_hand = np.array([1 / 1, 1 / 1.9, 1 / 2.71])
    assert weights == pytest.approx(3 * by_hand / by_hand.sum())
    assert weights.sum() == pytest.approx(3)


def test_effective_number_weights_lie_between_uniform_and_inverse_frequency():
    assert compute_class_weights_effective(LABELS, 3, 0) == pytest.approx(np.ones(3))
    inverse = 1 / np.bincount(LABELS)
    near_one = compute_class_weights_effective(LABELS, 3, 0.999999)
    assert near_one == pytest.approx(3 * inverse / inverse.sum(), rel=1e-3)
    rare = [compute_class_weights_effective(LABELS, 3, beta)[2] for beta in (0, 0.9, 0.99, 0.999, 0.999999)]
    assert rare == sorted(rare)


def test_class_weights_make_every_class_count_alike():
    weights = class_weights(faces(), RECIPE.but(balancing="class_weights"))
    assert weights * np.bincount(LABELS) == pytest.approx([200, 200, 200])


def test_weights_by_recipe():
    effective = class_weights(faces(), RECIPE.but(balancing="effective_number", effective_beta=0.99))
    assert effective == pytest.approx(compute_class_weights_effective(LABELS, 3, 0.99))
    for balancing in ("none", "oversample", "balanced_sampler"):
        assert class_weights(faces(), RECIPE.but(balancing=balancing)) is None


@pytest.mark.parametrize("balancing", ["class_weights", "effective_number"])
def test_a_class_without_faces_is_named(balancing):
    with pytest.raises(DataError, match=f"has no training images of: sad, which balancing '{balancing}' cannot"):
        class_weights(faces(LABELS[LABELS != 1]), RECIPE.but(balancing=balancing))
    with pytest.raises(DataError, match="No faces with label 1"):
        compute_class_weights_effective(np.array([0, 2]), 3, 0.9)
