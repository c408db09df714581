from __future__ import annotations

import cv2
import numpy as np
import pytest
from datasets_helpers import face

from emo_utils.datasets import duplicates, from_arrays, quality_report
from emo_utils.datasets.duplicates import blank_images, duplicate_groups, near_duplicates, sets_of_equal
from emo_utils.faces import make_faces


@pytest.fixture(scope="module")
def scenes():
    """Embedded faces in sequences of three nearly identical frames: known near duplicates."""
    return make_faces(90, frames=3, people=15, seed=3)


def test_duplicate_groups_number_distinct_images():
    images = np.stack([face(0), face(1), face(0), face(2), face(1)])
    assert duplicate_groups(images).tolist() == [0, 1, 0, 2, 1]
    assert [s.tolist() for s in sets_of_equal(duplicate_groups(images))] == [[0, 2], [1, 4]]


def test_one_grey_level_of_difference_is_no_exact_copy():
    other = face(0)
    other[5, 5] ^= 1
    assert duplicate_groups(np.stack([face(0), other])).tolist() == [0, 1]


def test_blank_images():
    speck = np.zeros((48, 48), np.uint8)
    speck[0, 0] = 1
    images = np.stack([np.zeros((48, 48), np.uint8), np.full((48, 48), 255, np.uint8), speck, face(0)])
    assert blank_images(images).tolist() == [True, True, False, False]


def test_near_duplicates_finds_the_planted_frames(scenes):
    planted = {(a, b) for a in range(90) for b in range(a + 1, 90) if scenes.sequences[a] == scenes.sequences[b]}
    found = set(map(tuple, near_duplicates(scenes.images).tolist()))
    assert planted <= found
    assert len(found - planted) <= 0.001 * 90 * 89 / 2


@pytest.mark.parametrize(
    "change",
    [
        lambda x: np.clip(x.astype(int) + 30, 0, 255).astype(np.uint8),
        lambda x: (x * 0.6).astype(np.uint8),
        lambda x: cv2.imdecode(cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], cv2.IMREAD_GRAYSCALE),
        lambda x: cv2.putText(x.copy(), "stock", (4, 26), cv2.FONT_HERSHEY_PLAIN, 0.7, 200, 1),
        lambda x: np.roll(x, 1, axis=1),
    ],
    ids=["lighter", "darker", "recompressed", "watermark", "shifted by a pixel"],
)
def test_a_changed_copy_is_a_near_duplicate(scenes, change):
    images = np.stack([scenes.images[0], scenes.images[30], change(scenes.images[0])])
    assert [0, 2] in near_duplicates(images).tolist()


def test_blank_images_are_near_nothing():
    assert len(near_duplicates(np.stack([np.full((48, 48), v, np.uint8) for v in (0, 0, 90)]))) == 0


@pytest.mark.parametrize("side", [24, 96])
def test_near_duplicates_of_other_sizes(side):
    images = np.stack([cv2.resize(face(s), (side, side)) for s in (0, 1, 0)])
    assert near_duplicates(images).tolist() == [[0, 2]]


def test_pairs_are_the_same_whatever_the_block_size(scenes, monkeypatch):
    whole = near_duplicates(scenes.images)
    monkeypatch.setattr(duplicates, "_BLOCK", 7)
    assert set(map(tuple, near_duplicates(scenes.images))) == set(map(tuple, whole))


def test_number_of_pairs_is_bounded(monkeypatch):
    monkeypatch.setattr(duplicates, "MAX_PAIRS", 10)
    assert near_duplicates(np.stack([face(0)] * 50)).shape == (10, 2)


def test_no_images():
    assert near_duplicates(np.empty((0, 48, 48), np.uint8)).shape == (0, 2)


@pytest.fixture
def report():
    close = np.clip(face(1).astype(int) + 20, 0, 255).astype(np.uint8)
    blank = np.zeros((48, 48), np.uint8)
    images = np.stack([face(0), face(0), face(0), face(1), close, blank, face(2)])
    ds = from_arrays(
        images,
        [0, 1, 0, 1, 1, 0, 0],
        ("angry", "happy"),
        usage=["train", "train", "test", "train", "test", "train", "test"],
        name="toy",
        skipped=(("x", "empty file"), ("y", "empty file"), ("z", "damaged")),
    )
    return quality_report(ds)


def test_report_counts(report):
    assert report.counts == {"train": {"angry": 2, "happy": 2}, "test": {"angry": 2, "happy": 1}}
    assert report.blank.tolist() == [5]
    assert [s.tolist() for s in report.copies] == [[0, 1, 2]]
    assert len(report.conflicting) == 1
    assert report.surplus == {"train": 1, "test": 0}
    assert report.shared == {("train", "test"): 2, ("test", "train"): 1}
    assert report.near_pairs.tolist() == [[3, 4]]
    assert report.near_shared == {
        ("train", "train"): 0,
        ("train", "test"): 1,
        ("test", "train"): 1,
        ("test", "test"): 0,
    }
    assert report.skipped == {"empty file": 2, "damaged": 1}


def test_report_as_text(report):
    assert report.to_text().splitlines() == [
        "toy: 7 faces",
        "  train: 4 (angry 2, happy 2)",
        "  test: 3 (angry 2, happy 1)",
        "Blank images: 1",
        "Exact copies: 2 images repeat another, in 1 sets, 1 of them with conflicting labels",
        "  1 superfluous within train",
        "  2 of train also stand in test",
        "  1 of test also stand in train",
        "Near duplicates (the same picture, changed a little): 1 pairs",
        "  1 of train have one in test",
        "  1 of test have one in train",
        "Skipped: 3",
        "  2 x empty file",
        "  1 x damaged",
    ]


def test_report_as_frame(report):
    frame = report.to_frame().set_index(["finding", "part", "other"])["n"]
    assert frame["class happy", "train", ""] == 2
    assert frame["images with an exact copy in the other", "test", "train"] == 1
    assert frame["skipped: empty file", "", ""] == 2


def test_report_of_unassigned_and_of_empty_data():
    ds = from_arrays(np.stack([face(0), face(0)]), [0, 0], ("angry",))
    assert "  unassigned: 2 (angry 2)" in quality_report(ds).to_text()
    assert quality_report(ds.take(slice(0))).n == 0


def test_near_duplicates_count_every_copy_of_a_partner():
    close = np.clip(face(1).astype(int) + 20, 0, 255).astype(np.uint8)
    ds = from_arrays(np.stack([face(1), close, close]), [0, 0, 0], ("angry",), usage=["test", "train", "train"])
    report = quality_report(ds)
    assert report.near_pairs.tolist() == [[0, 1]]
    assert report.near_shared["train", "test"] == 2
