from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest

from emo_utils.datasets import from_arrays
from emo_utils.datasets.ferplus import VOTES
from emo_utils.errors import DataError
from emo_utils.pipeline import TrainingBatches, ValidationBatches, class_weights, resize_images
from emo_utils.recipe import Augmentation, Recipe

RECIPE = Recipe("batches", classes=["happy", "sad", "fear"], batch_size=16)
EVERYTHING = Augmentation(True, 10, 0.1, 0.1, 0.1, 0.1, randaugment=0.3, mixup=0.2, cutmix=1.0)
BALANCINGS = ("none", "oversample", "balanced_sampler", "class_weights", "effective_number")


@pytest.fixture
def faces():
    images = np.random.default_rng(0).integers(0, 256, (60, 48, 48), dtype=np.uint8)
    labels = np.repeat([0, 1, 2], [40, 15, 5])
    return from_arrays(images, labels, RECIPE.classes, usage=["train"] * 60)


def epoch(faces, recipe, number=0):
    """Return the parts of all batches of an epoch, each joined."""
    batches = TrainingBatches(faces, recipe)
    batches.epoch = number
    return [np.concatenate(part) for part in zip(*(batches[i] for i in range(len(batches))), strict=True)]


def test_batches_cover_each_face_once_an_epoch(faces):
    images, targets = epoch(faces, RECIPE)
    assert images.shape == (60, 48, 48, 1)
    assert images.dtype == np.uint8
    assert targets.dtype == np.float32
    assert sorted(i.tobytes() for i in images) == sorted(i.tobytes() for i in faces.images)
    assert targets.sum(axis=0).tolist() == [40, 15, 5]


@pytest.mark.parametrize("balancing", BALANCINGS)
def test_batches_depend_on_seed_epoch_and_index_alone(faces, balancing):
    recipe = RECIPE.but(balancing=balancing, augmentation=EVERYTHING, input_size=64)
    once, again, later = epoch(faces, recipe, 4), epoch(faces, recipe, 4), epoch(faces, recipe, 5)
    other = epoch(faces, recipe.but(seed=1), 4)
    for a, b in zip(once, again, strict=True):
        assert (a == b).all()
    assert (once[0] != later[0]).any()
    assert (once[0] != other[0]).any()
    # A batch asked for out of turn, as a resumed or prefetching loop may, is the one of its turn.
    batches = TrainingBatches(faces, recipe)
    batches.epoch = 4
    assert (batches[2][0] == once[0][32:48]).all()


@pytest.mark.parametrize("balancing", BALANCINGS)
def test_shapes_and_dtypes_with_everything_on(faces, balancing):
    recipe = RECIPE.but(balancing=balancing, augmentation=EVERYTHING, input_size=64)
    images, targets, *weights = epoch(faces, recipe)
    n = 120 if balancing == "oversample" else 60
    assert images.shape == (n, 64, 64, 1)
    assert images.dtype == np.uint8
    assert targets.shape == (n, 3)
    assert targets.dtype == np.float32
    assert targets.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert len(weights) == (balancing in ("class_weights", "effective_number"))
    assert all(w.shape == (n,) and w.dtype == np.float32 for w in weights)


def test_weights_of_blended_targets_are_blended(faces):
    recipe = RECIPE.but(balancing="class_weights", augmentation=Augmentation(mixup=1.0))
    _, targets, weights = epoch(faces, recipe)
    assert (targets.max(axis=1) < 0.9).any()
    assert weights == pytest.approx(targets @ class_weights(faces, recipe), rel=1e-5)


def test_balancing_shows_in_the_targets(faces):
    assert epoch(faces, RECIPE.but(balancing="oversample"))[1].sum(axis=0).tolist() == [40, 40, 40]
    drawn = epoch(faces, RECIPE.but(balancing="balanced_sampler"))[1].sum(axis=0)
    assert drawn.sum() == 60
    assert (drawn > 10).all()


def test_fit_takes_weighted_and_mixed_batches(faces):
    recipe = RECIPE.but(balancing="effective_number", augmentation=EVERYTHING)
    model = keras.Sequential([keras.Input((48, 48, 1)), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")])
    model.compile("sgd", "categorical_crossentropy")
    history = model.fit(TrainingBatches(faces, recipe), epochs=2, verbose=0, shuffle=False).history
    assert np.isfinite(history["loss"]).all()


def test_raters_have_their_share_in_the_targets(faces):
    votes = np.zeros((len(faces), 10), int)
    votes[:, VOTES.index("happiness")] = 10
    rated = replace(faces, votes=votes)
    recipe = Recipe("r", data="fer2013", classes=faces.class_names, votes=0.5)
    _, targets = TrainingBatches(rated, recipe)[0]
    assert (targets[:, faces.class_names.index("happy")] >= 0.5).all()
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
    with pytest.raises(DataError, match="has no votes"):
        TrainingBatches(faces, recipe)


def test_no_training_faces_is_named(faces):
    with pytest.raises(DataError, match="no training images"):
        TrainingBatches(faces.part("val"), RECIPE)


def test_validation_batches_are_the_faces_in_order_at_the_model_s_size(faces):
    batches = ValidationBatches(faces, RECIPE.but(input_size=64), batch_size=25)
    images, targets = (np.concatenate(p) for p in zip(*(batches[i] for i in range(len(batches))), strict=True))
    assert [len(batches[i][0]) for i in range(len(batches))] == [25, 25, 10]
    assert (images.dtype, images.shape) == (np.uint8, (60, 64, 64, 1))
    assert (images[..., 0] == resize_images(faces.images, 64)).all()
    assert (targets == faces.one_hot()).all()
