from __future__ import annotations

import cv2
import numpy as np
import pytest

from emo_utils.pipeline import augment_images, resize_images
from emo_utils.recipe import Augmentation


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture
def images():
    return rng().integers(0, 256, (60, 48, 48), dtype=np.uint8)


def test_no_augmentation_is_the_identity(images):
    assert (augment_images(images, Augmentation(), rng()) == images).all()


def test_no_augmentation_to_another_size_is_plain_resizing(images):
    out = augment_images(images, Augmentation(), rng(), 96)
    assert out.shape == (60, 96, 96)
    assert (out == resize_images(images, 96)).all()


def test_flip_mirrors_about_half_of_the_images(images):
    images = np.tile(images, (10, 1, 1))
    out = augment_images(images, Augmentation(flip=True), rng())
    mirrored = (out == images[:, :, ::-1]).all(axis=(1, 2))
    same = (out == images).all(axis=(1, 2))
    assert (mirrored | same).all()
    assert 0.4 < mirrored.mean() < 0.6


def test_shift_moves_by_at_most_its_share():
    spot = np.zeros((200, 48, 48), np.uint8)
    spot[:, 23:25, 23:25] = 255
    out = augment_images(spot, Augmentation(shift=0.25), rng()).astype(float)
    total = out.sum(axis=(1, 2))
    x = (out.sum(axis=1) * np.arange(48)).sum(axis=1) / total - 23.5
    assert np.abs(x).max() <= 12.3
    assert np.abs(x).max() > 10


def test_rotation_keeps_the_centre_and_turns_by_at_most_its_angle():
    bar = np.zeros((200, 49, 49), np.uint8)
    bar[:, 24, 25:45] = 255
    out = augment_images(bar, Augmentation(rotation=30), rng()).astype(float)
    rows, columns = np.mgrid[:49, :49] - 24
    angle = np.degrees(np.arctan2((out * rows).sum(axis=(1, 2)), (out * columns).sum(axis=(1, 2))))
    assert 25 < np.abs(angle).max() <= 31


def test_zoom_changes_size_by_at_most_its_share():
    square = np.zeros((200, 49, 49), np.uint8)
    square[:, 15:34, 15:34] = 255
    area = augment_images(square, Augmentation(zoom=0.2), rng()).astype(float).sum(axis=(1, 2)) / (255 * 19 * 19)
    assert 0.6 < area.min() < 0.75
    assert 1.3 < area.max() < 1.5


def test_upscaling_with_augmentation_matches_resizing_where_the_draw_is_tiny(images):
    smooth = np.stack([cv2.GaussianBlur(image, (0, 0), 2) for image in images])
    out = augment_images(smooth, Augmentation(shift=1e-6), rng(), 96).astype(int)
    assert np.abs(out - resize_images(smooth, 96)).max() <= 3


def test_brightness_and_contrast_stay_in_range_and_keep_shape(images):
    grey = np.full((300, 8, 8), 128, np.uint8)
    out = augment_images(grey, Augmentation(brightness=0.2), rng()).astype(int)
    assert 70 <= out.min() < 85
    assert 170 < out.max() <= 180
    assert (out == out[:, :1, :1]).all()
    contrast = augment_images(images, Augmentation(contrast=0.5), rng()).std(axis=(1, 2))
    assert contrast.min() < 0.7 * images.std() < 1.1 * images.std() < contrast.max()


def test_same_state_same_variants(images):
    everything = Augmentation(True, 15, 0.2, 0.2, 0.2, 0.2)
    a, b = (augment_images(images, everything, rng(3), 64) for _ in range(2))
    assert (a == b).all()
