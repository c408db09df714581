from __future__ import annotations

import pickle
from dataclasses import replace

import keras
import numpy as np
import pytest
from datasets_helpers import class_files, encoded, face, write_files

from emo_utils.datasets import cache, clean, load_dataset, quality_report, rows, split_dataset
from emo_utils.datasets.rows import ImageRows, ImageStack, in_chunks
from emo_utils.errors import DataError
from emo_utils.evaluation import evaluate_model
from emo_utils.pipeline import TrainingBatches
from emo_utils.recipe import Augmentation, Recipe

RECIPE = Recipe(name="rows", classes=("happy", "angry"), augmentation=Augmentation(flip=True, shift=0.1), batch_size=7)


def take_all_for_large(monkeypatch):
    """Take every data set for one too large for memory, and work on three images at a time."""
    monkeypatch.setattr(rows, "IN_MEMORY", 0)
    monkeypatch.setattr(rows, "_CHUNK", 3 * 48**2)


@pytest.fixture
def in_files(monkeypatch):
    take_all_for_large(monkeypatch)


@pytest.fixture
def folder(tmp_path):
    """Return a folder of 40 faces, one of them blank and two of them copies, and a file that is no image."""
    files = class_files(20) | {"angry/3.png": encoded(face(2)), "happy/4.png": encoded(face(1005))}
    return write_files(tmp_path / "set", files | {"happy/5.png": encoded(np.zeros_like(face(0))), "happy/x.png": b"x"})


@pytest.fixture
def pair(folder, monkeypatch):
    """Return the same faces held in memory and mapped from a file."""
    held = load_dataset(folder)
    take_all_for_large(monkeypatch)
    return held, load_dataset(folder)


def prepared(ds):
    return clean(split_dataset(ds, val_fraction=0.2, test_fraction=0.2)).select(RECIPE.classes)


def test_small_data_is_held_and_large_data_mapped_at_every_load(folder, in_files, monkeypatch):
    first, second = load_dataset(folder), load_dataset(folder)
    assert isinstance(first.images, np.memmap)
    assert first.images.filename == second.images.filename == str(next((folder.parent / cache.FOLDER).iterdir()))
    monkeypatch.setattr(rows, "IN_MEMORY", first.images.nbytes * 2)
    assert type(load_dataset(folder).images) is np.ndarray


def test_both_give_the_same_faces_parts_and_reports(pair):
    held, mapped = pair
    assert held.fingerprint() == mapped.fingerprint()
    assert held.skipped == mapped.skipped
    assert quality_report(held).to_text() == quality_report(mapped).to_text()
    a, b = prepared(held), prepared(mapped)
    assert a.fingerprint() == b.fingerprint()
    assert a.removed == b.removed
    assert len(a.removed) > 0
    assert isinstance(b.images, ImageRows)


def test_both_give_the_same_batches_and_evaluation(pair):
    a, b = map(prepared, pair)
    batches = [TrainingBatches(ds.part("train"), RECIPE) for ds in (a, b)]
    for i in range(len(batches[0])):
        for left, right in zip(batches[0][i], batches[1][i], strict=True):
            np.testing.assert_array_equal(left, right)
    inputs = keras.Input((48, 48, 1))
    model = keras.Model(inputs, keras.layers.Dense(2, "softmax")(keras.layers.Flatten()(inputs / 255)))
    evaluations = [evaluate_model(model, ds.part("test"), batch_size=2) for ds in (a, b)]
    np.testing.assert_array_equal(evaluations[0].probabilities, evaluations[1].probabilities)


def test_taking_faces_copies_no_pixels(pair):
    mapped = pair[1]
    taken = mapped.select(["happy"]).take(slice(2, 12)).take([0, 5, 5]).take(np.array([True, False, True]))
    assert np.shares_memory(taken.images._base, mapped.images)
    np.testing.assert_array_equal(taken.images, pair[0].select(["happy"]).images[[2, 7]])


def test_rows_index_like_an_array(pair):
    array = pair[0].images[[5, 3, 3, 8]]
    images = pair[1].take([5, 3, 3, 8]).images
    assert (images.shape, images.ndim, images.dtype, len(images)) == (array.shape, array.ndim, array.dtype, len(array))
    mask = np.array([True, False, False, True])
    for index in (0, -1, slice(1, 3), [2, 0], mask, (slice(None), slice(4, 9)), (..., None), (1, 2, 3)):
        np.testing.assert_array_equal(images[index], array[index])
    np.testing.assert_array_equal(list(images), array)
    np.testing.assert_array_equal(np.concatenate(list(in_chunks(images))), array)
    assert images.__array__(np.float32).dtype == np.float32
    with pytest.raises(IndexError):
        images[4]


def test_pickle_and_replace_keep_the_faces(pair):
    for ds in (pair[1], pair[1].part("")):
        for other in (pickle.loads(pickle.dumps(ds)), replace(ds, name="other")):
            assert other.fingerprint() == ds.fingerprint()
    assert len(pickle.dumps(pair[1].take([0]))) < 2 * 48**2 + 2000  # only its own pixels


def test_compressed_cache_is_rebuilt(folder, in_files):
    good = load_dataset(folder).fingerprint()
    place = next((folder.parent / cache.FOLDER).iterdir())
    with np.load(place) as file:
        np.savez_compressed(place, **file)
    again = load_dataset(folder)
    assert again.fingerprint() == good
    assert isinstance(again.images, np.memmap)


def test_flipped_pixel_of_a_mapped_cache_is_noticed(folder, in_files):
    ds = load_dataset(folder)
    good, place, offset = ds.fingerprint(), ds.images.filename, ds.images.offset
    with open(place, "r+b") as file:
        file.seek(offset + 100)
        byte = file.read(1)[0]
        file.seek(offset + 100)
        file.write(bytes([byte ^ 1]))
    assert load_dataset(folder).fingerprint() == good


def test_without_a_cache_the_faces_stay_in_the_temporary_file(folder, in_files, monkeypatch):
    monkeypatch.setattr(cache, "_write", lambda *_: False)
    ds = load_dataset(folder)
    assert isinstance(ds.images, np.memmap)
    assert ds.part("").fingerprint() == ds.fingerprint()


def test_without_room_for_a_temporary_file_the_faces_are_held(in_files, monkeypatch):
    monkeypatch.setattr(rows.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    stack = ImageStack(2, 48)
    stack.append(face(1)[None])
    assert type(stack.finish()) is np.ndarray
    np.testing.assert_array_equal(stack.finish(), face(1)[None])


def test_disk_that_fills_up_is_said_in_one_line(in_files):
    class Full:
        def write(self, _):
            raise OSError(28, "No space left on device")

    stack = ImageStack(2, 48)
    stack._file = Full()
    with pytest.raises(DataError, match=r"no room for the decoded images .*TMPDIR"):
        stack.append(face(1)[None])


def test_stack_of_nothing_is_empty(in_files):
    assert ImageStack(5, 48).finish().shape == (0, 48, 48)
