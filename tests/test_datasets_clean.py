from __future__ import annotations

import numpy as np
import pytest
from datasets_helpers import face

from emo_utils.datasets import clean, from_arrays

# (id, picture, label, usage); a picture of -1 is blank
FACES = [
    ("a", 0, 0, "train"),
    ("a again", 0, 0, "train"),
    ("b", 1, 1, "train"),
    ("b as another", 1, 2, "train"),
    ("c", 2, 0, "train"),
    ("c as another", 2, 1, "train"),
    ("c again", 2, 0, "train"),
    ("blank", -1, 0, "train"),
    ("leak", 3, 0, "train"),
    ("leak in val", 3, 0, "val"),
    ("tested", 3, 0, "test"),
    ("tested twice", 3, 1, "test"),
    ("blank test", -2, 0, "test"),
    ("leak of private", 4, 0, "train"),
    ("private", 4, 0, "private"),
    ("d", 5, 0, "train"),
    ("d in val", 5, 0, "val"),
    ("single", 6, 0, "train"),
]


@pytest.fixture
def faces():
    ids, pictures, labels, usage = zip(*FACES, strict=True)
    images = [face(p) if p >= 0 else np.full((48, 48), 10 * -p, np.uint8) for p in pictures]
    return from_arrays(np.stack(images), labels, ("angry", "happy", "sad"), ids=ids, usage=usage)


def test_clean_leaves_out_what_it_says(faces):
    cleaned = clean(faces)
    assert dict(cleaned.removed) == {
        "a again": "copy of a",
        "b": "copies with conflicting labels",
        "b as another": "copies with conflicting labels",
        "c as another": "copy of c",
        "c again": "copy of c",
        "blank": "blank",
        "leak": "copy of a test image",
        "leak in val": "copy of a test image",
        "leak of private": "copy of a test image",
        "d": "copy of d in val",
    }
    assert set(cleaned.ids) == set(faces.ids) - {name for name, _ in cleaned.removed}


@pytest.mark.parametrize("usage", ["test", "private"])
def test_tests_are_never_altered(faces, usage):
    assert clean(faces).part(usage).fingerprint() == faces.part(usage).fingerprint()


@pytest.mark.parametrize(
    ("options", "gone"),
    [
        ({"duplicates": False, "leaks": False}, {"blank"}),
        ({"blanks": False, "duplicates": False}, {"leak", "leak in val", "leak of private"}),
        ({"blanks": False, "leaks": False}, {"a again", "b", "b as another", "c as another", "c again", "leak", "d"}),
        ({"blanks": False, "leaks": False, "duplicates": False}, set()),
    ],
)
def test_each_kind_can_be_left_in(faces, options, gone):
    assert {name for name, _ in clean(faces, **options).removed} == gone


def test_cleaning_twice_changes_nothing(faces):
    once = clean(faces)
    assert clean(once).fingerprint() == once.fingerprint()
    assert clean(once).removed == once.removed
