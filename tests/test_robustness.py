"""Robustness of models whose answers are known: mean corruption error, mirror images, samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emo_utils.datasets import from_arrays
from emo_utils.errors import DataError
from emo_utils.evaluation import robustness as module
from emo_utils.evaluation.corruptions import CORRUPTIONS
from emo_utils.evaluation.robustness import Robustness, mean_corruption_error, measure_robustness, mirror_invariance


def by_grey(images: np.ndarray) -> np.ndarray:
    """Say "happy" of light images and "sad" of dark ones."""
    light = images.mean(axis=(1, 2)) >= 128
    return np.stack([light, ~light], axis=1).astype(np.float32)


@pytest.fixture
def greys():
    """Return 60 plain images, 20 light ones and 40 dark ones, that `by_grey` gets right."""
    images = np.empty((60, 48, 48), np.uint8)
    images[:20], images[20:] = 180, 70
    return from_arrays(images, [0] * 20 + [1] * 40, ("happy", "sad"))


def test_accuracy_by_severity_is_that_of_a_model_we_know(greys):
    frame = measure_robustness(by_grey, greys, progress=False).to_frame().set_index(["corruption", "severity"])
    assert len(frame) == 1 + 5 * len(CORRUPTIONS)
    assert frame.loc[("clean", 0), "accuracy"] == 1
    darker = frame.xs("darker")["accuracy"].round(3).tolist()
    assert darker == [1, 1, 0.667, 0.667, 0.667]  # 180 - 51 is still light, 180 - 77 is not
    brighter = frame.xs("brighter")["accuracy"].round(3).tolist()
    assert brighter == [1, 1, 0.333, 0.333, 0.333]
    assert (frame.xs("blur")["accuracy"] == 1).all()
    assert ((frame["low"] <= frame["accuracy"]) & (frame["accuracy"] <= frame["high"])).all()


def test_a_sample_keeps_the_classes_and_chunks_change_nothing(greys, monkeypatch):
    few = measure_robustness(by_grey, greys, limit=12, seed=3, progress=False)
    assert len(few.clean) == 12
    light = np.isin(few.ids, greys.ids[:20]).sum()
    assert light == 4
    assert few.ids.tolist() == measure_robustness(by_grey, greys, limit=12, seed=3, progress=False).ids.tolist()
    assert few.ids.tolist() != measure_robustness(by_grey, greys, limit=12, seed=4, progress=False).ids.tolist()
    whole = measure_robustness(by_grey, greys, progress=False)
    monkeypatch.setattr(module, "_CHUNK", 59)  # must not leave a chunk of one face
    parts = measure_robustness(by_grey, greys, progress=False)
    np.testing.assert_array_equal(whole.ids, parts.ids)
    np.testing.assert_array_equal(whole.corrupted["darker"], parts.corrupted["darker"])


def run(clean: list[int], copies: int = 20, **corrupted: list[int]) -> Robustness:
    """Return results of 10 kinds of faces from numbers of errors: on clean faces, and by severity under corruptions."""

    def right(errors: int) -> np.ndarray:
        return np.repeat(np.arange(10) >= errors, copies)

    rows = {name: np.stack([right(e) for e in errors]) for name, errors in corrupted.items()}
    return Robustness(np.array([f"face-{i}" for i in range(10 * copies)]), None, right(clean[0]), rows)


def test_mean_corruption_error_by_hand():
    base = run([2], blur=[2, 4, 6, 8, 10], noise=[4, 4, 4, 4, 4])  # 30 and 20 errors; it loses 20 and 10
    model = run([1], blur=[1, 2, 3, 4, 5], noise=[5, 5, 5, 5, 5])  # 15 and 25 errors; it loses 10 and 20
    error = mean_corruption_error(model, base)
    assert error.by_corruption["blur"] == {"error": 0.5, "relative": 0.5}
    assert error.by_corruption["noise"] == {"error": 1.25, "relative": 2.0}
    assert (error.mce, error.relative) == (0.875, 1.25)
    assert error.mce_low < 0.875 < error.mce_high


def test_the_baseline_itself_has_error_one_and_no_doubt():
    base = run([2], blur=[2, 4, 6, 8, 10], noise=[4, 4, 4, 4, 4])
    error = mean_corruption_error(base, base)
    assert (error.mce, error.mce_low, error.mce_high) == (1, 1, 1)
    assert (error.relative, error.relative_low, error.relative_high) == (1, 1, 1)


def test_what_cannot_be_divided_is_said():
    model = run([1], blur=[1, 2, 3, 4, 5])
    unhurt = mean_corruption_error(model, run([2], blur=[2, 2, 2, 2, 2]))
    assert unhurt.mce == 1.5
    assert np.isnan([unhurt.relative, unhurt.relative_low, unhurt.relative_high]).all()
    # One face of ten makes all of the loss: where a draw leaves it out, there is nothing to divide by.
    hardly = mean_corruption_error(run([1], 1, blur=[1, 2, 3, 4, 5]), run([2], 1, blur=[2, 2, 2, 2, 3]))
    assert np.isnan([hardly.relative, hardly.relative_low]).all()
    with pytest.raises(DataError, match="baseline makes no error under: blur"):
        mean_corruption_error(model, run([0], blur=[0] * 5))
    with pytest.raises(DataError, match="different faces"):
        mean_corruption_error(model, replace(model, ids=model.ids[::-1]))


def test_a_model_of_other_classes_and_broken_answers_are_refused(greys):
    with pytest.raises(DataError, match=r"gives 2 probabilities a face, and the data has 3 classes"):
        measure_robustness(by_grey, replace(greys, class_names=("happy", "sad", "fear")), progress=False)
    with pytest.raises(DataError, match="NaN"):
        measure_robustness(lambda images: by_grey(images) * np.nan, greys, progress=False)
    with pytest.raises(DataError, match="sum to one"):
        mirror_invariance(lambda images: by_grey(images) * 3, greys.images)
    with pytest.raises(DataError, match="no faces"):
        measure_robustness(by_grey, greys.take(slice(0)), progress=False)


def test_mirror_images_of_what_is_and_is_not_symmetric():
    def left_side(images):
        return by_grey(images[:, :, :24])

    half = np.zeros((10, 48, 48), np.uint8)
    half[:4, :, :24] = 255  # four with a light left side and a dark right one, six dark all over
    figures = mirror_invariance(left_side, half)
    assert (figures["agreement"], figures["distance"], figures["n"]) == (0.6, 0.4, 10)
    assert figures["agreement_low"] < 0.6 < figures["agreement_high"]
    assert figures["distance_low"] < 0.4 < figures["distance_high"]
    same = mirror_invariance(by_grey, half, groups=np.repeat(["a", "b"], 5))
    assert (same["agreement"], same["agreement_low"], same["distance_high"]) == (1, 1, 0)
