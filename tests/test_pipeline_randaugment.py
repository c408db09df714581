from __future__ import annotations

import cv2
import numpy as np
import pytest

from emo_utils.pipeline import augment_images, rand_augment
from emo_utils.pipeline.randaugment import _OPERATIONS
from emo_utils.recipe import Augmentation

NOISE = np.random.default_rng(0).integers(0, 256, (300, 24, 20), dtype=np.uint8)
SMOOTH = np.stack([cv2.GaussianBlur(image, (0, 0), 2) for image in NOISE])


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("operation", _OPERATIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("m", [-1.0, -0.3, 0.3, 1.0])
def test_each_operation_keeps_shape_dtype_and_its_argument(operation, m):
    image = SMOOTH[0].copy()
    out = operation(image, m)
    assert out.shape == image.shape
    assert out.dtype == np.uint8
    assert (image == SMOOTH[0]).all()


def operation(name):
    return next(f for f in _OPERATIONS if f.__name__ == name)


def test_strength_0_changes_nothing_but_where_there_is_no_strength():
    changed = {f.__name__ for f in _OPERATIONS if (f(SMOOTH[0], 0.0) != SMOOTH[0]).any()}
    assert changed == {"_auto_contrast", "_equalize"}


def test_operations_do_what_they_are_called():
    ramp = np.tile(np.arange(0, 256, 8, dtype=np.uint8), (32, 1))
    assert operation("_auto_contrast")(ramp // 2 + 50, 1).min() == 0
    assert operation("_auto_contrast")(ramp // 2 + 50, 1).max() == 255
    assert np.unique(operation("_posterize")(ramp, 1.0)).tolist() == list(range(0, 256, 16))
    assert (operation("_solarize")(ramp, 0.5) == np.where(ramp >= 128, 255 - ramp, ramp)).all()
    assert (operation("_brightness")(ramp, -0.5) == np.rint(ramp * 0.55)).all()
    assert operation("_contrast")(ramp, 0.5).std() > 1.2 * ramp.std()
    assert operation("_contrast")(ramp, -1.0).std() < 0.2 * ramp.std()
    moved = operation("_shift_x")(ramp, 1.0)  # .45 * 32 px = 14.4 px to the right
    assert moved[0, 31] == pytest.approx(ramp[0, 16] + 5, abs=2)
    assert moved[0, 0] == 0
    bar = np.zeros((33, 33), np.uint8)
    bar[16, 20:30] = 255
    rows, columns = np.mgrid[:33, :33] - 16
    turned = operation("_rotate")(bar, 1.0).astype(float)
    angle = np.degrees(np.arctan2((turned * rows).sum(), (turned * columns).sum()))
    assert abs(angle) == pytest.approx(30, abs=2)


def test_two_operations_are_drawn_for_each_image_by_the_generator_alone():
    same = np.repeat(SMOOTH[:1], 300, axis=0)
    out = rand_augment(same, 0.5, rng())
    assert (out == rand_augment(same, 0.5, rng())).all()
    kinds = {image.tobytes() for image in out}
    assert len(kinds) > 100
    # Both draws are "leave it" once in 13 * 13; solarising a darker image than its threshold changes nothing either.
    assert 1 <= sum(image.tobytes() == same[0].tobytes() for image in out) < 30


def test_augment_images_applies_it():
    out = augment_images(SMOOTH, Augmentation(randaugment=0.5), rng(), 20)
    assert out.shape == (300, 20, 20)
    plain = augment_images(SMOOTH, Augmentation(), rng(), 20)
    assert 0.8 < (out != plain).any(axis=(1, 2)).mean() < 1
