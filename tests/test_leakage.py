"""The leakage lab: what leaks and what does not is known face by face, and a model that only remembers shows it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emo_utils.datasets import from_arrays
from emo_utils.datasets.duplicates import duplicate_groups
from emo_utils.datasets.embedded import load_embedded
from emo_utils.errors import DataError
from emo_utils.evaluation.leakage import LEAKS, _without, leakage_gap, leakage_lab, leaky_and_clean

pytestmark = pytest.mark.usefixtures("drawn_once")


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMO_DATA", str(tmp_path_factory.mktemp("data")))
        return load_embedded(320, people=20, imbalance=1, frames=2)


def nearest(train, images) -> np.ndarray:
    """Answer as the most similar training face does: the model that remembers everything and understands nothing."""
    known, asked = (x.reshape(len(x), -1).astype(np.float32) for x in (train.images, images))
    distance = (known**2).sum(axis=1) - 2 * asked @ known.T
    return train.one_hot()[distance.argmin(axis=1)]


def sources(data) -> set[str]:
    return {face_id.removesuffix("-copy").split("-variant")[0] for face_id in data.ids}


@pytest.mark.parametrize("kind", LEAKS)
def test_both_sides_differ_only_in_what_leaks(faces, kind):
    split = leaky_and_clean(faces, kind, seed=1)
    assert len(split.leaky) == len(split.clean)
    assert split.leaky.counts() == split.clean.counts()
    assert len(set(split.leaky.ids)) == len(split.leaky)
    assert not sources(split.clean) & sources(split.test)
    assert not set(split.clean.groups) & set(split.test.groups)
    leaked = ~np.isin(split.leaky.ids, split.clean.ids)
    leaking = split.leaky.take(leaked)
    assert set(leaking.groups) <= set(split.test.groups)
    assert set(split.test.ids) <= set(faces.ids)
    if kind == "people":
        assert not sources(leaking) & sources(split.test)
        assert set(leaking.groups) == set(split.test.groups)
    elif kind == "duplicates":
        assert len(leaking) == round(len(split.test) / 3)
        asked = dict(zip(split.test.ids, split.test.images, strict=True))
        for face_id, image in zip(leaking.ids, leaking.images, strict=True):
            np.testing.assert_array_equal(asked[face_id.removesuffix("-copy")], image)
    else:
        assert sources(leaking) == sources(split.test)
        assert len(leaking) == 2 * len(split.test)


def test_the_seed_decides_which_faces_are_asked_about(faces):
    first, again, other = (leaky_and_clean(faces, "augmented", seed=seed) for seed in (0, 0, 1))
    assert first.leaky.fingerprint() == again.leaky.fingerprint()
    assert first.test.ids.tolist() != other.test.ids.tolist()


def test_a_model_that_remembers_gains_from_every_leak(faces):
    frame = leakage_lab(nearest, faces, seeds=(0,), progress=False).set_index("kind")
    assert (frame["low"] > 0).all()
    assert frame["gap"].to_numpy() == pytest.approx(100 * (frame["leaky"] - frame["clean"]))
    assert frame["n_test"].gt(50).all()


def test_copies_are_known_and_noise_cannot_be_guessed():
    rng = np.random.default_rng(0)
    noise = from_arrays(
        rng.integers(0, 256, (300, 16, 16), dtype=np.uint8), np.arange(300) % 3, ("happy", "sad", "fear")
    )
    split = leaky_and_clean(noise, "duplicates")
    right = nearest(split.leaky, split.test.images).argmax(axis=1) == split.test.labels
    copied = np.isin(split.test.ids, list(sources(split.leaky)))
    assert (copied.mean(), right[copied].mean()) == (pytest.approx(1 / 3, abs=0.01), 1)
    gap = leakage_gap(nearest(split.leaky, split.test.images), nearest(split.clean, split.test.images), split.test)
    assert gap.clean == pytest.approx(1 / 3, abs=0.15)
    assert gap.gap == pytest.approx(100 * 1 / 3 * 2 / 3, abs=12)  # a third is known, of which a third was guessed right


def test_a_model_that_cannot_remember_gains_nothing(faces):
    def always_the_same(train, images):
        return np.eye(7)[np.zeros(len(images), int)]

    frame = leakage_lab(always_the_same, faces, kinds=("duplicates",), seeds=(0, 1), progress=False)
    assert frame[["gap", "low", "high"]].eq(0).all(axis=None)
    assert frame["seed"].tolist() == [0, 1]


def test_faces_without_people_and_with_copies_of_their_own(faces):
    plain = replace(faces, groups=None)
    doubled = plain.take(np.repeat(np.arange(len(plain)), 2))
    doubled = replace(doubled, ids=np.array([f"{i}" for i in range(len(doubled))]))
    split = leaky_and_clean(doubled, "augmented")
    n = len(split.clean)
    number = duplicate_groups(np.concatenate([split.clean.images, split.test.images]))
    assert not set(number[:n]) & set(number[n:])
    with pytest.raises(DataError, match=r"embedded does not say who is on the images"):
        leaky_and_clean(plain, "people")


def test_gap_by_hand():
    test = from_arrays(np.zeros((4, 8, 8), np.uint8), [0, 0, 1, 1], ("happy", "sad"))
    right = test.one_hot()
    wrong_once = right.copy()
    wrong_once[3] = [1, 0]
    gap = leakage_gap(right, wrong_once, test)
    assert (gap.leaky, gap.clean, gap.gap) == (1, 0.75, 25)
    assert gap.low == 0 < gap.high
    with pytest.raises(DataError, match="shape"):
        leakage_gap(right[:3], wrong_once, test)


def test_what_cannot_be_done_is_said(faces):
    with pytest.raises(DataError, match=r"No leak is called 'faces'. There are: people, duplicates, augmented"):
        leaky_and_clean(faces, "faces")
    with pytest.raises(DataError, match="too few"):
        leaky_and_clean(faces.take(faces.groups == faces.groups[0]), "people")


def test_room_is_made_class_by_class_as_far_as_it_goes():
    labels, rng = np.array([0] * 6 + [1] * 2 + [2] * 4), np.random.default_rng(0)
    kept = _without(labels, np.array([0, 0, 1, 1]), rng)
    assert np.bincount(labels[kept]).tolist() == [4, 0, 4]
    kept = _without(labels, np.array([1, 1, 1, 1, 2]), rng)  # two of class 1 too few: others go
    assert len(kept) == 7
    assert not (labels[kept] == 1).any()
    with pytest.raises(DataError, match="12 training faces cannot make room for 13"):
        _without(labels, np.zeros(13, int), rng)
