"""The loaders on the real FER2013 (Training and PublicTest) and FER+, where they are at hand."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import shared_file

from emo_utils.datasets import clean, load_dataset, split_dataset
from emo_utils.datasets.duplicates import blank_images, duplicate_groups, sets_of_equal
from emo_utils.datasets.ferplus import VOTES, add_votes


@pytest.fixture(scope="module")
def fer2013(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMO_DATA", str(tmp_path_factory.mktemp("data")))
        yield load_dataset(shared_file("data/fer2013.zip"))


def test_counts_are_the_published_ones(fer2013):
    assert (fer2013.name, fer2013.skipped) == ("fer2013", ())
    assert list(fer2013.part("train").counts().values()) == [3995, 436, 4097, 7215, 4830, 3171, 4965]
    assert list(fer2013.part("test").counts().values()) == [467, 56, 496, 895, 653, 415, 607]


def test_known_faults_are_found(fer2013):
    number = duplicate_groups(fer2013.images)
    in_test = fer2013.usage == "test"
    assert np.isin(number[in_test], number[~in_test]).sum() == 280
    assert blank_images(fer2013.images).sum() == 12  # 13 with the PrivateTest
    copies = sets_of_equal(number)
    assert sum(map(len, copies)) - len(copies) == 1532  # 1,853 with the PrivateTest
    assert sum(len(set(fer2013.labels[s])) > 1 for s in copies) == 47  # 57 with the PrivateTest


def test_cleaned_and_split_nothing_stands_on_two_sides(fer2013):
    ds = clean(split_dataset(fer2013))
    number = duplicate_groups(ds.images)
    parts = [set(number[ds.usage == part]) for part in ("train", "val", "test")]
    assert len(set.union(*parts)) == sum(map(len, parts))
    assert len(ds.part("test")) == 3589


def test_ferplus_agrees_with_fer2013_as_published(fer2013):
    ds = add_votes(fer2013, shared_file("data/fer2013new.csv"), shared_file("data/fer2013_rows.csv"))
    assert (ds.votes.sum(axis=1) >= 9).all()
    unanimous = (ds.votes.max(axis=1) == ds.votes.sum(axis=1)).mean()
    assert unanimous == pytest.approx(0.226, abs=0.01)
    happy = ds.take(ds.labels == ds.class_names.index("happy"))
    assert (happy.votes.argmax(axis=1) == VOTES.index("happiness")).mean() == pytest.approx(0.92, abs=0.01)
