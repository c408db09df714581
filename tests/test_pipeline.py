from __future__ import annotations

import cv2
import numpy as np
import pytest

from emo_utils.datasets import from_arrays, load_dataset
from emo_utils.errors import DataError
from emo_utils.pipeline import augment_images, resize_images, write_augmented_set
from emo_utils.recipe import Augmentation


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture
def faces():
    images = rng().integers(0, 256, (60, 48, 48), dtype=np.uint8)
    labels = np.repeat([0, 1, 2], [40, 15, 5])
    return from_arrays(images, labels, ["happy", "sad", "fear"], usage=["train"] * 50 + ["test"] * 10)


def test_no_augmentation_is_the_identity(faces):
    assert (augment_images(faces.images, Augmentation(), rng()) == faces.images).all()


def test_no_augmentation_to_another_size_is_plain_resizing(faces):
    out = augment_images(faces.images, Augmentation(), rng(), 96)
    assert out.shape == (60, 96, 96)
    assert (out == resize_images(faces.images, 96)).all()


def test_flip_mirrors_about_half_of_the_images(faces):
    images = np.tile(faces.images, (10, 1, 1))
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


def test_upscaling_with_augmentation_matches_resizing_where_the_draw_is_tiny(faces):
    smooth = np.stack([cv2.GaussianBlur(image, (0, 0), 2) for image in faces.images])
    out = augment_images(smooth, Augmentation(shift=1e-6), rng(), 96).astype(int)
    assert np.abs(out - resize_images(smooth, 96)).max() <= 3


def test_brightness_and_contrast_stay_in_range_and_keep_shape(faces):
    grey = np.full((300, 8, 8), 128, np.uint8)
    out = augment_images(grey, Augmentation(brightness=0.2), rng()).astype(int)
    assert 70 <= out.min() < 85
    assert 170 < out.max() <= 180
    assert (out == out[:, :1, :1]).all()
    contrast = augment_images(faces.images, Augmentation(contrast=0.5), rng()).std(axis=(1, 2))
    assert contrast.min() < 0.7 * faces.images.std() < 1.1 * faces.images.std() < contrast.max()


def test_same_state_same_variants(faces):
    everything = Augmentation(True, 15, 0.2, 0.2, 0.2, 0.2)
    a, b = (augment_images(faces.images, everything, rng(3), 64) for _ in range(2))
    assert (a == b).all()


def test_augmented_set_holds_training_faces_only_and_loads_again(faces, tmp_path):
    folder = write_augmented_set(faces, tmp_path / "set", Augmentation(flip=True, rotation=10), copies=2)
    again = load_dataset(folder)
    assert {k: n for k, n in again.counts().items() if n} == {"happy": 80, "sad": 20}
    assert not (tmp_path / "set.partial").exists()


def test_augmented_faces_of_one_file_name_stay_apart(faces, tmp_path):
    ids = ["happy/ann/1.png", "happy/bob/1.png", "happy/Bob/1.png", "happy/bob-1.png"]
    four = from_arrays(faces.images[:4], [0] * 4, ["happy", "sad"], ids=ids, usage=["train"] * 4)
    folder = write_augmented_set(four, tmp_path / "ä set", Augmentation())
    names = sorted(path.name for path in (folder / "happy").iterdir())
    assert names == [
        "happy-Bob-1-png-_0.png",
        "happy-ann-1-png_0.png",
        "happy-bob-1-png--_0.png",
        "happy-bob-1-png_0.png",
    ]
    written = {image.tobytes() for image in load_dataset(folder).images}
    assert written == {image.tobytes() for image in four.images}


def test_augmented_set_starts_anew_after_a_broken_run(faces, tmp_path):
    (tmp_path / "set.partial" / "happy").mkdir(parents=True)
    (tmp_path / "set.partial" / "happy" / "old_0.png").write_bytes(b"half")
    folder = write_augmented_set(faces, tmp_path / "set", Augmentation())
    assert not list(folder.rglob("old_0.png"))


def test_augmented_set_where_nothing_can_be_written_is_one_clear_line(faces, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"set cannot be written \(.+\)"):
        write_augmented_set(faces, tmp_path / "file" / "set", Augmentation())


def test_augmented_set_never_overwrites_and_needs_a_split(faces, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "mine.txt").write_text("keep")
    with pytest.raises(DataError, match="not empty"):
        write_augmented_set(faces, tmp_path / "set", Augmentation())
    unsplit = from_arrays(faces.images, faces.labels, faces.class_names)
    with pytest.raises(DataError, match="split_dataset"):
        write_augmented_set(unsplit, tmp_path / "other", Augmentation())
