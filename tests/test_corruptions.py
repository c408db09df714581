"""Corruptions get worse by severity, are the same for the same seed, and refuse what they do not know."""

from __future__ import annotations

import numpy as np
import pytest

from emo_utils.errors import DataError
from emo_utils.evaluation.corruptions import CORRUPTIONS, SEVERITIES, corrupt, corrupted_versions
from emo_utils.faces import make_faces


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    return make_faces(40, people=10).images


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(np.mean((a.astype(float) - b) ** 2)))


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_each_severity_is_farther_from_the_original(faces, name):
    before = faces.copy()
    worse = [corrupt(faces, name, severity) for severity in SEVERITIES]
    assert all(w.shape == faces.shape and w.dtype == np.uint8 for w in worse)
    distances = [distance(faces, w) for w in worse]
    assert distances[0] > 0
    assert all(np.diff(distances) > 0), distances
    np.testing.assert_array_equal(faces, before)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_seed_decides(faces, name):
    first, again, other = (corrupt(faces, name, 3, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any() == (name in ("noise", "rotation", "occlusion"))


def test_grey_levels_are_moved_as_stated():
    grey = np.full((1, 48, 48), 100, np.uint8)
    assert corrupt(grey, "brighter", 1).mean() == 126
    assert corrupt(grey, "darker", 2).mean() == 49
    assert corrupt(grey, "noise", 4).std() == pytest.approx(36, rel=0.05)
    edge = np.repeat([[[100, 200]]], 2, axis=1).astype(np.uint8)
    assert sorted(set(corrupt(edge, "contrast", 3).ravel())) == [140, 160]


@pytest.mark.parametrize("side", [48, 96])
def test_lengths_go_with_the_side(side):
    white = np.full((5, side, side), 255, np.uint8)
    covered = corrupt(white, "occlusion", 4) == 128
    assert covered.mean() == 0.25
    smaller = corrupt(white, "occlusion", 3) == 128
    assert not (smaller & ~covered).any()
    stripes = np.tile((np.arange(side) // (side // 24) % 2 * 255).astype(np.uint8), (1, side, 1))
    assert corrupt(stripes, "low_resolution", 3).std() < 2  # stripes finer than its pixels become grey


def test_images_need_not_be_square():
    for name in CORRUPTIONS:
        assert corrupt(np.full((2, 40, 60), 90, np.uint8), name, 5).shape == (2, 40, 60)
        assert corrupt(np.empty((0, 48, 48), np.uint8), name, 5).shape == (0, 48, 48)


@pytest.mark.parametrize("severity", [0, 6, 1.5, True, "3", None])
def test_a_severity_out_of_range_is_refused(faces, severity):
    with pytest.raises(DataError, match="severity must be a whole number from 1 to 5"):
        corrupt(faces, "blur", severity)


def test_an_unknown_corruption_or_other_images_are_refused(faces):
    with pytest.raises(DataError, match=r"'fog'. There are: darker, brighter, contrast"):
        corrupt(faces, "fog", 1)
    with pytest.raises(DataError, match="uint8 of shape"):
        corrupt(faces / 255, "blur", 1)
    with pytest.raises(DataError, match="uint8 of shape"):
        corrupt(faces[0], "blur", 1)


def test_versions_of_one_face_begin_with_the_face(faces):
    rows = corrupted_versions(faces[0], seed=2)
    assert list(rows) == list(CORRUPTIONS)
    for name, images in rows.items():
        np.testing.assert_array_equal(images[0], faces[0])
        np.testing.assert_array_equal(images[5:], corrupt(faces[:1], name, 5, seed=2))
