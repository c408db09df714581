from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emo_utils.datasets import from_arrays, load_dataset, rows
from emo_utils.datasets.rows import ImageRows
from emo_utils.errors import DataError
from emo_utils.pipeline import write_augmented_set
from emo_utils.recipe import Augmentation


@pytest.fixture
def faces():
    images = np.random.default_rng(0).integers(0, 256, (60, 48, 48), dtype=np.uint8)
    labels = np.repeat([0, 1, 2], [40, 15, 5])
    return from_arrays(images, labels, ["happy", "sad", "fear"], usage=["train"] * 50 + ["test"] * 10)


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


def test_a_set_on_disk_is_read_a_part_at_a_time_and_gives_the_same_files(faces, tmp_path, monkeypatch):
    everything = Augmentation(True, 10, 0.1, 0.1, 0.1, 0.1, randaugment=0.3)
    monkeypatch.setattr(rows, "_CHUNK", 7 * 48**2)
    in_memory = write_augmented_set(faces, tmp_path / "memory", everything)
    np.save(tmp_path / "images.npy", faces.images)
    mapped = replace(faces, images=ImageRows(np.load(tmp_path / "images.npy", mmap_mode="r"), np.arange(60)))
    on_disk = write_augmented_set(mapped, tmp_path / "disk", everything)
    files = sorted(path.relative_to(in_memory) for path in in_memory.rglob("*.png"))
    assert len(files) == 50
    assert all((in_memory / file).read_bytes() == (on_disk / file).read_bytes() for file in files)
